/* The pictures, one function per command: each lays a picture out and fills it. */
#ifndef EPOCHCAST_PICTURES_DRAW_H
#define EPOCHCAST_PICTURES_DRAW_H

#include "evaluate/evaluate.h"
#include "evaluate/residuals.h"
#include "forecast/forecast_grid.h"
#include "pictures/picture.h"
#include "step/verified_step.h"

/* What was asked for, as small multiples: throughput by batch size and by number of devices, cost,
 * memory (with_memory, or when a forecast does not fit), the layers of the largest batch size. A
 * note names what finds no place. all->count >= 1. */
enum status draw_forecasts(struct picture *picture, const struct forecast_grid *all,
                           bool with_memory, struct error *error);

/* Steps, grouped by pass and optimizer. */
struct verified_network {
    const char *network, *device; /* the device may be "" */
    const struct verified_step *steps;
    int count; /* >= 1 */
    const char *baselines[VERIFIED_BASELINE_LIMIT];
    int baseline_count;
};
/* One row of panels per pass: measured and predicted times by batch size, with those of the first
 * baseline; the error in percent; with several baselines also all forecasts over the measured
 * times. Then, where layers were timed, the times by kind at the largest batch size of every pass
 * and optimizer. */
void draw_verification(struct picture *picture, const struct verified_network *verified);

/* One row of panels per layer kind: time over work, and noise over time. */
void draw_dataset(struct picture *picture, const struct dataset_rows *rows);
/* "AMD EPYC, 1 thread; V100: 1200 timed rows": the devices, the count, `what`. */
void name_rows(char *title, size_t size, const struct dataset_rows *rows, size_t count,
               const char *what);

/* Copies of measured rows with their forecasts: they outlive the predictor. */
enum { EVALUATED_LIMIT = 24, EVALUATED_NAME_SIZE = 48 };
struct evaluated_point {
    int kind, series; /* enum layer_kind; of row_series.h */
    double measured_ms, predicted_ms;
};
struct evaluated {
    char name[EVALUATED_NAME_SIZE]; /* of the predictor; "mlp + 50 rows" */
    struct evaluated_point *points;
    size_t count;
};
struct evaluated_list { /* zeroed: empty */
    const char *predictor;
    struct evaluated list[EVALUATED_LIMIT];
    int count;
};
/* Adds forecasts of the rows to the list entry of that predictor and number of calibration rows
 * (-1: none). The first predictor is the chosen one: those of others are not kept. evaluated_free
 * releases. */
enum status evaluated_add(struct evaluated_list *all, const char *predictor,
                          int32_t calibration_rows, const struct row_forecasts *forecasts,
                          const struct dataset_rows *rows, struct error *error);
void evaluated_free(struct evaluated_list *all);

struct evaluation_drawing {
    const struct evaluated_list *points;
    const struct evaluation *errors; /* or NULL */
    bool is_calibrated;              /* its rows have numbers of calibration rows */
    const struct residuals *slices;  /* or NULL */
    const struct dataset_rows *rows; /* that name the devices */
    const char *what;                /* "rows of the validation split" */
};
/* Errors of the predictors by kind, of the chosen one by group, by slice: median and 90th
 * percentile as dots. Then one panel per layer kind: its predicted over measured times, with bands
 * of 10 % and 25 %. */
enum status draw_evaluation(struct picture *picture, const struct evaluation_drawing *drawing,
                            struct error *error);

#endif
