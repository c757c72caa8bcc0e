#include "data/import.h"

#include "base/csv.h"
#include "base/mapped_file.h"
#include "layers/describe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[] = {"justus2018"};
const struct choice choice_import_format = {.name = "format", .names = format_names, .count = 1};

/* Justus et al. 2018, hardware table, as coded by its authors (one GPU of the M60 and K80 cards).
 */
struct known_device {
    const char *name, *technology, *connectivity;
    double core_count, clock_mhz, bandwidth_gbps;
    int memory_gib;
};
static const struct known_device known_devices[] = {
    {"V100", "Volta", "NVLink", 5120, 1455, 900, 16},
    {"P100", "Pascal", "PCIe3 x16", 3584, 1303, 732, 16},
    {"1080Ti", "Pascal", "PCIe3 x16", 3584, 1582, 484, 11},
    {"M60", "Maxwell", "PCIe3 x16", 2048, 1178, 160, 8},
    {"K80", "Kepler", "PCIe3 x16", 2496, 875, 240, 12},
    {"K40", "Kepler", "PCIe3 x16", 2880, 875, 288, 12},
};

enum status import_known_device(struct device_info *info, const char *name, struct error *error)
{
    for (size_t i = 0; i < sizeof known_devices / sizeof *known_devices; i++) {
        const struct known_device *known = &known_devices[i];
        if (strcmp(known->name, name) != 0)
            continue;
        *info = (struct device_info){.backend = "import",
                                     .library = "TensorFlow 1.10",
                                     .device_count = 1,
                                     .thread_count = 1,
                                     .memory_bytes = (int64_t)known->memory_gib << 30,
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
    FAIL(error, STATUS_USAGE, "unknown device '%.60s'", name);
    error_hint(error, "known: V100, P100, 1080Ti, M60, K80, K40");
    return STATUS_USAGE;
}

/* A column of the CSV and the feature that it fills. */
struct mapping {
    const char *column, *feature;
};
static const struct mapping dense_columns[] = {
    {"batch_size", "batch_size"}, {"dim_input", "inputs"},    {"dim_output", "outputs"},
    {"activation", "activation"}, {"optimizer", "optimizer"}, {NULL, NULL}};
static const struct mapping conv2d_columns[] = {{"batch_size", "batch_size"},
                                                {"image_size", "image_size"},
                                                {"kernel_size", "kernel_size"},
                                                {"channels_in", "channels_in"},
                                                {"channels_out", "channels_out"},
                                                {"stride", "stride"},
                                                {"padding", "padding"},
                                                {"use_bias", "use_bias"},
                                                {"activation", "activation"},
                                                {"optimizer", "optimizer"},
                                                {NULL, NULL}};
static const char *const time_columns[] = {"time_median_ms", "time_min_ms", "time_max_ms",
                                           "time_std_ms"};
enum { TIME_COUNT = 4, REPETITIONS = 5, RUNS = 50, MAPPING_LIMIT = 16 };

struct reader {
    struct csv csv;
    enum layer_kind kind;
    const struct mapping *mapping;
    int field_of[MAPPING_LIMIT], time_field[TIME_COUNT];
};

static int find_column(const struct csv *csv, const char *name)
{
    for (int i = 0; i < csv->field_count; i++)
        if (strcmp(csv->field[i], name) == 0)
            return i;
    return -1;
}

static enum status need_column(int *field, const struct csv *csv, const char *name,
                               struct error *error)
{
    *field = find_column(csv, name);
    if (*field >= 0)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s' is missing", csv->path, csv->line, name);
    error_hint(error, "datasets/README.md lists the columns of the justus2018 format");
    return STATUS_BAD_FILE;
}

/* The columns tell the kind. */
static enum status read_header(struct reader *reader, struct error *error)
{
    bool more;
    TRY(csv_next(&reader->csv, &more, error));
    if (!more)
        return FAIL(error, STATUS_BAD_FILE, "%s: the file is empty", reader->csv.path);
    bool is_dense = find_column(&reader->csv, "dim_input") >= 0;
    reader->kind = is_dense ? LAYER_DENSE : LAYER_CONV2D;
    reader->mapping = is_dense ? dense_columns : conv2d_columns;
    for (int i = 0; reader->mapping[i].column; i++)
        TRY(need_column(&reader->field_of[i], &reader->csv, reader->mapping[i].column, error));
    for (int i = 0; i < TIME_COUNT; i++)
        TRY(need_column(&reader->time_field[i], &reader->csv, time_columns[i], error));
    return STATUS_OK;
}

/* Numbers, names, and 0/1 for choices. */
static enum status read_feature(struct layer_config *config, const struct reader *reader, int i,
                                struct error *error)
{
    const struct mapping *mapping = &reader->mapping[i];
    const struct feature *feature = layer_feature_find(reader->kind, mapping->feature);
    int field = reader->field_of[i], number;
    int32_t value;
    if (field >= reader->csv.field_count)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s' is missing", reader->csv.path,
                    reader->csv.line, mapping->column);
    value = feature->choice ? choice_find(feature->choice, reader->csv.field[field]) : -1;
    if (value < 0) {
        TRY(csv_integer(&reader->csv, field, mapping->column, &number, error));
        value = number;
    }
    if (value < feature->minimum || value > feature->maximum)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': %d is outside %d..%d",
                    reader->csv.path, reader->csv.line, mapping->column, value, feature->minimum,
                    feature->maximum);
    layer_set(config, feature, value);
    return STATUS_OK;
}

static enum status read_config(struct layer_config *config, const struct reader *reader,
                               struct error *error)
{
    struct error cause = {0};
    memset(config, 0, sizeof *config);
    config->kind = reader->kind;
    if (reader->kind == LAYER_DENSE)
        config->as.dense.use_bias = SWITCH_YES;
    for (int i = 0; reader->mapping[i].column; i++)
        TRY(read_feature(config, reader, i, error));
    config->pass = config->optimizer == OPTIMIZER_NONE ? PASS_FORWARD : PASS_TRAIN;
    if (layer_check(config, &cause) != STATUS_OK)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %.300s", reader->csv.path, reader->csv.line,
                    cause.message);
    return STATUS_OK;
}

static enum status read_times(struct measurement *row, const struct reader *reader,
                              struct error *error)
{
    double times[TIME_COUNT];
    for (int i = 0; i < TIME_COUNT; i++) {
        bool is_spread = i == TIME_COUNT - 1;
        TRY(csv_number(&reader->csv, reader->time_field[i], time_columns[i], &times[i], error));
        if (times[i] < 0 || (times[i] == 0 && !is_spread))
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': a time of %g ms",
                        reader->csv.path, reader->csv.line, time_columns[i], times[i]);
    }
    row->median_ms = times[0];
    row->minimum_ms = times[1];
    row->maximum_ms = times[2];
    row->ci_ms = 1.96 * 1.2533 * times[3] / sqrt(REPETITIONS); // normal theory: sd of a median
    return STATUS_OK;
}

static enum status read_row(struct measurement *row, const struct reader *reader,
                            struct error *error)
{
    *row = (struct measurement){.outcome = OUTCOME_OK,
                                .stratum = STRATUM_IMPORTED,
                                .draw = reader->csv.line,
                                .sample_count = REPETITIONS,
                                .repeats_per_sample = RUNS,
                                .q25_ms = NAN,
                                .q75_ms = NAN,
                                .setup_ms = NAN,
                                .warmup_ms = NAN,
                                .measuring_ms = NAN,
                                .unix_time_s = NAN};
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
    (void)format; // one so far
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
