/* Encoded rows, printed for learners elsewhere. */
#include "data/split.h"
#include "layers/encode_plan.h"
#include "predictors/encoded_rows.h"
#include "predictors/row_selection.h"
#include "synthetic_rows.h"
#include "test.h"

/* A config's row with steps, on the device of the rows. */
struct row {
    struct encode_plan plan;
    const char *names[ENCODE_COLUMN_LIMIT];
    float values[ENCODE_COLUMN_LIMIT];
};

static void row_encode(struct row *row, const struct layer_config *config,
                       const struct device_info *device)
{
    const struct encode_layout layout = {
        .encoding = ENCODING_PHYSICAL, .kind = config->kind, .with_steps = true};
    const struct encode_hardware hardware = hardware_of(device);
    encode_plan_whole(&row->plan, &layout);
    encode_plan_names(row->names, &row->plan);
    assert_true(encode_plan_row(row->values, &row->plan, config, &hardware, NULL));
}

/* The next field, without its comma. */
static const char *field_of(char **rest)
{
    return strsep(rest, ",\n");
}

static void assert_encoded_row(char *line, const struct measurement *row, const struct row *encoded)
{
    char *rest = line;
    assert_string_equal(field_of(&rest), choice_name(&choice_split, (int)split_of(&row->config)));
    assert_string_equal(field_of(&rest), "one");
    assert_true(strtod(field_of(&rest), NULL) == row->median_ms);
    for (int i = 0; i < encoded->plan.count; i++)
        assert_true(strtof(field_of(&rest), NULL) == encoded->values[i]);
    assert_null(rest);
}

/* Rows without a time are left out, and those of other kinds. */
static void encoded_rows_are_those_of_the_nets(void **state)
{
    (void)state;
    static const enum layer_kind kinds[] = {LAYER_CONV2D, LAYER_DENSE};
    const struct device_info device = synthetic_device("one", 50, 5);
    struct dataset_rows rows;
    struct error error;
    struct row encoded;
    char *text = NULL, *line;
    size_t size, written = 0;
    synthetic_rows_create(&rows, 1200, kinds, 2, &device, 1, 0.05);
    rows.rows[2].outcome = OUTCOME_OUT_OF_MEMORY;
    FILE *file = open_memstream(&text, &size);
    assert_int_equal(encoded_rows_write(file, &rows, LAYER_CONV2D, &error), STATUS_OK);
    fclose(file);
    char *rest = text, *head = strsep(&rest, "\n");
    row_encode(&encoded, &rows.rows[0].config, &device);
    assert_string_equal(field_of(&head), "split");
    assert_string_equal(field_of(&head), "device");
    assert_string_equal(field_of(&head), "median_ms");
    for (int i = 0; i < encoded.plan.count; i++)
        assert_string_equal(field_of(&head), encoded.names[i]);
    assert_null(head);
    for (size_t i = 0; i < rows.count; i += 2) {
        if (i == 2)
            continue;
        line = strsep(&rest, "\n");
        row_encode(&encoded, &rows.rows[i].config, &device);
        assert_encoded_row(line, &rows.rows[i], &encoded);
        written++;
    }
    assert_int_equal(written, 599);
    assert_string_equal(rest, "");
    assert_int_equal(encoded_rows_write(stdout, &rows, LAYER_POOL2D, &error), STATUS_FAILED);
    assert_string_equal(error.message, "no row of pool2d has a time");
    free(text);
    synthetic_rows_free(&rows);
}

/* Few rows are all learnt from but those for validation: they have steps as the nets' rows do. */
static void folds_count_test_rows(void **state)
{
    (void)state;
    static const enum layer_kind kinds[] = {LAYER_DENSE};
    const struct device_info device = synthetic_device("one", 50, 5);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 1200, kinds, 1, &device, 1, 0.05);
    size_t train = 0, learnt = 0;
    for (rows.count = 0; learnt < (size_t)mlp_options_standard.step_rows; rows.count++) {
        const enum split split = split_of(&rows.rows[rows.count].config);
        train += split == SPLIT_TRAIN;
        learnt += split != SPLIT_VALIDATION;
    }
    assert_true(train < (size_t)mlp_options_standard.step_rows);
    for (int has_steps = 1; has_steps >= 0; has_steps--, rows.count--) {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        assert_int_equal(encoded_rows_write(file, &rows, LAYER_DENSE, NULL), STATUS_OK);
        fclose(file);
        struct row encoded;
        row_encode(&encoded, &rows.rows[0].config, &device);
        int columns = -2; /* after split, device and time */
        for (const char *at = text; *at != '\n'; at++)
            columns += *at == ',';
        assert_int_equal(columns == encoded.plan.count, has_steps);
        free(text);
    }
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(encoded_rows_are_those_of_the_nets),
                                       cmocka_unit_test(folds_count_test_rows)};
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
