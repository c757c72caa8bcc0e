/* What is drawn, one function a command: each lays a picture out and fills it. */
#ifndef EPOCHCAST_PICTURES_DRAW_H
#define EPOCHCAST_PICTURES_DRAW_H

#include "evaluate/row_forecasts.h"
#include "forecast/forecast.h"
#include "pictures/picture.h"
#include "step/verified_step.h"

/* Bars of the layers' times for the largest batch size, with intervals; beside them, where there
 * are several batch sizes, the time of a batch by its size, a curve with its interval an optimizer.
 * Forecasts of one optimizer follow each other. count >= 1. */
enum status draw_forecasts(struct picture *picture, const struct forecast *forecasts, int count,
                           const struct network *network, const char *device, struct error *error);

/* Steps of one pass; those of an optimizer follow each other. */
struct verified_network {
    const char *network, *device; /* the device may be "" */
    int32_t pass;
    const struct verified_step *steps;
    int count; /* >= 1 */
    const char *baselines[VERIFIED_BASELINE_LIMIT];
    int baseline_count;
};
/* Measured and predicted times by batch size, with the first baseline's, and the error in percent;
 * where there are several baselines, all forecasts over the measured times. */
void draw_verification(struct picture *picture, const struct verified_network *verified);

/* A row of panels a layer kind: time over work, and noise over time. */
void draw_dataset(struct picture *picture, const struct dataset_rows *rows, const char *title);

/* Measured rows beside what predictors say of them, copied: who forecast may be gone. */
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
/* Adds forecasts of the rows to those of that name. evaluated_free releases. */
enum status evaluated_add(struct evaluated_list *all, const char *name,
                          const struct row_forecasts *forecasts, const struct dataset_rows *rows,
                          struct error *error);
void evaluated_free(struct evaluated_list *all);

/* A panel a layer kind (those of the first predictor): predicted over measured time, bands of 10 %
 * and 25 %; of several predictors a panel each, kind by kind. `rows` names the devices. */
enum status draw_evaluation(struct picture *picture, const struct evaluated_list *all,
                            const struct dataset_rows *rows, const char *title,
                            struct error *error);

#endif
