/* Tables in four forms, and the JSON writer. */
#include "base/choice.h"
#include "base/json.h"
#include "base/table.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
    {.name = "name"}, {.name = "median_ms"}, {.name = "rows"}, {.name = "r2", .digits = 2}};

static struct table *create(const struct table_column *own, int count)
{
    struct error error;
    struct table *table;
    assert_int_equal(table_create(&table, own, count, &error), STATUS_OK);
    return table;
}

static struct table *example(void)
{
    struct table *table = create(columns, 4);
    table_string(table, "conv, \"2d\"");
    table_number(table, 1.23456789);
    table_integer(table, INT64_C(-9007199254740993));
    table_number(table, 0.987);
    table_string(table, "x");
    table_number(table, NAN);
    table_integer(table, 7);
    table_number(table, -INFINITY);
    return table;
}

/* Prints into memory and compares; frees the table. */
static void assert_prints(struct table *table, enum table_format format, const char *wanted)
{
    struct error error;
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    assert_int_equal(table_print(table, file, format, &error), STATUS_OK);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, wanted);
    free(text);
    table_free(table);
}

static void text_is_aligned(void **state)
{
    (void)state;
    assert_prints(example(), TABLE_TEXT,
                  "name        median_ms               rows    r2\n"
                  "conv, \"2d\"      1.235  -9007199254740993  0.99\n"
                  "x                   -                  7     -\n");
}

static const struct table_column human_columns[] = {
    {.name = "device", .use = COLUMN_SEVERAL},
    {.name = "batch_ms", .title = "batch", .scale = SCALE_MS},
    {.name = "memory_bytes", .title = "memory", .scale = SCALE_BYTES},
    {.name = "cost"},
    {.name = "group"},
    {.name = "crashed", .use = COLUMN_COUNTED},
    {.name = "batch_s", .use = COLUMN_RAW},
};

static struct table *human_example(const char *second_device, int crashed)
{
    struct table *table = create(human_columns, 7);
    for (int row = 0; row < 2; row++) {
        table_string(table, row ? second_device : "V100");
        table_number(table, row ? 33372.5 : 0.0012);
        table_integer(table, row ? INT64_C(24969541952) : 512);
        table_number(table, NAN);
        table_string(table, "");
        table_integer(table, row * crashed);
        table_number(table, 1);
    }
    return table;
}

/* Columns without values, with one value that a line above has, or with zeros only, are dropped. */
static void text_is_for_people(void **state)
{
    (void)state;
    assert_prints(human_example("V100", 0), TABLE_TEXT,
                  " batch    memory\n"
                  "1.2 us     512 B\n"
                  "33.4 s  23.3 GiB\n");
    assert_prints(human_example("K\xC3\xA4", 3), TABLE_TEXT,
                  "device   batch    memory  crashed\n"
                  "V100    1.2 us     512 B        0\n"
                  "K\xC3\xA4      33.4 s  23.3 GiB        3\n");
}

/* Programs get every column, and figures to the bit. */
static void csv_and_json_stay_raw(void **state)
{
    (void)state;
    assert_prints(human_example("V100", 0), TABLE_CSV,
                  "device,batch_ms,memory_bytes,cost,group,crashed,batch_s\n"
                  "V100,0.0012,512,,,0,1\n"
                  "V100,33372.5,24969541952,,,0,1\n");
    assert_prints(human_example("V100", 0), TABLE_JSONL,
                  "{\"device\": \"V100\", \"batch_ms\": 0.0012, \"memory_bytes\": 512, \"cost\": "
                  "null, \"group\": \"\", \"crashed\": 0, \"batch_s\": 1}\n"
                  "{\"device\": \"V100\", \"batch_ms\": 33372.5, \"memory_bytes\": 24969541952, "
                  "\"cost\": null, \"group\": \"\", \"crashed\": 0, \"batch_s\": 1}\n");
}

/* HTML is read in one piece: it keeps the columns with one value. */
static void html_is_for_people(void **state)
{
    (void)state;
    struct error error;
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    struct table *table = human_example("V100", 0);
    assert_int_equal(table_print_html(table, file, &error), STATUS_OK);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(
        text, "<table>\n<thead><tr><th scope=\"col\">device</th><th scope=\"col\">batch</th>"
              "<th scope=\"col\">memory</th></tr></thead>\n<tbody>\n"
              "<tr><td>V100</td><td class=\"number\">1.2 us</td><td class=\"number\">512 "
              "B</td></tr>\n"
              "<tr><td>V100</td><td class=\"number\">33.4 s</td><td class=\"number\">23.3 "
              "GiB</td></tr>\n</tbody>\n</table>\n");
    free(text);
    table_free(table);
}

/* A few rows that are too wide become lines; more stay rows. */
static void wide_tables_are_turned(void **state)
{
    (void)state;
    static const struct table_column own[] = {{.name = "name"}, {.name = "seconds"}, {.name = "x"}};
    char wide[90], wanted[600];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    for (int rows = 2; rows <= 4; rows += 2) {
        struct table *table = create(own, 3);
        for (int row = 0; row < rows; row++) {
            table_string(table, row ? "n" : wide);
            table_integer(table, 12);
            table_integer(table, row);
        }
        if (rows == 2)
            snprintf(wanted, sizeof wanted,
                     "name     %s  n\nseconds  %-89s  12\nx        %-89s  1\n", wide, "12", "0");
        else
            snprintf(wanted, sizeof wanted,
                     "%-89s  seconds  x\n%s       12  0\n%-89s       12  1\n%-89s       12  2\n"
                     "%-89s       12  3\n",
                     "name", wide, "n", "n", "n");
        assert_prints(table, TABLE_TEXT, wanted);
    }
}

/* Spare columns are left out, the largest number first, until the table fits, and named. */
static void spare_columns_are_left_out(void **state)
{
    (void)state;
    static const struct table_column own[] = {{.name = "a"},
                                              {.name = "b", .spare = 1},
                                              {.name = "c", .spare = 1, .title = "sea"},
                                              {.name = "d", .spare = 2},
                                              {.name = "e"}};
    char text[61], wanted[1200];
    memset(text, 't', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct table *table = create(own, 5);
    for (int row = 0; row < 4; row++) {
        table_string(table, text);
        table_integer(table, 12);
        table_string(table, text + 40);
        table_string(table, text + 41);
        table_integer(table, row);
    }
    snprintf(wanted, sizeof wanted,
             "%-60s   b  %-20s  e\n%s  12  %s  0\n%s  12  %s  1\n%s  12  %s  2\n%s  12  %s  3\n"
             "not shown: d (-o csv has all)\n",
             "a", "sea", text, text + 40, text, text + 40, text, text + 40, text, text + 40);
    assert_prints(table, TABLE_TEXT, wanted);
}

/* Long texts: cut in the middle where the column says so, wrapped in the last column. Nothing
 * stands behind the last text of a line. */
static void long_texts(void **state)
{
    (void)state;
    static const struct table_column own[] = {
        {.name = "name", .width = 11}, {.name = "n"}, {.name = "help"}};
    struct table *table = create(own, 3);
    table_string(table, "/encod\xC3\xA9r/layer.11/Gelu");
    table_integer(table, 3);
    table_string(table,
                 "batch_size=12,pass=train,optimizer=sgd,precision=fp32,inputs=66,outputs=2249,"
                 "activation=tanh and the rest");
    table_string(table, "12345678901");
    table_integer(table, 4);
    table_string(table, "");
    assert_prints(table, TABLE_TEXT,
                  "name         n  help\n"
                  "/enc...Gelu  3  batch_size=12,pass=train,optimizer=sgd,precision=fp32,inputs=66,"
                  "outputs=2249,\n"
                  "                activation=tanh and the rest\n"
                  "12345678901  4\n");
}

static void csv_is_quoted(void **state)
{
    (void)state;
    assert_prints(example(), TABLE_CSV,
                  "name,median_ms,rows,r2\n"
                  "\"conv, \"\"2d\"\"\",1.23456789,-9007199254740993,0.987\n"
                  "x,,7,\n");
    struct table *table = create(columns, 1);
    table_string(table, "two\nlines");
    table_string(table, "carriage\rreturn");
    assert_prints(table, TABLE_CSV, "name\n\"two\nlines\"\n\"carriage\rreturn\"\n");
}

static void json_forms(void **state)
{
    (void)state;
    assert_prints(example(), TABLE_JSON,
                  "{\"rows\": [{\"name\": \"conv, \\\"2d\\\"\", \"median_ms\": 1.23456789, "
                  "\"rows\": -9007199254740993, \"r2\": 0.987}, {\"name\": \"x\", \"median_ms\": "
                  "null, \"rows\": 7, \"r2\": null}]}\n");
    assert_prints(example(), TABLE_JSONL,
                  "{\"name\": \"conv, \\\"2d\\\"\", \"median_ms\": 1.23456789, \"rows\": "
                  "-9007199254740993, \"r2\": 0.987}\n{\"name\": \"x\", \"median_ms\": null, "
                  "\"rows\": 7, \"r2\": null}\n");
}

static void empty_tables(void **state)
{
    (void)state;
    assert_prints(create(columns, 2), TABLE_TEXT, "name  median_ms\n");
    assert_prints(create(columns, 2), TABLE_CSV, "name,median_ms\n");
    assert_prints(create(columns, 2), TABLE_JSON, "{\"rows\": []}\n");
    assert_prints(create(columns, 2), TABLE_JSONL, "");
    table_free(NULL);
}

static void many_rows_grow(void **state)
{
    (void)state;
    struct table *table = create(columns, 1);
    char wanted[8192];
    size_t used = (size_t)snprintf(wanted, sizeof wanted, "name\n");
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        table_string(table, name); // copied: `name` is overwritten
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s\n", name);
    }
    assert_prints(table, TABLE_CSV, wanted);
}

static void formats_have_names(void **state)
{
    (void)state;
    assert_int_equal(choice_find(&choice_table_format, "table"), TABLE_TEXT);
    assert_int_equal(choice_find(&choice_table_format, "csv"), TABLE_CSV);
    assert_int_equal(choice_find(&choice_table_format, "json"), TABLE_JSON);
    assert_int_equal(choice_find(&choice_table_format, "jsonl"), TABLE_JSONL);
    assert_int_equal(choice_table_format.count, 4);
}

struct document {
    FILE *file;
    char *text;
    size_t size;
    struct json json;
};

static void begin(struct document *document)
{
    document->file = open_memstream(&document->text, &document->size);
    assert_non_null(document->file);
    json_begin(&document->json, document->file);
}

static void assert_document(struct document *document, const char *wanted)
{
    json_end(&document->json);
    assert_int_equal(fclose(document->file), 0);
    assert_string_equal(document->text, wanted);
    free(document->text);
}

static void json_nests(void **state)
{
    (void)state;
    struct document document;
    begin(&document);
    struct json *json = &document.json;
    json_open(json, NULL, '{');
    json_bool(json, "yes", true);
    json_open(json, "list", '[');
    json_bool(json, NULL, false);
    json_integer(json, NULL, INT64_MIN);
    json_open(json, NULL, '{');
    json_close(json, '}');
    json_close(json, ']');
    json_string(json, "last", "");
    json_close(json, '}');
    assert_document(&document,
                    "{\"yes\": true, \"list\": [false, -9223372036854775808, {}], \"last\": "
                    "\"\"}\n");
}

/* The shortest of 15, 16, 17 digits that reads back. */
static void json_numbers_read_back(void **state)
{
    (void)state;
    static const double values[] = {0.1, 1.0 / 3, 1e300, 5e-324, 123456789012345678.0, -0.0, 2};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct document document;
        begin(&document);
        json_number(&document.json, NULL, values[i]);
        json_end(&document.json);
        assert_int_equal(fclose(document.file), 0);
        assert_true(strtod(document.text, NULL) == values[i]);
        free(document.text);
    }
    struct document document;
    begin(&document);
    json_open(&document.json, NULL, '[');
    json_number(&document.json, NULL, 0.1);
    json_number(&document.json, NULL, NAN);
    json_number(&document.json, NULL, INFINITY);
    json_close(&document.json, ']');
    assert_document(&document, "[0.1, null, null]\n");
}

static void assert_string(const char *text, const char *wanted)
{
    struct document document;
    begin(&document);
    json_string(&document.json, NULL, text);
    assert_document(&document, wanted);
}

#define REPLACEMENT "\xEF\xBF\xBD"
static void json_strings_are_escaped(void **state)
{
    (void)state;
    assert_string("a\"b\\c\n\t\x01", "\"a\\\"b\\\\c\\u000a\\u0009\\u0001\"\n");
    assert_string("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
                  "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"\n");
}

static void invalid_utf8_is_replaced(void **state)
{
    (void)state;
    assert_string("a\xFFz", "\"a" REPLACEMENT "z\"\n");
    assert_string("\xC3", "\"" REPLACEMENT "\"\n");                 // cut short
    assert_string("\xC0\xAF", "\"" REPLACEMENT REPLACEMENT "\"\n"); // overlong '/'
    assert_string("\xE0\x80\xAF", "\"" REPLACEMENT REPLACEMENT REPLACEMENT "\"\n");
    assert_string("\xED\xA0\x80", "\"" REPLACEMENT REPLACEMENT REPLACEMENT "\"\n"); // surrogate
    assert_string("\xF0\x8F\xBF\xBF", "\"" REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT "\"\n");
    assert_string("\xF4\x90\x80\x80", // above U+10FFFF
                  "\"" REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT "\"\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_aligned),
        cmocka_unit_test(text_is_for_people),
        cmocka_unit_test(csv_and_json_stay_raw),
        cmocka_unit_test(html_is_for_people),
        cmocka_unit_test(wide_tables_are_turned),
        cmocka_unit_test(spare_columns_are_left_out),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(csv_is_quoted),
        cmocka_unit_test(json_forms),
        cmocka_unit_test(empty_tables),
        cmocka_unit_test(many_rows_grow),
        cmocka_unit_test(formats_have_names),
        cmocka_unit_test(json_nests),
        cmocka_unit_test(json_numbers_read_back),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(invalid_utf8_is_replaced),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
