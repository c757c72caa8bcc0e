/* What is known of layers that nothing measured: ratios to the roofline, learnt, asked, stored. */
#include "dataset_files.h"
#include "facts_fixture.h"
#include "test.h"

/* 1 row in 4 takes 8 times its roofline, the others 2 times. */
static void bounds_are_ratios_of_the_family(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct bound_ratios ratios;
    create_rows(&rows, &device, 4000, 2);
    int seen[LAYER_KIND_COUNT][PASS_COUNT] = {{0}};
    for (size_t i = 0; i < rows.count; i++)
        if (seen[rows.rows[i].config.kind][rows.rows[i].config.pass]++ % 4 == 0)
            rows.rows[i].median_ms *= 4;
    assert_int_equal(bound_ratios_learn(&ratios, &rows, NULL, 0.9, NULL), STATUS_OK);
    for (int family = 0; family < WORK_FAMILY_COUNT; family++)
        for (int pass = 0; pass < PASS_COUNT; pass++) {
            const struct bound_ratio ratio = bound_ratio_of(&ratios, (enum work_family)family, pass,
                                                            1);
            if (fabs(ratio.middle - 2) > 1e-9 || fabs(ratio.high - 8) > 1e-9)
                fail_msg("%s, pass %d: %g, %g", choice_name(&choice_work_family, family), pass,
                         ratio.middle, ratio.high);
        }
    assert_true(isnan(bound_ratio_of(NULL, FAMILY_STREAM, PASS_TRAIN, 1).high));
    const struct device_info other = synthetic_device("two", 100, 10);
    assert_int_equal(bound_ratios_learn(&ratios, &rows, &other, 0.9, NULL), STATUS_OK);
    assert_true(isnan(bound_ratio_of(&ratios, FAMILY_STREAM, PASS_TRAIN, 1).high));
    synthetic_rows_free(&rows);
}

/* Rows from warm caches that beat the roofline do not move it. */
static void bounds_stay_bounds(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct bound_ratios ratios;
    create_rows(&rows, &device, 400, 0.5);
    assert_int_equal(bound_ratios_learn(&ratios, &rows, NULL, 0.9, NULL), STATUS_OK);
    const struct bound_ratio ratio = bound_ratio_of(&ratios, FAMILY_PRODUCT, PASS_TRAIN, 1);
    assert_true(ratio.middle == 1 && ratio.high == 1);
    synthetic_rows_free(&rows);
}

/* Only products take 3 times their roofline: so do the products that nothing measured. */
static void operators_take_the_ratio_of_their_family(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct operator_work work;
        double ratio;
    } cases[] = {
        {"relu", {.input_count = 1e6, .output_count = 1e6, .forward_flops = 1e6}, 1},
        {"concat", {.input_count = 1e6, .output_count = 1e6}, 1},
        {"other_conv", {.input_count = 1e6, .output_count = 1e6}, 1},
        {"matmul",
         {.input_count = 2e6,
          .output_count = 1e6,
          .kept_count = 3e6,
          .forward_flops = 1e9,
          .backward_flops = 2e9},
         3},
        {"lstm", {.input_count = 1e6, .output_count = 1e6, .forward_flops = 1e9}, 3},
        {"einsum", {.input_count = 1e6, .output_count = 1e6, .forward_flops = 1e9}, 3},
        {"conv_depthwise",
         {.input_count = 1e6,
          .output_count = 1e6,
          .kept_count = 2e6,
          .forward_flops = 1e7,
          .backward_flops = 2e7},
         5},
        {"quantized_conv", {.input_count = 1e6, .output_count = 1e6, .forward_flops = 1e7}, 5},
    };
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    create_rows(&rows, &device, 1200, 1);
    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].median_ms *= rows.rows[i].config.kind == LAYER_DENSE    ? 3
                                  : rows.rows[i].config.kind == LAYER_CONV2D ? 5
                                                                             : 1;
    struct predictor *predictor = fit_facts(&predictor_mlp, &rows);
    const struct forecast_options options = options_of(PASS_FORWARD, OPTIMIZER_NONE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network_layer layer = operator_called(cases[i].name, &cases[i].work);
        const struct network one = {.name = "one", .layers = &layer, .layer_count = 1};
        struct forecast forecast;
        assert_int_equal(forecast_network(&forecast, &one, predictor, &device, &options, NULL),
                         STATUS_OK);
        const struct cost cost = network_cost(&layer, 2, PASS_FORWARD, OPTIMIZER_NONE,
                                              PRECISION_FP32);
        const double bound_ms = roofline_cost_ms(&cost, &device);
        if (fabs(forecast.batch_ms / bound_ms - cases[i].ratio) > 1e-9)
            fail_msg("%s: %g times its roofline", cases[i].name, forecast.batch_ms / bound_ms);
        assert_true(forecast.batch_low_ms / bound_ms < 1 + 1e-9 &&
                    forecast.batch_low_ms / bound_ms > 1 - 1e-9);
        assert_true(forecast.batch_high_ms / bound_ms > cases[i].ratio - 1e-9);
        assert_int_equal(forecast.uncovered_count, 1);
        forecast_free(&forecast);
    }
    free_fitted(predictor);
    synthetic_rows_free(&rows);
}

/* ---- files ---- */

static void facts_survive_a_file(void **state)
{
    (void)state;
    static const struct predictor_type *const types[] = {&predictor_mlp, &predictor_roofline,
                                                         &predictor_linear};
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct folder folder = folder_make();
    create_rows(&rows, &device, 400, 3);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct predictor *predictor = fit_facts(types[i], &rows);
        const struct file_name name = in_folder(&folder, types[i]->name);
        struct model loaded;
        const struct model model = {.predictor = predictor};
        struct error error = {0};
        SUCCEEDS(model_save(&model, name.text, false, &error));
        SUCCEEDS(model_load(&loaded, name.text, &error));
        const struct training_facts *was = predictor->facts, *is = loaded.predictor->facts;
        assert_non_null(is);
        assert_memory_equal(was->kinds, is->kinds, sizeof was->kinds);
        assert_true(was->level == is->level);
        assert_memory_equal(was->bounds, is->bounds, 2 * sizeof *was->bounds);
        assert_true(is->kinds[LAYER_DENSE].train_rows > 60);
        assert_int_equal(is->kinds[LAYER_BATCH_NORM].train_rows, 0);
        model_free(&loaded);
        free_fitted(predictor);
    }
    folder_remove(&folder);
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_ratios_of_the_family),
        cmocka_unit_test(bounds_stay_bounds),
        cmocka_unit_test(operators_take_the_ratio_of_their_family),
        cmocka_unit_test(facts_survive_a_file),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
