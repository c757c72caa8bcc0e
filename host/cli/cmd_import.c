#include "cli/cli.h"
#include "cli/provenance.h"

#include "base/text.h"
#include "data/import.h"

static enum status read_files(int64_t *row_count, struct importer *importer,
                              const struct settings *settings, struct error *error)
{
    *row_count = 0;
    for (int i = 0; i < settings->operand_count; i++) {
        int64_t rows;
        TRY(importer_read(importer, settings->operands[i], &rows, error));
        *row_count += rows;
    }
    return STATUS_OK;
}

static int64_t left_out_count(const struct import_left_out *left_out)
{
    return left_out->by_rule + left_out->of_no_kind + left_out->of_size + left_out->without_time;
}

/* How many, and why. */
static void note_left_out(const struct import_left_out *left_out, const struct settings *settings)
{
    char reasons[240] = "";
    const struct {
        int64_t count;
        const char *why;
    } parts[] = {{left_out->by_rule, "by the map's conditions"},
                 {left_out->of_no_kind, "of no layer kind"},
                 {left_out->of_size, "of sizes that no layer has"},
                 {left_out->without_time, "without a time"}};
    if (settings->quiet || left_out_count(left_out) == 0)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count)
            text_list_add(reasons, sizeof reasons, ", ", "%lld %s", (long long)parts[i].count,
                          parts[i].why);
    term_message(stderr, "note: rows left out: %s\n", reasons);
    if (*left_out->first)
        term_message(stderr, "note: the first of them: %s\n", left_out->first);
}

static enum status print_report(int64_t row_count, int device_count,
                                const struct import_left_out *left_out,
                                const struct settings *settings, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "rows"},
        {.name = "devices"},
        {.name = "file"},
        {.name = "left_out", .title = "left out", .use = COLUMN_COUNTED}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    table_integer(table, row_count);
    table_integer(table, device_count);
    table_string(table, settings->output);
    table_integer(table, left_out_count(left_out));
    return cli_print_table(table, settings->format, error);
}

static enum status import_into(int64_t *row_count, int *device_count,
                               struct import_left_out *left_out, struct dataset *dataset,
                               const struct import_map *map, int32_t dialect,
                               const struct settings *settings, struct error *error)
{
    struct progress progress;
    struct importer *importer;
    const struct import_options wanted = {.dialect = dialect,
                                          .map = map,
                                          .device_name = settings->device_name,
                                          .progress = &progress};
    TRY(importer_create(&importer, dataset, &wanted, error));
    progress_begin(&progress, stderr, settings->quiet);
    enum status status = read_files(row_count, importer, settings, error);
    progress_end(&progress);
    *device_count = importer_device_count(importer);
    *left_out = *importer_left_out(importer);
    if (!settings->licence)
        dataset_set_licence(dataset, importer_licence(importer));
    importer_free(importer);
    TRY(status);
    return dataset_finish(dataset, error);
}

static enum status import_to_file(const struct import_map *map, int32_t dialect,
                                  const struct settings *settings, struct error *error)
{
    struct dataset_header header;
    struct dataset *dataset;
    int64_t row_count;
    int device_count;
    struct import_left_out left_out;
    fill_header(&header, settings);
    snprintf(header.sampler, sizeof header.sampler, "import %s",
             map ? "with a map" : choice_name(&choice_import_dialect, dialect));
    TRY(dataset_create(&dataset, settings->output, &header, settings->overwrite, false, error));
    enum status status = import_into(&row_count, &device_count, &left_out, dataset, map, dialect,
                                     settings, error);
    dataset_close(dataset);
    TRY(status);
    note_left_out(&left_out, settings);
    return print_report(row_count, device_count, &left_out, settings, error);
}

/* The published files do not name their device. */
static enum status check_device_name(const struct settings *settings, struct error *error)
{
    struct device_info info;
    if (settings->device_name)
        return import_known_device(&info, settings->device_name, error);
    return FAIL(error, STATUS_USAGE, "files of justus2018 need --device-name NAME");
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct import_map *map = NULL;
    int32_t dialect = settings->dialect;
    if (!settings->output)
        return FAIL(error, STATUS_USAGE, "import needs -O FILE");
    if (settings->map)
        TRY(import_map_load(&map, settings->map, error));
    else if (dialect == IMPORT_AUTO)
        TRY(import_dialect_of(&dialect, settings->operands[0], error));
    enum status status = !map && dialect == IMPORT_JUSTUS2018 ? check_device_name(settings, error)
                                                              : STATUS_OK;
    if (status == STATUS_OK)
        status = import_to_file(map, dialect, settings, error);
    import_map_free(map);
    return status;
}

static const char *const takes[] = {"dialect",   "map",     "device-name", "output",
                                    "overwrite", "licence", "citation",    NULL};
static const struct option_help helps[] = {
    {"output", "DATA.h5", "dataset to write"},
    {"licence", "SPDX", "licence of the data (default: that of the files, else none)"},
    {NULL, NULL, NULL}};
const struct command command_import = {
    .name = "import",
    .summary = "turn CSV files of measurements (exported or foreign) into a dataset",
    .operands = "FILE.csv... -O DATA.h5",
    .examples = "  epochcast import conv2d.csv dense.csv -O copy.h5\n"
                "  epochcast import --dialect justus2018 --device-name V100 "
                "justus2018-conv2d-V100.csv -O v100.h5\n"
                "  epochcast import --map theirs.map --device-name 'My GPU' theirs.csv -O my.h5\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .writes = FILE_DATASET,
    .run = run,
};
