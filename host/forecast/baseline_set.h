/* Baselines that a model's forecasts of a network are compared with. */
#ifndef EPOCHCAST_FORECAST_BASELINE_SET_H
#define EPOCHCAST_FORECAST_BASELINE_SET_H

#include "forecast/forecast.h"

enum { BASELINE_LIMIT = 16 };

struct baseline_set {
    struct predictor *list[BASELINE_LIMIT]; /* the roofline first */
    int count;
};

/* True when the baselines of `mask` (bit i: choice_baseline's name i) learn from rows. */
bool baseline_set_needs_rows(int32_t mask);

/* The roofline of `device`, and the baselines of `mask` fitted on `rows` (NULL: only the roofline).
 * baseline_set_free releases, also after a failure. */
enum status baseline_set_fit(struct baseline_set *set, const struct device_info *device,
                             int32_t mask, const struct dataset_rows *rows, struct error *error);
void baseline_set_free(struct baseline_set *set);

/* batch_ms (count): forecast of each baseline, as by forecast_network. */
enum status baseline_set_forecast(double *batch_ms, const struct baseline_set *set,
                                  const struct network *network, const struct device_info *device,
                                  const struct forecast_options *options, struct error *error);

/* The model's entry for the measuring device `here`, of its state of the caches or else of another;
 * STATUS_NO_DEVICE: the model was trained on other devices. */
enum status model_find_device(const struct device_info **known, const struct model *model,
                              const struct device_info *here, struct error *error);

#endif
