#include "data/import_internal.h"

#include "base/file_kind.h"
#include "base/foreign_file.h"
#include "base/mapped_file.h"
#include "data/dataset_internal.h"
#include "data/device_catalogue.h"
#include "data/merge.h"
#include "data/row_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const dialect_names[] = {"auto", "justus2018", "epochcast"};
const struct choice choice_import_dialect = {.name = "dialect", .names = dialect_names, .count = 3};

struct importer {
    struct dataset *dataset;
    struct import_options options;
    struct dataset_rows known;         /* the devices so far */
    struct device_info device;         /* of rows without a device name; name "": none */
    struct dataset_header header;      /* only the licence of the rows so far */
    struct device_catalogue catalogue; /* of a map that asks for it */
    struct import_left_out left_out;
};

enum status importer_create(struct importer **out, struct dataset *dataset,
                            const struct import_options *options, struct error *error)
{
    struct importer *importer;
    TRY(error_allocate((void **)out, 1, sizeof *importer, "importer", error));
    importer = *out;
    importer->dataset = dataset;
    importer->options = *options;
    const char *name = options->device_name ? options->device_name : "";
    if (options->map && options->map->has_catalogue) {
        importer->device = import_unknown_device(name);
        const enum status status = device_catalogue_load(&importer->catalogue, error);
        if (status != STATUS_OK)
            free(importer);
        return status;
    }
    if (import_known_device(&importer->device, name, NULL) != STATUS_OK)
        importer->device = import_unknown_device(name);
    return STATUS_OK;
}

void importer_free(struct importer *importer)
{
    if (!importer)
        return;
    dataset_rows_free(&importer->known);
    device_catalogue_free(&importer->catalogue);
    free(importer);
}

const struct import_left_out *importer_left_out(const struct importer *importer)
{
    return &importer->left_out;
}

int importer_device_count(const struct importer *importer)
{
    return importer->known.device_count;
}

const char *importer_licence(const struct importer *importer)
{
    const char *licence = importer->header.licence;
    return strcmp(licence, "NOASSERTION") == 0 ? "" : licence;
}

struct dialect {
    enum status (*begin)(void **state, const struct csv *csv, const struct import_options *options,
                         struct error *error);
    enum status (*row)(struct measurement *row, struct device_info *device, enum left_out *left_out,
                       void *state, const struct csv *csv, struct error *error);
};
static const struct dialect justus2018 = {justus_begin, justus_row};
static const struct dialect by_columns = {columns_begin, columns_row};

/* None of the columns is known. */
static enum status unknown_columns(const struct csv *csv, struct error *error)
{
    struct missing_columns missing = {.count = 0};
    missing_add(&missing, ROW_COLUMN_LAYER);
    missing_add(&missing, ROW_COLUMN_TIME);
    return missing_report(&missing, csv->path, (const char *const *)csv->field, csv->field_count,
                          error);
}

/* The dialect asked for; auto: the one that knows most of the header's columns. */
static enum status choose_dialect(const struct dialect **dialect, struct csv *csv,
                                  const struct import_options *options, struct error *error)
{
    *dialect = options->dialect == IMPORT_JUSTUS2018 ? &justus2018 : &by_columns;
    if (options->map) {
        *dialect = &by_columns;
        return STATUS_OK;
    }
    header_settle_names(csv);
    TRY(header_check(csv, error));
    if (options->dialect != IMPORT_AUTO)
        return STATUS_OK;
    const int ours = columns_known_count(csv), theirs = justus_known_count(csv);
    const bool is_ours = csv_find(csv, ROW_COLUMN_LAYER) >= 0 &&
                         csv_find(csv, ROW_COLUMN_TIME) >= 0;
    if (!is_ours && theirs >= ours)
        *dialect = &justus2018;
    return ours + theirs > 0 ? STATUS_OK : unknown_columns(csv, error);
}

static struct measurement default_row(const struct csv *csv)
{
    return (struct measurement){.outcome = OUTCOME_OK,
                                .stratum = STRATUM_IMPORTED,
                                .draw = csv->line,
                                .round_count = 1,
                                .spread_percent = NAN,
                                .pressure_percent = NAN,
                                .sample_count = 1,
                                .repeats_per_sample = 1,
                                .median_ms = NAN,
                                .minimum_ms = NAN,
                                .maximum_ms = NAN,
                                .q25_ms = NAN,
                                .q75_ms = NAN,
                                .ci_ms = NAN,
                                .eager_ms = NAN,
                                .setup_ms = NAN,
                                .warmup_ms = NAN,
                                .measuring_ms = NAN,
                                .unix_time_s = NAN,
                                .engine = -1,
                                .sm_clock_mhz = NAN,
                                .temperature_c = NAN};
}

/* The device's row in the dataset. */
static enum status find_device(int32_t *index, struct importer *importer,
                               const struct device_info *info, const struct csv *csv,
                               struct error *error)
{
    char fault[160];
    const int known = importer->known.device_count;
    if (!*info->name) {
        FAIL(error, STATUS_BAD_FILE, "%s:%d: no device: no column 'device'", csv->path, csv->line);
        return HINT(error, STATUS_BAD_FILE, "name it: --device-name NAME");
    }
    if (dataset_device_fault(fault, sizeof fault, info))
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: device: %s", csv->path, csv->line, fault);
    TRY(dataset_rows_add_device(&importer->known, index, info, error));
    return *index < known ? STATUS_OK
                          : dataset_add_device(importer->dataset, &importer->known.devices[*index],
                                               index, error);
}

static void count_left_out(struct importer *importer, enum left_out why, const struct csv *csv,
                           const char *fault)
{
    struct import_left_out *counts = &importer->left_out;
    int64_t *const members[] = {[LEFT_OUT_RULE] = &counts->by_rule,
                                [LEFT_OUT_KIND] = &counts->of_no_kind,
                                [LEFT_OUT_SIZE] = &counts->of_size,
                                [LEFT_OUT_TIME] = &counts->without_time};
    ++*members[why];
    if (why == LEFT_OUT_SIZE && !*counts->first)
        snprintf(counts->first, sizeof counts->first, "%.120s:%d: %.240s", csv->path, csv->line,
                 fault);
}

static enum status import_row(struct importer *importer, const struct dialect *dialect, void *state,
                              const struct csv *csv, bool *is_read, struct error *error)
{
    char fault[320];
    enum left_out left_out = NOT_LEFT_OUT;
    struct measurement row = default_row(csv);
    struct device_info device = importer->device;
    TRY(dialect->row(&row, &device, &left_out, state, csv, error));
    *is_read = !left_out;
    if (left_out) {
        count_left_out(importer, left_out, csv, "a size or padding that no layer of the kind has");
        return STATUS_OK;
    }
    if (importer->options.map && importer->options.map->has_catalogue)
        TRY(import_complete_device(&device, &importer->catalogue, csv, error));
    device.cache = row.cache;
    TRY(find_device(&row.device, importer, &device, csv, error));
    const bool is_faulty = dataset_row_fault(fault, sizeof fault, &row,
                                             (size_t)importer->known.device_count);
    if (is_faulty && importer->options.map) {
        *is_read = false;
        count_left_out(importer, LEFT_OUT_SIZE, csv, fault);
        return STATUS_OK;
    }
    if (is_faulty)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %s", csv->path, csv->line, fault);
    return dataset_append(importer->dataset, &row, error);
}

/* Where a file's rows have their licence. */
struct licence_source {
    const char *constant; /* or NULL */
    int field;
};

static struct licence_source licence_source_of(const struct csv *csv, const struct dialect *dialect,
                                               const struct import_map *map)
{
    const struct import_source *source = map ? import_map_source(map, ROW_COLUMN_LICENCE) : NULL;
    const char *column = source ? source->column : map ? NULL : ROW_COLUMN_LICENCE;
    if (dialect == &justus2018)
        return (struct licence_source){.constant = justus_licence};
    if (source && source->constant)
        return (struct licence_source){.constant = source->constant};
    const int field = column ? csv_find(csv, column) : -1;
    return (struct licence_source){.constant = field < 0 ? "" : NULL, .field = field};
}

static void note_licence(struct importer *importer, const struct licence_source *source,
                         const struct csv *csv)
{
    const char *licence = source->constant                   ? source->constant
                          : source->field < csv->field_count ? csv->field[source->field]
                                                             : "";
    if (strcmp(licence, importer->header.licence) != 0)
        merge_licence(&importer->header, licence);
}

static enum status import_rows(struct importer *importer, const struct dialect *dialect,
                               void *state, struct csv *csv, int64_t *row_count,
                               struct error *error)
{
    const char *begin = csv->next;
    const struct licence_source licence = licence_source_of(csv, dialect, importer->options.map);
    for (;;) {
        bool more, is_read;
        TRY(csv_next(csv, &more, error));
        if (!more)
            break;
        TRY(import_row(importer, dialect, state, csv, &is_read, error));
        *row_count += is_read;
        note_licence(importer, &licence, csv);
        if (importer->options.progress)
            progress_update(importer->options.progress, (double)(csv->next - begin),
                            (double)(csv->end - begin), "%lld rows", (long long)*row_count);
    }
    if (*row_count == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s: %s", csv->path,
                    csv->line > 1 && importer->options.map ? "every row was left out" : "no rows");
    return STATUS_OK;
}

static enum status import_content(struct importer *importer, struct csv *csv, int64_t *row_count,
                                  struct error *error)
{
    void *state = NULL;
    const struct dialect *dialect;
    TRY(choose_dialect(&dialect, csv, &importer->options, error));
    if (dialect == &justus2018 && importer->options.device_name)
        TRY(import_known_device(&importer->device, importer->options.device_name, error));
    enum status status = dialect->begin(&state, csv, &importer->options, error);
    if (status == STATUS_OK)
        status = import_rows(importer, dialect, state, csv, row_count, error);
    free(state);
    return status;
}

/* The file is something else than text. */
static enum status check_is_text(const char *path, const struct mapped_file *file,
                                 struct error *error)
{
    const enum file_kind kind = file_kind_of(path);
    const struct foreign_file *foreign = foreign_file_of(file->bytes, file->size);
    if (kind == FILE_DATASET || kind == FILE_MODEL) {
        FAIL(error, STATUS_BAD_FILE, "'%s' is %s, not CSV", path, file_kind_text(kind));
        return HINT(error, STATUS_BAD_FILE,
                    kind == FILE_DATASET ? "'epochcast merge' joins datasets"
                                         : "'epochcast show' tells what it holds");
    }
    if (!foreign)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "'%s' is %s, not CSV", path, foreign->name);
    return HINT(error, STATUS_BAD_FILE, "%s", foreign->hint);
}

/* A file whose header has been read; closed by opened_close. */
struct opened {
    struct mapped_file file;
    struct csv *csv;
};

static void opened_close(struct opened *opened)
{
    free(opened->csv);
    mapped_file_close(&opened->file);
}

static enum status read_header(struct opened *opened, const char *path, struct error *error)
{
    bool more;
    TRY(check_is_text(path, &opened->file, error));
    TRY(ALLOCATE(&opened->csv, 1, "CSV reader", error));
    csv_begin(opened->csv, path, opened->file.bytes, opened->file.size);
    TRY(csv_next(opened->csv, &more, error));
    return more ? STATUS_OK : FAIL(error, STATUS_BAD_FILE, "%s: the file is empty", path);
}

static enum status opened_open(struct opened *opened, const char *path, struct error *error)
{
    opened->csv = NULL;
    TRY(mapped_file_open(&opened->file, path, error));
    const enum status status = read_header(opened, path, error);
    if (status != STATUS_OK)
        opened_close(opened);
    return status;
}

enum status import_dialect_of(int32_t *dialect, const char *path, struct error *error)
{
    struct opened opened;
    const struct dialect *chosen = NULL;
    const struct import_options options = {.dialect = IMPORT_AUTO};
    TRY(opened_open(&opened, path, error));
    const enum status status = choose_dialect(&chosen, opened.csv, &options, error);
    *dialect = chosen == &justus2018 ? IMPORT_JUSTUS2018 : IMPORT_EPOCHCAST;
    opened_close(&opened);
    return status;
}

enum status importer_read(struct importer *importer, const char *path, int64_t *row_count,
                          struct error *error)
{
    struct opened opened;
    *row_count = 0;
    TRY(opened_open(&opened, path, error));
    const enum status status = import_content(importer, opened.csv, row_count, error);
    opened_close(&opened);
    return status;
}
