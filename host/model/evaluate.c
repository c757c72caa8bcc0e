#include "model/evaluate.h"

#include "data/split.h"
#include "model/row_selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL = -1 }; /* a device or pass: every one */

/* The rows under test, with their forecasts; covered ones only. */
struct samples {
    size_t count;
    struct layer_config *configs;
    struct prediction *predictions;
    double *measured_ms;
    int32_t *devices;
    double *group_measured_ms, *group_predicted_ms; /* room for one group; with measured_ms */
};

static void samples_free(struct samples *samples)
{
    free(samples->configs);
    free(samples->predictions);
    free(samples->measured_ms);
    free(samples->devices);
}

static enum status samples_allocate(struct samples *samples, size_t limit, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, limit, sizeof *samples->configs, "configs", error));
    samples->configs = memory;
    TRY(error_allocate(&memory, limit, sizeof *samples->predictions, "forecasts", error));
    samples->predictions = memory;
    TRY(error_allocate(&memory, limit, sizeof *samples->devices, "devices", error));
    samples->devices = memory;
    TRY(error_allocate(&memory, limit, 3 * sizeof(double), "times", error));
    samples->measured_ms = memory;
    samples->group_measured_ms = samples->measured_ms + limit;
    samples->group_predicted_ms = samples->group_measured_ms + limit;
    return STATUS_OK;
}

static void samples_add_device(struct samples *samples, const struct dataset_rows *rows,
                               int32_t device, int split)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        if (row->device != device || !row_is_usable(row) ||
            (split >= 0 && (int)split_of(&row->config) != split))
            continue;
        samples->configs[samples->count] = row->config;
        samples->measured_ms[samples->count] = row->median_ms;
        samples->devices[samples->count++] = device;
    }
}

/* Each row is forecast for the device that it was measured on. */
static enum status samples_predict(struct samples *samples, const struct predictor *predictor,
                                   const struct dataset_rows *rows, int split, struct error *error)
{
    for (int32_t device = 0; device < rows->device_count; device++) {
        const size_t begin = samples->count;
        samples_add_device(samples, rows, device, split);
        TRY(predictor->type->predict(samples->predictions + begin, predictor,
                                     samples->configs + begin, samples->count - begin,
                                     &rows->devices[device], error));
    }
    return STATUS_OK;
}

struct group {
    int kind, device, pass; /* device, pass: ALL for every one */
};

static bool group_holds(const struct group *group, const struct samples *samples, size_t i)
{
    return samples->predictions[i].covered && (int)samples->configs[i].kind == group->kind &&
           (group->device == ALL || samples->devices[i] == group->device) &&
           (group->pass == ALL || samples->configs[i].pass == group->pass);
}

/* Share of the group's rows whose measured time lies in the forecast interval, percent. */
static double group_coverage(const struct group *group, const struct samples *samples)
{
    size_t with_interval = 0, inside = 0;
    for (size_t i = 0; i < samples->count; i++) {
        const struct prediction *prediction = &samples->predictions[i];
        if (!group_holds(group, samples, i) || isnan(prediction->low_ms))
            continue;
        with_interval++;
        inside += samples->measured_ms[i] >= prediction->low_ms &&
                  samples->measured_ms[i] <= prediction->high_ms;
    }
    return with_interval > 0 ? 100.0 * (double)inside / (double)with_interval : NAN;
}

static size_t group_collect(const struct group *group, struct samples *samples)
{
    size_t count = 0;
    for (size_t i = 0; i < samples->count; i++)
        if (group_holds(group, samples, i)) {
            samples->group_measured_ms[count] = samples->measured_ms[i];
            samples->group_predicted_ms[count++] = samples->predictions[i].median_ms;
        }
    return count;
}

static void group_evaluate(struct evaluation *evaluation, const struct group *group,
                           struct samples *samples, const struct predictor *predictor,
                           const struct dataset_rows *rows)
{
    const size_t count = group_collect(group, samples);
    if (count == 0)
        return;
    struct evaluation_row *row = &evaluation->rows[evaluation->count++];
    *row = (struct evaluation_row){
        .layer = group->kind,
        .predictor = predictor->type->name,
        .errors = stats_errors(samples->group_measured_ms, samples->group_predicted_ms, count),
        .interval_coverage_percent = group_coverage(group, samples),
    };
    snprintf(row->device, sizeof row->device, "%s",
             group->device == ALL ? "all" : rows->devices[group->device].name);
    snprintf(row->pass, sizeof row->pass, "%s",
             group->pass == ALL ? "all" : choice_name(&choice_pass, group->pass));
}

static int devices_with_samples(const struct samples *samples)
{
    int count = 0;
    for (size_t i = 0; i < samples->count; i++)
        count += i == 0 || samples->devices[i] != samples->devices[i - 1];
    return count;
}

static void evaluate_groups(struct evaluation *evaluation, struct samples *samples,
                            const struct predictor *predictor, const struct dataset_rows *rows)
{
    const int first_device = devices_with_samples(samples) > 1 ? ALL : 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int device = first_device; device < rows->device_count; device++)
            for (int pass = ALL; pass < PASS_COUNT; pass++)
                group_evaluate(evaluation,
                               &(struct group){.kind = kind, .device = device, .pass = pass},
                               samples, predictor, rows);
}

static enum status nothing_left(const struct predictor *predictor, size_t row_count, int split,
                                struct error *error)
{
    const char *side = split < 0 ? "" : choice_name(&choice_split, split);
    if (row_count == 0) {
        FAIL(error, STATUS_FAILED, "no timed %s%srows to evaluate on", side, *side ? " " : "");
        return error_hint(error, "use '--split all', or measure more rows");
    }
    FAIL(error, STATUS_FAILED,
         "predictor %s covers none of the %zu rows: it knows neither their layers nor their device",
         predictor->type->name, row_count);
    return error_hint(error, "train on rows of these layers and devices");
}

enum status evaluate_predictor(struct evaluation *evaluation, const struct predictor *predictor,
                               const struct dataset_rows *rows, int split, struct error *error)
{
    *evaluation = (struct evaluation){0};
    struct samples samples = {0};
    const size_t group_limit = LAYER_KIND_COUNT * (size_t)(rows->device_count + 1) *
                               (PASS_COUNT + 1);
    void *memory = NULL;
    enum status status = samples_allocate(&samples, rows->count, error);
    if (status == STATUS_OK)
        status = samples_predict(&samples, predictor, rows, split, error);
    if (status == STATUS_OK)
        status = error_allocate(&memory, group_limit, sizeof *evaluation->rows, "evaluation",
                                error);
    evaluation->rows = memory;
    if (status == STATUS_OK) {
        evaluate_groups(evaluation, &samples, predictor, rows);
        if (evaluation->count == 0)
            status = nothing_left(predictor, samples.count, split, error);
    }
    samples_free(&samples);
    if (status != STATUS_OK)
        evaluation_free(evaluation);
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
