#include "evaluate/evaluator.h"

#include "base/error_sums.h"
#include "predictors/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one kind, device and part (pass or decade). Every row is in one cell; groups are unions
 * of cells. */
struct cell {
    struct error_sums errors;
    size_t with_interval, inside; /* rows with an interval; whose time lies in it */
};

struct evaluator {
    enum evaluation_by by;
    int part_count, device_count;
    struct cell *cells; /* (device_count, LAYER_KIND_COUNT, part_count) */
    struct quantiles_budget budget;
    size_t row_count, covered_count;
};

static const size_t budget_values = (size_t)2 * EVALUATOR_EXACT_ROWS;

enum status evaluator_create(struct evaluator **evaluator, enum evaluation_by by,
                             struct error *error)
{
    TRY(ALLOCATE(evaluator, 1, "evaluation", error));
    (*evaluator)->by = by;
    (*evaluator)->part_count = by == EVALUATION_PASS ? (int)PASS_COUNT : INTERVAL_DECADE_COUNT;
    (*evaluator)->budget.left = budget_values;
    return STATUS_OK;
}

void evaluator_free(struct evaluator *evaluator)
{
    if (!evaluator)
        return;
    const size_t count = (size_t)evaluator->device_count * LAYER_KIND_COUNT *
                         (size_t)evaluator->part_count;
    for (size_t i = 0; i < count; i++)
        error_sums_free(&evaluator->cells[i].errors);
    free(evaluator->cells);
    free(evaluator);
}

size_t evaluator_row_count(const struct evaluator *evaluator)
{
    return evaluator->row_count;
}

/* ---- adding ---- */

static struct cell *cell_at(const struct evaluator *evaluator, int device, int kind, int part)
{
    const int row = device * (int)LAYER_KIND_COUNT + kind;
    return &evaluator->cells[row * evaluator->part_count + part];
}

/* Cells of devices up to this one. */
static enum status reach_device(struct evaluator *evaluator, int device, struct error *error)
{
    const size_t per_device = (size_t)LAYER_KIND_COUNT * (size_t)evaluator->part_count;
    const size_t had = (size_t)evaluator->device_count * per_device;
    if (device < evaluator->device_count)
        return STATUS_OK;
    struct cell *cells;
    TRY(ALLOCATE(&cells, (size_t)(device + 1) * per_device, "groups of rows", error));
    if (had > 0)
        memcpy(cells, evaluator->cells, had * sizeof *cells);
    for (size_t i = had; i < (size_t)(device + 1) * per_device; i++)
        cells[i].errors.ape_percent.budget = &evaluator->budget;
    free(evaluator->cells);
    evaluator->cells = cells;
    evaluator->device_count = device + 1;
    return STATUS_OK;
}

static int part_of(const struct measurement *row, const struct prediction *prediction,
                   enum evaluation_by by)
{
    if (by == EVALUATION_PASS)
        return row->config.pass;
    return interval_decade(by == EVALUATION_DECADE ? prediction->median_ms : row->median_ms);
}

static enum status add_row(struct evaluator *evaluator, const struct measurement *row,
                           const struct prediction *prediction, struct error *error)
{
    TRY(reach_device(evaluator, row->device, error));
    struct cell *cell = cell_at(evaluator, row->device, (int)row->config.kind,
                                part_of(row, prediction, evaluator->by));
    if (!isnan(prediction->low_ms)) {
        cell->with_interval++;
        cell->inside += row->median_ms >= prediction->low_ms &&
                        row->median_ms <= prediction->high_ms;
    }
    return error_sums_add(&cell->errors, row->median_ms, prediction->median_ms, error);
}

enum status evaluator_add(struct evaluator *evaluator, const struct row_forecasts *forecasts,
                          struct error *error)
{
    evaluator->row_count += forecasts->row_count;
    evaluator->covered_count += forecasts->count;
    for (size_t i = 0; i < forecasts->count; i++)
        TRY(add_row(evaluator, forecasts->rows[i], &forecasts->predictions[i], error));
    return STATUS_OK;
}

/* ---- groups ---- */

/* device, part: EVALUATION_WHOLE for every one. */
struct group {
    int kind, device, part;
};

void evaluation_name_group(struct evaluation_row *row, enum evaluation_by by, int part)
{
    const int decade = part + INTERVAL_FIRST_DECADE;
    const bool is_pass = by == EVALUATION_PASS;
    snprintf(row->pass, sizeof row->pass, "%s",
             is_pass && part != EVALUATION_WHOLE ? choice_name(&choice_pass, part) : "all");
    if (by == EVALUATION_SUM)
        snprintf(row->group, sizeof row->group, "sums of %d", INTERVAL_SUM_ROWS);
    else if (is_pass || part == EVALUATION_WHOLE)
        snprintf(row->group, sizeof row->group, "%s", row->pass);
    else
        snprintf(row->group, sizeof row->group, "%g..%g ms", pow(10, decade), pow(10, decade + 1));
}

static enum status join_cell(struct cell *joined, const struct cell *cell, struct error *error)
{
    joined->with_interval += cell->with_interval;
    joined->inside += cell->inside;
    return error_sums_merge(&joined->errors, &cell->errors, error);
}

static enum status join_cells(struct cell *joined, const struct evaluator *evaluator,
                              const struct group *group, struct error *error)
{
    for (int device = 0; device < evaluator->device_count; device++)
        for (int part = 0; part < evaluator->part_count; part++)
            if ((group->device == EVALUATION_WHOLE || group->device == device) &&
                (group->part == EVALUATION_WHOLE || group->part == part))
                TRY(join_cell(joined, cell_at(evaluator, device, group->kind, part), error));
    return STATUS_OK;
}

static void name_row(struct evaluation_row *row, const struct group *group,
                     const struct device_info *devices)
{
    row->layer = group->kind;
    snprintf(row->device, sizeof row->device, "%s",
             group->device == EVALUATION_WHOLE ? "all" : devices[group->device].name);
}

/* Adds the group's row if it has any. */
static enum status evaluate_group(struct evaluation *evaluation, const struct evaluator *evaluator,
                                  const struct group *group, const char *predictor,
                                  const struct device_info *devices, struct error *error)
{
    struct quantiles_budget budget = {.left = budget_values};
    struct cell joined = {.errors.ape_percent.budget = &budget};
    const enum status status = join_cells(&joined, evaluator, group, error);
    if (status == STATUS_OK && joined.errors.count > 0) {
        struct evaluation_row *row = &evaluation->rows[evaluation->count++];
        *row = (struct evaluation_row){.predictor = predictor,
                                       .errors = error_sums_finish(&joined.errors)};
        row->interval_coverage_percent = joined.with_interval > 0 ? 100.0 * (double)joined.inside /
                                                                        (double)joined.with_interval
                                                                  : NAN;
        name_row(row, group, devices);
        evaluation_name_group(row, evaluator->by, group->part);
    }
    error_sums_free(&joined.errors);
    return status;
}

static bool device_has_rows(const struct evaluator *evaluator, int device)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int part = 0; part < evaluator->part_count; part++)
            if (cell_at(evaluator, device, kind, part)->errors.count > 0)
                return true;
    return false;
}

static int devices_with_rows(const struct evaluator *evaluator)
{
    int count = 0;
    for (int device = 0; device < evaluator->device_count; device++)
        count += device_has_rows(evaluator, device);
    return count;
}

enum status evaluator_finish(struct evaluation *evaluation, const struct evaluator *evaluator,
                             const char *predictor, const struct device_info *devices,
                             struct error *error)
{
    *evaluation = (struct evaluation){.uncovered = evaluator->row_count - evaluator->covered_count};
    const int first_device = devices_with_rows(evaluator) > 1 ? EVALUATION_WHOLE : 0;
    TRY(ALLOCATE(&evaluation->rows,
                 LAYER_KIND_COUNT * (size_t)(evaluator->device_count + 1) *
                     (size_t)(evaluator->part_count + 1),
                 "evaluation", error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int device = first_device; device < evaluator->device_count; device++)
            for (int part = EVALUATION_WHOLE; part < evaluator->part_count; part++) {
                const struct group group = {kind, device, part};
                TRY(evaluate_group(evaluation, evaluator, &group, predictor, devices, error));
            }
    return STATUS_OK;
}
