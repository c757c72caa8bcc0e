/* Forecasts of a network: every step, batch size and number of devices on every device. */
#ifndef EPOCHCAST_FORECAST_FORECAST_GRID_H
#define EPOCHCAST_FORECAST_FORECAST_GRID_H

#include "forecast/caveats.h"
#include "forecast/framework.h"

enum { BATCH_LIMIT = 256, STEP_LIMIT = 1 + OPTIMIZER_COUNT };

/* A forward pass with optimizer none, or a training step. */
struct step_selection {
    int32_t pass, optimizer;
};

/* The request of predict and verify: a network, a model, batch sizes, steps. */
struct network_selection {
    struct network network;
    int left_out_count; /* layers that verify removed from the network */
    struct model model;
    int32_t batch_sizes[BATCH_LIMIT];
    int batch_count;
    struct step_selection steps[STEP_LIMIT]; /* every pass with each of its optimizers */
    int step_count;
};
void network_selection_free(struct network_selection *selection);

enum { DEVICE_LIMIT = 512, GPUS_LIMIT = 64, FORECAST_LIMIT = 100000 };

struct priced_device {
    const struct device_info *info; /* the model's */
    int64_t memory_bytes;           /* 0: unknown */
    double price_per_hour, watts;   /* NaN: unknown */
};

struct forecast_request {
    struct network_selection selection;
    struct priced_device devices[DEVICE_LIMIT];
    int device_count;
    int32_t gpus[GPUS_LIMIT];
    int gpus_count;
    bool is_parallel;               /* gpus was given, also as 1 */
    struct forecast_options common; /* of all forecasts */
    struct framework *framework;    /* factors of a framework; or NULL */
};
void forecast_request_free(struct forecast_request *request);

struct forecast_grid_row {
    struct forecast forecast;
    const struct priced_device *device;
};

struct forecast_grid {
    const struct forecast_request *request;
    struct forecast_grid_row *rows; /* by device, step, gpus, batch size */
    int count, too_large;
};

/* The request must outlive them; forecast_grid_free releases. */
enum status forecast_grid_create(struct forecast_grid *grid, const struct forecast_request *request,
                                 struct error *error);
void forecast_grid_free(struct forecast_grid *grid);

/* Of all forecasts, of which there is at least one. */
enum status forecast_grid_caveats(struct caveats *caveats, const struct forecast_grid *grid,
                                  struct error *error);

/* Largest batch size for the row's step and devices: 0 when none fits, -1 when the memory is
 * unknown. */
int64_t forecast_grid_largest_batch(const struct forecast_request *request,
                                    const struct forecast_grid_row *row);

#endif
