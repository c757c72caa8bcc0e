/* How far a forecast can be trusted: choices that no row had, reasons, caveats. */
#include "dataset_files.h"
#include "facts_fixture.h"
#include "forecast/caveats.h"
#include "forecast/uncovered.h"
#include "test.h"
#include "tiny_network.h"

/* ---- choices ---- */

/* Rows that have one value of a common choice alone: every other one is refused, by the mlp from
 * its ranges, by a baseline from the facts; the hint says which there is. */
static void unseen_choices_are_refused(void **state)
{
    (void)state;
    static const struct {
        int32_t pass, optimizer, precision; /* of all rows */
        int32_t asked_pass, asked_optimizer, asked_precision;
        const char *message, *hint;
    } cases[] = {
        {PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP16,
         "precision fp16", "it has fp32;"},
        {PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32, PASS_TRAIN, OPTIMIZER_NONE, PRECISION_FP32,
         "pass train", "it has forward;"},
        {PASS_TRAIN, OPTIMIZER_SGD, PRECISION_FP32, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32,
         "optimizer adam", "it has sgd;"},
        {PASS_TRAIN, OPTIMIZER_SGD, PRECISION_BF16, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_BF16,
         "pass forward", "it has train;"},
    };
    static const struct predictor_type *const types[] = {&predictor_mlp, &predictor_linear};
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct network dense = {.name = "dense", .layers = &layers[2], .layer_count = 1};
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        struct dataset_rows rows;
        create_rows(&rows, &device, 400, 3);
        for (size_t k = 0; k < rows.count; k++) {
            struct layer_config *config = &rows.rows[k].config;
            config->pass = cases[i / 2].pass;
            config->precision = cases[i / 2].precision;
            config->optimizer = config->kind == LAYER_DENSE || config->kind == LAYER_CONV2D
                                    ? cases[i / 2].optimizer
                                    : OPTIMIZER_NONE;
        }
        struct predictor *predictor = fit_facts(types[i % 2], &rows);
        struct forecast forecast;
        struct error error = {0};
        struct forecast_options options = options_of(cases[i / 2].asked_pass,
                                                     cases[i / 2].asked_optimizer);
        options.precision = cases[i / 2].asked_precision;
        assert_int_equal(forecast_network(&forecast, &dense, predictor, &device, &options, &error),
                         STATUS_USAGE);
        if (!strstr(error.message, cases[i / 2].message) || !strstr(error.hint, cases[i / 2].hint))
            fail_msg("%s (%s)", error.message, error.hint);
        options.takes_unseen = true; /* a guess, which says so */
        assert_int_equal(forecast_network(&forecast, &dense, predictor, &device, &options, &error),
                         STATUS_OK);
        assert_true(forecast.layers[0].is_unseen && isnan(forecast.batch_low_ms) &&
                    isnan(forecast.batch_high_ms) && forecast.batch_ms > 0);
        struct caveats caveats;
        const struct forecast *const list[] = {&forecast};
        assert_int_equal(caveats_of(&caveats, list, 1, &dense, predictor, NULL), STATUS_OK);
        assert_int_equal(caveats.list[0].kind, CAVEAT_UNSEEN);
        assert_true(caveats.list[0].is_loud);
        assert_non_null(strstr(caveats.list[0].text, cases[i / 2].message));
        forecast_free(&forecast);
        options = options_of(cases[i / 2].pass, cases[i / 2].optimizer);
        options.precision = cases[i / 2].precision;
        assert_int_equal(forecast_network(&forecast, &dense, predictor, &device, &options, &error),
                         STATUS_OK);
        assert_false(forecast.layers[0].is_unseen);
        forecast_free(&forecast);
        free_fitted(predictor);
        synthetic_rows_free(&rows);
    }
}

/* The encodings have one column for adam and adamw, which sweeps do not draw of themselves. */
static void rows_of_adam_tell_of_adamw(void **state)
{
    (void)state;
    static const struct predictor_type *const types[] = {&predictor_mlp, &predictor_linear};
    static const int32_t pairs[][2] = {{OPTIMIZER_ADAM, OPTIMIZER_ADAMW},
                                       {OPTIMIZER_ADAMW, OPTIMIZER_ADAM}};
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct network dense = {.name = "dense", .layers = &layers[2], .layer_count = 1};
    for (int i = 0; i < 4; i++) {
        const int32_t measured = pairs[i / 2][0], asked = pairs[i / 2][1];
        struct dataset_rows rows;
        create_rows(&rows, &device, 400, 3);
        for (size_t k = 0; k < rows.count; k++) {
            struct layer_config *config = &rows.rows[k].config;
            config->pass = PASS_TRAIN;
            config->optimizer = config->kind == LAYER_DENSE || config->kind == LAYER_CONV2D
                                    ? measured
                                    : OPTIMIZER_NONE;
        }
        struct predictor *predictor = fit_facts(types[i % 2], &rows);
        const int32_t optimizers[] = {measured, asked};
        bool extrapolates[2];
        for (int k = 0; k < 2; k++) {
            const struct forecast_options options = options_of(PASS_TRAIN, optimizers[k]);
            struct forecast forecast;
            assert_int_equal(
                forecast_network(&forecast, &dense, predictor, &device, &options, NULL), STATUS_OK);
            assert_false(forecast.layers[0].is_unseen);
            extrapolates[k] = forecast.layers[0].extrapolates;
            forecast_free(&forecast);
        }
        assert_int_equal(extrapolates[0], extrapolates[1]);
        free_fitted(predictor);
        synthetic_rows_free(&rows);
    }
}

/* A choice of the layer itself (tanh) is nobody's wish: no interval, and the others keep theirs. */
static void unseen_features_have_no_interval(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    create_rows(&rows, &device, 1000, 3);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.rows[i].config.kind == LAYER_DENSE)
            rows.rows[i].config.as.dense.activation = ACTIVATION_NONE;
    struct predictor *predictor = fit_facts(&predictor_mlp, &rows);
    struct network_layer two[] = {layers[2], layers[3]};
    two[1].config.as.dense.activation = ACTIVATION_TANH;
    const struct network pair = {.name = "two", .layers = two, .layer_count = 2};
    const struct forecast_options options = options_of(PASS_TRAIN, OPTIMIZER_SGD);
    struct forecast forecast;
    assert_int_equal(forecast_network(&forecast, &pair, predictor, &device, &options, NULL),
                     STATUS_OK);
    assert_false(forecast.layers[0].is_unseen || isnan(forecast.layers[0].high_ms));
    assert_true(forecast.layers[1].is_unseen && isnan(forecast.layers[1].high_ms));
    forecast_free(&forecast);
    free_fitted(predictor);
    synthetic_rows_free(&rows);
}

/* ---- reasons ---- */

static void reasons_are_of_the_layer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum uncovered_reason reason;
    } cases[] = {
        {"conv", UNCOVERED_NOT_SQUARE},
        {"conv_transpose", UNCOVERED_UNMEASURED},
        {"conv_integer", UNCOVERED_UNMEASURED},
        {"conv_depthwise", UNCOVERED_GROUPED},
        {"conv_grouped", UNCOVERED_GROUPED},
        {"conv_dilated", UNCOVERED_DILATED},
        {"max_pool", UNCOVERED_NOT_SQUARE},
        {"max_pool_with_mask", UNCOVERED_UNMEASURED},
        {"other_conv_thing", UNCOVERED_UNKNOWN},
        {"lstm", UNCOVERED_UNMEASURED},
        {"batch_normalization", UNCOVERED_NOT_SQUARE},
    };
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    create_rows(&rows, &device, 400, 3);
    struct predictor *predictor = fit_facts(&predictor_mlp, &rows);
    struct forecast forecast = {.device_batch_size = 2, .pass = PASS_TRAIN};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct operator_work work = {.output_count = 1};
        const struct network_layer layer = operator_called(cases[i].name, &work);
        if (uncovered_reason_of(&layer, &forecast, predictor) != cases[i].reason)
            fail_msg("%s", cases[i].name);
    }
    struct network_layer norm = {.config = {.kind = LAYER_BATCH_NORM, .batch_size = 1}};
    assert_int_equal(uncovered_reason_of(&norm, &forecast, predictor), UNCOVERED_KIND);
    struct network_layer dense = layers[2];
    assert_int_equal(uncovered_reason_of(&dense, &forecast, predictor), UNCOVERED_DEVICE);
    dense.config.batch_size = 60000;
    assert_int_equal(uncovered_reason_of(&dense, &forecast, predictor), UNCOVERED_SIZE);
    free_fitted(predictor);
    synthetic_rows_free(&rows);
}

/* ---- caveats ---- */

static const struct caveat *find_caveat(const struct caveats *caveats, enum caveat_kind kind)
{
    for (int i = 0; i < caveats->count; i++)
        if (caveats->list[i].kind == kind)
            return &caveats->list[i];
    return NULL;
}

static void assert_says(const struct caveats *caveats, enum caveat_kind kind, const char *text)
{
    const struct caveat *caveat = find_caveat(caveats, kind);
    assert_non_null(caveat);
    if (!strstr(caveat->text, text))
        fail_msg("'%s' lacks '%s'", caveat->text, text);
}

/* Of the tiny network and a slow operator, by a model of few rows of which the network is beyond.
 */
static void forecasts_say_how_far_to_trust_them(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    create_rows(&rows, &device, 100, 3);
    const struct operator_work slow = {.input_count = 1e6, .output_count = 1e6};
    struct network_layer mixed[] = {layers[0], layers[2], operator_called("other_thing", &slow),
                                    layers[3]};
    mixed[1].config.as.dense.inputs = mixed[1].config.as.dense.outputs = 20000;
    const struct network four = {.name = "four", .layers = mixed, .layer_count = 4};
    const struct forecast_options options = options_of(PASS_FORWARD, OPTIMIZER_NONE);
    struct caveats caveats;
    struct predictor *predictor = fit_facts(&predictor_mlp, &rows);
    for (int has_facts = 1; has_facts >= 0; has_facts--) {
        struct forecast forecast;
        struct error error = {0};
        SUCCEEDS(forecast_network(&forecast, &four, predictor, &device, &options, &error));
        const struct forecast *const twice[] = {&forecast, &forecast};
        assert_int_equal(caveats_of(&caveats, twice, 2, &four, predictor, NULL), STATUS_OK);
        assert_says(&caveats, CAVEAT_UNKNOWN, "1 of 4 layers");
        assert_says(&caveats, CAVEAT_BOUNDS, "at least the roofline");
        assert_says(&caveats, CAVEAT_BOUNDS, "other_thing x1");
        assert_says(&caveats, CAVEAT_EXTRAPOLATES, "fc1");
        assert_null(find_caveat(&caveats, CAVEAT_BATCH));
        assert_null(find_caveat(&caveats, CAVEAT_FOLDED));
        if (has_facts) {
            assert_says(&caveats, CAVEAT_FEW_ROWS, "conv2d (");
        } else {
            assert_says(&caveats, CAVEAT_NO_HIGH, "earlier version");
            assert_true(isnan(forecast.batch_high_ms) && forecast.batch_low_ms > 0);
        }
        forecast_free(&forecast);
        training_facts_free(predictor->facts);
        predictor->facts = NULL;
    }
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
    create_rows(&rows, &device, 200, 3);
    predictor = fit_facts(&predictor_linear, &rows);
    struct forecast forecast;
    assert_int_equal(forecast_network(&forecast, &four, predictor, &device, &options, NULL),
                     STATUS_OK);
    const struct forecast *const once[] = {&forecast};
    assert_int_equal(caveats_of(&caveats, once, 1, &four, predictor, NULL), STATUS_OK);
    assert_says(&caveats, CAVEAT_NO_INTERVAL, "3 of 4 layers: predictor 'linear' gives none");
    assert_null(find_caveat(&caveats, CAVEAT_FEW_ROWS));
    forecast_free(&forecast);
    free_fitted(predictor);
    synthetic_rows_free(&rows);
}

/* An ONNX file whose convolutions all have a bias and that normalises nothing. */
static void folded_norms_are_asked_about(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    create_rows(&rows, &device, 400, 3);
    struct predictor *predictor = fit_facts(&predictor_mlp, &rows);
    struct network_layer two[] = {layers[0], layers[2]};
    struct network pair = {.name = "two", .layers = two, .layer_count = 2};
    for (int wanted = 0; wanted < 8; wanted++) {
        const bool is_onnx = wanted & 1, has_bias = wanted & 2, trains = wanted & 4;
        struct forecast_options options = options_of(trains ? PASS_TRAIN : PASS_FORWARD,
                                                     trains ? OPTIMIZER_SGD : OPTIMIZER_NONE);
        struct forecast forecast;
        struct caveats caveats;
        pair.batch.is_known = is_onnx;
        two[0].config.as.conv2d.use_bias = has_bias ? SWITCH_YES : SWITCH_NO;
        assert_int_equal(forecast_network(&forecast, &pair, predictor, &device, &options, NULL),
                         STATUS_OK);
        const struct forecast *const list[] = {&forecast};
        assert_int_equal(caveats_of(&caveats, list, 1, &pair, predictor, NULL), STATUS_OK);
        assert_true((find_caveat(&caveats, CAVEAT_FOLDED) != NULL) == (wanted == 7));
        forecast_free(&forecast);
    }
    free_fitted(predictor);
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unseen_choices_are_refused),
        cmocka_unit_test(rows_of_adam_tell_of_adamw),
        cmocka_unit_test(unseen_features_have_no_interval),
        cmocka_unit_test(reasons_are_of_the_layer),
        cmocka_unit_test(forecasts_say_how_far_to_trust_them),
        cmocka_unit_test(folded_norms_are_asked_about),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
