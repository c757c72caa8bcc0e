#include "base/csv.h"

#include "base/json.h"
#include "base/table.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what kind of CSV it is ---- */

static const char separators[] = ",;\t|";
enum { SEPARATOR_COUNT = sizeof separators - 1 };

static const char *line_end(const char *at, const char *end)
{
    while (at < end && *at != '\n')
        at++;
    return at;
}

/* The most frequent one outside quotes in the first line with content. */
static char find_separator(const char *at, const char *end)
{
    int counts[SEPARATOR_COUNT] = {0}, best = 0;
    bool is_quoted = false;
    while (at < end && (*at == '#' || *at == '\n' || *at == '\r')) {
        at = line_end(at, end);
        at += at < end;
    }
    for (const char *stop = line_end(at, end); at < stop; at++) {
        is_quoted ^= *at == '"';
        const char *which = is_quoted || !*at ? NULL : strchr(separators, *at);
        if (which)
            counts[which - separators]++;
    }
    for (int i = 1; i < SEPARATOR_COUNT; i++)
        best = counts[i] > counts[best] ? i : best;
    return separators[best];
}

/* The place of the decimal mark if the text is a number with one: digits on at least one side of a
 * point or comma, a sign and an exponent at most besides. Else NULL. */
static const char *find_decimal_mark(const char *at, const char *end)
{
    int digits = 0;
    const char *mark = NULL;
    at += at < end && (*at == '-' || *at == '+');
    for (; at < end; at++) {
        if (*at >= '0' && *at <= '9')
            digits++;
        else if ((*at == '.' || *at == ',') && !mark)
            mark = at;
        else
            break;
    }
    if (at < end && digits > 0 && (*at == 'e' || *at == 'E')) {
        at += 1 + (at + 1 < end && (at[1] == '-' || at[1] == '+'));
        while (at < end && *at >= '0' && *at <= '9')
            at++;
    }
    return at == end && digits > 0 ? mark : NULL;
}

static bool find_decimal_commas(const char *at, const char *end, char separator)
{
    bool has_commas = false;
    while (at < end && separator != ',') {
        const char *stop = at;
        while (stop < end && *stop != separator && *stop != '\n' && *stop != '\r')
            stop++;
        const bool is_quoted = stop - at >= 2 && *at == '"' && stop[-1] == '"';
        const char *mark = find_decimal_mark(at + is_quoted, stop - is_quoted);
        if (mark && *mark == '.')
            return false;
        has_commas |= mark != NULL;
        at = stop + (stop < end);
    }
    return has_commas;
}

void csv_begin(struct csv *csv, const char *path, const char *bytes, size_t size)
{
    static const char mark[] = "\xEF\xBB\xBF", told[] = "sep=";
    const char *end = bytes + size;
    csv->path = path;
    csv->line = 0;
    csv->field_count = 0;
    if (size >= 3 && memcmp(bytes, mark, 3) == 0)
        bytes += 3;
    csv->separator = find_separator(bytes, end);
    if (end - bytes > 5 && memcmp(bytes, told, 4) == 0 && bytes[4] &&
        strchr(separators, bytes[4]) && (bytes[5] == '\r' || bytes[5] == '\n')) {
        csv->separator = bytes[4];
        bytes = line_end(bytes, end) + 1;
        csv->line = 1;
    }
    csv->next = bytes < end ? bytes : end;
    csv->end = end;
    csv->has_decimal_commas = find_decimal_commas(csv->next, end, csv->separator);
}

/* ---- records ---- */

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

/* Ends the field that starts at `start` and returns the place of its terminator; *more: a separator
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
    for (in++; *in == ' ';)
        in++;
    if (*in && *in != csv->separator)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: text follows a closing quote", csv->path,
                    csv->line);
    *more = *in == csv->separator;
    *out = '\0';
    *next = in + *more;
    return STATUS_OK;
}

/* The same for a field without quotes. */
static void end_field(struct csv *csv, char **next, char *start, bool *more)
{
    char *stop = strchr(start, csv->separator);
    *more = stop != NULL;
    stop = stop ? stop : start + strlen(start);
    *next = stop + *more;
    while (stop > start && stop[-1] == ' ')
        stop--;
    *stop = '\0';
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
        start += strspn(start, " ");
        char *field = csv->field[csv->field_count++] = start;
        if (*start == '"')
            TRY(unquote(csv, &start, start, &more, error));
        else
            end_field(csv, &start, start, &more);
        char *mark = csv->has_decimal_commas
                         ? (char *)find_decimal_mark(field, field + strlen(field))
                         : NULL;
        if (mark)
            *mark = '.';
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

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

bool csv_needs_quotes(const char *text)
{
    const size_t length = strlen(text);
    return length > 0 && (is_blank(text[0]) || is_blank(text[length - 1]) || text[0] == '#' ||
                          strpbrk(text, ",\"\r\n"));
}

void csv_write_text(FILE *file, const char *text)
{
    if (!csv_needs_quotes(text)) {
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
