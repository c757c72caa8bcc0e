#include "cli/cli.h"
#include "cli/provenance.h"

#include "data/import.h"

static enum status import_files(int64_t *row_count, struct dataset *dataset,
                                const struct device_info *info, const struct settings *settings,
                                struct error *error)
{
    struct progress progress;
    int32_t device_row;
    TRY(dataset_add_device(dataset, info, &device_row, error));
    enum status status = STATUS_OK;
    progress_begin(&progress, stderr, settings->quiet);
    *row_count = 0;
    for (int i = 0; status == STATUS_OK && i < settings->operand_count; i++) {
        int64_t rows = 0;
        status = import_csv(dataset, device_row, settings->format, settings->operands[i], &progress,
                            &rows, error);
        *row_count += rows;
    }
    progress_end(&progress);
    TRY(status);
    return dataset_finish(dataset, error);
}

static enum status print_report(int64_t row_count, const struct settings *settings,
                                struct error *error)
{
    static const struct table_column columns[] = {{"rows", 0}, {"device", 0}, {"file", 0}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    table_integer(table, row_count);
    table_string(table, settings->device_name);
    table_string(table, settings->output);
    return cli_print_table(table, settings, error);
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct device_info info;
    struct dataset_header header;
    struct dataset *dataset;
    int64_t row_count;
    if (!settings->output)
        return FAIL(error, STATUS_USAGE, "import needs -O FILE");
    if (!settings->device_name)
        return FAIL(error, STATUS_USAGE, "import needs --device-name NAME");
    TRY(import_known_device(&info, settings->device_name, error));
    fill_header(&header, settings);
    snprintf(header.sampler, sizeof header.sampler, "import %s",
             choice_name(&choice_import_format, settings->format));
    TRY(dataset_create(&dataset, settings->output, &header, settings->overwrite, false, error));
    enum status status = import_files(&row_count, dataset, &info, settings, error);
    dataset_close(dataset);
    TRY(status);
    return print_report(row_count, settings, error);
}

static const char *const takes[] = {"format",  "device-name", "output", "overwrite",
                                    "licence", "citation",    NULL};
const struct command command_import = {
    .name = "import",
    .summary = "measurements of others, from CSV files into a dataset",
    .operands = "FILE.csv... --device-name NAME -O DATA.h5",
    .examples = "  epochcast import --format justus2018 --device-name V100 "
                "justus2018-conv2d-V100.csv -O v100.h5\n",
    .options = takes,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .run = run,
};
