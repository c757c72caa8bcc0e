#include "base/csv.h"

#include "base/json.h"
#include "base/table.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void csv_begin(struct csv *csv, const char *path, const char *bytes, size_t size)
{
    csv->path = path;
    csv->next = bytes;
    csv->end = bytes + size;
    csv->line = 0;
    csv->field_count = 0;
}

/* Copies the next physical line, without its line end, into the buffer. */
static enum status read_line(struct csv *csv, struct error *error)
{
    const char *newline = memchr(csv->next, '\n', (size_t)(csv->end - csv->next));
    const char *stop = newline ? newline : csv->end;
    size_t length = (size_t)(stop - csv->next);
    csv->line++;
    if (length >= CSV_LINE_LIMIT)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: line is longer than %d bytes", csv->path,
                    csv->line, CSV_LINE_LIMIT - 1);
    if (memchr(csv->next, '\0', length))
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: line holds a zero byte: not a text file",
                    csv->path, csv->line);
    memcpy(csv->buffer, csv->next, length);
    if (length && csv->buffer[length - 1] == '\r')
        length--;
    csv->buffer[length] = '\0';
    csv->next = newline ? newline + 1 : csv->end;
    return STATUS_OK;
}

/* Ends the field that starts at `start` and returns the place of its terminator; *more: a comma
 * follows. */
static enum status unquote(struct csv *csv, char **next, char *start, bool *more,
                           struct error *error)
{
    char *out = start, *in = start + 1;
    for (; *in && !(in[0] == '"' && in[1] != '"'); in++) {
        in += in[0] == '"';
        *out++ = *in;
    }
    if (!*in)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: a quote is never closed", csv->path, csv->line);
    in++;
    if (*in && *in != ',')
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: text follows a closing quote", csv->path,
                    csv->line);
    *more = *in == ',';
    *out = '\0';
    *next = in + *more;
    return STATUS_OK;
}

static enum status split_fields(struct csv *csv, struct error *error)
{
    char *start = csv->buffer;
    bool more = true;
    csv->field_count = 0;
    while (more) {
        if (csv->field_count == CSV_FIELD_LIMIT)
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: more than %d columns", csv->path, csv->line,
                        CSV_FIELD_LIMIT);
        csv->field[csv->field_count++] = start;
        if (*start == '"') {
            TRY(unquote(csv, &start, start, &more, error));
            continue;
        }
        char *comma = strchr(start, ',');
        more = comma != NULL;
        if (more) {
            *comma = '\0';
            start = comma + 1;
        }
    }
    return STATUS_OK;
}

enum status csv_next(struct csv *csv, bool *more, struct error *error)
{
    *more = false;
    while (csv->next < csv->end) {
        TRY(read_line(csv, error));
        if (csv->buffer[0] == '\0' || csv->buffer[0] == '#')
            continue;
        TRY(split_fields(csv, error));
        *more = true;
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status refuse(const struct csv *csv, int field, const char *column, const char *what,
                          struct error *error)
{
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: column '%s': '%.40s' is not %s", csv->path,
                csv->line, column, field < csv->field_count ? csv->field[field] : "", what);
}

enum status csv_number(const struct csv *csv, int field, const char *column, double *value,
                       struct error *error)
{
    if (field >= csv->field_count || !*csv->field[field])
        return refuse(csv, field, column, "a number", error);
    char *end;
    *value = strtod(csv->field[field], &end);
    if (*end || !isfinite(*value))
        return refuse(csv, field, column, "a finite number", error);
    return STATUS_OK;
}

enum status csv_integer(const struct csv *csv, int field, const char *column, int *value,
                        struct error *error)
{
    if (field >= csv->field_count || !*csv->field[field])
        return refuse(csv, field, column, "a whole number", error);
    char *end;
    errno = 0;
    long number = strtol(csv->field[field], &end, 10);
    if (*end || errno || number < INT_MIN || number > INT_MAX)
        return refuse(csv, field, column, "a whole number", error);
    *value = (int)number;
    return STATUS_OK;
}

void csv_write_text(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++)
        fprintf(file, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', file);
}

void csv_write_number(FILE *file, double value)
{
    char text[NUMBER_TEXT_SIZE];
    if (isfinite(value))
        fputs(number_text(text, value), file);
}

int csv_find(const struct csv *csv, const char *name)
{
    for (int i = 0; i < csv->field_count; i++)
        if (strcmp(csv->field[i], name) == 0)
            return i;
    return -1;
}
