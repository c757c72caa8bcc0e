#include "model/evaluate.h"

#include "data/split.h"
#include "model/interval.h"
#include "model/network_order.h"
#include "model/row_selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHOICE_NAME(value, text) text,
static const char *const evaluation_names[] = {EVALUATION_LIST(CHOICE_NAME)};
const struct choice choice_evaluation = {.name = "group",
                                         .names = evaluation_names,
                                         .count = sizeof evaluation_names /
                                                  sizeof *evaluation_names};

enum { ALL = -1 }; /* a device or part: every one */

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
    int kind, device, part; /* device, part: ALL for every one */
    enum evaluation_by by;
};

/* Parts of every kind and device, beside ALL. */
static int part_count(enum evaluation_by by)
{
    return by == EVALUATION_PASS ? (int)PASS_COUNT : INTERVAL_BIN_COUNT;
}

static int part_of(const struct samples *samples, size_t i, enum evaluation_by by)
{
    if (by == EVALUATION_PASS)
        return samples->configs[i].pass;
    return interval_bin(by == EVALUATION_DECADE ? samples->predictions[i].median_ms
                                                : samples->measured_ms[i]);
}

static void name_group(struct evaluation_row *row, const struct group *group)
{
    const int decade = group->part + INTERVAL_FIRST_DECADE;
    const bool is_pass = group->by == EVALUATION_PASS;
    snprintf(row->pass, sizeof row->pass, "%s",
             is_pass && group->part != ALL ? choice_name(&choice_pass, group->part) : "all");
    if (group->by == EVALUATION_SUM)
        snprintf(row->group, sizeof row->group, "sums of %d", INTERVAL_SUM_ROWS);
    else if (is_pass || group->part == ALL)
        snprintf(row->group, sizeof row->group, "%s", row->pass);
    else
        snprintf(row->group, sizeof row->group, "%g..%g ms", pow(10, decade), pow(10, decade + 1));
}

static bool group_holds(const struct group *group, const struct samples *samples, size_t i)
{
    return samples->predictions[i].covered && (int)samples->configs[i].kind == group->kind &&
           (group->device == ALL || samples->devices[i] == group->device) &&
           (group->part == ALL || part_of(samples, i, group->by) == group->part);
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

/* Times and coverage of the group's sums are in the samples' room for one group. */
static void add_row(struct evaluation *evaluation, const struct group *group,
                    const struct samples *samples, size_t count, double coverage_percent,
                    const struct predictor *predictor, const struct dataset_rows *rows)
{
    struct evaluation_row *row = &evaluation->rows[evaluation->count++];
    *row = (struct evaluation_row){
        .layer = group->kind,
        .predictor = predictor->type->name,
        .errors = stats_errors(samples->group_measured_ms, samples->group_predicted_ms, count),
        .interval_coverage_percent = coverage_percent,
    };
    name_group(row, group);
    snprintf(row->device, sizeof row->device, "%s",
             group->device == ALL ? "all" : rows->devices[group->device].name);
}

static void group_evaluate(struct evaluation *evaluation, const struct group *group,
                           struct samples *samples, const struct predictor *predictor,
                           const struct dataset_rows *rows)
{
    const size_t count = group_collect(group, samples);
    if (count > 0)
        add_row(evaluation, group, samples, count, group_coverage(group, samples), predictor, rows);
}

/* ---- sums ---- */

/* Sums over the INTERVAL_SUM_ROWS rows of `places` into place `index` of the group's room. */
static bool sum_rows(struct samples *samples, const struct network_place *places, size_t index)
{
    double measured_ms = 0, predicted_ms = 0, correlation = 0;
    struct interval_sum below = {0}, above = {0};
    for (int i = 0; i < INTERVAL_SUM_ROWS; i++) {
        const struct prediction *prediction = &samples->predictions[places[i].row];
        measured_ms += samples->measured_ms[places[i].row];
        predicted_ms += prediction->median_ms;
        correlation = fmax(correlation, prediction->correlation);
        interval_sum_add(&below, prediction->median_ms - prediction->low_ms);
        interval_sum_add(&above, prediction->high_ms - prediction->median_ms);
    }
    samples->group_measured_ms[index] = measured_ms;
    samples->group_predicted_ms[index] = predicted_ms;
    const double off_ms = measured_ms - predicted_ms;
    return off_ms * off_ms <= interval_sum_square(off_ms < 0 ? &below : &above, correlation);
}

static enum status sums_evaluate(struct evaluation *evaluation, const struct group *group,
                                 struct samples *samples, const struct predictor *predictor,
                                 const struct dataset_rows *rows, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, samples->count, sizeof(struct network_place), "sums", error));
    struct network_place *places = memory;
    size_t count = 0, inside = 0;
    bool with_interval = true;
    for (size_t i = 0; i < samples->count; i++)
        if (group_holds(group, samples, i)) {
            with_interval &= !isnan(samples->predictions[i].low_ms);
            places[count++] = network_place_of(&samples->configs[i], i);
        }
    network_places_sort(places, count);
    const size_t sums = count / INTERVAL_SUM_ROWS;
    for (size_t sum = 0; sum < sums; sum++)
        inside += sum_rows(samples, places + sum * INTERVAL_SUM_ROWS, sum);
    free(places);
    if (sums > 0)
        add_row(evaluation, group, samples, sums,
                with_interval ? 100.0 * (double)inside / (double)sums : NAN, predictor, rows);
    return STATUS_OK;
}

/* ---- the whole ---- */

static int devices_with_samples(const struct samples *samples)
{
    int count = 0;
    for (size_t i = 0; i < samples->count; i++)
        count += i == 0 || samples->devices[i] != samples->devices[i - 1];
    return count;
}

static enum status evaluate_groups(struct evaluation *evaluation, struct samples *samples,
                                   const struct predictor *predictor,
                                   const struct dataset_rows *rows, enum evaluation_by by,
                                   struct error *error)
{
    const int first_device = devices_with_samples(samples) > 1 ? ALL : 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int device = first_device; device < rows->device_count; device++)
            for (int part = ALL; part < part_count(by); part++) {
                const struct group group = {kind, device, part, by};
                if (by != EVALUATION_SUM)
                    group_evaluate(evaluation, &group, samples, predictor, rows);
                else if (device != ALL && part == ALL) /* a network runs on one device */
                    TRY(sums_evaluate(evaluation, &group, samples, predictor, rows, error));
            }
    return STATUS_OK;
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

enum status evaluate_predictor_by(struct evaluation *evaluation, const struct predictor *predictor,
                                  const struct dataset_rows *rows, int split, enum evaluation_by by,
                                  struct error *error)
{
    *evaluation = (struct evaluation){0};
    struct samples samples = {0};
    const size_t group_limit = LAYER_KIND_COUNT * (size_t)(rows->device_count + 1) *
                               (size_t)(part_count(by) + 1);
    void *memory = NULL;
    enum status status = samples_allocate(&samples, rows->count, error);
    if (status == STATUS_OK)
        status = samples_predict(&samples, predictor, rows, split, error);
    if (status == STATUS_OK)
        status = error_allocate(&memory, group_limit, sizeof *evaluation->rows, "evaluation",
                                error);
    evaluation->rows = memory;
    if (status == STATUS_OK)
        status = evaluate_groups(evaluation, &samples, predictor, rows, by, error);
    for (size_t i = 0; i < samples.count; i++)
        evaluation->uncovered += status == STATUS_OK && !samples.predictions[i].covered;
    if (status == STATUS_OK && evaluation->count == 0)
        status = nothing_left(predictor, samples.count, split, error);
    samples_free(&samples);
    if (status != STATUS_OK)
        evaluation_free(evaluation);
    return status;
}

enum status evaluate_predictor(struct evaluation *evaluation, const struct predictor *predictor,
                               const struct dataset_rows *rows, int split, struct error *error)
{
    return evaluate_predictor_by(evaluation, predictor, rows, split, EVALUATION_PASS, error);
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
    const size_t count = a->count + b->count, uncovered = a->uncovered;
    evaluation_free(a);
    evaluation_free(b);
    *a = (struct evaluation){.rows = rows, .count = count, .uncovered = uncovered};
    return STATUS_OK;
}

void evaluation_free(struct evaluation *evaluation)
{
    free(evaluation->rows);
    *evaluation = (struct evaluation){0};
}
