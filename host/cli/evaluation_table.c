#include "cli/evaluation_table.h"

#include "layers/describe.h"

#include <string.h>

enum status evaluation_table(struct table **table, const struct evaluation *evaluation,
                             bool with_calibration, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "layer"},
        {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
        {.name = "pass"},
        {.name = "predictor"},
        {.name = "count", .title = "rows"},
        {.name = "rmse_ms", .title = "RMSE", .scale = SCALE_MS},
        {.name = "mae_ms", .title = "MAE", .scale = SCALE_MS, .spare = 3},
        {.name = "mape_percent", .title = "MAPE", .scale = SCALE_PERCENT},
        {.name = "median_ape_percent", .title = "median", .scale = SCALE_PERCENT},
        {.name = "p90_ape_percent", .title = "p90", .scale = SCALE_PERCENT, .spare = 1},
        {.name = "r2", .title = "R2", .spare = 4},
        {.name = "rmsle", .title = "RMSLE", .spare = 2},
        {.name = "interval_coverage_percent", .title = "in interval", .scale = SCALE_PERCENT},
        {.name = "group", .use = COLUMN_SEVERAL, .width = 24},
        {.name = "calibration_rows", .title = "calibrated by"}};
    const int column_count = sizeof columns / sizeof *columns - (with_calibration ? 0 : 1);
    TRY(table_create(table, columns, column_count, error));
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct evaluation_row *row = &evaluation->rows[i];
        table_string(*table, layer_descriptors[row->layer]->name);
        table_string(*table, row->device);
        table_string(*table, row->pass);
        table_string(*table, row->predictor);
        table_integer(*table, (int64_t)row->errors.count);
        table_number(*table, row->errors.rmse_ms);
        table_number(*table, row->errors.mae_ms);
        table_number(*table, row->errors.mape_percent);
        table_number(*table, row->errors.median_ape_percent);
        table_number(*table, row->errors.p90_ape_percent);
        table_number(*table, row->errors.r2);
        table_number(*table, row->errors.rmsle);
        table_number(*table, row->interval_coverage_percent);
        table_string(*table, row->group);
        if (with_calibration)
            table_integer(*table, row->calibration_rows);
    }
    return STATUS_OK;
}

/* Above the table, which has a column for several. */
static void print_only_device(const struct evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++)
        if (strcmp(evaluation->rows[i].device, evaluation->rows[0].device) != 0)
            return;
    if (evaluation->count > 0)
        printf("device  %s\n\n", evaluation->rows[0].device);
}

enum status print_evaluation(const struct evaluation *evaluation, bool with_calibration,
                             enum table_format format, struct error *error)
{
    struct table *table;
    TRY(evaluation_table(&table, evaluation, with_calibration, error));
    if (format == TABLE_TEXT)
        print_only_device(evaluation);
    return cli_print_table(table, format, error);
}

enum status print_residuals(const struct residuals *residuals, enum table_format format,
                            struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "layer"},
        {.name = "by"},
        {.name = "value"},
        {.name = "count", .title = "rows"},
        {.name = "rmse_ms", .title = "RMSE", .scale = SCALE_MS},
        {.name = "mape_percent", .title = "MAPE", .scale = SCALE_PERCENT},
        {.name = "median_ape_percent", .title = "median", .scale = SCALE_PERCENT},
        {.name = "p90_ape_percent", .title = "p90", .scale = SCALE_PERCENT, .spare = 1},
        {.name = "bias_percent", .title = "bias", .spare = 1, .scale = SCALE_PERCENT},
        {.name = "squares_percent", .title = "squares", .scale = SCALE_PERCENT},
        {.name = "noise_rmse_ms", .title = "noise RMSE", .scale = SCALE_MS, .spare = 2},
        {.name = "noise_percent", .title = "noise", .scale = SCALE_PERCENT}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (size_t i = 0; i < residuals->count; i++) {
        const struct slice *slice = &residuals->slices[i];
        table_string(table, layer_descriptors[slice->layer]->name);
        table_string(table, slice->key);
        table_string(table, slice->label);
        table_integer(table, (int64_t)slice->errors.count);
        table_number(table, slice->errors.rmse_ms);
        table_number(table, slice->errors.mape_percent);
        table_number(table, slice->errors.median_ape_percent);
        table_number(table, slice->errors.p90_ape_percent);
        table_number(table, slice->bias_percent);
        table_number(table, slice->squares_percent);
        table_number(table, slice->noise_rmse_ms);
        table_number(table, slice->noise_percent);
    }
    return cli_print_table(table, format, error);
}

enum status print_forecasts(const struct row_forecasts *forecasts, const struct dataset_rows *rows,
                            enum table_format format, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "layer"},
        {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
        {.name = "measured_ms", .title = "measured", .scale = SCALE_MS},
        {.name = "predicted_ms", .title = "forecast", .scale = SCALE_MS},
        {.name = "low_ms", .title = "low", .scale = SCALE_MS},
        {.name = "high_ms", .title = "high", .scale = SCALE_MS},
        {.name = "config"}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (size_t i = 0; i < forecasts->count; i++) {
        const struct measurement *row = forecasts->rows[i];
        char config[512];
        describe_config(config, sizeof config, &row->config);
        table_string(table, layer_descriptors[row->config.kind]->name);
        table_string(table, rows->devices[row->device].name);
        table_number(table, row->median_ms);
        table_number(table, forecasts->predictions[i].median_ms);
        table_number(table, forecasts->predictions[i].low_ms);
        table_number(table, forecasts->predictions[i].high_ms);
        table_string(table, config);
    }
    return cli_print_table(table, format, error);
}
