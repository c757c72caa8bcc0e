/* The chapter of a result of `verify -o json`. */
#include "cli/report_chapters.h"

#include "pictures/draw.h"
#include "predictors/predictor.h"
#include "step/verification_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURE_LIMIT = 16 };

/* ---- the table ---- */

enum { FIXED_COLUMNS = 9, SUM_COLUMNS = 3 };

/* Data that a table borrows. */
struct columns {
    struct table_column list[FIXED_COLUMNS + SUM_COLUMNS + VERIFIED_BASELINE_LIMIT];
    char names[VERIFIED_BASELINE_LIMIT][80];
    int count;
};

static void fill_columns(struct columns *columns, const struct verification_file *file)
{
    static const struct table_column fixed[FIXED_COLUMNS] = {
        {.name = "network"},
        {.name = "batch_size", .title = "batch"},
        {.name = "pass"},
        {.name = "optimizer"},
        {.name = "measured_ms", .title = "measured", .scale = SCALE_MS},
        {.name = "predicted_ms", .title = "forecast", .scale = SCALE_MS},
        {.name = "predicted_low_ms", .title = "low", .scale = SCALE_MS},
        {.name = "predicted_high_ms", .title = "high", .scale = SCALE_MS},
        {.name = "error_percent", .title = "error", .scale = SCALE_PERCENT}};
    static const struct table_column sums[SUM_COLUMNS] = {
        {.name = "sum_ms", .title = "sum of layers", .scale = SCALE_MS},
        {.name = "model_error_percent", .title = "error of the model", .scale = SCALE_PERCENT},
        {.name = "sum_gap_percent", .title = "error of the sum", .scale = SCALE_PERCENT}};
    memcpy(columns->list, fixed, sizeof fixed);
    columns->count = FIXED_COLUMNS;
    for (int i = 0; file->has_sum && i < SUM_COLUMNS; i++)
        columns->list[columns->count++] = sums[i];
    for (int i = 0; i < file->baseline_count; i++) {
        char *name = columns->names[i];
        snprintf(name, sizeof columns->names[i], "error of %s", file->baselines[i]);
        columns->list[columns->count++] = (struct table_column){.name = name,
                                                                .scale = SCALE_PERCENT};
    }
}

static void add_row(struct table *table, const struct verification_file *file,
                    const struct verification_row *row)
{
    table_string(table, row->network);
    table_integer(table, row->step.batch_size);
    table_string(table, choice_name(&choice_pass, row->step.pass));
    table_string(table, choice_name(&choice_optimizer, row->step.optimizer));
    table_number(table, row->step.measured_ms);
    table_number(table, row->step.predicted_ms);
    table_number(table, row->step.predicted_low_ms);
    table_number(table, row->step.predicted_high_ms);
    table_number(table, row->error_percent);
    if (file->has_sum) {
        table_number(table, row->sum_ms);
        table_number(table, row->model_error_percent);
        table_number(table, row->sum_gap_percent);
    }
    for (int i = 0; i < file->baseline_count; i++)
        table_number(table, row->baseline_error_percents[i]);
}

static enum status put_table(struct page *page, const struct verification_file *file,
                             struct error *error)
{
    struct table *table;
    struct columns columns;
    fill_columns(&columns, file);
    TRY(table_create(&table, columns.list, columns.count, error));
    for (int i = 0; i < file->count; i++)
        add_row(table, file, &file->rows[i]);
    const enum status status = page_table(page, table, error);
    table_free(table);
    return status;
}

/* ---- pictures ---- */

static bool is_measured(const struct verification_row *row)
{
    return row->step.measured_ms > 0;
}

/* Collects the measured steps of the network of row `first`; returns the first row of another.
 * `steps` holds file->count. */
static int collect(struct verified_network *verified, struct verified_step *steps,
                   const struct verification_file *file, int first)
{
    const struct verification_row *head = &file->rows[first];
    int row = first;
    *verified = (struct verified_network){.network = head->network,
                                          .device = file->device,
                                          .steps = steps,
                                          .baseline_count = file->baseline_count};
    memcpy(verified->baselines, file->baselines, sizeof file->baselines);
    for (; row < file->count && strcmp(file->rows[row].network, head->network) == 0; row++)
        if (is_measured(&file->rows[row]))
            steps[verified->count++] = file->rows[row].step;
    return row;
}

static enum status put_picture(struct page *page, const struct verified_network *verified,
                               struct error *error)
{
    struct picture picture;
    TRY(picture_create(&picture, PICTURE_INLINE, error));
    draw_verification(&picture, verified);
    const enum status status = page_picture(page, &picture,
                                            "Whole steps: measured and forecast times.", error);
    picture_free(&picture);
    return status;
}

/* One for each network. */
static enum status put_pictures(struct page *page, const struct verification_file *file,
                                struct error *error)
{
    struct verified_network verified;
    struct verified_step *steps;
    int drawn = 0;
    enum status status = STATUS_OK;
    TRY(ALLOCATE(&steps, (unsigned long)file->count, "steps", error));
    for (int row = 0; status == STATUS_OK && row < file->count && drawn < PICTURE_LIMIT;) {
        row = collect(&verified, steps, file, row);
        if (verified.count == 0)
            continue;
        status = put_picture(page, &verified, error);
        drawn++;
    }
    free(steps);
    return status;
}

enum status report_verification(struct page *page, const char *path, struct error *error)
{
    struct verification_file file;
    TRY(verification_file_read(&file, path, &choice_baseline, error));
    page_chapter(page, "verification", path);
    if (file.device[0])
        page_text(page, "device", file.device);
    enum status status = put_table(page, &file, error);
    if (status == STATUS_OK)
        status = put_pictures(page, &file, error);
    verification_file_free(&file);
    return status;
}
