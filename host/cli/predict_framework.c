#include "cli/predict_framework.h"

#include <math.h>
#include <string.h>

/* ---- the option ---- */

/* "pytorch" and "models/cpu.h5": "models/pytorch.csv". */
static void framework_path(char *path, size_t size, const struct settings *settings)
{
    const char *name = settings->framework;
    const char *slash = strrchr(settings->model, '/');
    if (strpbrk(name, "./"))
        snprintf(path, size, "%s", name);
    else
        snprintf(path, size, "%.*s%s.csv", slash ? (int)(slash + 1 - settings->model) : 0,
                 settings->model, name);
}

enum status framework_option(struct framework **framework, const struct settings *settings,
                             struct error *error)
{
    char path[4096];
    *framework = NULL;
    if (!settings->framework)
        return STATUS_OK;
    framework_path(path, sizeof path, settings);
    const enum status status = framework_load(framework, path, error);
    if (status == STATUS_OK || strcmp(path, settings->framework) == 0)
        return status;
    return HINT(error, status, "`scripts/bench truth --fit %.300s` fits and writes it", path);
}

/* ---- factors of rows ---- */

static const struct framework_line *line_of(const struct forecast_grid *all,
                                            const struct forecast_grid_row *row)
{
    return framework_find(all->request->framework, row->device->info->name, &row->forecast);
}

/* The line of the first forecast that has one, or NULL. */
static const struct framework_line *first_line(const struct forecast_grid *all)
{
    for (int i = 0; i < all->count; i++)
        if (line_of(all, &all->rows[i]))
            return line_of(all, &all->rows[i]);
    return NULL;
}

static const char *step_text(int32_t pass, int32_t optimizer)
{
    return pass == PASS_FORWARD ? choice_name(&choice_pass, pass)
                                : choice_name(&choice_optimizer, optimizer);
}

enum status check_framework(const struct forecast_grid *all, struct error *error)
{
    if (!all->request->framework || all->count == 0 || first_line(all))
        return STATUS_OK;
    const struct forecast_grid_row *row = &all->rows[0];
    const struct framework_line *line = &all->request->framework->lines[0];
    FAIL(error, STATUS_USAGE, "--framework: no factor of '%s', step %s", row->device->info->name,
         step_text(row->forecast.pass, row->forecast.optimizer));
    return HINT(error, STATUS_USAGE,
                "the first factor is of '%s', step %s: fit them on this device", line->device,
                step_text(line->pass, line->optimizer));
}

/* ---- csv and json ---- */

const struct table_column framework_columns[FRAMEWORK_COLUMN_COUNT] = {
    {.name = "framework", .use = COLUMN_RAW},
    {.name = "framework_factor", .use = COLUMN_RAW},
    {.name = "framework_update_ms", .use = COLUMN_RAW},
    {.name = "framework_ms", .use = COLUMN_RAW},
    {.name = "framework_low_ms", .use = COLUMN_RAW},
    {.name = "framework_high_ms", .use = COLUMN_RAW},
};

void add_framework(struct table *table, const struct forecast_grid *all,
                   const struct forecast_grid_row *row)
{
    const struct framework_line *line = line_of(all, row);
    const struct framework_time time = framework_time_of(line, &row->forecast);
    table_string(table, line ? line->name : "");
    table_number(table, line ? line->factor : NAN);
    table_number(table, time.update_ms);
    table_number(table, time.ms);
    table_number(table, time.low_ms);
    table_number(table, time.high_ms);
}

void json_framework(struct json *json, const struct forecast_grid *all,
                    const struct forecast_grid_row *row)
{
    if (!all->request->framework)
        return;
    const struct framework_line *line = line_of(all, row);
    const struct framework_time time = framework_time_of(line, &row->forecast);
    json_open(json, "framework", '{');
    json_string(json, "name", line ? line->name : "");
    json_string(json, "version", line ? line->version : "");
    json_string(json, "fitted_networks", line ? line->networks : "");
    json_number(json, "factor", line ? line->factor : NAN);
    json_number(json, "spread_factor", line ? line->spread_factor : NAN);
    json_number(json, "update_ms", time.update_ms);
    json_number(json, "batch_ms", time.ms);
    json_number(json, "batch_low_ms", time.low_ms);
    json_number(json, "batch_high_ms", time.high_ms);
    json_close(json, '}');
}

/* ---- text ---- */

static const struct table_column text_columns[] = {
    {.name = "batch_size", .title = "batch"},
    {.name = "pass", .use = COLUMN_SEVERAL},
    {.name = "optimizer", .use = COLUMN_SEVERAL},
    {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
    {.name = "gpus", .title = "GPUs", .use = COLUMN_SEVERAL},
    {.name = "batch_ms", .title = "sum", .scale = SCALE_MS},
    {.name = "framework_factor", .title = "factor", .digits = 3},
    {.name = "framework_update_ms", .title = "update", .scale = SCALE_MS},
    {.name = "framework_ms", .title = "time", .scale = SCALE_MS},
    {.name = "framework_low_ms", .title = "low", .scale = SCALE_MS},
    {.name = "framework_high_ms", .title = "high", .scale = SCALE_MS}};

static void add_row(struct table *table, const struct forecast_grid *all,
                    const struct forecast_grid_row *row)
{
    const struct forecast *forecast = &row->forecast;
    const struct framework_line *line = line_of(all, row);
    const struct framework_time time = framework_time_of(line, forecast);
    table_integer(table, forecast->batch_size);
    table_string(table, choice_name(&choice_pass, forecast->pass));
    table_string(table, choice_name(&choice_optimizer, forecast->optimizer));
    table_string(table, row->device->info->name);
    table_integer(table, forecast->device_count);
    table_number(table, forecast->batch_ms);
    table_number(table, line ? line->factor : NAN);
    table_number(table, time.update_ms);
    table_number(table, time.ms);
    table_number(table, time.low_ms);
    table_number(table, time.high_ms);
}

static void print_fitted(const struct framework_line *line)
{
    char text[sizeof *line + 100];
    snprintf(text, sizeof text,
             "%s%s%s: factor over the sum of the layers, fitted on this device%s%s", line->name,
             *line->version ? " " : "", line->version, *line->networks ? ": " : "", line->networks);
    putchar('\n');
    table_print_wrapped(stdout, text, TABLE_WIDTH, 0);
}

enum status print_framework(const struct forecast_grid *all, struct error *error)
{
    struct table *table;
    if (!all->request->framework || all->count == 0)
        return STATUS_OK;
    print_fitted(first_line(all));
    TRY(table_create(&table, text_columns, sizeof text_columns / sizeof *text_columns, error));
    for (int i = 0; i < all->count; i++)
        add_row(table, all, &all->rows[i]);
    return cli_print_table(table, TABLE_TEXT, error);
}
