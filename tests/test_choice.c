/* Names of enumerations, the nearest name, errors and allocation. */
#include "base/choice.h"
#include "base/error.h"
#include "base/text.h"
#include "test.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CHOICE_POINTER(tag, LIST) &choice_##tag,
static const struct choice *const choices[] = {CHOICE_LISTS(CHOICE_POINTER)};

static void names_and_values_are_inverse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        assert_true(choices[i]->count > 0);
        for (int value = 0; value < choices[i]->count; value++) {
            const char *name = choice_name(choices[i], value);
            assert_true(strlen(name) > 0);
            assert_int_equal(choice_find(choices[i], name), value);
        }
    }
}

/* Stored files hold these numbers: a list may only grow at its end. */
static void values_are_append_only(void **state)
{
    (void)state;
    assert_string_equal(choice_name(&choice_pass, 1), "train");
    assert_string_equal(choice_name(&choice_optimizer, 6), "adam");
    assert_string_equal(choice_name(&choice_activation, 3), "sigmoid");
    assert_string_equal(choice_name(&choice_precision, 3), "bf16");
    assert_string_equal(choice_name(&choice_outcome, 7), "crashed");
    assert_string_equal(choice_name(&choice_stratum, 3), "imported");
    assert_string_equal(choice_name(&choice_split, 2), "validation");
}

static void unknown_names_and_values(void **state)
{
    (void)state;
    assert_int_equal(choice_find(&choice_optimizer, "Adam"), -1);
    assert_int_equal(choice_find(&choice_optimizer, ""), -1);
    assert_int_equal(choice_find(&choice_optimizer, "adams"), -1);
    assert_string_equal(choice_name(&choice_optimizer, -1), "?");
    assert_string_equal(choice_name(&choice_optimizer, OPTIMIZER_COUNT), "?");
    assert_string_equal(choice_name(&choice_optimizer, INT_MIN), "?");
}

static void nearest_name_is_found(void **state)
{
    (void)state;
    static const char *const options[] = {"--samples", "--seed", "--set", "--layer"};
    assert_string_equal(nearest_name(options, 4, "--smples"), "--samples");
    assert_string_equal(nearest_name(options, 4, "--sede"), "--seed");
    assert_string_equal(nearest_name(options, 4, "--set"), "--set");
    assert_null(nearest_name(options, 4, "--completely-other"));
    assert_null(nearest_name(options, 4, "xyz"));
    assert_null(nearest_name(options, 4, ""));
    assert_null(nearest_name(options, 0, "--set"));
    static const char *const networks[] = {"vgg11", "vgg16", "resnet50"};
    assert_string_equal(nearest_name(networks, 3, "VGG16"), "vgg16"); // case is no mistake
    assert_string_equal(nearest_name(networks, 3, "vgg61"), "vgg16"); // a swap before a change
    assert_string_equal(nearest_name(networks, 3, "ResNet-50"), "resnet50");
}

/* An item is never cut: where it does not fit, "..." ends the list. */
static void lists_end_between_items(void **state)
{
    (void)state;
    char text[24] = "";
    text_list_add(text, sizeof text, ", ", "%s", "conv2d");
    assert_string_equal(text, "conv2d");
    text_list_add(text, sizeof text, ", ", "%s x%d", "dense", 3);
    assert_string_equal(text, "conv2d, dense x3");
    text_list_add(text, sizeof text, ", ", "%s", "addition");
    assert_string_equal(text, "conv2d, dense x3, ...");
    text_list_add(text, sizeof text, ", ", "%s", "a"); /* not behind the one that is missing */
    assert_string_equal(text, "conv2d, dense x3, ...");
    for (size_t size = 8; size <= sizeof text; size++) {
        text[0] = '\0';
        for (int i = 0; i < 9; i++)
            text_list_add(text, size, ", ", "item%d", i);
        assert_true(strlen(text) < size);
        assert_string_equal(text + strlen(text) - 3, "...");
    }
}

static void unknown_values_list_what_is_known(void **state)
{
    (void)state;
    struct error error;
    int32_t value;
    assert_int_equal(choice_read(&value, &choice_optimizer, "--optimizer", "adam", &error),
                     STATUS_OK);
    assert_int_equal(value, OPTIMIZER_ADAM);
    assert_int_equal(choice_read(&value, &choice_pass, "--pass", "inference", &error),
                     STATUS_USAGE);
    assert_string_equal(error.message, "--pass: unknown value 'inference'");
    assert_string_equal(error.hint, "one of forward, train");
    assert_int_equal(choice_read(&value, &choice_pass, "--pass", "Forwrad", &error), STATUS_USAGE);
    assert_string_equal(error.hint, "did you mean 'forward'? one of forward, train");
}

static void long_texts_have_no_nearest_name(void **state)
{
    (void)state;
    char text[5001];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    const char *const names[] = {text, "aa"};
    assert_null(nearest_name(names, 2, text));
    assert_string_equal(nearest_name(names, 2, "ab"), "aa"); // skips the long name
}

static void error_tells_what_and_where(void **state)
{
    (void)state;
    struct error error;
    memset(&error, 'x', sizeof error); // a stale hint must not survive
    assert_int_equal(FAIL(&error, STATUS_BAD_FILE, "cannot open '%s'", "x.h5"), STATUS_BAD_FILE);
    assert_int_equal(error.status, STATUS_BAD_FILE);
    assert_string_equal(error.message, "cannot open 'x.h5'");
    assert_string_equal(error.hint, "");
    assert_non_null(strstr(error.file, "test_choice.c"));
    assert_true(error.line > 0);
    assert_int_equal(HINT(&error, STATUS_BAD_FILE, "look in %s", "/tmp"), STATUS_BAD_FILE);
    assert_string_equal(error.hint, "look in /tmp");
    assert_string_equal(error.message, "cannot open 'x.h5'");
}

static void error_may_be_absent(void **state)
{
    (void)state;
    assert_int_equal(FAIL(NULL, STATUS_USAGE, "nobody reads this"), STATUS_USAGE);
    assert_int_equal(HINT(NULL, STATUS_USAGE, "nor this"), STATUS_USAGE);
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    struct error error;
    FAIL(&error, STATUS_FAILED, "%s", text);
    error_hint(&error, "%s", text);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    assert_int_equal(strlen(error.hint), sizeof error.hint - 1);
}

static enum status give(enum status status, int *calls)
{
    ++*calls;
    return status;
}

static enum status try_twice(enum status first, int *calls)
{
    TRY(give(first, calls));
    return give(STATUS_OK, calls);
}

static void try_leaves_at_the_first_failure(void **state)
{
    (void)state;
    int calls = 0;
    assert_int_equal(try_twice(STATUS_NO_DEVICE, &calls), STATUS_NO_DEVICE);
    assert_int_equal(calls, 1);
    assert_int_equal(try_twice(STATUS_OK, &calls), STATUS_OK);
    assert_int_equal(calls, 3);
}

static void allocated_memory_is_zero(void **state)
{
    (void)state;
    struct error error;
    int *values;
    assert_int_equal(error_allocate((void **)&values, 100, sizeof *values, "values", &error),
                     STATUS_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(values[i], 0);
    free(values);
    assert_int_equal(error_allocate((void **)&values, 0, sizeof *values, "none", &error),
                     STATUS_OK);
    assert_non_null(values);
    values[0] = 1; // one element in any case
    free(values);
}

static void impossible_allocations_are_errors(void **state)
{
    (void)state;
    struct error error;
    void *memory = &error;
    assert_int_equal(error_allocate(&memory, ULONG_MAX / 4, 8, "rows", &error), STATUS_FAILED);
    assert_null(memory);
    assert_non_null(strstr(error.message, "rows"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_inverse),
        cmocka_unit_test(values_are_append_only),
        cmocka_unit_test(unknown_names_and_values),
        cmocka_unit_test(nearest_name_is_found),
        cmocka_unit_test(lists_end_between_items),
        cmocka_unit_test(unknown_values_list_what_is_known),
        cmocka_unit_test(long_texts_have_no_nearest_name),
        cmocka_unit_test(error_tells_what_and_where),
        cmocka_unit_test(error_may_be_absent),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(try_leaves_at_the_first_failure),
        cmocka_unit_test(allocated_memory_is_zero),
        cmocka_unit_test(impossible_allocations_are_errors),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
