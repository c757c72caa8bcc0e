#include "cli/train_notes.h"

#include "base/human.h"
#include "base/text.h"
#include "data/split.h"
#include "layers/encode_plan.h"
#include "predictors/interval.h"
#include "predictors/mlp_options.h"
#include "predictors/row_selection.h"

#include <stdlib.h>

enum { LIST_SIZE = 600 };

static void note_rows_without_time(const struct dataset_rows *rows)
{
    size_t broken = 0;
    for (size_t i = 0; i < rows->count; i++)
        broken += measurement_is_timed(&rows->rows[i]) && !row_is_usable(&rows->rows[i]);
    if (broken > 0)
        term_message(stderr, "note: %zu row%s left out: marked as timed, but without a time\n",
                     broken, broken == 1 ? "" : "s");
}

static void note_few_test_rows(const struct fit_report *reports)
{
    char none[LIST_SIZE] = "", few[LIST_SIZE] = "";
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct fit_report *report = &reports[kind];
        if (report->rows == 0 || report->calibration_rows >= INTERVAL_ROWS_MINIMUM)
            continue;
        if (report->calibration_rows == 0)
            text_list_add(none, sizeof none, ", ", "%s", layer_descriptors[kind]->name);
        else
            text_list_add(few, sizeof few, ", ", "%s %zu", layer_descriptors[kind]->name,
                          report->calibration_rows);
    }
    if (*none)
        term_message(stderr, "note: no interval, as there are no test rows: %s\n", none);
    if (*few)
        term_message(stderr,
                     "note: wide intervals, as there are fewer than %d rows to judge by: %s\n",
                     INTERVAL_ROWS_MINIMUM, few);
}

/* A sweep's few rows of a kind may all be for validation. */
static void note_held_back(const struct dataset_rows *rows, const struct fit_report *reports)
{
    char list[LIST_SIZE] = "";
    size_t held_back[LAYER_KIND_COUNT] = {0}, others[LAYER_KIND_COUNT] = {0};
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        const bool is_held_back = split_of(&row->config) == SPLIT_VALIDATION;
        if (row_is_usable(row))
            (is_held_back ? held_back : others)[row->config.kind]++;
    }
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (reports[kind].rows == 0 && held_back[kind] > 0 && others[kind] == 0)
            text_list_add(list, sizeof list, ", ", "%s %zu", layer_descriptors[kind]->name,
                          held_back[kind]);
    if (*list)
        term_message(stderr, "note: not learnt, as all rows are for validation: %s\n", list);
}

void train_notes_print(const struct dataset_rows *rows, const struct fit_report *reports,
                       bool has_intervals)
{
    note_rows_without_time(rows);
    note_held_back(rows, reports);
    if (has_intervals)
        note_few_test_rows(reports);
}

/* ---- rows that cannot be learnt from ---- */

enum status train_check_caches(const struct dataset_rows *rows, struct error *error)
{
    const struct device_info *first, *second;
    if (!device_cache_conflict(&first, &second, rows->devices, rows->device_count))
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "rows of '%s' were measured with --cache %s and with --cache %s",
         first->name, choice_name(&choice_cache, first->cache),
         choice_name(&choice_cache, second->cache));
    return HINT(error, STATUS_USAGE, "train on files of one of them: 'epochcast show' tells which");
}

enum status train_check_learnt(const struct predictor *predictor, const struct dataset_rows *rows,
                               struct error *error)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (predictor->type->knows(predictor, (enum layer_kind)kind))
            return STATUS_OK;
    FAIL(error, STATUS_FAILED, "nothing to learn from: all of %zu rows are held back to judge by",
         rows->count);
    return HINT(error, STATUS_FAILED, "measure more with 'epochcast sweep'");
}

/* ---- memory ---- */

/* Beside the encoded columns, measured as the growth of the peak with the rows. */
enum { BYTES_PER_ROW = 300 };

double train_memory_bytes(const struct dataset_rows *rows)
{
    size_t counts[LAYER_KIND_COUNT] = {0};
    double bytes = 0;
    for (size_t i = 0; i < rows->count; i++)
        counts[rows->rows[i].config.kind]++;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct encode_layout layout = {.encoding = ENCODING_PHYSICAL,
                                             .kind = (enum layer_kind)kind,
                                             .with_hardware = rows->device_count > 1,
                                             .with_steps = counts[kind] >=
                                                           (size_t)mlp_options_standard.step_rows};
        const double column_bytes = sizeof(float) * (double)encode_layout_count(&layout);
        bytes += (double)counts[kind] * (BYTES_PER_ROW + column_bytes);
    }
    return bytes;
}

const char *train_memory_note(char text[NOTE_LIMIT], size_t row_count, double bytes,
                              int64_t available_bytes)
{
    char rows[HUMAN_TEXT_SIZE], needed[HUMAN_TEXT_SIZE], available[HUMAN_TEXT_SIZE];
    const bool is_too_much = available_bytes > 0 && bytes > (double)available_bytes;
    text[0] = '\0';
    if (!is_too_much && bytes < 0x1p30)
        return text;
    human_text(rows, SCALE_NUMBER, (double)row_count, 0);
    human_text(needed, SCALE_BYTES, bytes, 0);
    human_text(available, SCALE_BYTES, (double)available_bytes, 0);
    if (is_too_much)
        snprintf(text, NOTE_LIMIT,
                 "warning: training on %s rows takes about %s of memory, of which %s are free; "
                 "--layer KIND trains one kind at a time\n",
                 rows, needed, available);
    else
        snprintf(text, NOTE_LIMIT, "note: training on %s rows takes about %s of memory\n", rows,
                 needed);
    return text;
}
