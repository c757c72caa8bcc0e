#include "model/hold_out.h"

#include "base/philox.h"
#include "data/split.h"
#include "model/row_selection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the correction ---- */

static const double offset_strength = 0.25; /* 0.15^2 / 0.3^2 */
static const double slope_strength = 2.25;  /* 0.15^2 / 0.1^2 */

struct log_correction log_correction_fit(const double *measured_ms, const double *predicted_ms,
                                         size_t count)
{
    struct log_correction correction = {0};
    double logs = 0, residuals = 0, products = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        logs += log(predicted_ms[i]);
        residuals += log(measured_ms[i] / predicted_ms[i]);
    }
    correction.mean = count > 0 ? logs / (double)count : 0;
    for (size_t i = 0; i < count; i++) {
        const double x = log(predicted_ms[i]) - correction.mean;
        products += x * log(measured_ms[i] / predicted_ms[i]);
        squares += x * x;
    }
    correction.offset = residuals / ((double)count + offset_strength);
    correction.slope = products / (squares + slope_strength);
    return correction;
}

double log_correction_apply(const struct log_correction *correction, double predicted_ms)
{
    const double x = log(predicted_ms) - correction->mean;
    return predicted_ms * exp(correction->offset + correction->slope * x);
}

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
                "%d rows of %s to calibrate with are more than the %zu of %s in the train split",
                wanted, layer_descriptors[kind]->name, count, device);
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

/* The correction that the first `wanted` rows of `kind` in the pool teach. times: room for two
 * doubles a row. */
static struct log_correction learn(const struct row_forecasts *pool, enum layer_kind kind,
                                   int32_t wanted, double *times)
{
    size_t count = 0;
    double *measured_ms = times, *predicted_ms = times + pool->count;
    for (size_t i = 0; i < pool->count && count < (size_t)wanted; i++)
        if (pool->rows[i]->config.kind == kind) {
            measured_ms[count] = pool->rows[i]->median_ms;
            predicted_ms[count++] = pool->predictions[i].median_ms;
        }
    return log_correction_fit(measured_ms, predicted_ms, count);
}

/* Errors with so many rows of the device. `scratch` is a copy of `test` to correct. */
static enum status evaluate_point(struct evaluation *evaluation, struct row_forecasts *scratch,
                                  const struct row_forecasts *test,
                                  const struct row_forecasts *pool, double *times, int32_t wanted,
                                  const struct hold_out *hold_out,
                                  const struct predictor_type *type,
                                  const struct dataset_rows *rows, struct error *error)
{
    struct log_correction corrections[LAYER_KIND_COUNT];
    struct evaluation point;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        corrections[kind] = learn(pool, (enum layer_kind)kind, wanted, times);
    for (size_t i = 0; i < test->count; i++) {
        const struct log_correction *correction = &corrections[test->rows[i]->config.kind];
        struct prediction *corrected = &scratch->predictions[i];
        *corrected = test->predictions[i];
        corrected->median_ms = log_correction_apply(correction, corrected->median_ms);
        corrected->low_ms = log_correction_apply(correction, corrected->low_ms);
        corrected->high_ms = log_correction_apply(correction, corrected->high_ms);
    }
    if (hold_out->each)
        TRY(hold_out->each(hold_out->payload, scratch, wanted, error));
    TRY(evaluate_forecasts(&point, scratch, type, rows, EVALUATION_PASS, error));
    for (size_t i = 0; i < point.count; i++)
        point.rows[i].calibration_rows = wanted;
    return evaluation_join(evaluation, &point, error);
}

struct curve {
    struct row_forecasts test, scratch, pool;
    double *times;
};

static void curve_free(struct curve *curve)
{
    row_forecasts_free(&curve->test);
    row_forecasts_free(&curve->scratch);
    row_forecasts_free(&curve->pool);
    free(curve->times);
}

static enum status curve_create(struct curve *curve, const struct predictor *predictor,
                                const struct parts *parts, struct error *error)
{
    void *times;
    *curve = (struct curve){.times = NULL};
    TRY(row_forecasts_create(&curve->test, predictor, &parts->test, -1, error));
    TRY(row_forecasts_create(&curve->scratch, predictor, &parts->test, -1, error));
    if (parts->pool.count > 0)
        TRY(row_forecasts_create(&curve->pool, predictor, &parts->pool, -1, error));
    TRY(error_allocate(&times, curve->pool.count, 2 * sizeof(double), "times", error));
    curve->times = times;
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
        status = evaluate_point(evaluation, &curve.scratch, &curve.test, &curve.pool, curve.times,
                                hold_out->calibration_rows[i], hold_out, predictor->type,
                                &parts->test, error);
    curve_free(&curve);
    return status;
}

static enum status no_other_device(const char *name, struct error *error)
{
    FAIL(error, STATUS_FAILED, "no rows of another device than %s to learn from", name);
    return error_hint(error, "name the datasets of several devices"), STATUS_FAILED;
}

enum status hold_out_evaluate(struct evaluation *evaluation, const struct hold_out *hold_out,
                              const struct predictor_type *type, const struct dataset_rows *rows,
                              struct error *error)
{
    *evaluation = (struct evaluation){0};
    struct parts parts;
    struct predictor *predictor = NULL;
    enum status status = parts_create(&parts, rows, hold_out, error);
    if (status == STATUS_OK && parts.training.count == 0)
        status = no_other_device(rows->devices[hold_out->device].name, error);
    if (status == STATUS_OK)
        status = type->fit(&predictor, &parts.training, hold_out->options, NULL, error);
    if (status == STATUS_OK)
        status = evaluate_curve(evaluation, hold_out, predictor, &parts, error);
    type->free(predictor);
    parts_free(&parts);
    if (status != STATUS_OK)
        evaluation_free(evaluation);
    return status;
}
