#include "cli/cli.h"
#include "cli/device_choice.h"
#include "cli/provenance.h"

#include "data/merge.h"

static enum status print_report(const struct merge_report *report, const struct settings *settings,
                                struct error *error)
{
    static const struct table_column columns[] = {{.name = "files"},
                                                  {.name = "unfinished", .use = COLUMN_COUNTED},
                                                  {.name = "rows_read", .title = "rows read"},
                                                  {.name = "duplicates", .use = COLUMN_COUNTED},
                                                  {.name = "rows"},
                                                  {.name = "devices"},
                                                  {.name = "canaries"},
                                                  {.name = "file"}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    table_integer(table, report->files);
    table_integer(table, report->unfinished);
    table_integer(table, report->rows_read);
    table_integer(table, report->duplicates);
    table_integer(table, report->rows);
    table_integer(table, report->devices);
    table_integer(table, report->canaries);
    table_string(table, settings->output);
    return cli_print_table(table, settings->format, error);
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct dataset_header header;
    struct merge_report report;
    struct progress progress;
    if (!settings->output)
        return FAIL(error, STATUS_USAGE, "merge needs -O FILE");
    cli_catch_signals("block", "no file was written");
    fill_header(&header, settings);
    if (!settings->licence) // that of the inputs
        header.licence[0] = '\0';
    const struct merge_options wanted = {.path = settings->output,
                                         .overwrite = settings->overwrite,
                                         .header = &header,
                                         .note = settings->quiet ? NULL : cli_note,
                                         .progress = &progress,
                                         .interrupted = &cli_interrupted};
    progress_begin(&progress, stderr, settings->quiet);
    const enum status status = merge_files(&report, settings->operands, settings->operand_count,
                                           &wanted, error);
    progress_end(&progress);
    TRY(status);
    return print_report(&report, settings, error);
}

static const char *const takes[] = {"output", "overwrite", "licence", "citation", NULL};
static const struct option_help helps[] = {
    {"output", "DATA.h5", "dataset to write"},
    {"licence", "SPDX", "licence of the data (default: those of the inputs)"},
    {NULL, NULL, NULL}};
const struct command command_merge = {
    .name = "merge",
    .summary = "merge datasets into one; each measurement is kept once",
    .operands = "A.h5 B.h5... -O ALL.h5",
    .examples = "  epochcast merge shard-1.h5 shard-2.h5 -O all.h5\n"
                "  epochcast merge mine.h5 theirs.h5 --citation 'A and B 2026' -O both.h5\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .writes = FILE_DATASET,
    .counts_repeats = true,
    .run = run,
};
