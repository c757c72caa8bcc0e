#include "forecast/framework.h"

#include "base/csv.h"
#include "base/mapped_file.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the file ---- */

#define TEXT(member, required)                                                                     \
    offsetof(struct framework_line, member), sizeof((struct framework_line *)0)->member, required

/* Columns of text, then of numbers. */
static const struct text_column {
    const char *name;
    size_t offset, size;
    bool is_required;
} text_columns[] = {
    {"framework", TEXT(name, true)},
    {"version", TEXT(version, false)},
    {"device", TEXT(device, true)},
    {"fitted_networks", TEXT(networks, false)},
};
static const struct number_column {
    const char *name;
    size_t offset;
    double minimum, missing; /* NaN: it must be there */
} number_columns[] = {
    {"factor", offsetof(struct framework_line, factor), 1e-3, NAN},
    {"update_ns_per_parameter", offsetof(struct framework_line, update_ns), 0, 0},
    {"spread_factor", offsetof(struct framework_line, spread_factor), 1, NAN},
};
enum {
    TEXT_COLUMNS = sizeof text_columns / sizeof *text_columns,
    NUMBER_COLUMNS = sizeof number_columns / sizeof *number_columns,
};
#define NUMBER_MAXIMUM 1e6

/* Places of the columns in a record; -1: missing. */
struct framework_reader {
    struct csv csv;
    int texts[TEXT_COLUMNS], numbers[NUMBER_COLUMNS], pass, optimizer;
};

static enum status place_of(int *place, const struct csv *csv, const char *name, bool is_required,
                            struct error *error)
{
    *place = csv_find(csv, name);
    if (*place >= 0 || !is_required)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "%.200s: column '%s' is missing", csv->path, name);
    return HINT(error, STATUS_BAD_FILE, "`scripts/bench truth --fit FILE.csv` writes such files");
}

static enum status read_header(struct framework_reader *reader, struct error *error)
{
    bool more;
    TRY(csv_next(&reader->csv, &more, error));
    if (!more)
        return FAIL(error, STATUS_BAD_FILE, "%.200s: empty", reader->csv.path);
    for (int i = 0; i < TEXT_COLUMNS; i++)
        TRY(place_of(&reader->texts[i], &reader->csv, text_columns[i].name,
                     text_columns[i].is_required, error));
    for (int i = 0; i < NUMBER_COLUMNS; i++)
        TRY(place_of(&reader->numbers[i], &reader->csv, number_columns[i].name,
                     isnan(number_columns[i].missing), error));
    TRY(place_of(&reader->pass, &reader->csv, "pass", true, error));
    return place_of(&reader->optimizer, &reader->csv, "optimizer", true, error);
}

static enum status read_number(struct framework_line *line, const struct framework_reader *reader,
                               int index, struct error *error)
{
    const struct number_column *column = &number_columns[index];
    double *value = (double *)((char *)line + column->offset);
    *value = column->missing;
    if (reader->numbers[index] < 0)
        return STATUS_OK;
    TRY(csv_number(&reader->csv, reader->numbers[index], column->name, value, error));
    if (*value >= column->minimum && *value <= NUMBER_MAXIMUM)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: %s = %g is outside %g..%g", reader->csv.path,
                reader->csv.line, column->name, *value, column->minimum, NUMBER_MAXIMUM);
}

static enum status read_choice(int32_t *value, const struct framework_reader *reader,
                               const struct choice *choice, int place, struct error *error)
{
    struct error cause = {0};
    if (choice_read(value, choice, choice->name, reader->csv.field[place], &cause) == STATUS_OK)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: %.300s", reader->csv.path, reader->csv.line,
                cause.message);
}

static bool is_same_step(const struct framework_line *a, const struct framework_line *b)
{
    return a->pass == b->pass && a->optimizer == b->optimizer && strcmp(a->device, b->device) == 0;
}

static enum status read_line(struct framework *framework, const struct framework_reader *reader,
                             struct error *error)
{
    const struct csv *csv = &reader->csv;
    struct framework_line line = {.pass = 0};
    for (int i = 0; i < TEXT_COLUMNS; i++)
        if (reader->texts[i] >= 0)
            snprintf((char *)&line + text_columns[i].offset, text_columns[i].size, "%s",
                     csv->field[reader->texts[i]]);
    for (int i = 0; i < NUMBER_COLUMNS; i++)
        TRY(read_number(&line, reader, i, error));
    TRY(read_choice(&line.pass, reader, &choice_pass, reader->pass, error));
    TRY(read_choice(&line.optimizer, reader, &choice_optimizer, reader->optimizer, error));
    for (int i = 0; i < framework->count; i++)
        if (is_same_step(&framework->lines[i], &line))
            return FAIL(error, STATUS_BAD_FILE,
                        "%.200s:%d: device, pass and optimizer are there twice", csv->path,
                        csv->line);
    if (framework->count == FRAMEWORK_LINE_LIMIT)
        return FAIL(error, STATUS_BAD_FILE, "%.200s: more than %d lines", csv->path,
                    FRAMEWORK_LINE_LIMIT);
    framework->lines[framework->count++] = line;
    return STATUS_OK;
}

static enum status read_lines(struct framework *framework, struct framework_reader *reader,
                              struct error *error)
{
    bool more;
    TRY(read_header(reader, error));
    const int field_count = reader->csv.field_count;
    for (;;) {
        TRY(csv_next(&reader->csv, &more, error));
        if (!more)
            break;
        if (reader->csv.field_count != field_count)
            return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: %d fields, the header has %d",
                        reader->csv.path, reader->csv.line, reader->csv.field_count, field_count);
        TRY(read_line(framework, reader, error));
    }
    if (framework->count > 0)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%.200s: no factors", reader->csv.path);
}

static enum status read_bytes(struct framework *framework, const char *path,
                              const struct mapped_file *file, struct error *error)
{
    struct framework_reader *reader;
    TRY(ALLOCATE(&reader, 1, "factors", error));
    csv_begin(&reader->csv, path, file->bytes, file->size);
    const enum status status = read_lines(framework, reader, error);
    free(reader);
    return status;
}

enum status framework_load(struct framework **framework, const char *path, struct error *error)
{
    struct mapped_file file;
    *framework = NULL;
    TRY(mapped_file_open(&file, path, error));
    enum status status = ALLOCATE(framework, 1, "factors", error);
    if (status == STATUS_OK)
        status = read_bytes(*framework, path, &file, error);
    mapped_file_close(&file);
    if (status != STATUS_OK) {
        framework_free(*framework);
        *framework = NULL;
    }
    return status;
}

void framework_free(struct framework *framework)
{
    free(framework);
}

/* ---- times ---- */

const struct framework_line *framework_find(const struct framework *framework, const char *device,
                                            const struct forecast *forecast)
{
    for (int i = 0; i < framework->count; i++) {
        const struct framework_line *line = &framework->lines[i];
        if (line->pass == forecast->pass && line->optimizer == forecast->optimizer &&
            strcmp(line->device, device) == 0)
            return line;
    }
    return NULL;
}

/* How far, in logarithms, the bound is from the middle; a bound of 0 or below: infinitely. */
static double distance(double a_ms, double b_ms)
{
    return b_ms <= 0 ? INFINITY : log(a_ms / b_ms);
}

struct framework_time framework_time_of(const struct framework_line *line,
                                        const struct forecast *forecast)
{
    if (!line)
        return (struct framework_time){NAN, NAN, NAN, NAN};
    const double communication_ms = forecast->communication_ms;
    const double computation_ms = forecast->batch_ms - communication_ms;
    const double low_ms = forecast->batch_low_ms - communication_ms;
    const double high_ms = forecast->batch_high_ms - communication_ms;
    const double spread = log(line->spread_factor);
    const double parameters = (double)forecast->memory.parameters_bytes / 4;
    const double update_ms = line->update_ns * 1e-6 * parameters;
    const double ms = line->factor * computation_ms + update_ms;
    return (struct framework_time){
        .ms = ms + communication_ms,
        .update_ms = update_ms,
        .low_ms = ms * exp(-hypot(distance(computation_ms, low_ms), spread)) + communication_ms,
        .high_ms = ms * exp(hypot(distance(high_ms, computation_ms), spread)) + communication_ms};
}
