/* The CSV reader: what it accepts, and that every refusal names file and line. */
#include "base/csv.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct csv begin(const char *text)
{
    struct csv csv;
    csv_begin(&csv, "t.csv", text, strlen(text));
    return csv;
}

static void next_record(struct csv *csv)
{
    struct error error;
    bool more;
    if (csv_next(csv, &more, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_true(more);
}

static void assert_ended(struct csv *csv)
{
    struct error error;
    bool more = true;
    assert_int_equal(csv_next(csv, &more, &error), STATUS_OK);
    assert_false(more);
}

static void assert_refused(const char *text, size_t size, const char *message)
{
    struct csv csv;
    struct error error;
    bool more = true;
    csv_begin(&csv, "t.csv", text, size);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && more)
        status = csv_next(&csv, &more, &error);
    assert_int_equal(status, STATUS_BAD_FILE);
    if (!strstr(error.message, message))
        fail_msg("'%s' lacks '%s'", error.message, message);
}

static void fields_are_split(void **state)
{
    (void)state;
    struct csv csv = begin("name,layer,\n1,,3\r\nlast");
    next_record(&csv);
    assert_int_equal(csv.line, 1);
    assert_int_equal(csv.field_count, 3);
    assert_string_equal(csv.field[0], "name");
    assert_string_equal(csv.field[2], "");
    next_record(&csv);
    assert_int_equal(csv.line, 2);
    assert_int_equal(csv.field_count, 3);
    assert_string_equal(csv.field[1], "");
    assert_string_equal(csv.field[2], "3"); // no CR
    next_record(&csv);
    assert_int_equal(csv.field_count, 1);
    assert_string_equal(csv.field[0], "last"); // no line end
    assert_ended(&csv);
    assert_ended(&csv);
}

static void quotes_protect(void **state)
{
    (void)state;
    struct csv csv = begin("\"a,b\",\"say \"\"no\"\"\",\"\",x\"y\n\"end\"");
    next_record(&csv);
    assert_int_equal(csv.field_count, 4);
    assert_string_equal(csv.field[0], "a,b");
    assert_string_equal(csv.field[1], "say \"no\"");
    assert_string_equal(csv.field[2], "");
    assert_string_equal(csv.field[3], "x\"y"); // a quote inside a bare field is a letter
    next_record(&csv);
    assert_int_equal(csv.field_count, 1);
    assert_string_equal(csv.field[0], "end");
}

static void comments_and_empty_lines_are_skipped(void **state)
{
    (void)state;
    struct csv csv = begin("# from where\n\n\r\na,#b\n\n");
    next_record(&csv);
    assert_int_equal(csv.line, 4);
    assert_int_equal(csv.field_count, 2);
    assert_string_equal(csv.field[1], "#b");
    assert_ended(&csv);
    csv = begin("");
    assert_ended(&csv);
}

static void quotes_must_close(void **state)
{
    (void)state;
    static const char open[] = "a,b\n1,\"open\n", after[] = "\"a\"b,c\n", escaped[] = "\"a\"\"";
    assert_refused(open, sizeof open - 1, "t.csv:2: a quote is never closed");
    assert_refused(after, sizeof after - 1, "t.csv:1: text follows a closing quote");
    assert_refused(escaped, sizeof escaped - 1, "t.csv:1: a quote is never closed");
}

static void zero_bytes_are_refused(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,\0002\n";
    assert_refused(text, sizeof text - 1, "t.csv:2: line holds a zero byte");
}

static void long_lines_are_refused(void **state)
{
    (void)state;
    static char text[CSV_LINE_LIMIT + 3];
    memset(text, 'a', sizeof text);
    text[CSV_LINE_LIMIT] = '\n';
    assert_refused(text, CSV_LINE_LIMIT + 1, "t.csv:1: line is longer than 65535 bytes");
    text[CSV_LINE_LIMIT - 1] = '\n'; // the longest that fits
    struct csv csv;
    csv_begin(&csv, "t.csv", text, CSV_LINE_LIMIT);
    next_record(&csv);
    assert_int_equal(strlen(csv.field[0]), CSV_LINE_LIMIT - 1);
}

static void too_many_columns_are_refused(void **state)
{
    (void)state;
    char text[CSV_FIELD_LIMIT + 1];
    memset(text, ',', sizeof text);
    assert_refused(text, CSV_FIELD_LIMIT, "t.csv:1: more than 128 columns");
    struct csv csv;
    csv_begin(&csv, "t.csv", text, CSV_FIELD_LIMIT - 1);
    next_record(&csv);
    assert_int_equal(csv.field_count, CSV_FIELD_LIMIT);
}

/* The reader never looks past the end: ASan watches the exact allocation. */
static void memory_needs_no_terminator(void **state)
{
    (void)state;
    static const char text[] = {'1', ',', '"', '2', '"'};
    char *bytes = malloc(sizeof text);
    assert_non_null(bytes);
    memcpy(bytes, text, sizeof text);
    struct csv csv;
    csv_begin(&csv, "t.csv", bytes, sizeof text);
    next_record(&csv);
    assert_string_equal(csv.field[1], "2");
    assert_ended(&csv);
    free(bytes);
}

static void numbers_are_read(void **state)
{
    (void)state;
    struct csv csv = begin("1.5e-3,-7,2147483647,-2147483648");
    struct error error;
    double number;
    int integer;
    next_record(&csv);
    assert_int_equal(csv_number(&csv, 0, "time", &number, &error), STATUS_OK);
    assert_true(number == 1.5e-3);
    assert_int_equal(csv_number(&csv, 1, "time", &number, &error), STATUS_OK);
    assert_true(number == -7);
    assert_int_equal(csv_integer(&csv, 1, "size", &integer, &error), STATUS_OK);
    assert_int_equal(integer, -7);
    assert_int_equal(csv_integer(&csv, 2, "size", &integer, &error), STATUS_OK);
    assert_int_equal(integer, INT32_MAX);
    assert_int_equal(csv_integer(&csv, 3, "size", &integer, &error), STATUS_OK);
    assert_int_equal(integer, INT32_MIN);
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const numbers[] = {"x,1",   "1x", "nan",   "inf",  "-inf",
                                          "1e999", ",1", "1 000", "1.2.3"};
    static const char *const integers[] = {
        "1.5", "2147483648", "-2147483649", "9999999999999999999", "x", "1x", ",1", "1e3"};
    struct error error;
    double number;
    int integer;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct csv csv = begin(numbers[i]);
        next_record(&csv);
        assert_int_equal(csv_number(&csv, 0, "time_ms", &number, &error), STATUS_BAD_FILE);
        assert_non_null(strstr(error.message, "t.csv:1: column 'time_ms'"));
    }
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        struct csv csv = begin(integers[i]);
        next_record(&csv);
        assert_int_equal(csv_integer(&csv, 0, "batch_size", &integer, &error), STATUS_BAD_FILE);
        assert_non_null(strstr(error.message, "t.csv:1: column 'batch_size'"));
    }
}

static void missing_fields_are_refused(void **state)
{
    (void)state;
    struct csv csv = begin("1,2");
    struct error error;
    double number;
    int integer;
    next_record(&csv);
    assert_int_equal(csv_number(&csv, 2, "time_ms", &number, &error), STATUS_BAD_FILE);
    assert_int_equal(csv_integer(&csv, 100, "stride", &integer, &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "stride"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_split),
        cmocka_unit_test(quotes_protect),
        cmocka_unit_test(comments_and_empty_lines_are_skipped),
        cmocka_unit_test(quotes_must_close),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(long_lines_are_refused),
        cmocka_unit_test(too_many_columns_are_refused),
        cmocka_unit_test(memory_needs_no_terminator),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(missing_fields_are_refused),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
