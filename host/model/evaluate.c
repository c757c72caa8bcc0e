#include "model/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL = -1 }; /* a device or pass: every one */

/* Forecasts and room for the times of one group. */
struct samples {
    const struct row_forecasts *forecasts;
    double *measured_ms, *predicted_ms;
};

struct group {
    int kind, device, pass; /* device, pass: ALL for every one */
};

static bool group_holds(const struct group *group, const struct measurement *row)
{
    return (int)row->config.kind == group->kind &&
           (group->device == ALL || row->device == group->device) &&
           (group->pass == ALL || row->config.pass == group->pass);
}

/* Share of the group's rows whose measured time lies in the forecast interval, percent. */
static double group_coverage(const struct group *group, const struct row_forecasts *forecasts)
{
    size_t with_interval = 0, inside = 0;
    for (size_t i = 0; i < forecasts->count; i++) {
        const struct prediction *prediction = &forecasts->predictions[i];
        const double measured_ms = forecasts->rows[i]->median_ms;
        if (!group_holds(group, forecasts->rows[i]) || isnan(prediction->low_ms))
            continue;
        with_interval++;
        inside += measured_ms >= prediction->low_ms && measured_ms <= prediction->high_ms;
    }
    return with_interval > 0 ? 100.0 * (double)inside / (double)with_interval : NAN;
}

static size_t group_collect(const struct group *group, const struct samples *samples)
{
    size_t count = 0;
    for (size_t i = 0; i < samples->forecasts->count; i++)
        if (group_holds(group, samples->forecasts->rows[i])) {
            samples->measured_ms[count] = samples->forecasts->rows[i]->median_ms;
            samples->predicted_ms[count++] = samples->forecasts->predictions[i].median_ms;
        }
    return count;
}

static void group_evaluate(struct evaluation *evaluation, const struct group *group,
                           const struct samples *samples, const char *predictor,
                           const struct dataset_rows *rows)
{
    const size_t count = group_collect(group, samples);
    if (count == 0)
        return;
    struct evaluation_row *row = &evaluation->rows[evaluation->count++];
    *row = (struct evaluation_row){
        .layer = group->kind,
        .predictor = predictor,
        .errors = stats_errors(samples->measured_ms, samples->predicted_ms, count),
        .interval_coverage_percent = group_coverage(group, samples->forecasts),
    };
    snprintf(row->device, sizeof row->device, "%s",
             group->device == ALL ? "all" : rows->devices[group->device].name);
    snprintf(row->pass, sizeof row->pass, "%s",
             group->pass == ALL ? "all" : choice_name(&choice_pass, group->pass));
}

static int devices_with_rows(const struct row_forecasts *forecasts)
{
    int count = 0;
    for (size_t i = 0; i < forecasts->count; i++)
        count += i == 0 || forecasts->rows[i]->device != forecasts->rows[i - 1]->device;
    return count;
}

static void evaluate_groups(struct evaluation *evaluation, const struct samples *samples,
                            const char *predictor, const struct dataset_rows *rows)
{
    const int first_device = devices_with_rows(samples->forecasts) > 1 ? ALL : 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int device = first_device; device < rows->device_count; device++)
            for (int pass = ALL; pass < PASS_COUNT; pass++)
                group_evaluate(evaluation,
                               &(struct group){.kind = kind, .device = device, .pass = pass},
                               samples, predictor, rows);
}

enum status evaluate_forecasts(struct evaluation *evaluation, const struct row_forecasts *forecasts,
                               const struct predictor_type *type, const struct dataset_rows *rows,
                               struct error *error)
{
    *evaluation = (struct evaluation){0};
    const size_t group_limit = LAYER_KIND_COUNT * (size_t)(rows->device_count + 1) *
                               (PASS_COUNT + 1);
    void *groups, *times;
    TRY(error_allocate(&groups, group_limit, sizeof *evaluation->rows, "evaluation", error));
    evaluation->rows = groups;
    const enum status status = error_allocate(&times, forecasts->count, 2 * sizeof(double), "times",
                                              error);
    if (status != STATUS_OK) {
        evaluation_free(evaluation);
        return status;
    }
    const struct samples samples = {forecasts, times, (double *)times + forecasts->count};
    evaluate_groups(evaluation, &samples, type->name, rows);
    free(times);
    return STATUS_OK;
}

static enum status nothing_left(const struct predictor *predictor, size_t row_count, int split,
                                struct error *error)
{
    const char *side = split < 0 ? "" : choice_name(&choice_split, split);
    if (row_count == 0) {
        FAIL(error, STATUS_FAILED, "no timed %s%srows to evaluate on", side, *side ? " " : "");
        return error_hint(error, "use '--split all', or measure more rows"), STATUS_FAILED;
    }
    FAIL(error, STATUS_FAILED,
         "predictor %s covers none of the %zu rows: it knows neither their layers nor their device",
         predictor->type->name, row_count);
    return error_hint(error, "train on rows of these layers and devices"), STATUS_FAILED;
}

enum status evaluate_predictor(struct evaluation *evaluation, const struct predictor *predictor,
                               const struct dataset_rows *rows, int split, struct error *error)
{
    struct row_forecasts forecasts;
    *evaluation = (struct evaluation){0};
    TRY(row_forecasts_create(&forecasts, predictor, rows, split, error));
    const enum status status = forecasts.count > 0
                                   ? evaluate_forecasts(evaluation, &forecasts, predictor->type,
                                                        rows, error)
                                   : nothing_left(predictor, forecasts.row_count, split, error);
    row_forecasts_free(&forecasts);
    return status;
}

enum status evaluation_join(struct evaluation *a, struct evaluation *b, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, a->count + b->count, sizeof *a->rows, "evaluation", error));
    struct evaluation_row *rows = memory;
    if (a->count > 0)
        memcpy(rows, a->rows, a->count * sizeof *rows);
    if (b->count > 0)
        memcpy(rows + a->count, b->rows, b->count * sizeof *rows);
    const size_t count = a->count + b->count;
    evaluation_free(a);
    evaluation_free(b);
    *a = (struct evaluation){.rows = rows, .count = count};
    return STATUS_OK;
}

void evaluation_free(struct evaluation *evaluation)
{
    free(evaluation->rows);
    *evaluation = (struct evaluation){0};
}
