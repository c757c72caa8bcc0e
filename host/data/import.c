#include "data/import.h"

#include "base/csv.h"
#include "base/mapped_file.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[] = {"justus2018"};
const struct choice choice_import_format = {.name = "format", .names = format_names, .count = 1};

/* Justus et al. 2018, hardware table, as coded by its authors (one GPU of the M60 and K80 cards).
 * Caches: NVIDIA's white papers. */
struct known_device {
    const char *name, *technology, *connectivity;
    double core_count, clock_mhz, bandwidth_gbps;
    int memory_gib, cache_kib;
};
static const struct known_device known_devices[] = {
    {"V100", "Volta", "NVLink", 5120, 1455, 900, 16, 6144},
    {"P100", "Pascal", "PCIe3 x16", 3584, 1303, 732, 16, 4096},
    {"1080Ti", "Pascal", "PCIe3 x16", 3584, 1582, 484, 11, 2816},
    {"M60", "Maxwell", "PCIe3 x16", 2048, 1178, 160, 8, 2048},
    {"K80", "Kepler", "PCIe3 x16", 2496, 875, 240, 12, 1536},
    {"K40", "Kepler", "PCIe3 x16", 2880, 875, 288, 12, 1536},
};

enum { KNOWN_DEVICE_COUNT = sizeof known_devices / sizeof *known_devices };

static enum status unknown_device(const char *name, struct error *error)
{
    char known[256];
    size_t length = 0;
    for (size_t i = 0; i < KNOWN_DEVICE_COUNT && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   known_devices[i].name);
    FAIL(error, STATUS_USAGE, "unknown device '%.60s'", name);
    error_hint(error, "known: %s", known);
    return STATUS_USAGE;
}

enum status import_known_device(struct device_info *info, const char *name, struct error *error)
{
    for (size_t i = 0; i < KNOWN_DEVICE_COUNT; i++) {
        const struct known_device *known = &known_devices[i];
        if (strcmp(known->name, name) != 0)
            continue;
        *info = (struct device_info){.backend = "import",
                                     .library = "TensorFlow 1.10",
                                     .device_count = 1,
                                     .thread_count = 1,
                                     .memory_bytes = (int64_t)known->memory_gib << 30,
                                     .cache_bytes = (int64_t)known->cache_kib << 10,
                                     .clock_mhz = known->clock_mhz,
                                     .bandwidth_gbps = known->bandwidth_gbps,
                                     .core_count = known->core_count,
                                     .peak_gflops = 2 * known->core_count * known->clock_mhz / 1e3,
                                     .measured_copy_gbps = NAN,
                                     .measured_sgemm_gflops = NAN,
                                     .measured_call_latency_us = NAN};
        snprintf(info->name, sizeof info->name, "%s", known->name);
        snprintf(info->technology, sizeof info->technology, "%s", known->technology);
        snprintf(info->connectivity, sizeof info->connectivity, "%s", known->connectivity);
        return STATUS_OK;
    }
    return unknown_device(name, error);
}

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

struct reader {
    struct csv csv;
    const struct table_format *table;
    int column_count, field_of[MAPPING_LIMIT], time_field[TIME_COUNT];
};

static int find_column(const struct csv *csv, const char *name)
{
    for (int i = 0; i < csv->field_count; i++)
        if (strcmp(csv->field[i], name) == 0)
            return i;
    return -1;
}

static enum status bad_columns(const struct csv *csv, const char *name, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s' is missing", csv->path, csv->line, name);
    error_hint(error, "datasets/README.md lists the columns of the justus2018 format");
    return STATUS_BAD_FILE;
}

static const struct table_format *table_of(const struct csv *csv)
{
    for (size_t i = 0; i < sizeof table_formats / sizeof *table_formats; i++)
        if (find_column(csv, table_formats[i].telling_column) >= 0)
            return &table_formats[i];
    return NULL;
}

static enum status read_header(struct reader *reader, struct error *error)
{
    struct csv *csv = &reader->csv;
    bool more;
    TRY(csv_next(csv, &more, error));
    if (!more)
        return FAIL(error, STATUS_BAD_FILE, "%s: the file is empty", csv->path);
    reader->table = table_of(csv);
    if (!reader->table) {
        FAIL(error, STATUS_BAD_FILE,
             "%s:%d: no column 'dim_input' (dense) or 'kernel_size' (conv2d)", csv->path,
             csv->line);
        error_hint(error, "datasets/README.md lists the columns of the justus2018 format");
        return STATUS_BAD_FILE;
    }
    reader->column_count = csv->field_count;
    for (int i = 0; i < reader->table->mapping_count; i++) {
        const char *name = reader->table->mappings[i].column;
        if ((reader->field_of[i] = find_column(csv, name)) < 0)
            return bad_columns(csv, name, error);
    }
    for (int i = 0; i < TIME_COUNT; i++)
        if ((reader->time_field[i] = find_column(csv, time_columns[i])) < 0)
            return bad_columns(csv, time_columns[i], error);
    return STATUS_OK;
}

static enum status read_name(int32_t *value, const struct reader *reader, int field,
                             const struct feature *feature, struct error *error)
{
    const struct csv *csv = &reader->csv;
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

static enum status read_feature(struct layer_config *config, const struct reader *reader, int i,
                                struct error *error)
{
    const struct csv *csv = &reader->csv;
    const struct mapping *mapping = &reader->table->mappings[i];
    const struct feature *feature = layer_feature_find(reader->table->kind, mapping->feature);
    int32_t value;
    if (mapping->is_name)
        TRY(read_name(&value, reader, reader->field_of[i], feature, error));
    else
        TRY(csv_integer(csv, reader->field_of[i], mapping->column, &value, error));
    if (value < feature->minimum || value > feature->maximum)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': %d is outside %d..%d", csv->path,
                    csv->line, mapping->column, value, feature->minimum, feature->maximum);
    layer_set(config, feature, value);
    return STATUS_OK;
}

static enum status read_config(struct layer_config *config, const struct reader *reader,
                               struct error *error)
{
    struct error cause = {0};
    memset(config, 0, sizeof *config);
    config->kind = reader->table->kind;
    if (config->kind == LAYER_DENSE)
        config->as.dense.use_bias = SWITCH_YES; /* the authors' dense layers always had one */
    for (int i = 0; i < reader->table->mapping_count; i++)
        TRY(read_feature(config, reader, i, error));
    config->pass = config->optimizer == OPTIMIZER_NONE ? PASS_FORWARD : PASS_TRAIN;
    if (layer_check(config, &cause) != STATUS_OK)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %.300s", reader->csv.path, reader->csv.line,
                    cause.message);
    return STATUS_OK;
}

static enum status bad_time(const struct reader *reader, int which, double value, const char *why,
                            struct error *error)
{
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': a time of %g ms%s", reader->csv.path,
                reader->csv.line, time_columns[which], value, why);
}

static enum status read_times(struct measurement *row, const struct reader *reader,
                              struct error *error)
{
    double times[TIME_COUNT];
    for (int i = 0; i < TIME_COUNT; i++) {
        TRY(csv_number(&reader->csv, reader->time_field[i], time_columns[i], &times[i], error));
        if (times[i] < 0 || (times[i] == 0 && i != TIME_DEVIATION))
            return bad_time(reader, i, times[i], "", error);
    }
    if (times[TIME_MINIMUM] > times[TIME_MEDIAN])
        return bad_time(reader, TIME_MINIMUM, times[TIME_MINIMUM], " is above the median", error);
    if (times[TIME_MAXIMUM] < times[TIME_MEDIAN])
        return bad_time(reader, TIME_MAXIMUM, times[TIME_MAXIMUM], " is below the median", error);
    row->median_ms = times[TIME_MEDIAN];
    row->minimum_ms = times[TIME_MINIMUM];
    row->maximum_ms = times[TIME_MAXIMUM];
    /* Normal theory: the deviation of a median is 1.2533 that of a mean. */
    row->ci_ms = 1.96 * 1.2533 * times[TIME_DEVIATION] / sqrt(REPETITIONS);
    return STATUS_OK;
}

static enum status read_row(struct measurement *row, const struct reader *reader,
                            struct error *error)
{
    if (reader->csv.field_count > reader->column_count)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %d columns, but the header has %d",
                    reader->csv.path, reader->csv.line, reader->csv.field_count,
                    reader->column_count);
    *row = (struct measurement){.outcome = OUTCOME_OK,
                                .stratum = STRATUM_IMPORTED,
                                .draw = reader->csv.line,
                                .round_count = 1,
                                .spread_percent = NAN,
                                .pressure_percent = NAN,
                                .sample_count = REPETITIONS,
                                .repeats_per_sample = RUNS_PER_REPETITION,
                                .q25_ms = NAN,
                                .q75_ms = NAN,
                                .eager_ms = NAN,
                                .setup_ms = NAN,
                                .warmup_ms = NAN,
                                .measuring_ms = NAN,
                                .unix_time_s = NAN,
                                .engine = -1,
                                .sm_clock_mhz = NAN,
                                .temperature_c = NAN};
    TRY(read_config(&row->config, reader, error));
    return read_times(row, reader, error);
}

static enum status import_rows(struct dataset *dataset, int32_t device_row, struct reader *reader,
                               const char *end, struct progress *progress, int64_t *row_count,
                               struct error *error)
{
    const char *begin = reader->csv.next;
    TRY(read_header(reader, error));
    for (*row_count = 0;; ++*row_count) {
        bool more;
        struct measurement row;
        TRY(csv_next(&reader->csv, &more, error));
        if (!more)
            break;
        TRY(read_row(&row, reader, error));
        row.device = device_row;
        TRY(dataset_append(dataset, &row, error));
        progress_update(progress, (double)(reader->csv.next - begin), (double)(end - begin),
                        "%lld rows", (long long)*row_count);
    }
    if (*row_count == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s: no rows", reader->csv.path);
    return STATUS_OK;
}

enum status import_csv(struct dataset *dataset, int32_t device_row, int format, const char *path,
                       struct progress *progress, int64_t *row_count, struct error *error)
{
    assert(format >= 0 && format < choice_import_format.count);
    (void)format; /* one so far: its table_formats are known by their columns */
    *row_count = 0;
    struct mapped_file file;
    struct reader *reader;
    TRY(mapped_file_open(&file, path, error));
    enum status status = error_allocate((void **)&reader, 1, sizeof *reader, "CSV reader", error);
    if (status == STATUS_OK) {
        csv_begin(&reader->csv, path, file.bytes, file.size);
        status = import_rows(dataset, device_row, reader, file.bytes + file.size, progress,
                             row_count, error);
        free(reader);
    }
    mapped_file_close(&file);
    return status;
}
