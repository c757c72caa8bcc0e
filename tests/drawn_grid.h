/* Grids of forecasts of known content, and their pictures. */
#ifndef EPOCHCAST_TESTS_DRAWN_GRID_H
#define EPOCHCAST_TESTS_DRAWN_GRID_H

#include "drawn_picture.h"
#include "pictures/draw.h"
#include "pictures/forecast_panels.h"
#include "synthetic_rows.h"

enum { LAYER_LIMIT = 300, ROW_LIMIT = 512 };

struct grid {
    struct forecast_grid all;
    struct forecast_request request;
    struct network_layer layers[LAYER_LIMIT];
    struct prediction predictions[LAYER_LIMIT];
    struct forecast_grid_row rows[ROW_LIMIT];
    struct device_info devices[DEVICE_LIMIT];
};

struct shape {
    int layers, devices, steps, gpus, batches;
};

/* A step takes 10 ms and half a ms per sample, on device d (d + 1) times as long; with n devices,
 * n - 1 ms more. A batch of 64 or more does not fit. Layer i takes i + 1 ms. */
static inline void fill_row(struct grid *grid, int device, int step, int gpu, int batch)
{
    struct forecast_grid_row *row = &grid->rows[grid->all.count++];
    const struct step_selection *selected = &grid->request.selection.steps[step];
    const int32_t size = grid->request.selection.batch_sizes[batch], gpus = grid->request.gpus[gpu];
    const double ms = (device + 1) * (10 + 0.5 * size) + gpus - 1;
    row->device = &grid->request.devices[device];
    row->forecast = (struct forecast){.batch_size = size,
                                      .device_batch_size = size,
                                      .global_batch_size = (int64_t)size * gpus,
                                      .device_count = gpus,
                                      .pass = selected->pass,
                                      .optimizer = selected->optimizer,
                                      .batch_ms = ms,
                                      .batch_low_ms = 0.9 * ms,
                                      .batch_high_ms = 1.2 * ms,
                                      .sample_ms = ms / size,
                                      .epoch_s = NAN,
                                      .epoch_cost = NAN,
                                      .total_s = NAN,
                                      .cost = NAN,
                                      .energy_kwh = NAN,
                                      .fits = size < 64,
                                      .memory = {.parameters_bytes = 1 << 20,
                                                 .activations_bytes = (int64_t)size << 20,
                                                 .total_bytes = (int64_t)(size + 1) << 20},
                                      .layers = grid->predictions};
    grid->all.too_large += !row->forecast.fits;
}

/* No two layers are equal. */
static inline struct layer_config config_of(int layer)
{
    struct layer_config config = {.kind = layer % 3 ? LAYER_DENSE : LAYER_CONV2D, .batch_size = 1};
    if (config.kind == LAYER_DENSE)
        config.as.dense = (struct dense){.inputs = layer + 1, .outputs = 1};
    else
        config.as.conv2d = (struct conv2d){.image_size = 1,
                                           .kernel_size = 1,
                                           .channels_in = layer + 1,
                                           .channels_out = 1,
                                           .stride = 1,
                                           .groups = 1,
                                           .dilation = 1};
    return config;
}

static inline struct grid *grid_of(struct shape shape)
{
    static const struct step_selection steps[] = {
        {PASS_FORWARD, OPTIMIZER_NONE}, {PASS_TRAIN, OPTIMIZER_SGD}, {PASS_TRAIN, OPTIMIZER_ADAM}};
    struct grid *grid = calloc(1, sizeof *grid);
    assert_non_null(grid);
    struct network_selection *selection = &grid->request.selection;
    grid->all = (struct forecast_grid){.request = &grid->request, .rows = grid->rows};
    selection->network = (struct network){.layers = grid->layers, .layer_count = shape.layers};
    snprintf(selection->network.name, sizeof selection->network.name, "net");
    for (int i = 0; i < shape.layers; i++) {
        snprintf(grid->layers[i].name, sizeof grid->layers[i].name, "layer'%d`", i);
        grid->layers[i].config = config_of(i);
        grid->predictions[i] = (struct prediction){
            .median_ms = i + 1, .low_ms = i + 0.5, .high_ms = i + 2, .covered = true};
    }
    for (int i = 0; i < shape.devices; i++) {
        grid->devices[i] = synthetic_device("", 1000, 100);
        snprintf(grid->devices[i].name, sizeof grid->devices[i].name, "d'%d", i);
        grid->request.devices[i] = (struct priced_device){
            .info = &grid->devices[i], .memory_bytes = 40 << 20, .price_per_hour = NAN};
    }
    memcpy(selection->steps, steps, sizeof steps);
    for (int i = 0; i < shape.batches; i++)
        selection->batch_sizes[i] = 1 << i;
    for (int i = 0; i < shape.gpus; i++)
        grid->request.gpus[i] = 1 << i;
    selection->batch_count = shape.batches;
    selection->step_count = shape.steps;
    grid->request.device_count = shape.devices;
    grid->request.gpus_count = shape.gpus;
    grid->request.is_parallel = shape.gpus > 1;
    for (int d = 0; d < shape.devices; d++)
        for (int s = 0; s < shape.steps; s++)
            for (int g = 0; g < shape.gpus; g++)
                for (int b = 0; b < shape.batches; b++)
                    fill_row(grid, d, s, g, b);
    return grid;
}

static inline void give_costs(struct grid *grid)
{
    for (int i = 0; i < grid->all.count; i++)
        grid->rows[i].forecast.epoch_cost = 2 * grid->rows[i].forecast.batch_ms;
}

/* The commands of a picture, which gnuplot draws where there is one. */
static inline void draw(struct picture *picture, const struct grid *grid, bool with_memory)
{
    SUCCEEDS(picture_create(picture, PICTURE_SVG, &error));
    SUCCEEDS(draw_forecasts(picture, &grid->all, with_memory, &error));
    script_of(picture);
}

static inline void finish(struct picture *picture, struct grid *grid)
{
    if (gnuplot_check(&error) == STATUS_OK)
        free(rendered(picture));
    else
        picture_free(picture);
    free(grid);
}

#endif
