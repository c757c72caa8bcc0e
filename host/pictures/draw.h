/* What is drawn, one function a command: each lays a picture out and fills it. */
#ifndef EPOCHCAST_PICTURES_DRAW_H
#define EPOCHCAST_PICTURES_DRAW_H

#include "model/forecast.h"
#include "model/row_forecasts.h"
#include "pictures/picture.h"

/* Bars of the layers' times for the largest batch size, with intervals; beside them, where there
 * are several batch sizes, the time of a batch by its size, a curve with its interval an optimizer.
 * Forecasts of one optimizer follow each other. count >= 1. */
enum status draw_forecasts(struct picture *picture, const struct forecast *forecasts, int count,
                           const struct network *network, const char *device, struct error *error);

/* A whole step that was run, beside its forecasts. */
enum { VERIFIED_RIVAL_LIMIT = 16 };
struct verified_step {
    int32_t batch_size, optimizer;
    double measured_ms, measured_ci_ms; /* half-width; NaN: unknown */
    double predicted_ms, predicted_low_ms, predicted_high_ms;
    double rivals_ms[VERIFIED_RIVAL_LIMIT]; /* NaN: unknown */
};
/* Steps of one pass; those of an optimizer follow each other. */
struct verified_network {
    const char *network, *device; /* the device may be "" */
    int32_t pass;
    const struct verified_step *steps;
    int count; /* >= 1 */
    const char *rivals[VERIFIED_RIVAL_LIMIT];
    int rival_count;
};
/* Measured and predicted times by batch size, with the first rival's, and the error in percent;
 * where there are several rivals, all forecasts over the measured times. */
void draw_verification(struct picture *picture, const struct verified_network *verified);

/* A row of panels a layer kind: time over work, and noise over time. */
void draw_dataset(struct picture *picture, const struct dataset_rows *rows, const char *title);

/* A panel a layer kind: predicted over measured time, bands of 10 % and 25 %. count >= 1. */
enum status draw_evaluation(struct picture *picture, const struct row_forecasts *forecasts,
                            const struct dataset_rows *rows, const char *title,
                            struct error *error);

#endif
