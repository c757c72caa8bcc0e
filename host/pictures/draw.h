/* The pictures, one function per command: each lays a picture out and fills it. */
#ifndef EPOCHCAST_PICTURES_DRAW_H
#define EPOCHCAST_PICTURES_DRAW_H

#include "evaluate/row_forecasts.h"
#include "forecast/forecast.h"
#include "pictures/picture.h"
#include "step/verified_step.h"

/* Bars of the layers' times for the largest batch size, with intervals. For several batch sizes
 * also the time of a batch by its size: one curve with interval per optimizer. Forecasts are
 * grouped by optimizer. count >= 1. */
enum status draw_forecasts(struct picture *picture, const struct forecast *forecasts, int count,
                           const struct network *network, const char *device, struct error *error);

/* Steps of one pass, grouped by optimizer. */
struct verified_network {
    const char *network, *device; /* the device may be "" */
    int32_t pass;
    const struct verified_step *steps;
    int count; /* >= 1 */
    const char *baselines[VERIFIED_BASELINE_LIMIT];
    int baseline_count;
};
/* Measured and predicted times by batch size, with those of the first baseline, and the error in
 * percent; with several baselines also all forecasts over the measured times. */
void draw_verification(struct picture *picture, const struct verified_network *verified);

/* One row of panels per layer kind: time over work, and noise over time. */
void draw_dataset(struct picture *picture, const struct dataset_rows *rows, const char *title);

/* Copies of measured rows with their forecasts: they outlive the predictors. */
enum { EVALUATED_LIMIT = 24 };
struct evaluated_point {
    int kind, series; /* enum layer_kind; of row_series.h */
    double measured_ms, predicted_ms;
};
struct evaluated {
    char name[48]; /* of the predictor */
    struct evaluated_point *points;
    size_t count;
};
struct evaluated_list { /* zeroed: empty */
    struct evaluated list[EVALUATED_LIMIT];
    int count;
};
/* Adds forecasts of the rows to the list entry of that name. evaluated_free releases. */
enum status evaluated_add(struct evaluated_list *all, const char *name,
                          const struct row_forecasts *forecasts, const struct dataset_rows *rows,
                          struct error *error);
void evaluated_free(struct evaluated_list *all);

/* One panel per layer kind (of the first predictor) and predictor, kind by kind: predicted over
 * measured time, with bands of 10 % and 25 %. `rows` names the devices. */
enum status draw_evaluation(struct picture *picture, const struct evaluated_list *all,
                            const struct dataset_rows *rows, const char *title,
                            struct error *error);

#endif
