/* Forecasts of the `mlp` predictor: encode, ask the nets, put intervals around their answers. */
#include "predictors/predictor_mlp.h"

#include "predictors/predictor_roofline.h"
#include "predictors/row_selection.h"
#include "predictors/unique_configs.h"

#include <math.h>
#include <stdlib.h>

/* Rows that are encoded together: enough for the matrix products, small enough for the cache. */
enum { BLOCK_ROWS = 512 };

static const struct device_info *training_device(const struct mlp_predictor *predictor,
                                                 const struct device_info *device)
{
    const int known = device_find(predictor->base.devices, predictor->base.device_count, device);
    return known >= 0 ? &predictor->base.devices[known] : NULL;
}

struct encode_hardware mlp_hardware(const struct mlp_predictor *predictor,
                                    const struct device_info *device)
{
    if (!predictor->with_hardware)
        return hardware_of(&predictor->base.devices[0]);
    const struct device_info *known = training_device(predictor, device);
    return hardware_of(known ? known : device);
}

struct encode_layout mlp_layout(const struct mlp_predictor *predictor, enum layer_kind kind)
{
    return (struct encode_layout){.encoding = (enum encoding)predictor->encoding,
                                  .kind = kind,
                                  .with_hardware = predictor->with_hardware};
}

double mlp_offset(const struct mlp_predictor *predictor, const struct layer_config *config,
                  const struct device_info *device)
{
    if (!predictor->kinds[config->kind].relative_to_roofline)
        return 0;
    const struct device_info *known = training_device(predictor, device);
    if (!known)
        known = predictor->with_hardware ? device : &predictor->base.devices[0];
    const double ms = roofline_ms(config, known);
    return isfinite(ms) ? log1p(ms * predictor->target_units_per_ms) : 0;
}

/* One call of predict: the configs of one kind, a block at a time. */
struct forecast_block {
    const struct mlp_predictor *predictor;
    const struct layer_config *configs;
    struct prediction *predictions;
    const struct device_info *device;
    const struct device_info *rates; /* the training device equal to it, else itself */
    struct encode_hardware hardware;
    bool new_device;
    const struct mlp_kind *kind;
    size_t count, index[BLOCK_ROWS]; /* of the configs in the block */
    double times_ms[BLOCK_ROWS], spreads[BLOCK_ROWS], offsets[BLOCK_ROWS];
    double log_ceilings[BLOCK_ROWS * CEILING_HEADS];
    int32_t anchor, anchors[BLOCK_ROWS]; /* of the device; the same for every row */
    bool known[BLOCK_ROWS];              /* the nets have a column for all that the config sets */
    float *inputs;                       /* (BLOCK_ROWS, ENCODE_COLUMN_LIMIT) at most */
};

static struct prediction prediction_of(const struct forecast_block *block, size_t row)
{
    const double median_ms = block->times_ms[row];
    const struct interval *interval = &block->kind->interval;
    const struct layer_config *config = &block->configs[block->index[row]];
    const double factor = exp(
        interval_half_width(interval, config->pass, median_ms, block->spreads[row]));
    return (struct prediction){
        .median_ms = median_ms,
        .low_ms = median_ms / factor,
        .high_ms = median_ms * factor,
        .spread = block->spreads[row],
        .correlation = interval->correlation,
        .extrapolates = block->new_device || !block->known[row] ||
                        !ranges_hold(block->kind->ranges, config, &block->hardware),
        .covered = true,
    };
}

static enum status block_flush(struct forecast_block *block, struct error *error)
{
    const struct mlp_predictor *predictor = block->predictor;
    const size_t width = (size_t)block->kind->scaler.column_count;
    for (size_t row = 0; row < block->count; row++) {
        const struct layer_config *config = &block->configs[block->index[row]];
        block->known[row] = encode_plan_row(block->inputs + row * width, &block->kind->plan, config,
                                            &block->hardware, NULL);
        block->offsets[row] = mlp_offset(predictor, config, block->device);
        block->anchors[row] = block->anchor;
        if (block->kind->ceilings)
            fitted_ceilings_config_row(block->log_ceilings + row * CEILING_HEADS, config,
                                       block->rates);
    }
    const struct mlp_rows rows = {.count = block->count,
                                  .inputs = block->inputs,
                                  .log_ceilings = block->log_ceilings,
                                  .anchors = block->anchors,
                                  .offsets = block->offsets};
    scaler_apply(&block->kind->scaler, block->inputs, block->count);
    TRY(mlp_kind_forecast(block->times_ms, block->spreads, &rows, block->kind,
                          predictor->target_units_per_ms, error));
    for (size_t row = 0; row < block->count; row++)
        block->predictions[block->index[row]] = prediction_of(block, row);
    block->count = 0;
    return STATUS_OK;
}

static enum status predict_kind(struct forecast_block *block, enum layer_kind kind, size_t count,
                                struct error *error)
{
    block->kind = &block->predictor->kinds[kind];
    block->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (block->configs[i].kind != kind)
            continue;
        block->index[block->count++] = i;
        if (block->count == BLOCK_ROWS)
            TRY(block_flush(block, error));
    }
    return block->count > 0 ? block_flush(block, error) : STATUS_OK;
}

/* A device that no training row came from can be forecast only by a model that learnt from several,
 * and only when it says about itself what they did. */
static bool covers(const struct forecast_block *block, enum layer_kind kind)
{
    const struct mlp_kind *learnt = &block->predictor->kinds[kind];
    if (learnt->net_count == 0)
        return false;
    if (!block->new_device)
        return true;
    return block->predictor->with_hardware && !block->predictor->fine_tuned &&
           ranges_hardware_known(learnt->ranges, kind, &block->hardware);
}

static enum status predict_each(struct prediction *predictions, const struct predictor *base,
                                const struct layer_config *configs, size_t count,
                                const struct device_info *device, struct error *error)
{
    const struct mlp_predictor *predictor = (const struct mlp_predictor *)base;
    if (!device)
        device = &predictor->base.devices[0];
    void *memory;
    const size_t rows = count < BLOCK_ROWS ? count : BLOCK_ROWS;
    const struct device_info *known = training_device(predictor, device);
    TRY(error_allocate(&memory, rows, ENCODE_COLUMN_LIMIT * sizeof(float), "inputs", error));
    struct forecast_block block = {
        .predictor = predictor,
        .configs = configs,
        .predictions = predictions,
        .device = device,
        .hardware = mlp_hardware(predictor, device),
        .rates = known ? known : device,
        .new_device = known == NULL,
        .anchor = mlp_anchor_of(predictor, device),
        .inputs = memory,
    };
    for (size_t i = 0; i < count; i++)
        predictions[i] = (struct prediction){.median_ms = NAN, .low_ms = NAN, .high_ms = NAN};
    enum status status = STATUS_OK;
    for (int kind = 0; kind < LAYER_KIND_COUNT && status == STATUS_OK; kind++)
        if (covers(&block, (enum layer_kind)kind))
            status = predict_kind(&block, (enum layer_kind)kind, count, error);
    free(block.inputs);
    return status;
}

/* Equal configs are forecast once: the same forecast, a fraction of the time. Operators are not
 * covered. */
enum status mlp_predictor_predict(struct prediction *predictions, const struct predictor *base,
                                  const struct layer_question *questions, size_t count,
                                  const struct device_info *device, struct error *error)
{
    static const struct prediction uncovered = {.median_ms = NAN, .low_ms = NAN, .high_ms = NAN};
    struct unique_configs unique;
    TRY(unique_configs_create(&unique, questions, count, error));
    const enum status status = predict_each(predictions, base, unique.configs, unique.count, device,
                                            error);
    /* backwards: index[i] <= i, so what is overwritten has been read */
    for (size_t i = count; status == STATUS_OK && i-- > 0;)
        predictions[i] = unique.index[i] == NO_CONFIG ? uncovered : predictions[unique.index[i]];
    unique_configs_free(&unique);
    return status;
}

void mlp_kind_free(struct mlp_kind *kind)
{
    free(kind->parameters);
    free(kind->calibrated);
    free(kind->ceilings);
    free(kind->limits);
    *kind = (struct mlp_kind){0};
}

void mlp_predictor_free(struct predictor *base)
{
    struct mlp_predictor *predictor = (struct mlp_predictor *)base;
    if (!predictor)
        return;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        mlp_kind_free(&predictor->kinds[kind]);
    free(predictor->base.devices);
    free(predictor);
}
