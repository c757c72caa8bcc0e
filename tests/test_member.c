/* Options as a table: parsed, bounded, printed. */
#include "predictors/mlp_options.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum status set(struct mlp_options *options, const char *name, const char *text,
                       struct error *error)
{
    return members_parse(options, mlp_option_table, MLP_OPTION_COUNT, name, text, error);
}

static void options_are_set_by_name(void **state)
{
    (void)state;
    struct mlp_options options = mlp_options_standard;
    assert_int_equal(set(&options, "ensemble", "5", NULL), STATUS_OK);
    assert_int_equal(set(&options, "learning_rate", "0.25", NULL), STATUS_OK);
    assert_int_equal(set(&options, "schedule", "halving", NULL), STATUS_OK);
    assert_int_equal(set(&options, "hidden", "64,32", NULL), STATUS_OK);
    assert_int_equal(set(&options, "seed", "7", NULL), STATUS_OK);
    assert_int_equal(set(&options, "fine_tune", "V100", NULL), STATUS_OK);
    assert_int_equal(options.ensemble, 5);
    assert_true(options.train.learning_rate == 0.25f && options.seed == 7);
    assert_int_equal(options.train.schedule, SCHEDULE_HALVING);
    assert_true(options.hidden_count == 2 && options.hidden[0] == 64 && options.hidden[1] == 32);
    assert_string_equal(options.fine_tune, "V100");
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"ensemble", "0"},
        {"ensemble", "65"},
        {"ensemble", "2.5"},
        {"ensemble", "many"},
        {"ensemble", "3 "},
        {"learning_rate", "nan"},
        {"schedule", "fast"},
        {"hidden", "64,,32"},
        {"hidden", "64;32"},
        {"hidden", "0"},
        {"dropout", "1"},
        {"ensembles", "1"},
        {"hidden", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"},
        {"fine_tune", "a name of a device that is longer than sixty-three bytes in all, as it is"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mlp_options options = mlp_options_standard;
        struct error error = {0};
        assert_int_equal(set(&options, wrong[i][0], wrong[i][1], &error), STATUS_USAGE);
        assert_non_null(strstr(error.message, wrong[i][0]));
        assert_int_equal(options.ensemble, mlp_options_standard.ensemble);
        assert_int_equal(options.hidden_count, mlp_options_standard.hidden_count);
    }
}

static void wrong_choices_name_the_right_ones(void **state)
{
    (void)state;
    struct mlp_options options = mlp_options_standard;
    struct error error = {0};
    assert_int_equal(set(&options, "output", "sums", &error), STATUS_USAGE);
    assert_string_equal(error.message, "output = sums is none of relu, log, sum");
}

/* Printed values read back as the same values. */
static void options_survive_as_text(void **state)
{
    (void)state;
    for (int i = 0; i < MLP_OPTION_COUNT; i++) {
        struct mlp_options options = mlp_options_standard;
        char text[128], again[128];
        const struct member *option = &mlp_option_table[i];
        assert_non_null(option->help);
        member_text(text, sizeof text, &options, option);
        assert_int_equal(set(&options, option->name, text, NULL), STATUS_OK);
        member_text(again, sizeof again, &options, option);
        assert_string_equal(text, again);
    }
}

/* Every type's defaults lie within the bounds of its table. */
static void defaults_are_sound(void **state)
{
    (void)state;
    for (int i = 0; predictor_types[i]; i++) {
        struct fit_options *options;
        const struct fit_options *checked;
        assert_int_equal(fit_options_create(&options, predictor_types[i], NULL), STATUS_OK);
        assert_ptr_equal(options->type, predictor_types[i]);
        checked = options;
        assert_int_equal(fit_options_check(&checked, predictor_types[i], NULL), STATUS_OK);
        free(options);
    }
}

static void baselines_have_their_own_options(void **state)
{
    (void)state;
    struct error error = {0};
    struct fit_options *options;
    const struct predictor_type *type;
    assert_int_equal(predictor_choose(&type, "nearest", NULL), STATUS_OK);
    assert_int_equal(fit_options_create(&options, type, NULL), STATUS_OK);
    assert_int_equal(
        members_parse(options, type->options, type->option_count, "neighbours", "3", NULL),
        STATUS_OK);
    assert_int_equal(
        members_parse(options, type->options, type->option_count, "ensemble", "3", &error),
        STATUS_USAGE);
    assert_non_null(strstr(error.hint, "neighbours, choice_distance"));
    free(options);
    assert_int_equal(predictor_choose(&type, "nearst", &error), STATUS_USAGE);
    assert_non_null(strstr(error.hint, "ceilings"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_set_by_name),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(wrong_choices_name_the_right_ones),
        cmocka_unit_test(options_survive_as_text),
        cmocka_unit_test(defaults_are_sound),
        cmocka_unit_test(baselines_have_their_own_options),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
