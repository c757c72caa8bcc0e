/* Results of `verify -o json`, read back. */
#include "predictors/predictor.h"
#include "step/verification_file.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP "\"batch_size\": 4, \"pass\": \"train\", \"optimizer\": \"sgd\", \"predicted_ms\": 3"

static enum status parse(struct verification_file *file, const char *text, struct error *error)
{
    return verification_parse(file, "v.json", text, strlen(text), &choice_baseline, error);
}

static void a_result_reads_back(void **state)
{
    (void)state;
    struct verification_file file;
    struct error error;
    assert_int_equal(
        parse(&file,
              "{\"device\": \"gpu\", \"rows\": [{\"network\": \"net\", " STEP
              ", \"measured_ms\": 2.5, \"error_percent\": 20, \"sum_ms\": null, \"linear_ms\": 7,"
              " \"roofline_ms\": 1, \"roofline_error_percent\": -60, \"more\": [1, {}]},\n"
              "{" STEP ", \"measured_ms\": null}]}\n ",
              &error),
        STATUS_OK);
    assert_string_equal(file.device, "gpu");
    assert_int_equal(file.count, 2);
    assert_int_equal(file.baseline_count, 2);
    assert_string_equal(file.baselines[0], "roofline"); /* first, as verify has it */
    assert_string_equal(file.baselines[1], "linear");
    const struct verification_row *row = &file.rows[0];
    assert_string_equal(row->network, "net");
    assert_true(row->step.batch_size == 4 && row->step.pass == PASS_TRAIN &&
                row->step.optimizer == OPTIMIZER_SGD);
    assert_true(row->step.measured_ms == 2.5 && row->step.predicted_ms == 3);
    assert_true(row->step.baselines_ms[0] == 1 && row->step.baselines_ms[1] == 7);
    assert_true(row->baseline_error_percents[0] == -60 && isnan(row->baseline_error_percents[1]));
    assert_true(isnan(row->sum_ms) && !file.has_sum);
    assert_true(isnan(file.rows[1].step.measured_ms) && isnan(file.rows[1].step.baselines_ms[0]));
    verification_file_free(&file);
}

/* The times of --layers, by kind. */
static void kinds_of_layers(void **state)
{
    (void)state;
    struct verification_file file;
    struct error error;
    char text[4096] = "{\"rows\": [{" STEP ", \"kinds\": [";
    for (int i = 0; i < VERIFIED_KIND_LIMIT + 5; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "{\"layer\": \"%s\", \"layers\": %d, \"in_place_ms\": 2.5, "
                 "\"predicted_ms\": null}, ",
                 i == 1 ? "all" : "conv2d", i);
    snprintf(text + strlen(text), sizeof text - strlen(text), "{\"layers\": 1}]}]}");
    assert_int_equal(parse(&file, text, &error), STATUS_OK);
    const struct verified_step *step = &file.rows[0].step;
    assert_int_equal(step->kind_count, VERIFIED_KIND_LIMIT);
    assert_string_equal(step->kinds[1].name, "conv2d");
    assert_int_equal(step->kinds[1].layer_count, 2);
    assert_true(step->kinds[1].in_place_ms == 2.5 && isnan(step->kinds[1].predicted_ms) &&
                isnan(step->kinds[1].alone_ms));
    verification_file_free(&file);
    assert_int_equal(parse(&file,
                           "{\"rows\": [{" STEP ", \"kinds\": [{\"layer\": \"dense\", "
                           "\"layers\": -1}]}]}",
                           &error),
                     STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "layers is not a valid number"));
}

/* Its threads are part of what a person reads. */
static void a_devices_label_goes_before_its_name(void **state)
{
    (void)state;
    struct verification_file file;
    struct error error;
    assert_int_equal(parse(&file,
                           "{\"device\": \"AMD EPYC\", \"device_label\": \"AMD EPYC, 1 thread\", "
                           "\"rows\": [{\"network\": \"net\", " STEP "}]}",
                           &error),
                     STATUS_OK);
    assert_string_equal(file.device, "AMD EPYC, 1 thread");
    verification_file_free(&file);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    struct verification_file file;
    struct error error;
    char text[1024];
    snprintf(text, sizeof text, "{\"rows\": [{\"network\": \"%0500d\", " STEP "}]}", 0);
    assert_int_equal(parse(&file, text, &error), STATUS_OK);
    assert_int_equal(strlen(file.rows[0].network), VERIFICATION_NAME_SIZE - 1);
    assert_string_equal(file.device, "");
    verification_file_free(&file);
}

static void other_json_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "no JSON"},
        {"{", "no JSON"},
        {"{\"rows\": []} x", "byte 12: no JSON"},
        {"{\"rows\": [{\"a\": NaN}]}", "no JSON"},
        {"3", "must hold 1 to 4096 rows"},
        {"[]", "must hold 1 to 4096 rows"},
        {"{\"rows\": 3}", "must hold 1 to 4096 rows"},
        {"{\"rows\": []}", "must hold 1 to 4096 rows"},
        {"{\"rows\": [[]]}", "row 1: it is not an object"},
        {"{\"rows\": [{}]}", "row 1: batch_size is not a whole number"},
        {"{\"rows\": [{\"batch_size\": 0}]}", "batch_size is not a whole number"},
        {"{\"rows\": [{\"batch_size\": 1e99}]}", "batch_size is not a whole number"},
        {"{\"rows\": [{\"batch_size\": \"4\"}]}", "batch_size is not a whole number"},
        {"{\"rows\": [{\"batch_size\": 4}]}", "pass is missing or unknown"},
        {"{\"rows\": [{\"batch_size\": 4, \"pass\": 1}]}", "pass is missing or unknown"},
        {"{\"rows\": [{\"batch_size\": 4, \"pass\": \"train\", \"optimizer\": \"x\"}]}",
         "optimizer is missing or unknown"},
        {"{\"rows\": [{" STEP "}, {\"batch_size\": 4, \"pass\": \"train\", \"optimizer\": "
         "\"sgd\"}]}",
         "row 2: predicted_ms is missing"},
        {"{\"rows\": [{" STEP ", \"measured_ms\": -1}]}", "measured_ms is not a valid number"},
        {"{\"rows\": [{" STEP ", \"measured_ms\": 1e999}]}", "measured_ms is not a valid number"},
        {"{\"rows\": [{" STEP ", \"measured_ms\": \"fast\"}]}",
         "measured_ms is not a valid number"},
        {"{\"rows\": [{" STEP ", \"paleo_ms\": 3, \"paleo_error_percent\": []}]}",
         "paleo_error_percent is not a valid number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verification_file file;
        struct error error;
        assert_int_equal(parse(&file, cases[i].text, &error), STATUS_BAD_FILE);
        assert_null(file.rows);
        if (!strstr(error.message, cases[i].message) || !strstr(error.hint, "epochcast verify"))
            fail_msg("%s: '%s' does not say '%s'", cases[i].text, error.message, cases[i].message);
    }
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    struct verification_file file;
    struct error error;
    const size_t size = VERIFICATION_BYTE_LIMIT + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '[', size); /* nested: the parser must not follow it down */
    assert_int_equal(verification_parse(&file, "v.json", text, size, &choice_baseline, &error),
                     STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "bytes of JSON exceed"));
    assert_int_equal(verification_parse(&file, "v.json", text, size - 1, &choice_baseline, &error),
                     STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "no JSON"));
    size_t used = (size_t)snprintf(text, size, "{\"rows\": [{" STEP "}");
    for (int i = 0; i < VERIFICATION_ROW_LIMIT; i++)
        used += (size_t)snprintf(text + used, size - used, ", {" STEP "}");
    snprintf(text + used, size - used, "]}");
    assert_int_equal(parse(&file, text, &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "must hold 1 to 4096 rows"));
    free(text);
}

static void json_is_known_by_content_or_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        bool is_json;
    } cases[] = {{"a", " \n{}", true},
                 {"b.csv", "[1]", true},
                 {"c.json", "x", true},
                 {"d.csv", "name", false},
                 {"e", "", false}};
    char folder[] = "/tmp/test_verification.XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, cases[i].name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(cases[i].text, file);
        fclose(file);
        assert_int_equal(file_is_json(path), cases[i].is_json);
        remove(path);
    }
    assert_false(file_is_json(path));
    assert_int_equal(remove(folder), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_reads_back),
        cmocka_unit_test(a_devices_label_goes_before_its_name),
        cmocka_unit_test(kinds_of_layers),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(other_json_is_refused),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(json_is_known_by_content_or_name),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
