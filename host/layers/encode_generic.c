/* Columns that follow from a kind's features and work alone. */
#include "layers/encode_gemm.h"

/* ---- products ---- */

enum { TILE_ROWS = 128, TILE_SHAPES = 3 };
static const double tile_columns[TILE_SHAPES] = {128, 64, 32};

struct product_names {
    const char *padded_flops[TILE_SHAPES], *wave_tail[TILE_SHAPES], *waves;
};

#define TILE_NAMES(text, what)                                                                     \
    {                                                                                              \
        text what "_128x128", text what "_128x64", text what "_128x32"                             \
    }
#define PRODUCT_NAMES(what)                                                                        \
    {                                                                                              \
        TILE_NAMES("log_padded_flops_", what), TILE_NAMES("log_wave_tail_", what),                 \
            "log_waves_" what                                                                      \
    }
#define PHASE_NAMES(what)                                                                          \
    {                                                                                              \
        PRODUCT_NAMES(what), PRODUCT_NAMES(what "_2"), PRODUCT_NAMES(what "_3"),                   \
            PRODUCT_NAMES(what "_4")                                                               \
    }
static const struct product_names product_names[WORK_PHASE_COUNT][PRODUCTS_PER_PHASE] = {
    [WORK_FORWARD] = PHASE_NAMES("forward"),
    [WORK_STATISTICS] = PHASE_NAMES("statistics"),
    [WORK_BACKWARD_DATA] = PHASE_NAMES("backward_data"),
    [WORK_BACKWARD_WEIGHTS] = PHASE_NAMES("backward_weights"),
};

/* Both sides are rounded up to the tile; units wait for the last wave of tiles: log2(ceil(t/units)
 * units/t) is the loss. */
void emit_product(struct columns *columns, enum work_phase phase, int index,
                  const struct work_operation *product, double units)
{
    const struct product_names *names = &product_names[phase][index];
    const double row_tiles = tiles_of(product->rows, TILE_ROWS);
    double waves = 0;
    for (int i = 0; i < TILE_SHAPES; i++) {
        const double width = tile_columns[i], column_tiles = tiles_of(product->columns, width);
        const double tiles = product->batch * row_tiles * column_tiles;
        emit(columns, names->padded_flops[i],
             log_size(2 * product->batch * product->depth * row_tiles * TILE_ROWS * column_tiles *
                      width));
        emit(columns, names->wave_tail[i], log_quantised(tiles, units));
        if (width == 64)
            waves = tiles_of(tiles, units);
    }
    emit(columns, names->waves, log_size(waves));
}

void emit_products(struct columns *columns, const struct layer_work *work, double units)
{
    int counts[WORK_PHASE_COUNT] = {0};
    for (int i = 0; i < work->operation_count; i++) {
        const struct work_operation *operation = &work->operations[i];
        int *count = &counts[operation->phase];
        if (operation->type == OPERATION_PRODUCT && *count < PRODUCTS_PER_PHASE)
            emit_product(columns, operation->phase, (*count)++, operation, units);
    }
}

/* ---- numbers ---- */

static const int32_t divisors[COLUMN_DIVISORS] = {4, 8, 16, 32};
static const double tiles[COLUMN_TILES] = {8, 32, 128};
static const double ramps[COLUMN_RAMPS] = {8, 32, 256};

static void emit_number(struct columns *columns, const struct feature_columns *names, int32_t value,
                        bool is_train)
{
    const double log_value = log_size(value);
    emit(columns, names->log, log_value);
    emit(columns, names->train_log, is_train * log_value);
    for (int i = 0; i < COLUMN_DIVISORS; i++)
        emit(columns, names->divisible[i], value % divisors[i] == 0);
    for (int i = 0; i < COLUMN_TILES; i++)
        emit(columns, names->quantised[i], log_quantised(value, tiles[i]));
    for (int i = 0; i < COLUMN_RAMPS; i++)
        emit(columns, names->ramp[i], ramp(value, ramps[i]));
}

void emit_numbers(struct columns *columns, const struct layer_descriptor *descriptor,
                  const struct layer_config *config)
{
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        if (!feature->choice)
            emit_number(columns, feature->columns, layer_get(config, feature),
                        config->pass == PASS_TRAIN);
    }
}

/* ---- streams ---- */

void emit_stream(struct columns *columns, const struct layer_config *config, int32_t row_elements,
                 double units)
{
    const double is_train = config->pass == PASS_TRAIN;
    const double rows = config->batch_size, width = row_elements;
    const double elements = rows * width;
    EMIT_DIVISIBLE("elements", row_elements);
    emit(columns, "log_batch_size", log_size(rows));
    emit(columns, "log_row_elements", log_size(width));
    emit(columns, "log_elements", log_size(elements));
    emit(columns, "is_train*log_elements", is_train * log_size(elements));
    EMIT_RAMP("elements", elements, 1024);
    EMIT_RAMP("elements", elements, 32768);
    EMIT_RAMP("elements", elements, 1048576);
    EMIT_LAST_FILL("elements", elements);
    emit(columns, "log_waves", log_size(ceil_size(elements / 256 / units)));
    emit(columns, "log_wave_tail", log_quantised(ceil_size(elements / 256), units));
}
