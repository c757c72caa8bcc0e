#include "evaluate/evaluate.h"

#include "evaluate/evaluator.h"
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

/* Forecasts and room for the times of one group. */
struct samples {
    const struct row_forecasts *forecasts;
    double *measured_ms, *predicted_ms, *room;
    const struct predictor_type *type;
    const struct dataset_rows *rows;
};

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

/* The times of `sums` sums are in the samples' room. */
static void add_sums(struct evaluation *evaluation, const struct samples *samples, int kind,
                     int device, size_t sums, double coverage_percent)
{
    struct evaluation_row *row = &evaluation->rows[evaluation->count++];
    *row = (struct evaluation_row){
        .layer = kind,
        .predictor = samples->type->name,
        .errors = stats_errors(samples->measured_ms, samples->predicted_ms, sums, samples->room),
        .interval_coverage_percent = coverage_percent,
    };
    evaluation_name_group(row, EVALUATION_SUM, EVALUATION_WHOLE);
    snprintf(row->device, sizeof row->device, "%s", samples->rows->devices[device].name);
}

static enum status sums_evaluate(struct evaluation *evaluation, const struct samples *samples,
                                 int kind, int device, struct error *error)
{
    const struct row_forecasts *forecasts = samples->forecasts;
    struct network_place *places;
    size_t count = 0, inside = 0;
    bool with_interval = true;
    TRY(ALLOCATE(&places, forecasts->count, "sums", error));
    for (size_t i = 0; i < forecasts->count; i++)
        if ((int)forecasts->rows[i]->config.kind == kind && forecasts->rows[i]->device == device) {
            with_interval &= !isnan(forecasts->predictions[i].low_ms);
            places[count++] = network_place_of(&forecasts->rows[i]->config, i);
        }
    network_places_sort(places, count);
    const size_t sums = count / INTERVAL_SUM_ROWS;
    for (size_t sum = 0; sum < sums; sum++)
        inside += sum_rows(samples, places + sum * INTERVAL_SUM_ROWS, sum);
    free(places);
    if (sums > 0)
        add_sums(evaluation, samples, kind, device, sums,
                 with_interval ? 100.0 * (double)inside / (double)sums : NAN);
    return STATUS_OK;
}

/* Of each kind and device: a network runs on one device. */
static enum status evaluate_all_sums(struct evaluation *evaluation, const struct samples *samples,
                                     struct error *error)
{
    const int device_count = samples->rows->device_count;
    TRY(ALLOCATE(&evaluation->rows, LAYER_KIND_COUNT * (size_t)device_count, "evaluation", error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int device = 0; device < device_count; device++)
            TRY(sums_evaluate(evaluation, samples, kind, device, error));
    return STATUS_OK;
}

static enum status evaluate_sums(struct evaluation *evaluation,
                                 const struct row_forecasts *forecasts,
                                 const struct predictor_type *type, const struct dataset_rows *rows,
                                 struct error *error)
{
    double *times;
    *evaluation = (struct evaluation){.uncovered = forecasts->row_count - forecasts->count};
    TRY(ALLOCATE(&times, 3 * forecasts->count, "times", error));
    const size_t count = forecasts->count;
    const struct samples samples = {forecasts, times, times + count, times + 2 * count, type, rows};
    const enum status status = evaluate_all_sums(evaluation, &samples, error);
    free(times);
    return status;
}

/* ---- the whole ---- */

static enum status evaluate_added(struct evaluation *evaluation, struct evaluator *evaluator,
                                  const struct row_forecasts *forecasts,
                                  const struct predictor_type *type,
                                  const struct dataset_rows *rows, struct error *error)
{
    TRY(evaluator_add(evaluator, forecasts, error));
    return evaluator_finish(evaluation, evaluator, type->name, rows->devices, error);
}

enum status evaluate_forecasts(struct evaluation *evaluation, const struct row_forecasts *forecasts,
                               const struct predictor_type *type, const struct dataset_rows *rows,
                               enum evaluation_by by, struct error *error)
{
    struct evaluator *evaluator = NULL;
    enum status status = STATUS_OK;
    *evaluation = (struct evaluation){0};
    if (by == EVALUATION_SUM)
        status = evaluate_sums(evaluation, forecasts, type, rows, error);
    else
        status = evaluator_create(&evaluator, by, error);
    if (evaluator)
        status = evaluate_added(evaluation, evaluator, forecasts, type, rows, error);
    evaluator_free(evaluator);
    if (status != STATUS_OK)
        evaluation_free(evaluation);
    return status;
}

enum status evaluation_of_none(const struct predictor *predictor, size_t row_count, int split,
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
        status = evaluation_of_none(predictor, forecasts.row_count, split, error);
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
    struct evaluation_row *rows;
    const enum status status = ALLOCATE(&rows, a->count + b->count, "evaluation", error);
    if (status != STATUS_OK) {
        evaluation_free(b);
        return status;
    }
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
