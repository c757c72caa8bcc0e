#include "evaluate/hold_out.h"

#include "base/philox.h"
#include "data/split.h"
#include "predictors/predictor_mlp.h"
#include "predictors/row_correction.h"
#include "predictors/row_selection.h"

#include <stdlib.h>
#include <string.h>

/* ---- the device's rows ---- */

/* The rows of one run; each set's rows are its own, its devices the dataset's. */
struct parts {
    struct dataset_rows training; /* of the other devices */
    struct dataset_rows pool;     /* of the device, for calibration, in the order of use */
    struct dataset_rows test;     /* of the device, to be evaluated */
};

static void parts_free(struct parts *parts)
{
    free(parts->training.rows);
    free(parts->pool.rows);
    free(parts->test.rows);
}

static enum status part_allocate(struct dataset_rows *part, const struct dataset_rows *rows,
                                 struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, rows->count, sizeof *rows->rows, "rows", error));
    *part = (struct dataset_rows){
        .rows = memory, .devices = rows->devices, .device_count = rows->device_count};
    return STATUS_OK;
}

static void part_add(struct dataset_rows *part, const struct measurement *row)
{
    part->rows[part->count++] = *row;
}

/* A row in a random order. */
struct draw {
    uint32_t key;
    const struct measurement *row;
};

static int compare_draws(const void *a, const void *b)
{
    const struct draw *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int32_t largest(const struct hold_out *hold_out)
{
    int32_t most = 0;
    for (int i = 0; i < hold_out->calibration_count; i++)
        most = hold_out->calibration_rows[i] > most ? hold_out->calibration_rows[i] : most;
    return most;
}

static enum status too_few(enum layer_kind kind, size_t count, int32_t wanted, const char *device,
                           struct error *error)
{
    return FAIL(error, STATUS_USAGE,
                "%d calibration rows of %s exceed the %zu of %s in the train split", wanted,
                layer_descriptors[kind]->name, count, device);
}

/* The draws' rows: the first `wanted` of the train split become the pool, the others are tested. */
static enum status deal(struct parts *parts, const struct draw *draws, size_t count,
                        const struct hold_out *hold_out, int32_t wanted, struct error *error)
{
    size_t pooled = 0;
    for (size_t i = 0; i < count; i++) {
        const enum split split = split_of(&draws[i].row->config);
        if (split == SPLIT_TRAIN && pooled < (size_t)wanted) {
            part_add(&parts->pool, draws[i].row);
            pooled++;
        } else if (hold_out->split < 0 || (int)split == hold_out->split) {
            part_add(&parts->test, draws[i].row);
        }
    }
    if (count == 0 || pooled == (size_t)wanted)
        return STATUS_OK;
    return too_few(draws[0].row->config.kind, pooled, wanted,
                   parts->pool.devices[hold_out->device].name, error);
}

static enum status deal_kinds(struct parts *parts, const struct dataset_rows *rows,
                              const struct hold_out *hold_out, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, rows->count, sizeof(struct draw), "rows", error));
    struct draw *draws = memory;
    enum status status = STATUS_OK;
    for (int kind = 0; kind < LAYER_KIND_COUNT && status == STATUS_OK; kind++) {
        size_t count = 0;
        for (size_t i = 0; i < rows->count; i++) {
            const struct measurement *row = &rows->rows[i];
            if ((int)row->config.kind != kind || row->device != hold_out->device ||
                !row_is_usable(row))
                continue;
            const uint32_t key =
                philox((uint32_t)i, 0, 0, PHILOX_BOOTSTRAP, hold_out->options->seed).word[0];
            draws[count++] = (struct draw){key, row};
        }
        qsort(draws, count, sizeof *draws, compare_draws);
        status = deal(parts, draws, count, hold_out, largest(hold_out), error);
    }
    free(draws);
    return status;
}

static enum status parts_create(struct parts *parts, const struct dataset_rows *rows,
                                const struct hold_out *hold_out, struct error *error)
{
    *parts = (struct parts){0};
    TRY(part_allocate(&parts->training, rows, error));
    TRY(part_allocate(&parts->pool, rows, error));
    TRY(part_allocate(&parts->test, rows, error));
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].device != hold_out->device)
            part_add(&parts->training, &rows->rows[i]);
    return deal_kinds(parts, rows, hold_out, error);
}

/* ---- the curve ---- */

/* The forecasts of the test rows and of the pool; a point of the curve corrects the former. */
struct curve {
    struct row_forecasts test, scratch, pool; /* scratch: a copy of test to correct */
    const struct measurement **rows;          /* (pool.count), of one kind */
    double *predicted_ms;
};

/* The correction fitted to the first `wanted` rows of `kind` in the pool. */
static enum status learn(struct row_correction **correction, const struct curve *curve,
                         enum layer_kind kind, int32_t wanted, struct error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < curve->pool.count && count < (size_t)wanted; i++)
        if (curve->pool.rows[i]->config.kind == kind) {
            curve->rows[count] = curve->pool.rows[i];
            curve->predicted_ms[count++] = curve->pool.predictions[i].median_ms;
        }
    return row_correction_create(correction, curve->rows, curve->predicted_ms, count, error);
}

static void correct(struct prediction *scratch, const struct row_forecasts *test,
                    struct row_correction *const *corrections)
{
    for (size_t i = 0; i < test->count; i++) {
        const struct layer_config *config = &test->rows[i]->config;
        const struct prediction *forecast = &test->predictions[i];
        const double factor = row_correction_factor(corrections[config->kind], config,
                                                    forecast->median_ms);
        scratch[i] = *forecast;
        scratch[i].median_ms *= factor;
        scratch[i].low_ms *= factor;
        scratch[i].high_ms *= factor;
    }
}

/* Errors when `wanted` rows of the device correct the forecasts. */
static enum status evaluate_point(struct evaluation *evaluation, struct curve *curve,
                                  int32_t wanted, const struct hold_out *hold_out,
                                  const struct predictor_type *type,
                                  const struct dataset_rows *rows, struct error *error)
{
    struct row_correction *corrections[LAYER_KIND_COUNT] = {NULL};
    struct evaluation point;
    enum status status = STATUS_OK;
    for (int kind = 0; kind < LAYER_KIND_COUNT && status == STATUS_OK; kind++)
        status = learn(&corrections[kind], curve, (enum layer_kind)kind, wanted, error);
    if (status == STATUS_OK)
        correct(curve->scratch.predictions, &curve->test, corrections);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        row_correction_free(corrections[kind]);
    TRY(status);
    if (hold_out->each)
        TRY(hold_out->each(hold_out->payload, &curve->scratch, wanted, error));
    TRY(evaluate_forecasts(&point, &curve->scratch, type, rows, EVALUATION_PASS, error));
    for (size_t i = 0; i < point.count; i++)
        point.rows[i].calibration_rows = wanted;
    return evaluation_join(evaluation, &point, error);
}

static void curve_free(struct curve *curve)
{
    row_forecasts_free(&curve->test);
    row_forecasts_free(&curve->scratch);
    row_forecasts_free(&curve->pool);
    free(curve->rows);
    free(curve->predicted_ms);
}

static enum status curve_create(struct curve *curve, const struct predictor *predictor,
                                const struct parts *parts, struct error *error)
{
    *curve = (struct curve){.rows = NULL};
    TRY(row_forecasts_create(&curve->test, predictor, &parts->test, -1, error));
    TRY(row_forecasts_create(&curve->scratch, predictor, &parts->test, -1, error));
    if (parts->pool.count > 0)
        TRY(row_forecasts_create(&curve->pool, predictor, &parts->pool, -1, error));
    TRY(ALLOCATE(&curve->rows, curve->pool.count, "rows", error));
    TRY(ALLOCATE(&curve->predicted_ms, curve->pool.count, "forecasts", error));
    return STATUS_OK;
}

static enum status evaluate_curve(struct evaluation *evaluation, const struct hold_out *hold_out,
                                  const struct predictor *predictor, const struct parts *parts,
                                  struct error *error)
{
    struct curve curve;
    enum status status = curve_create(&curve, predictor, parts, error);
    const int count = curve.test.count > 0 ? hold_out->calibration_count : 0;
    for (int i = 0; i < count && status == STATUS_OK; i++)
        status = evaluate_point(evaluation, &curve, hold_out->calibration_rows[i], hold_out,
                                predictor->type, &parts->test, error);
    curve_free(&curve);
    return status;
}

static enum status no_other_device(const char *name, struct error *error)
{
    FAIL(error, STATUS_FAILED, "no rows from any device other than %s", name);
    return HINT(error, STATUS_FAILED, "name the datasets of several devices");
}

/* The rows of a run; STATUS_FAILED without rows to train on. */
static enum status parts_begin(struct parts *parts, const struct dataset_rows *rows,
                               const struct hold_out *hold_out, struct error *error)
{
    TRY(parts_create(parts, rows, hold_out, error));
    if (parts->training.count > 0)
        return STATUS_OK;
    return no_other_device(rows->devices[hold_out->device].name, error);
}

enum status hold_out_evaluate(struct evaluation *evaluation, const struct hold_out *hold_out,
                              const struct predictor_type *type, const struct dataset_rows *rows,
                              struct error *error)
{
    *evaluation = (struct evaluation){0};
    struct parts parts;
    struct predictor *own = NULL;
    const struct predictor *predictor = type == &predictor_mlp ? hold_out->fitted : NULL;
    enum status status = parts_begin(&parts, rows, hold_out, error);
    if (status == STATUS_OK && !predictor) {
        const struct fit_options *options = type == &predictor_mlp ? &hold_out->options->base
                                                                   : NULL;
        status = type->fit(&own, &parts.training, options, NULL, error);
        predictor = own;
    }
    if (status == STATUS_OK)
        status = evaluate_curve(evaluation, hold_out, predictor, &parts, error);
    type->free(own);
    parts_free(&parts);
    if (status != STATUS_OK)
        evaluation_free(evaluation);
    return status;
}

/* ---- folds side by side ---- */

/* All fits' predictors, or the first error. */
static enum status take_predictors(struct predictor **predictors,
                                   const struct mlp_fitting *fittings, int count,
                                   struct error *error)
{
    const struct mlp_fitting *failed = NULL;
    for (int i = count - 1; i >= 0; i--) {
        predictors[i] = fittings[i].predictor;
        if (fittings[i].status != STATUS_OK)
            failed = &fittings[i];
    }
    for (int i = 0; failed && i < count; i++) {
        predictor_mlp.free(predictors[i]);
        predictors[i] = NULL;
    }
    if (failed && error)
        *error = failed->error;
    return failed ? failed->status : STATUS_OK;
}

enum status hold_outs_fit(struct predictor **predictors, const struct hold_out *hold_outs,
                          int count, const struct dataset_rows *rows, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, (unsigned long)count,
                       sizeof(struct mlp_fitting) + sizeof(struct parts), "folds", error));
    struct mlp_fitting *fittings = memory;
    struct parts *parts = (struct parts *)(void *)(fittings + count);
    enum status status = STATUS_OK;
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        status = parts_begin(&parts[i], rows, &hold_outs[i], error);
        fittings[i].rows = &parts[i].training;
        fittings[i].options = hold_outs[i].options;
    }
    if (status == STATUS_OK)
        status = mlp_predictors_fit(fittings, count, error);
    if (status == STATUS_OK)
        status = take_predictors(predictors, fittings, count, error);
    for (int i = 0; i < count; i++)
        parts_free(&parts[i]);
    free(memory);
    return status;
}
