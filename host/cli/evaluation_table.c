#include "cli/evaluation_table.h"

#include "layers/describe.h"

enum status evaluation_table(struct table **table, const struct evaluation *evaluation,
                             bool with_calibration, struct error *error)
{
    static const struct table_column columns[] = {{"layer", 0},
                                                  {"device", 0},
                                                  {"pass", 0},
                                                  {"predictor", 0},
                                                  {"count", 0},
                                                  {"rmse_ms", 4},
                                                  {"mae_ms", 4},
                                                  {"mape_percent", 4},
                                                  {"median_ape_percent", 4},
                                                  {"p90_ape_percent", 4},
                                                  {"r2", 4},
                                                  {"rmsle", 4},
                                                  {"interval_coverage_percent", 4},
                                                  {"group", 0},
                                                  {"calibration_rows", 0}};
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
    static const struct table_column columns[] = {{"layer", 0},
                                                  {"by", 0},
                                                  {"value", 0},
                                                  {"count", 0},
                                                  {"rmse_ms", 3},
                                                  {"mape_percent", 3},
                                                  {"median_ape_percent", 3},
                                                  {"p90_ape_percent", 3},
                                                  {"bias_percent", 3},
                                                  {"squares_percent", 3},
                                                  {"noise_rmse_ms", 3},
                                                  {"noise_percent", 3}};
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
        {"layer", 0},  {"device", 0},  {"measured_ms", 0}, {"predicted_ms", 0},
        {"low_ms", 0}, {"high_ms", 0}, {"config", 0}};
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
