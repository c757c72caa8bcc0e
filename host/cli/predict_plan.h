/* What predict is asked for, and the forecasts: every step, batch size and number of devices on
 * every device. */
#ifndef EPOCHCAST_CLI_PREDICT_PLAN_H
#define EPOCHCAST_CLI_PREDICT_PLAN_H

#include "cli/network_choice.h"
#include "forecast/forecast.h"

enum { DEVICE_LIMIT = 64, GPUS_LIMIT = 64, FORECAST_LIMIT = 100000 };

struct priced_device {
    const struct device_info *info; /* the model's */
    int64_t memory_bytes;           /* --device-memory, or what it has; 0: unknown */
    double price_per_hour, watts;   /* NaN: unknown */
};

struct predict_plan {
    struct network_choice choice;
    struct priced_device devices[DEVICE_LIMIT];
    int device_count;
    int32_t gpus[GPUS_LIMIT];
    int gpus_count;
    bool is_parallel;               /* --gpus was given */
    struct forecast_options common; /* of all forecasts */
};

struct predict_row {
    struct forecast forecast;
    const struct priced_device *device;
};

struct predictions {
    const struct predict_plan *plan;
    struct predict_row *rows; /* by device, step, gpus, batch size */
    int count, too_large;
};

/* Reads operands and options; predict_plan_free releases. `sizes` as in network_choice_load. */
enum status predict_plan_load(struct predict_plan *plan, struct dimension_sizes *sizes,
                              const struct settings *settings, struct error *error);
void predict_plan_free(struct predict_plan *plan);

/* The plan must outlive them; predictions_free releases. */
enum status predictions_create(struct predictions *all, const struct predict_plan *plan,
                               struct error *error);
void predictions_free(struct predictions *all);

/* Of the row's step and devices, as --batch counts: 0 when none fits, -1 when the memory is
 * unknown. */
int64_t predict_largest_batch(const struct predict_plan *plan, const struct predict_row *row);

#endif
