/* The `neusight` baseline: Lee, Phanishayee, Mahajan, "NeuSight: forecasting GPU performance for
 * deep learning training and inference", ASPLOS 2025, section 4, with the formulas of its published
 * program. A matrix product (rows x depth)(depth x columns) is cut into tiles, the tiles into waves
 * of one tile per unit; the law learns the utilisation of the roofline, bounded by its form:
 *
 *   waves = ceil(tiles / units)          roof = min(peak, bandwidth * FLOPs / bytes)
 *   utilisation = sigmoid(g) - sigmoid(a) / waves
 *   time = waves * (units * FLOPs of a tile) / (roof * utilisation)
 *
 * a and g depend on log2 of: FLOPs of a tile per unit's peak, bytes of a tile per unit's bandwidth,
 * waves * bytes of a tile per unit's share of memory and of the last cache. Element-wise work
 * (activation, bias, update, pooling) is tiles of VECTOR_BYTES at the bandwidth. A layer is the sum
 * of its operations. Everything is relative to the hardware, so one law serves all devices.
 *
 * Departures: convolutions are implicit products (NeuSight has none); tile sides are powers of two
 * up to TILE_SIDE, and the depth is cut every TILE_DEPTH too (NeuSight looks its tiles up among
 * profiled kernels); a and g are linear in the four logarithms and their squares, fitted by least
 * squares on ln(time), where NeuSight has a network of 8 x 512.
 */
#include "base/least_squares.h"
#include "predictors/baseline.h"
#include "predictors/predictor_roofline.h"

#include <math.h>
#include <stdlib.h>

enum {
    TILE_SIDE = 128,
    TILE_DEPTH = 256,
    VECTOR_BYTES = 16384,
    FEATURES = 9, /* 1, four logarithms, their squares */
    CLASSES = 2,  /* product, vector */
    PARAMETERS = CLASSES * 2 * FEATURES,
    OPERATIONS = WORK_OPERATION_LIMIT + 1, /* products and the element-wise rest */
    FIT_ROW_LIMIT = 8192,
};
static const double utilisation_floor = 1e-4;
static const double copied_bytes_per_flop = 12; /* two inputs, an output, fp32 */

struct neusight_state {
    double parameters[PARAMETERS]; /* (CLASSES, {a, g}, FEATURES) */
};

/* One operation, as utilisation sees it. */
struct operation {
    double features[FEATURES];
    double waves, ideal_ms; /* at full utilisation */
    int class;              /* 0 product, 1 vector */
};

struct layer_operations {
    struct operation operations[OPERATIONS];
    int count;
    double log_ms; /* measured; while fitting */
};

/* What a unit of the device has. NaN where unknown. */
struct unit_rates {
    double units, flops_per_ms, bytes_per_ms, memory_bytes, cache_bytes; /* of one unit */
};

static struct unit_rates unit_rates_of(const struct device_info *device)
{
    const struct device_rates rates = device_rates_of(device);
    const double cores = isfinite(device->core_count) ? device->core_count : 0;
    const double units = fmax(1, floor(cores / device_unit_of(device).cores));
    return (struct unit_rates){
        .units = units,
        .flops_per_ms = rates.gflops * 1e6 / units,
        .bytes_per_ms = rates.gbps * 1e6 / units,
        .memory_bytes = fmax((double)device->memory_bytes, 1 << 20) / units,
        .cache_bytes = fmax((double)device->cache_bytes, 1 << 10) / units,
    };
}

static double tile_side(double size, double limit)
{
    return fmin(limit, exp2(ceil(log2(size))));
}

static void set_features(struct operation *operation, double tile_flops, double tile_bytes,
                         const struct unit_rates *unit)
{
    const double all_bytes = operation->waves * tile_bytes;
    const double logs[] = {
        log2(tile_flops / unit->flops_per_ms), log2(tile_bytes / unit->bytes_per_ms),
        log2(all_bytes / unit->memory_bytes), log2(all_bytes / unit->cache_bytes)};
    operation->features[0] = 1;
    for (int i = 0; i < 4; i++) { /* about -1..1 */
        operation->features[1 + i] = logs[i] / 16;
        operation->features[5 + i] = logs[i] * logs[i] / 256;
    }
}

/* bytes: of the three operands. */
static void add_product(struct layer_operations *layer, const struct work_operation *product,
                        double bytes, const struct unit_rates *unit)
{
    struct operation *operation = &layer->operations[layer->count++];
    const double rows = product->rows, depth = product->depth, columns = product->columns;
    const double tile_rows = tile_side(rows, TILE_SIDE), tile_depth = tile_side(depth, TILE_DEPTH);
    const double tile_columns = tile_side(columns, TILE_SIDE);
    const double tiles = product->batch * ceil(rows / tile_rows) * ceil(columns / tile_columns) *
                         ceil(depth / tile_depth);
    const double tile_flops = 2 * tile_rows * tile_columns * tile_depth;
    const double tile_bytes = FLOAT_BYTES * (tile_rows * tile_depth + tile_depth * tile_columns +
                                             tile_rows * tile_columns);
    const double roof = fmin(unit->flops_per_ms, unit->bytes_per_ms * tiles * tile_flops / bytes);
    operation->class = 0;
    operation->waves = ceil(tiles / unit->units);
    operation->ideal_ms = operation->waves * tile_flops / roof;
    set_features(operation, tile_flops, tile_bytes, unit);
}

static void add_vector(struct layer_operations *layer, double bytes, double flops,
                       const struct unit_rates *unit)
{
    if (!(bytes > 0))
        return;
    struct operation *operation = &layer->operations[layer->count++];
    const double tiles = ceil(bytes / VECTOR_BYTES);
    operation->class = 1;
    operation->waves = ceil(tiles / unit->units);
    operation->ideal_ms = operation->waves * VECTOR_BYTES / unit->bytes_per_ms;
    set_features(operation, fmax(flops, 1) / tiles, fmin(bytes, VECTOR_BYTES), unit);
}

/* Of a product's operands: the tensors of its phase, since a convolution's left side is nowhere
 * written down; its three sides where the phase has other products, too. */
static double operand_bytes(const struct layer_work *work, const struct work_operation *product)
{
    int products = 0;
    for (int i = 0; i < work->operation_count; i++)
        products += work->operations[i].phase == product->phase &&
                    work->operations[i].type == OPERATION_PRODUCT;
    if (products == 1)
        return FLOAT_BYTES *
               (work_elements(work, TENSOR_INPUT) + work_elements(work, TENSOR_WEIGHTS) +
                work_elements(work, TENSOR_OUTPUT));
    return FLOAT_BYTES * product->batch *
           (product->rows * product->depth + product->depth * product->columns +
            product->rows * product->columns);
}

/* The layer on the device: its products, and the rest as one stream. False: the device's rates are
 * unknown. */
static bool operations_of(struct layer_operations *layer, const struct layer_question *question,
                          const struct device_info *device)
{
    const struct unit_rates unit = unit_rates_of(device);
    const struct cost cost = question_cost(question);
    double bytes = cost.bytes_read + cost.bytes_written, flops = cost.flops;
    layer->count = 0;
    if (isnan(unit.flops_per_ms) || isnan(unit.bytes_per_ms))
        return false;
    for (int i = 0; i < question->work->operation_count; i++) {
        const struct work_operation *operation = &question->work->operations[i];
        if (operation->type != OPERATION_PRODUCT ||
            (operation->phase != WORK_FORWARD && question->pass != PASS_TRAIN))
            continue;
        const double operands = operand_bytes(question->work, operation);
        add_product(layer, operation, operands, &unit);
        bytes -= operands;
        flops -= operation->flops;
    }
    if (!question->config) /* a copy has no FLOPs, but the rows' streams have: those of a sum */
        flops = fmax(flops, bytes / copied_bytes_per_flop);
    add_vector(layer, bytes, flops, &unit);
    return layer->count > 0;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double dot(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < FEATURES; i++)
        sum += a[i] * b[i];
    return sum;
}

static double time_ms(const struct layer_operations *layer, const double *parameters)
{
    double sum_ms = 0;
    for (int i = 0; i < layer->count; i++) {
        const struct operation *operation = &layer->operations[i];
        const double *a = parameters + operation->class * 2 * FEATURES, *g = a + FEATURES;
        const double utilisation = sigmoid(dot(g, operation->features)) -
                                   sigmoid(dot(a, operation->features)) / operation->waves;
        sum_ms += operation->ideal_ms / fmax(utilisation, utilisation_floor);
    }
    return sum_ms;
}

static void residuals(double *out, const double *parameters, void *payload)
{
    const struct layer_operations *layers = payload;
    for (size_t i = 0; layers[i].count > 0; i++)
        out[i] = log(time_ms(&layers[i], parameters)) - layers[i].log_ms;
}

/* Every n-th row, at most FIT_ROW_LIMIT; ended by a layer without operations. */
static size_t make_operations(struct layer_operations *layers, const struct baseline_row *rows,
                              size_t count)
{
    const size_t step = (count + FIT_ROW_LIMIT - 1) / FIT_ROW_LIMIT;
    size_t kept = 0;
    for (size_t i = 0; i < count; i += step) {
        struct layer_work work;
        const struct layer_question question = question_of(rows[i].config, &work);
        if (!operations_of(&layers[kept], &question, rows[i].device))
            continue;
        layers[kept++].log_ms = log(rows[i].measured_ms);
    }
    layers[kept].count = 0;
    return kept;
}

static enum status fit(void *state, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error)
{
    struct neusight_state *neusight = state;
    void *layers;
    TRY(error_allocate(&layers, FIT_ROW_LIMIT + 1, sizeof(struct layer_operations), "operations",
                       error));
    const struct levenberg_problem problem = {
        .residuals = residuals,
        .payload = layers,
        .residual_count = make_operations(layers, rows, count),
        .parameter_count = PARAMETERS,
        .iterations = 60,
        .ridge = 1e-6,
    };
    for (int class = 0; class < CLASSES; class ++) /* sigmoid(-3) = 5 %: a low start for a */
        neusight->parameters[class * 2 * FEATURES] = -3;
    enum status status = STATUS_OK;
    if (problem.residual_count > 0)
        status = levenberg_solve(neusight->parameters, &problem, error);
    *fitted = problem.residual_count > 0;
    free(layers);
    return status;
}

/* A stream's utilisation is that of the bandwidth: operators of many FLOPs whose products are not
 * known (recurrent layers) do not beat the roofline. */
static double forecast_ms(const void *state, const struct layer_question *question,
                          const struct device_info *device)
{
    const struct neusight_state *neusight = state;
    struct layer_operations layer;
    if (!operations_of(&layer, question, device))
        return NAN;
    const double ms = time_ms(&layer, neusight->parameters);
    if (question->config)
        return ms;
    const struct cost cost = question_cost(question);
    return fmax(ms, roofline_cost_ms(&cost, device));
}

static const struct member members[] = {
    {"parameters", offsetof(struct neusight_state, parameters), .type = MEMBER_DOUBLE,
     .count = PARAMETERS},
};

static const struct baseline_law law = {
    .type = &predictor_neusight,
    .state_size = sizeof(struct neusight_state),
    .shares_devices = true,
    .fit = fit,
    .forecast_ms = forecast_ms,
    .takes_operators = true,
    LAW_MEMBERS(members),
};
BASELINE_PREDICTOR(neusight, law, "tiles, waves and a learnt utilisation of the roofline");
