/* What verify measures beside what was forecast: a row for every step and batch size. */
#ifndef EPOCHCAST_CLI_VERIFY_RUN_H
#define EPOCHCAST_CLI_VERIFY_RUN_H

#include "cli/network_choice.h"
#include "forecast/forecast.h"
#include "pictures/draw.h"
#include "step/verify_rounds.h"

enum { RIVAL_LIMIT = VERIFIED_RIVAL_LIMIT };

struct verify_row {
    struct verify_times measured;
    struct forecast forecast;
    double rivals_ms[RIVAL_LIMIT];
    double sum_ms; /* of measured.alone_ms; NaN without --sum */
};

struct verification {
    const struct network_choice *choice;
    const struct device_info *known;       /* the device as the model knows it */
    struct predictor *rivals[RIVAL_LIMIT]; /* the roofline first */
    int rival_count;
    struct verify_row *rows;
    int count, too_large;
    bool has_sum;
};

/* Fits the rivals (--baselines, on the datasets behind the network's name) and measures on
 * `device`. A step that does not fit the device becomes a row without times. verification_free
 * releases; the choice must outlive it. */
enum status verification_create(struct verification *all, const struct network_choice *choice,
                                struct device *device, const struct settings *settings,
                                struct error *error);
void verification_free(struct verification *all);

#endif
