/* Reader and writer of comma-separated text over memory (RFC 4180: quotes, CRLF; no embedded
 * newlines). One record at a time, no allocation: fields point into the reader's line buffer until
 * the next call.
 *
 * Reads what spreadsheets write as well: a byte-order mark of UTF-8 and Excel's line "sep=;" are
 * skipped, the first line tells the separator (comma, semicolon, tab or bar), blanks around fields
 * are dropped. Numbers have decimal commas if the separator is no comma and the file holds such
 * numbers but none with a point; they are read as if they had a point.
 */
#ifndef EPOCHCAST_BASE_CSV_H
#define EPOCHCAST_BASE_CSV_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CSV_FIELD_LIMIT = 128, CSV_LINE_LIMIT = 65536 };

struct csv {
    const char *path; /* for messages; borrowed */
    const char *next, *end;
    char separator;
    bool has_decimal_commas;
    int line; /* number of the record in `field`, from 1 */
    int field_count;
    char *field[CSV_FIELD_LIMIT]; /* terminated */
    char buffer[CSV_LINE_LIMIT];
};

void csv_begin(struct csv *csv, const char *path, const char *bytes, size_t size);
/* Reads the next record; *more is false at the end. Empty lines and lines that start with '#' are
 * skipped. STATUS_BAD_FILE names file and line: over-long line, too many fields, open quote, NUL
 * byte. */
enum status csv_next(struct csv *csv, bool *more, struct error *error);
/* The field is one finite number / one int32; otherwise STATUS_BAD_FILE with file, line and column.
 */
enum status csv_number(const struct csv *csv, int field, const char *column, double *value,
                       struct error *error);
enum status csv_integer(const struct csv *csv, int field, const char *column, int *value,
                        struct error *error);

/* A cell: quoted if necessary; a number has the digits that read back to the same value, and is
 * empty when it is NaN or infinite. The caller writes commas and line ends. */
/* Blanks around, a mark of remarks in front, separators, quotes or line ends: a reader would take
 * the field for another text. */
bool csv_needs_quotes(const char *text);
void csv_write_text(FILE *file, const char *text);
void csv_write_number(FILE *file, double value);

/* Place of the column called `name` in the record read last, or -1. */
int csv_find(const struct csv *csv, const char *name);

#endif
