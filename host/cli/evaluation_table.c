#include "cli/evaluation_table.h"

#include "layers/describe.h"

enum status evaluation_table(struct table **table, const struct evaluation *evaluation,
                             bool with_calibration, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "layer"},
        {.name = "device"},
        {.name = "pass"},
        {.name = "predictor"},
        {.name = "count"},
        {.name = "rmse_ms", .digits = 4},
        {.name = "mae_ms", .digits = 4},
        {.name = "mape_percent", .digits = 4},
        {.name = "median_ape_percent", .digits = 4},
        {.name = "p90_ape_percent", .digits = 4},
        {.name = "r2", .digits = 4},
        {.name = "rmsle", .digits = 4},
        {.name = "interval_coverage_percent", .digits = 4},
        {.name = "group"},
        {.name = "calibration_rows"}};
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

enum status print_evaluation(const struct evaluation *evaluation, bool with_calibration,
                             enum table_format format, struct error *error)
{
    struct table *table;
    TRY(evaluation_table(&table, evaluation, with_calibration, error));
    return cli_print_table(table, format, error);
}

enum status print_residuals(const struct residuals *residuals, enum table_format format,
                            struct error *error)
{
    static const struct table_column columns[] = {{.name = "layer"},
                                                  {.name = "by"},
                                                  {.name = "value"},
                                                  {.name = "count"},
                                                  {.name = "rmse_ms", .digits = 3},
                                                  {.name = "mape_percent", .digits = 3},
                                                  {.name = "median_ape_percent", .digits = 3},
                                                  {.name = "p90_ape_percent", .digits = 3},
                                                  {.name = "bias_percent", .digits = 3},
                                                  {.name = "squares_percent", .digits = 3},
                                                  {.name = "noise_rmse_ms", .digits = 3},
                                                  {.name = "noise_percent", .digits = 3}};
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
        {.name = "layer"},  {.name = "device"},  {.name = "measured_ms"}, {.name = "predicted_ms"},
        {.name = "low_ms"}, {.name = "high_ms"}, {.name = "config"}};
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
