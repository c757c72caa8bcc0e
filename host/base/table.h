/* Documents for stdout: a table of rows in four forms. NaN and infinities are `null` in JSON, an
 * empty field in CSV and "-" in a table.
 */
#ifndef EPOCHCAST_BASE_TABLE_H
#define EPOCHCAST_BASE_TABLE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum table_format { TABLE_TEXT, TABLE_CSV, TABLE_JSON, TABLE_JSONL };
extern const struct choice choice_table_format; /* "table", "csv", "json", "jsonl" */

/* A table is filled cell by cell, row after row, in column order; then printed once. */
struct table_column {
    const char *name; /* with its unit: "median_ms"; borrowed */
    int digits;       /* significant digits in text form; 0: 4 */
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
 * a header line; text: aligned, numbers to the right. Earlier allocation failures are reported
 * here. */
enum status table_print(const struct table *table, FILE *file, enum table_format format,
                        struct error *error);
/* As an HTML <table>, numbers as in the text form. */
enum status table_print_html(const struct table *table, FILE *file, struct error *error);

#endif
