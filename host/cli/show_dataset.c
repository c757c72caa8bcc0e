#include "cli/show.h"

#include "base/stats.h"
#include "data/dataset.h"
#include "data/split.h"

#include <math.h>
#include <stdlib.h>

static const struct table_column columns[] = {{"layer", 0},
                                              {"device", 0},
                                              {"rows", 0},
                                              {"timed", 0},
                                              {"capped", 0},
                                              {"slow", 0},
                                              {"out_of_memory", 0},
                                              {"unsupported", 0},
                                              {"train", 0},
                                              {"test", 0},
                                              {"validation", 0},
                                              {"fastest_ms", 3},
                                              {"median_ms", 3},
                                              {"slowest_ms", 4},
                                              {"noise_median_percent", 3},
                                              {"noise_p90_percent", 3}};

/* Rows of one kind and device. noise: half-width of the median's interval, share of the median. */
struct group {
    size_t rows, timed, noisy, outcomes[OUTCOME_COUNT], splits[SPLIT_COUNT];
    double *times_ms, *noise_percent; /* (all rows) */
};

static void count_row(struct group *group, const struct measurement *row)
{
    group->rows++;
    group->outcomes[row->outcome]++;
    group->splits[split_of(&row->config)]++;
    if (!measurement_is_timed(row))
        return;
    group->times_ms[group->timed++] = row->median_ms;
    if (isfinite(row->ci_ms))
        group->noise_percent[group->noisy++] = 100 * row->ci_ms / row->median_ms;
}

static double quantile_or_nan(const double *sorted, size_t count, double q)
{
    return count ? stats_quantile(sorted, count, q) : NAN;
}

static void add_group(struct table *table, struct group *group, const char *layer,
                      const char *device)
{
    stats_sort(group->times_ms, group->timed);
    stats_sort(group->noise_percent, group->noisy);
    table_string(table, layer);
    table_string(table, device);
    table_integer(table, (int64_t)group->rows);
    table_integer(table, (int64_t)group->timed);
    for (int outcome = OUTCOME_CAPPED; outcome <= OUTCOME_UNSUPPORTED; outcome++)
        table_integer(table, (int64_t)group->outcomes[outcome]);
    for (int split = 0; split < SPLIT_COUNT; split++)
        table_integer(table, (int64_t)group->splits[split]);
    table_number(table, quantile_or_nan(group->times_ms, group->timed, 0));
    table_number(table, quantile_or_nan(group->times_ms, group->timed, 0.5));
    table_number(table, quantile_or_nan(group->times_ms, group->timed, 1));
    table_number(table, quantile_or_nan(group->noise_percent, group->noisy, 0.5));
    table_number(table, quantile_or_nan(group->noise_percent, group->noisy, 0.9));
}

static void add_groups(struct table *table, const struct dataset_rows *rows, double *buffer)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int32_t device = 0; device < rows->device_count; device++) {
            struct group group = {.times_ms = buffer, .noise_percent = buffer + rows->count};
            for (size_t i = 0; i < rows->count; i++)
                if ((int)rows->rows[i].config.kind == kind && rows->rows[i].device == device)
                    count_row(&group, &rows->rows[i]);
            if (group.rows)
                add_group(table, &group, layer_descriptors[kind]->name, rows->devices[device].name);
        }
}

static void print_header(const struct dataset_header *header, const struct settings *settings)
{
    if (settings->form != TABLE_TEXT)
        return;
    printf("written by  %s, %s\ncommand     %s\nlibraries   %s\nsampler     %s, seed %llu\n"
           "licence     %s\n\n",
           header->program_version, header->created, header->command_line, header->libraries,
           header->sampler, (unsigned long long)header->seed, header->licence);
}

static enum status print_rows(const struct dataset_rows *rows, const struct settings *settings,
                              struct error *error)
{
    double *buffer;
    struct table *table;
    TRY(error_allocate((void **)&buffer, 2 * rows->count, sizeof *buffer, "times", error));
    enum status status = table_create(&table, columns, sizeof columns / sizeof *columns, error);
    if (status == STATUS_OK) {
        print_header(&rows->header, settings);
        add_groups(table, rows, buffer);
        status = cli_print_table(table, settings, error);
    }
    free(buffer);
    return status;
}

enum status show_dataset(const char *path, const struct settings *settings, struct error *error)
{
    struct dataset_rows rows;
    TRY(dataset_read(&rows, &path, 1, error));
    enum status status = print_rows(&rows, settings, error);
    dataset_rows_free(&rows);
    return status;
}
