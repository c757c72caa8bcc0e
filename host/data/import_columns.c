/* CSV with one column for each of ours: output of `export`, or a foreign file with a map. */
#include "base/text.h"
#include "data/import_internal.h"

#include "data/row_columns.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The source of one of our columns in the file. */
struct binding {
    struct row_column column;
    const struct feature *feature;      /* or NULL */
    const struct import_source *source; /* or NULL: the file's column has our name */
    int field;                          /* of the record; -1: a constant */
};

/* The bindings of a kind, made at its first row. */
struct kind_bindings {
    struct binding bindings[ROW_COLUMN_LIMIT];
    int count;
    bool is_bound;
};

struct columns_reader {
    const struct import_map *map; /* or NULL */
    const char *header[CSV_FIELD_LIMIT];
    int column_count;
    struct binding layer;
    struct import_rules rules;
    struct kind_bindings kinds[LAYER_KIND_COUNT];
    char names[CSV_LINE_LIMIT]; /* of the header */
};

/* ---- which column is which ---- */

static int find_column(const struct columns_reader *reader, const char *name)
{
    for (int i = 0; i < reader->column_count; i++)
        if (strcmp(reader->header[i], name) == 0)
            return i;
    return -1;
}

const struct import_source *import_map_source(const struct import_map *map, const char *target)
{
    for (int i = 0; i < map->source_count; i++)
        if (strcmp(map->sources[i].target, target) == 0)
            return &map->sources[i];
    return NULL;
}

/* *is_there is false if neither the file nor the map has the column. */
static enum status bind_column(bool *is_there, struct binding *binding,
                               const struct columns_reader *reader, const struct csv *csv,
                               struct error *error)
{
    const char *name = binding->column.name;
    const struct import_source *source = reader->map ? import_map_source(reader->map, name) : NULL;
    binding->source = source;
    binding->field = source && source->constant ? -1
                     : source                   ? find_column(reader, source->column)
                     : reader->map              ? -1
                                                : find_column(reader, name);
    *is_there = binding->field >= 0 || (source && source->constant);
    if (!source || *is_there)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "%s: column '%.80s' is missing", csv->path, source->column);
    error_hint(error, "%s:%d refers to it", reader->map->path, source->line);
    return STATUS_BAD_FILE;
}

/* A row must have them. Other choices default to their first name, features that an earlier program
 * did not export to the value that it implied, the rest to unknown. */
static bool is_required(const struct binding *binding)
{
    const struct feature *feature = binding->feature;
    return (feature && !feature->choice && !feature_is_optional(feature)) ||
           strcmp(binding->column.name, ROW_COLUMN_LAYER) == 0;
}

int columns_known_count(const struct csv *csv)
{
    int count = 0;
    for (int i = 0; i < csv->field_count; i++)
        count += import_column_exists(csv->field[i]);
    return count;
}

static enum status report_missing(const struct missing_columns *missing,
                                  const struct columns_reader *reader, const struct csv *csv,
                                  struct error *error)
{
    const char *others[CSV_FIELD_LIMIT];
    int count = 0;
    for (int i = 0; i < reader->column_count; i++)
        if (reader->map || !import_column_exists(reader->header[i]))
            others[count++] = reader->header[i];
    const enum status status = missing_report(missing, csv->path, count ? others : reader->header,
                                              count ? count : reader->column_count, error);
    if (status == STATUS_OK || !reader->map)
        return status;
    return HINT(error, status, "add a line to %s: '%s = VALUE' or '%s <- COLUMN'",
                reader->map->path, missing->names[0], missing->names[0]);
}

static enum status bind_kind(struct columns_reader *reader, enum layer_kind kind,
                             const struct csv *csv, struct error *error)
{
    struct row_column columns[ROW_COLUMN_LIMIT];
    struct kind_bindings *bound = &reader->kinds[kind];
    struct missing_columns missing = {.count = 0};
    const int count = row_columns(columns, kind);
    for (int i = 0; i < count; i++) {
        bool is_there;
        struct binding *binding = &bound->bindings[bound->count];
        *binding = (struct binding){.column = columns[i]};
        if (!columns[i].is_device)
            binding->feature = layer_feature_find(kind, columns[i].name);
        TRY(bind_column(&is_there, binding, reader, csv, error));
        if (!is_there && is_required(binding))
            missing_add(&missing, columns[i].name);
        bound->count += is_there;
    }
    bound->is_bound = true;
    return report_missing(&missing, reader, csv, error);
}

/* Without a map, a column that is not ours is a mistake and an error. */
static enum status check_columns(const struct columns_reader *reader, const struct csv *csv,
                                 struct error *error)
{
    for (int i = 0; i < reader->column_count; i++) {
        const char *name = reader->header[i];
        if (find_column(reader, name) != i)
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%.80s' appears twice", csv->path,
                        csv->line, name);
        if (reader->map || import_column_exists(name))
            continue;
        FAIL(error, STATUS_BAD_FILE, "%s:%d: a dataset has no column '%.80s'", csv->path, csv->line,
             name);
        return import_column_hint(name, "leave it out, or describe the columns with --map FILE",
                                  error);
    }
    return STATUS_OK;
}

enum status columns_begin(void **state, const struct csv *csv, const struct import_options *options,
                          struct error *error)
{
    bool is_there;
    struct missing_columns missing = {.count = 0};
    TRY(error_allocate(state, 1, sizeof(struct columns_reader), "CSV reader", error));
    struct columns_reader *reader = *state;
    memcpy(reader->names, csv->buffer, sizeof reader->names);
    reader->map = options->map;
    reader->column_count = csv->field_count;
    for (int i = 0; i < csv->field_count; i++)
        reader->header[i] = reader->names + (csv->field[i] - csv->buffer);
    snprintf(reader->layer.column.name, sizeof reader->layer.column.name, ROW_COLUMN_LAYER);
    TRY(bind_column(&is_there, &reader->layer, reader, csv, error));
    if (!is_there)
        missing_add(&missing, ROW_COLUMN_LAYER);
    if (!reader->map && find_column(reader, ROW_COLUMN_TIME) < 0)
        missing_add(&missing, ROW_COLUMN_TIME);
    TRY(report_missing(&missing, reader, csv, error));
    TRY(import_rules_begin(&reader->rules, reader->map, reader->header, reader->column_count,
                           csv->path, error));
    return check_columns(reader, csv, error);
}

/* ---- values ---- */

/* "file:line: column 'x'", or the map's line for a constant. */
static enum status refuse(const struct binding *binding, const struct columns_reader *reader,
                          const struct csv *csv, const char *text, const char *what,
                          struct error *error)
{
    const struct import_source *source = binding->source;
    if (source && source->constant)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %s: '%.60s' %s", reader->map->path,
                    source->line, binding->column.name, text, what);
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%.80s': '%.60s' %s", csv->path, csv->line,
                source ? source->column : binding->column.name, text, what);
}

static enum status text_of(const char **text, const struct binding *binding,
                           const struct columns_reader *reader, const struct csv *csv,
                           struct error *error)
{
    const struct import_source *source = binding->source;
    *text = "";
    if (binding->field >= csv->field_count)
        return refuse(binding, reader, csv, "", "is missing: the line is short", error);
    *text = binding->field >= 0 ? csv->field[binding->field] : source->constant;
    for (int i = 0; source && i < source->rename_count; i++) {
        const struct import_rename *rename = &reader->map->renames[source->first_rename + i];
        if (strcmp(rename->from, *text) == 0) {
            *text = rename->to;
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

/* Stores the value; returns NULL, or a text with its fault. */
static const char *store_number(double *value, const char *text, double factor)
{
    char *end;
    *value = NAN;
    if (!*text)
        return NULL;
    const double number = strtod(text, &end);
    if (end == text || *end || isinf(number))
        return "is not a finite number";
    *value = number * factor;
    return NULL;
}

static const char out_of_bounds[] = "is out of bounds";

static const char *store_integer(int64_t *value, const char *text, double factor, int64_t minimum,
                                 int64_t maximum)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (factor != 1) {
        const double scaled = strtod(text, &end) * factor;
        if (!(fabs(scaled) < 9e15) || scaled != rint(scaled))
            return "times the factor is not a whole number";
        number = (long long)scaled;
    }
    if (end == text || *end)
        return "is not a whole number";
    if (errno || number < minimum || number > maximum)
        return out_of_bounds;
    *value = number;
    return NULL;
}

static const char *store_text(char *target, size_t size, const char *text)
{
    if (strlen(text) >= size)
        return "is too long";
    memset(target, 0, size);
    memcpy(target, text, strlen(text));
    return NULL;
}

static const char *store(void *record, const struct binding *binding, const char *text,
                         double factor)
{
    const struct field *field = &binding->column.field;
    const struct feature *feature = binding->feature;
    char *at = (char *)record + field->offset;
    const char *fault = NULL;
    int64_t value = 0;
    if (field->type == FIELD_TEXT)
        return store_text(at, field->size, text);
    if (field->type == FIELD_DOUBLE)
        return store_number((double *)at, text, factor);
    if (field->type == FIELD_CHOICE)
        value = choice_find(field->choice, text);
    else if (field->type == FIELD_INT64)
        fault = store_integer(&value, text, factor, field->minimum, INT64_MAX);
    else
        fault = store_integer(&value, text, factor, feature ? feature->minimum : field->minimum,
                              feature ? feature->maximum : INT32_MAX);
    if (field->type == FIELD_CHOICE && value < 0)
        return "is not a name of this column";
    if (fault)
        return fault;
    if (field->type == FIELD_INT64)
        *(int64_t *)at = value;
    else
        *(int32_t *)at = (int32_t)value;
    return NULL;
}

static enum status refuse_value(const struct binding *binding, const struct columns_reader *reader,
                                const struct csv *csv, const char *text, const char *fault,
                                struct error *error)
{
    const struct choice *choice = binding->column.field.choice;
    refuse(binding, reader, csv, text, fault, error);
    const char *nearest = choice ? nearest_name(choice->names, choice->count, text) : NULL;
    if (nearest)
        error_hint(error, "did you mean '%s'?", nearest);
    else if (choice && reader->map)
        error_hint(error, "map it to a known name: ? %s=%s", *text ? text : "OLD",
                   choice->names[0]);
    else if (binding->feature && !choice)
        error_hint(error, "%d..%d", binding->feature->minimum, binding->feature->maximum);
    return STATUS_BAD_FILE;
}

static enum status read_kind(enum layer_kind *kind, enum left_out *left_out,
                             struct columns_reader *reader, const struct csv *csv,
                             struct error *error)
{
    const char *text = "";
    TRY(text_of(&text, &reader->layer, reader, csv, error));
    const int found = layer_kind_find(text);
    if (found < 0 && reader->map && !reader->layer.source->constant) {
        *left_out = LEFT_OUT_KIND;
        return STATUS_OK;
    }
    if (found < 0) {
        refuse(&reader->layer, reader, csv, text, "is not a layer kind", error);
        return HINT(error, STATUS_BAD_FILE, "'epochcast show layers' lists them");
    }
    *kind = (enum layer_kind)found;
    return reader->kinds[found].is_bound ? STATUS_OK : bind_kind(reader, *kind, csv, error);
}

/* The value of a column that takes more than its own text. */
static enum status read_value(struct measurement *row, struct device_info *device,
                              enum left_out *left_out, const struct binding *binding,
                              const struct columns_reader *reader, const struct csv *csv,
                              struct error *error)
{
    const char *text = "";
    const struct import_source *source = binding->source;
    const double factor = source ? import_rules_factor(&reader->rules, source, csv) : 1;
    TRY(text_of(&text, binding, reader, csv, error));
    if (source && source->is_zeros)
        return STATUS_OK; /* when the kernel is known */
    if (isnan(factor))
        return refuse_value(binding, reader, csv, text, "has a factor that is no number", error);
    const char *fault = store(binding->column.is_device ? (void *)device : row, binding, text,
                              factor);
    if (fault == out_of_bounds && source && !source->constant && binding->feature)
        *left_out = LEFT_OUT_SIZE;
    else if (fault)
        return refuse_value(binding, reader, csv, text, fault, error);
    return STATUS_OK;
}

static void read_zeros(struct measurement *row, enum left_out *left_out,
                       const struct binding *binding, const struct csv *csv)
{
    if (!binding->source || !binding->source->is_zeros)
        return;
    if (!import_zeros(&row->config, binding->feature, csv->field[binding->field]))
        *left_out = LEFT_OUT_SIZE;
}

enum status columns_row(struct measurement *row, struct device_info *device,
                        enum left_out *left_out, void *state, const struct csv *csv,
                        struct error *error)
{
    struct columns_reader *reader = state;
    enum layer_kind kind;
    if (csv->field_count > reader->column_count)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %d columns, but the header has %d", csv->path,
                    csv->line, csv->field_count, reader->column_count);
    if (!import_rules_keep(&reader->rules, csv)) {
        *left_out = LEFT_OUT_RULE;
        return STATUS_OK;
    }
    TRY(read_kind(&kind, left_out, reader, csv, error));
    if (*left_out)
        return STATUS_OK;
    layer_begin(&row->config, kind);
    const struct kind_bindings *bound = &reader->kinds[kind];
    for (int i = 0; i < bound->count; i++)
        TRY(read_value(row, device, left_out, &bound->bindings[i], reader, csv, error));
    for (int i = 0; i < bound->count; i++)
        read_zeros(row, left_out, &bound->bindings[i], csv);
    if (reader->map && !(row->median_ms > 0))
        *left_out = LEFT_OUT_TIME;
    return STATUS_OK;
}
