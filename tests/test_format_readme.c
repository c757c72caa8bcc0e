/* datasets/README.md lists every attribute and column as the tables of the program have them: name,
 * type, unit, help. */
#include "base/mapped_file.h"
#include "data/dataset_internal.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *readme;

static int load_readme(void **state)
{
    (void)state;
    struct mapped_file file;
    if (mapped_file_open(&file, SOURCE_DIR "/datasets/README.md", NULL) != STATUS_OK)
        return -1;
    readme = strndup(file.bytes, file.size);
    mapped_file_close(&file);
    return readme ? 0 : -1;
}

static int free_readme(void **state)
{
    (void)state;
    free(readme);
    return 0;
}

/* The text under a heading, up to the next one. The caller frees. */
static char *section(const char *heading)
{
    char line[128];
    snprintf(line, sizeof line, "\n### %s\n", heading);
    const char *start = strstr(readme, line);
    if (!start)
        fail_msg("no heading '%s'", heading);
    start += strlen(line);
    const char *end = strstr(start, "\n#");
    return strndup(start, end ? (size_t)(end - start) : strlen(start));
}

static size_t count_rows(const char *text)
{
    size_t count = 0;
    for (; (text = strstr(text, "\n| `")); text++)
        count++;
    return count;
}

static const char *type_name(char text[32], const struct field *field)
{
    static const char *const names[] = {[FIELD_INT32] = "int32",
                                        [FIELD_INT64] = "int64",
                                        [FIELD_DOUBLE] = "double",
                                        [FIELD_CHOICE] = "enum"};
    if (field->type == FIELD_TEXT)
        snprintf(text, 32, "text[%zu]", field->size);
    else
        snprintf(text, 32, "%s", names[field->type]);
    return text;
}

static void check_columns(const char *heading, const struct field *fields, int count)
{
    char *text = section(heading);
    for (int i = 0; i < count; i++) {
        char line[512], type[32];
        snprintf(line, sizeof line, "\n| `%s` | %s | %s | %s |\n", fields[i].name,
                 type_name(type, &fields[i]), fields[i].unit, fields[i].help);
        if (!strstr(text, line))
            fail_msg("section '%s' lacks the line:%s", heading, line);
    }
    assert_int_equal(count_rows(text), count);
    free(text);
}

static void columns(void **state)
{
    (void)state;
    check_columns("`/devices/rows`", device_fields, device_field_count);
    check_columns("`/canary/rows`", canary_fields, canary_field_count);
    check_columns("`/<kind>/rows`: measurements", measurement_fields, measurement_field_count);
    struct field fields[SCHEMA_FIELD_LIMIT];
    schema_row_fields(fields, LAYER_DENSE);
    check_columns("`/<kind>/rows`: features", fields, COMMON_FEATURE_COUNT);
}

static void root_attributes(void **state)
{
    (void)state;
    static const char *const words[] = {"format_version", "growing", "seed", "schema_hash_<kind>"};
    char *text = section("Root attributes"), line[128];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        snprintf(line, sizeof line, "\n| `%s` | uint64 | ", words[i]);
        if (!strstr(text, line))
            fail_msg("no line %s", line);
    }
    for (int i = 0; i < header_text_count; i++) {
        snprintf(line, sizeof line, "\n| `%s` | text | ", header_texts[i].name);
        if (!strstr(text, line))
            fail_msg("no line %s", line);
    }
    snprintf(line, sizeof line, "\n| `format` | text | `%s` |\n", SCHEMA_FORMAT_NAME);
    assert_non_null(strstr(text, line));
    snprintf(line, sizeof line, "\n| `format_version` | uint64 | %d |\n", SCHEMA_VERSION);
    assert_non_null(strstr(text, line));
    assert_int_equal(count_rows(text),
                     1 + sizeof words / sizeof *words + (size_t)header_text_count);
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(root_attributes),
    };
    return RUN_TESTS(argc, argv, tests, load_readme, free_readme);
}
