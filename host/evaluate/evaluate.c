#include "evaluate/evaluate.h"

#include "predictors/interval.h"
#include "predictors/network_order.h"

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

enum { ALL = -1 }; /* as device or part: every one */

/* Forecasts and room for the times of one group. */
struct samples {
    const struct row_forecasts *forecasts;
    double *measured_ms, *predicted_ms, *room;
    const struct predictor_type *type;
    const struct dataset_rows *rows;
};

struct group {
    int kind, device, part; /* device, part: ALL for every one */
    enum evaluation_by by;
};

/* ---- groups ---- */

/* Number of parts of every kind and device, in addition to ALL. */
static int part_count(enum evaluation_by by)
{
    return by == EVALUATION_PASS ? (int)PASS_COUNT : INTERVAL_DECADE_COUNT;
}

static int part_of(const struct row_forecasts *forecasts, size_t i, enum evaluation_by by)
{
    if (by == EVALUATION_PASS)
        return forecasts->rows[i]->config.pass;
    return interval_decade(by == EVALUATION_DECADE ? forecasts->predictions[i].median_ms
                                                   : forecasts->rows[i]->median_ms);
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

static bool group_holds(const struct group *group, const struct row_forecasts *forecasts, size_t i)
{
    const struct measurement *row = forecasts->rows[i];
    return (int)row->config.kind == group->kind &&
           (group->device == ALL || row->device == group->device) &&
           (group->part == ALL || part_of(forecasts, i, group->by) == group->part);
}

/* Share of the group's rows whose measured time lies in the forecast interval, percent. */
static double group_coverage(const struct group *group, const struct row_forecasts *forecasts)
{
    size_t with_interval = 0, inside = 0;
    for (size_t i = 0; i < forecasts->count; i++) {
        const struct prediction *prediction = &forecasts->predictions[i];
        const double measured_ms = forecasts->rows[i]->median_ms;
        if (!group_holds(group, forecasts, i) || isnan(prediction->low_ms))
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
        if (group_holds(group, samples->forecasts, i)) {
            samples->measured_ms[count] = samples->forecasts->rows[i]->median_ms;
            samples->predicted_ms[count++] = samples->forecasts->predictions[i].median_ms;
        }
    return count;
}

/* The group's times are in the samples' room. */
static void add_row(struct evaluation *evaluation, const struct group *group,
                    const struct samples *samples, size_t count, double coverage_percent)
{
    struct evaluation_row *row = &evaluation->rows[evaluation->count++];
    *row = (struct evaluation_row){
        .layer = group->kind,
        .predictor = samples->type->name,
        .errors = stats_errors(samples->measured_ms, samples->predicted_ms, count, samples->room),
        .interval_coverage_percent = coverage_percent,
    };
    name_group(row, group);
    snprintf(row->device, sizeof row->device, "%s",
             group->device == ALL ? "all" : samples->rows->devices[group->device].name);
}

static void group_evaluate(struct evaluation *evaluation, const struct group *group,
                           const struct samples *samples)
{
    const size_t count = group_collect(group, samples);
    if (count > 0)
        add_row(evaluation, group, samples, count, group_coverage(group, samples->forecasts));
}

/* ---- sums ---- */

/* Sums over the INTERVAL_SUM_ROWS rows of `places` into place `index` of the group's room. Returns
 * whether the measured sum lies in the interval of the forecast sum. */
static bool sum_rows(const struct samples *samples, const struct network_place *places,
                     size_t index)
{
    double measured_ms = 0, predicted_ms = 0, correlation = 0;
    struct interval_sum below = {0}, above = {0};
    for (int i = 0; i < INTERVAL_SUM_ROWS; i++) {
        const struct prediction *prediction = &samples->forecasts->predictions[places[i].row];
        measured_ms += samples->forecasts->rows[places[i].row]->median_ms;
        predicted_ms += prediction->median_ms;
        correlation = fmax(correlation, prediction->correlation);
        interval_sum_add(&below, prediction->median_ms - prediction->low_ms);
        interval_sum_add(&above, prediction->high_ms - prediction->median_ms);
    }
    samples->measured_ms[index] = measured_ms;
    samples->predicted_ms[index] = predicted_ms;
    const double off_ms = measured_ms - predicted_ms;
    return off_ms * off_ms <= interval_sum_square(off_ms < 0 ? &below : &above, correlation);
}

static enum status sums_evaluate(struct evaluation *evaluation, const struct group *group,
                                 const struct samples *samples, struct error *error)
{
    const struct row_forecasts *forecasts = samples->forecasts;
    struct network_place *places;
    size_t count = 0, inside = 0;
    bool with_interval = true;
    TRY(ALLOCATE(&places, forecasts->count, "sums", error));
    for (size_t i = 0; i < forecasts->count; i++)
        if (group_holds(group, forecasts, i)) {
            with_interval &= !isnan(forecasts->predictions[i].low_ms);
            places[count++] = network_place_of(&forecasts->rows[i]->config, i);
        }
    network_places_sort(places, count);
    const size_t sums = count / INTERVAL_SUM_ROWS;
    for (size_t sum = 0; sum < sums; sum++)
        inside += sum_rows(samples, places + sum * INTERVAL_SUM_ROWS, sum);
    free(places);
    if (sums > 0)
        add_row(evaluation, group, samples, sums,
                with_interval ? 100.0 * (double)inside / (double)sums : NAN);
    return STATUS_OK;
}

/* ---- the whole ---- */

static int devices_with_rows(const struct row_forecasts *forecasts)
{
    int count = 0;
    for (size_t i = 0; i < forecasts->count; i++)
        count += i == 0 || forecasts->rows[i]->device != forecasts->rows[i - 1]->device;
    return count;
}

static enum status evaluate_groups(struct evaluation *evaluation, const struct samples *samples,
                                   enum evaluation_by by, struct error *error)
{
    const int first_device = devices_with_rows(samples->forecasts) > 1 ? ALL : 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int device = first_device; device < samples->rows->device_count; device++)
            for (int part = ALL; part < part_count(by); part++) {
                const struct group group = {kind, device, part, by};
                if (by != EVALUATION_SUM)
                    group_evaluate(evaluation, &group, samples);
                else if (device != ALL && part == ALL) /* a network runs on one device */
                    TRY(sums_evaluate(evaluation, &group, samples, error));
            }
    return STATUS_OK;
}

enum status evaluate_forecasts(struct evaluation *evaluation, const struct row_forecasts *forecasts,
                               const struct predictor_type *type, const struct dataset_rows *rows,
                               enum evaluation_by by, struct error *error)
{
    *evaluation = (struct evaluation){.uncovered = forecasts->row_count - forecasts->count};
    const size_t group_limit = LAYER_KIND_COUNT * (size_t)(rows->device_count + 1) *
                               (size_t)(part_count(by) + 1);
    double *times;
    TRY(ALLOCATE(&evaluation->rows, group_limit, "evaluation", error));
    enum status status = error_allocate((void **)&times, forecasts->count, 3 * sizeof *times,
                                        "times", error);
    if (status == STATUS_OK) {
        const struct samples samples = {
            forecasts, times, times + forecasts->count, times + 2 * forecasts->count, type, rows};
        status = evaluate_groups(evaluation, &samples, by, error);
        free(times);
    }
    if (status != STATUS_OK)
        evaluation_free(evaluation);
    return status;
}

static enum status nothing_left(const struct predictor *predictor, size_t row_count, int split,
                                struct error *error)
{
    const char *side = split < 0 ? "" : choice_name(&choice_split, split);
    if (row_count == 0) {
        FAIL(error, STATUS_FAILED, "no timed %s%srows to evaluate on", side, *side ? " " : "");
        return HINT(error, STATUS_FAILED, "use '--split all', or measure more rows");
    }
    FAIL(error, STATUS_FAILED,
         "predictor %s covers none of the %zu rows: it was not trained on their layers and device",
         predictor->type->name, row_count);
    return HINT(error, STATUS_FAILED, "train on rows of these layers and devices");
}

enum status evaluate_predictor_by(struct evaluation *evaluation, const struct predictor *predictor,
                                  const struct dataset_rows *rows, int split, enum evaluation_by by,
                                  struct error *error)
{
    struct row_forecasts forecasts;
    *evaluation = (struct evaluation){0};
    TRY(row_forecasts_create(&forecasts, predictor, rows, split, error));
    enum status status = STATUS_OK;
    if (forecasts.count > 0)
        status = evaluate_forecasts(evaluation, &forecasts, predictor->type, rows, by, error);
    if (status == STATUS_OK && evaluation->count == 0) {
        status = nothing_left(predictor, forecasts.row_count, split, error);
        evaluation_free(evaluation);
    }
    row_forecasts_free(&forecasts);
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
