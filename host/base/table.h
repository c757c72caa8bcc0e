/* Documents for stdout: a table of rows in four forms. NaN and infinities are `null` in JSON, an
 * empty field in CSV and "-" in a table. JSON and CSV are for programs: all columns, raw figures.
 * The text form and HTML are for people: titles, figures with their units, no column without
 * values.
 */
#ifndef EPOCHCAST_BASE_TABLE_H
#define EPOCHCAST_BASE_TABLE_H

#include "base/error.h"
#include "base/human.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum table_format { TABLE_TEXT, TABLE_CSV, TABLE_JSON, TABLE_JSONL };
extern const struct choice choice_table_format; /* "table", "csv", "json", "jsonl" */

/* When people see a column. One without any value (NaN, "" or "-") is never shown. */
enum column_use {
    COLUMN_VALUES,  /* when it has a value */
    COLUMN_SEVERAL, /* text: when its values differ: a line above the table has the only one */
    COLUMN_COUNTED, /* when a figure in it is not 0 */
    COLUMN_RAW      /* never: another column says the same */
};

/* A table is filled cell by cell, row after row, in column order; then printed once. */
struct table_column {
    const char *name;      /* with its unit: "median_ms"; borrowed */
    int digits;            /* significant digits for people; 0: 4, or those of `scale` */
    enum unit_scale scale; /* for people: "15.6 ms" */
    const char *title;     /* for people; NULL: the name */
    enum column_use use;
    int spare; /* text: left out of a table wider than TABLE_WIDTH, the largest number first; 0:
                  kept */
    int width; /* text: longer texts are cut in the middle; 0: no limit */
};
struct table;
struct json;
enum status table_create(struct table **table, const struct table_column *columns, int count,
                         struct error *error);
void table_free(struct table *table);
void table_number(struct table *table, double value);
void table_integer(struct table *table, int64_t value);
void table_string(struct table *table, const char *value); /* copied */
size_t table_row_count(const struct table *table);
/* The rows as an array of objects, within a document that the caller writes. */
void table_print_array(const struct table *table, struct json *json, const char *key);
/* JSON form: { "rows": [ ... ] }; JSONL: one object per line; CSV: RFC 4180 quoting, LF line ends,
 * a header line; text: aligned, numbers to the right. Of a text table that is wider than
 * TABLE_WIDTH, the texts of the last column are wrapped; spare columns are left out and named below
 * it; with at most three rows, it is turned instead: a line per column. Earlier allocation failures
 * are reported here. */
enum { TABLE_WIDTH = 100 };
enum status table_print(const struct table *table, FILE *file, enum table_format format,
                        struct error *error);
/* The text in lines of at most `width` characters, broken at blanks and behind commas; those after
 * the first are indented. */
void table_print_wrapped(FILE *file, const char *text, int width, int indent);
/* Name and title of each column that the HTML form shows. */
void table_each_column(const struct table *table,
                       void (*each)(void *payload, const char *name, const char *title),
                       void *payload);
/* As an HTML <table>, columns and numbers as in the text form. */
enum status table_print_html(const struct table *table, FILE *file, struct error *error);

#endif
