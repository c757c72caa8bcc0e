#include "cli/train_notes.h"

#include "base/human.h"
#include "base/text.h"
#include "evaluate/evaluate.h"
#include "layers/encode_plan.h"
#include "predictors/interval.h"
#include "predictors/mlp_options.h"
#include "predictors/row_selection.h"

#include <math.h>
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
        term_message(stderr, "note: wide intervals, as there are fewer than %d test rows: %s\n",
                     INTERVAL_ROWS_MINIMUM, few);
}

/* ---- poor forecasts ---- */

/* Errors of the roofline on the validation rows; NaN where unknown. */
static void judge_roofline(double mape_percent[LAYER_KIND_COUNT], const struct dataset_rows *rows)
{
    struct fit_report reports[LAYER_KIND_COUNT] = {{0}};
    struct predictor *roofline = NULL;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        reports[kind].validation_mape_percent = NAN;
    if (predictor_roofline.fit(&roofline, rows, NULL, reports, NULL) == STATUS_OK)
        (void)predictor_validate(reports, roofline, rows, NULL);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        mape_percent[kind] = reports[kind].validation_mape_percent;
    predictor_roofline.free(roofline);
}

enum {
    POOR_PERCENT = 30, /* worse than this, or than the roofline: more rows are worth it */
    GOOD_PERCENT = 10, /* better than this is good, the roofline notwithstanding */
    FEW_ROWS = 1000,   /* with more training rows, more of them are not the first remedy */
    MINUTES_PER_KIND = 5,
};

static bool is_poor(const struct fit_report *report, double roofline_percent)
{
    const double percent = report->validation_mape_percent;
    return report->rows > 0 && report->rows < FEW_ROWS && percent > GOOD_PERCENT &&
           (percent > POOR_PERCENT || percent > roofline_percent);
}

/* The devices' backend and threads, if they are not the defaults. */
static void describe_device(char *text, size_t size, const struct dataset_rows *rows)
{
    const struct device_info *device = rows->devices;
    int used = snprintf(text, size, "--device %s ", device->backend);
    if (device->thread_count > 1)
        snprintf(text + used, size - (size_t)used, "--threads %d ", device->thread_count);
}

static void note_poor_kinds(const struct dataset_rows *rows, const struct fit_report *reports,
                            const struct settings *settings)
{
    double roofline[LAYER_KIND_COUNT];
    char device[80], kinds[200] = "", poor[LIST_SIZE] = "";
    int count = 0;
    judge_roofline(roofline, rows);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const char *name = layer_descriptors[kind]->name;
        if (!is_poor(&reports[kind], roofline[kind]))
            continue;
        count++;
        text_list_add(kinds, sizeof kinds, ",", "%s", name);
        text_list_add(poor, sizeof poor, ", ", "%s %.3g %% (roofline %.3g %%)", name,
                      reports[kind].validation_mape_percent, roofline[kind]);
    }
    if (count == 0)
        return;
    describe_device(device, sizeof device, rows);
    term_message(stderr, "note: large errors on held-out rows, as there are few rows: %s\n", poor);
    /* A seed that these files are not likely to have: draws would repeat. */
    term_message(stderr,
                 "hint: time more layers, then train on all files: epochcast sweep %s--layer %s "
                 "--time-budget %dm --seed %d -O more.h5\n",
                 device, kinds, MINUTES_PER_KIND * count, settings->operand_count + 1);
}

void train_notes_print(const struct dataset_rows *rows, const struct fit_report *reports,
                       bool has_intervals, const struct settings *settings)
{
    note_rows_without_time(rows);
    if (has_intervals)
        note_few_test_rows(reports);
    if (has_intervals && rows->device_count == 1)
        note_poor_kinds(rows, reports, settings);
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
