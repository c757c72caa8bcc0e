/* The published measurements of Justus et al. 2018. */
#include "base/text.h"
#include "data/import_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char justus_licence[] = "Apache-2.0";

/* A column of the CSV and the feature that it fills. */
struct mapping {
    const char *column, *feature;
    bool is_name; /* a choice by name; else a number, of a choice too (padding 0/1) */
};
static const struct mapping dense_columns[] = {{"batch_size", "batch_size", false},
                                               {"dim_input", "inputs", false},
                                               {"dim_output", "outputs", false},
                                               {"activation", "activation", true},
                                               {"optimizer", "optimizer", true}};
static const struct mapping conv2d_columns[] = {
    {"batch_size", "batch_size", false},     {"image_size", "image_size", false},
    {"kernel_size", "kernel_size", false},   {"channels_in", "channels_in", false},
    {"channels_out", "channels_out", false}, {"stride", "stride", false},
    {"padding", "padding", false},           {"use_bias", "use_bias", false},
    {"activation", "activation", true},      {"optimizer", "optimizer", true}};

/* A kind's table, known by one column that no other has. */
struct table_format {
    const char *telling_column;
    enum layer_kind kind;
    const struct mapping *mappings;
    int mapping_count;
};
static const struct table_format table_formats[] = {
    {"dim_input", LAYER_DENSE, dense_columns, sizeof dense_columns / sizeof *dense_columns},
    {"kernel_size", LAYER_CONV2D, conv2d_columns, sizeof conv2d_columns / sizeof *conv2d_columns}};

enum { TIME_MEDIAN, TIME_MINIMUM, TIME_MAXIMUM, TIME_DEVIATION, TIME_COUNT };
static const char *const time_columns[TIME_COUNT] = {"time_median_ms", "time_min_ms", "time_max_ms",
                                                     "time_std_ms"};
enum { REPETITIONS = 5, RUNS_PER_REPETITION = 50, MAPPING_LIMIT = 16 };

struct justus_reader {
    const struct table_format *table;
    int column_count, field_of[MAPPING_LIMIT], time_field[TIME_COUNT];
};

static const struct table_format *table_of(const struct csv *csv)
{
    for (size_t i = 0; i < sizeof table_formats / sizeof *table_formats; i++)
        if (csv_find(csv, table_formats[i].telling_column) >= 0)
            return &table_formats[i];
    return NULL;
}

int justus_known_count(const struct csv *csv)
{
    const struct table_format *table = table_of(csv);
    int count = 0;
    for (int i = 0; table && i < table->mapping_count; i++)
        count += csv_find(csv, table->mappings[i].column) >= 0;
    for (int i = 0; i < TIME_COUNT; i++)
        count += csv_find(csv, time_columns[i]) >= 0;
    return count;
}

static int need(struct missing_columns *missing, const struct csv *csv, const char *name)
{
    const int field = csv_find(csv, name);
    if (field < 0)
        missing_add(missing, name);
    return field;
}

enum status justus_begin(void **state, const struct csv *csv, const struct import_options *options,
                         struct error *error)
{
    struct justus_reader *reader;
    (void)options;
    TRY(error_allocate(state, 1, sizeof *reader, "CSV reader", error));
    reader = *state;
    reader->table = table_of(csv);
    if (!reader->table) {
        FAIL(error, STATUS_BAD_FILE,
             "%s:%d: no column 'dim_input' (dense) or 'kernel_size' (conv2d)", csv->path,
             csv->line);
        error_hint(error, "datasets/README.md lists the columns of the justus2018 format");
        return STATUS_BAD_FILE;
    }
    reader->column_count = csv->field_count;
    struct missing_columns missing = {.count = 0};
    for (int i = 0; i < reader->table->mapping_count; i++)
        reader->field_of[i] = need(&missing, csv, reader->table->mappings[i].column);
    for (int i = 0; i < TIME_COUNT; i++)
        reader->time_field[i] = need(&missing, csv, time_columns[i]);
    return missing_report(&missing, csv->path, (const char *const *)csv->field, csv->field_count,
                          error);
}

static enum status read_name(int32_t *value, const struct csv *csv, int field,
                             const struct feature *feature, struct error *error)
{
    if (field >= csv->field_count)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s' is missing", csv->path, csv->line,
                    feature->name);
    const char *text = csv->field[field];
    *value = choice_find(feature->choice, text);
    if (*value >= 0)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': unknown name '%.60s'", csv->path, csv->line,
         feature->name, text);
    const char *nearest = nearest_name(feature->choice->names, feature->choice->count, text);
    if (nearest)
        error_hint(error, "did you mean '%s'?", nearest);
    return STATUS_BAD_FILE;
}

static enum status read_feature(struct layer_config *config, const struct justus_reader *reader,
                                const struct csv *csv, int i, struct error *error)
{
    const struct mapping *mapping = &reader->table->mappings[i];
    const struct feature *feature = layer_feature_find(reader->table->kind, mapping->feature);
    int32_t value;
    if (mapping->is_name)
        TRY(read_name(&value, csv, reader->field_of[i], feature, error));
    else
        TRY(csv_integer(csv, reader->field_of[i], mapping->column, &value, error));
    if (value < feature->minimum || value > feature->maximum)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': %d is outside %d..%d", csv->path,
                    csv->line, mapping->column, value, feature->minimum, feature->maximum);
    layer_set(config, feature, value);
    return STATUS_OK;
}

static enum status read_config(struct layer_config *config, const struct justus_reader *reader,
                               const struct csv *csv, struct error *error)
{
    struct error cause = {0};
    layer_begin(config, reader->table->kind);
    if (config->kind == LAYER_DENSE)
        config->as.dense.use_bias = SWITCH_YES; /* the authors' dense layers always had one */
    for (int i = 0; i < reader->table->mapping_count; i++)
        TRY(read_feature(config, reader, csv, i, error));
    config->pass = config->optimizer == OPTIMIZER_NONE ? PASS_FORWARD : PASS_TRAIN;
    if (layer_check(config, &cause) != STATUS_OK)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %.300s", csv->path, csv->line, cause.message);
    return STATUS_OK;
}

static enum status bad_time(const struct csv *csv, int which, double value, const char *why,
                            struct error *error)
{
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': a time of %g ms%s", csv->path,
                csv->line, time_columns[which], value, why);
}

static enum status read_times(struct measurement *row, const struct justus_reader *reader,
                              const struct csv *csv, struct error *error)
{
    double times[TIME_COUNT];
    for (int i = 0; i < TIME_COUNT; i++) {
        TRY(csv_number(csv, reader->time_field[i], time_columns[i], &times[i], error));
        if (times[i] < 0 || (times[i] == 0 && i != TIME_DEVIATION))
            return bad_time(csv, i, times[i], "", error);
    }
    if (times[TIME_MINIMUM] > times[TIME_MEDIAN])
        return bad_time(csv, TIME_MINIMUM, times[TIME_MINIMUM], " is above the median", error);
    if (times[TIME_MAXIMUM] < times[TIME_MEDIAN])
        return bad_time(csv, TIME_MAXIMUM, times[TIME_MAXIMUM], " is below the median", error);
    row->median_ms = times[TIME_MEDIAN];
    row->minimum_ms = times[TIME_MINIMUM];
    row->maximum_ms = times[TIME_MAXIMUM];
    /* Normal theory: the deviation of a median is 1.2533 that of a mean. */
    row->ci_ms = 1.96 * 1.2533 * times[TIME_DEVIATION] / sqrt(REPETITIONS);
    return STATUS_OK;
}

enum status justus_row(struct measurement *row, struct device_info *device, enum left_out *left_out,
                       void *state, const struct csv *csv, struct error *error)
{
    (void)left_out;
    const struct justus_reader *reader = state;
    (void)device; /* known only by its name */
    if (csv->field_count > reader->column_count)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %d columns, but the header has %d", csv->path,
                    csv->line, csv->field_count, reader->column_count);
    row->sample_count = REPETITIONS;
    row->repeats_per_sample = RUNS_PER_REPETITION;
    TRY(read_config(&row->config, reader, csv, error));
    return read_times(row, reader, csv, error);
}
