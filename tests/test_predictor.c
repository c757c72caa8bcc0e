#include "data/split.h"
#include "evaluate/evaluate.h"
#include "predictor_calls.h"
#include "predictors/interval.h"
#include "synthetic_rows.h"
#include "test.h"
#include "trainer/scaler.h"

static const enum layer_kind dense_only[] = {LAYER_DENSE};
static const enum layer_kind two_kinds[] = {LAYER_DENSE, LAYER_POOL2D};

static struct mlp_options quick_options(void)
{
    struct mlp_options options = small_fit_options();
    options.minimum_steps = 50;
    options.train.epochs = 2;
    return options;
}

static struct layer_config dense_config(int32_t batch_size, int32_t inputs, int32_t outputs)
{
    return (struct layer_config){.kind = LAYER_DENSE,
                                 .batch_size = batch_size,
                                 .as.dense = {.inputs = inputs, .outputs = outputs}};
}

static void mlp_learns_law(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 6000, two_kinds, 2, &device, 1, 0);
    struct mlp_options options = small_fit_options();
    options.hidden[0] = options.hidden[1] = 64;
    options.minimum_steps = 4000;
    struct fit_report reports[LAYER_KIND_COUNT];
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, reports);
    assert_int_equal(predictor_validate(reports, predictor, &rows, NULL), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct fit_report *report = &reports[two_kinds[i]];
        print_message("%s: MAPE %.2f %%, %.2f s\n", layer_descriptors[two_kinds[i]]->name,
                      report->validation_mape_percent, report->seconds);
        assert_in_range(report->rows, 2500, 2900); /* folds: training and test rows */
        assert_true(report->validation_mape_percent < 5);
        assert_true(report->validation_mape_percent > 0);
        assert_true(report->validation_rmse_ms > 0);
        assert_true(report->epochs > 1);
    }
    assert_int_equal(reports[LAYER_CONV2D].rows, 0);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* One row of a kind may be a validation row: the kind is not learnt, the others are. */
static void validation_rows_of_an_unknown_kind_are_left_out(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    size_t kept = 0;
    synthetic_rows_create(&rows, 200, two_kinds, 2, &device, 1, 0);
    for (size_t i = 0; i < rows.count; i++) {
        const struct layer_config *config = &rows.rows[i].config;
        if ((config->kind == LAYER_DENSE) == (split_of(config) == SPLIT_VALIDATION))
            rows.rows[kept++] = rows.rows[i];
    }
    rows.count = kept;
    const struct mlp_options options = quick_options();
    struct fit_report reports[LAYER_KIND_COUNT];
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, reports);
    assert_int_equal(predictor_validate(reports, predictor, &rows, NULL), STATUS_OK);
    assert_false(predictor->type->knows(predictor, LAYER_DENSE));
    assert_true(predictor->type->knows(predictor, LAYER_POOL2D));
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static void linear_is_exact_on_a_linear_law(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 600, dense_only, 1, &device, 1, 0);
    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].median_ms = 0.5 + 0.01 * rows.rows[i].config.batch_size +
                                 layer_cost(&rows.rows[i].config).flops * 1e-8;
    const struct mlp_options options = quick_options();
    struct predictor *predictor = fit_with(&predictor_linear, &rows, &options, NULL);
    for (size_t i = 0; i < rows.count; i++) {
        const struct prediction prediction = predict_one(predictor, &rows.rows[i].config, NULL);
        assert_true(prediction.covered);
        assert_true(isnan(prediction.low_ms));
        assert_true(fabs(prediction.median_ms / rows.rows[i].median_ms - 1) < 1e-5);
    }
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static void linear_stays_above_fastest_row(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 600, dense_only, 1, &device, 1, 0.1);
    double fastest_ms = INFINITY;
    for (size_t i = 0; i < rows.count; i++)
        if (split_of(&rows.rows[i].config) == SPLIT_TRAIN)
            fastest_ms = fmin(fastest_ms, rows.rows[i].median_ms);
    const struct mlp_options options = quick_options();
    struct predictor *predictor = fit_with(&predictor_linear, &rows, &options, NULL);
    for (size_t i = 0; i < rows.count; i++)
        assert_true(predict_one(predictor, &rows.rows[i].config, NULL).median_ms >= fastest_ms);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* dense 10 x 100 -> 200, forward, no bias: 2*10*100*200 = 400,000 FLOP; reads 10*100 + 100*200,
 * writes 10*200 floats = 92,000 bytes. */
static void roofline_is_the_larger_of_two(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("compute-bound", 1, 1000);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 30, dense_only, 1, &device, 1, 0);
    const struct mlp_options options = quick_options();
    struct predictor *predictor = fit_with(&predictor_roofline, &rows, &options, NULL);
    const struct layer_config config = dense_config(10, 100, 200);
    assert_true(fabs(predict_one(predictor, &config, NULL).median_ms - 0.4) < 1e-12);

    struct device_info slow_memory = synthetic_device("memory-bound", 1000, 0.1);
    assert_true(fabs(predict_one(predictor, &config, &slow_memory).median_ms - 0.92) < 1e-12);
    slow_memory.measured_copy_gbps = 0.05; /* measured rates come first */
    assert_true(fabs(predict_one(predictor, &config, &slow_memory).median_ms - 1.84) < 1e-12);
    slow_memory.peak_gflops = NAN;
    assert_false(predict_one(predictor, &config, &slow_memory).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Asked together, repeated and in any order, of any kind, as asked alone. */
static void repeated_configs_are_forecast_as_each_alone(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 200, two_kinds, 2, &device, 1, 0);
    const struct mlp_options options = quick_options();
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    enum { COUNT = 60 };
    struct layer_config configs[COUNT];
    struct prediction predictions[COUNT];
    for (int i = 0; i < COUNT; i++)
        configs[i] = rows.rows[(i * 7) % 11].config;
    assert_int_equal(predict_configs(predictions, predictor, configs, COUNT, &device, NULL),
                     STATUS_OK);
    for (int i = 0; i < COUNT; i++) {
        const struct prediction alone = predict_one(predictor, &configs[i], &device);
        assert_true(alone.covered && predictions[i].covered);
        assert_true(predictions[i].median_ms == alone.median_ms &&
                    predictions[i].low_ms == alone.low_ms &&
                    predictions[i].high_ms == alone.high_ms);
    }
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Without folds, as in the paper, and for baselines that learn many weights. */
static void too_few_rows_fail(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct mlp_options paper;
    synthetic_rows_create(&rows, 15, dense_only, 1, &device, 1, 0);
    assert_int_equal(mlp_options_preset(&paper, "paper", NULL), STATUS_OK);
    const struct predictor_type *const types[] = {&predictor_mlp, &predictor_linear};
    for (size_t i = 0; i < 2; i++) {
        struct predictor *predictor;
        struct error error = {0};
        assert_int_equal(
            types[i]->fit(&predictor, &rows, i == 0 ? &paper.base : NULL, NULL, &error),
            STATUS_FAILED);
        assert_non_null(strstr(error.message, "too few rows of dense"));
        assert_non_null(strstr(error.hint, "sweep"));
        assert_null(predictor);
    }
    synthetic_rows_free(&rows);
}

static void rows_without_times_are_left_out(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 200, dense_only, 1, &device, 1, 0);
    for (size_t i = 0; i < rows.count; i++) {
        rows.rows[i].outcome = i % 2 ? OUTCOME_OUT_OF_MEMORY : OUTCOME_CAPPED;
        if (i % 2)
            rows.rows[i].median_ms = NAN;
    }
    const struct mlp_options options = quick_options();
    struct fit_report reports[LAYER_KIND_COUNT];
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, reports);
    assert_in_range(reports[LAYER_DENSE].rows, 60, 100);
    assert_int_equal(reports[LAYER_DENSE].calibration_rows, reports[LAYER_DENSE].rows);
    predictor->type->free(predictor);

    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].outcome = OUTCOME_UNSUPPORTED;
    struct error error = {0};
    for (int i = 0; predictor_types[i]; i++) {
        assert_int_equal(predictor_types[i]->fit(&predictor, &rows, NULL, NULL, &error),
                         STATUS_FAILED);
        assert_non_null(strstr(error.message, "no training rows"));
    }
    synthetic_rows_free(&rows);
}

static void unknown_kind_and_device_are_not_covered(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct device_info other = synthetic_device("two", 200, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 100, dense_only, 1, &device, 1, 0);
    const struct mlp_options options = quick_options();
    struct layer_config pool = {.kind = LAYER_POOL2D, .batch_size = 1};
    pool.as.pool2d = (struct pool2d){8, 2, 4, 2, PADDING_VALID, POOLING_MAX, ACTIVATION_NONE};
    const struct predictor_type *const types[] = {&predictor_mlp, &predictor_linear};
    for (size_t i = 0; i < 2; i++) {
        struct predictor *predictor = fit_with(types[i], &rows, &options, NULL);
        const struct prediction unseen = predict_one(predictor, &pool, NULL);
        assert_false(unseen.covered);
        assert_true(isnan(unseen.median_ms) && isnan(unseen.low_ms) && isnan(unseen.high_ms));
        assert_true(predict_one(predictor, &rows.rows[0].config, &device).covered);
        assert_false(predict_one(predictor, &rows.rows[0].config, &other).covered);
        predictor->type->free(predictor);
    }
    synthetic_rows_free(&rows);
}

static void extrapolation_is_flagged(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 300, dense_only, 1, &device, 1, 0);
    const struct mlp_options options = quick_options();
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    for (size_t i = 0; i < rows.count; i++)
        if (split_of(&rows.rows[i].config) == SPLIT_TRAIN)
            assert_false(predict_one(predictor, &rows.rows[i].config, NULL).extrapolates);
    struct layer_config outside = rows.rows[0].config;
    outside.batch_size = 60000;
    const struct prediction prediction = predict_one(predictor, &outside, NULL);
    assert_true(prediction.covered && prediction.extrapolates);
    assert_true(isfinite(prediction.high_ms) && prediction.low_ms > 0);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* As many inputs and as many outputs as were seen, but never both: more weights than any row has.
 */
static void new_work_of_known_features_extrapolates(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 300, dense_only, 1, &device, 1, 0);
    const struct mlp_options options = quick_options();
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    struct layer_config config = rows.rows[0].config, known = config;
    int64_t most = 0;
    config.batch_size = INT32_MAX;
    config.as.dense.inputs = config.as.dense.outputs = 1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct layer_config *row = &rows.rows[i].config;
        const struct dense *dense = &row->as.dense;
        if (split_of(row) != SPLIT_TRAIN)
            continue;
        most = layer_cost(row).parameter_count > most ? layer_cost(row).parameter_count : most;
        config.batch_size = row->batch_size < config.batch_size ? row->batch_size
                                                                : config.batch_size;
        if (dense->inputs > config.as.dense.inputs)
            config.as.dense.inputs = dense->inputs;
        if (dense->outputs > config.as.dense.outputs)
            config.as.dense.outputs = dense->outputs;
        known = *row;
    }
    assert_true(layer_cost(&config).parameter_count > most);
    assert_false(predict_one(predictor, &known, NULL).extrapolates);
    assert_true(predict_one(predictor, &config, NULL).extrapolates);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static void constant_feature_is_harmless(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 300, dense_only, 1, &device, 1, 0);
    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].config.as.dense.activation = ACTIVATION_NONE;
    const struct mlp_options options = quick_options();
    const struct predictor_type *const types[] = {&predictor_mlp, &predictor_linear};
    for (size_t i = 0; i < 2; i++) {
        struct predictor *predictor = fit_with(types[i], &rows, &options, NULL);
        struct layer_config config = rows.rows[0].config;
        assert_true(isfinite(predict_one(predictor, &config, NULL).median_ms));
        config.as.dense.activation = ACTIVATION_TANH;
        const struct prediction prediction = predict_one(predictor, &config, NULL);
        assert_true(isfinite(prediction.median_ms));
        if (types[i] == &predictor_mlp)
            assert_true(prediction.extrapolates);
        predictor->type->free(predictor);
    }
    synthetic_rows_free(&rows);
}

static void interval_covers_noise(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 8000, dense_only, 1, &device, 1, 0.1);
    struct mlp_options options = small_fit_options();
    options.minimum_steps = 1000;
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    int inside = 0, count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        if (split_of(&rows.rows[i].config) != SPLIT_VALIDATION)
            continue;
        const struct prediction p = predict_one(predictor, &rows.rows[i].config, NULL);
        assert_true(p.low_ms < p.median_ms && p.median_ms < p.high_ms);
        inside += rows.rows[i].median_ms >= p.low_ms && rows.rows[i].median_ms <= p.high_ms;
        count++;
    }
    print_message("coverage %.1f %% of %d\n", 100.0 * inside / count, count);
    assert_true(inside > 0.85 * count && inside < 0.95 * count);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static void validation_rows_are_never_touched(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 300, dense_only, 1, &device, 1, 0.1);
    const struct mlp_options options = quick_options();
    for (int i = 0; predictor_types[i]; i++) {
        struct predictor *a = fit_with(predictor_types[i], &rows, &options, NULL);
        for (size_t row = 0; row < rows.count; row++)
            if (split_of(&rows.rows[row].config) == SPLIT_VALIDATION)
                rows.rows[row].median_ms *= 1000;
        struct predictor *b = fit_with(predictor_types[i], &rows, &options, NULL);
        for (size_t row = 0; row < rows.count; row++) {
            const struct prediction p = predict_one(a, &rows.rows[row].config, NULL);
            const struct prediction q = predict_one(b, &rows.rows[row].config, NULL);
            assert_memory_equal(&p.median_ms, &q.median_ms, sizeof(double));
            assert_memory_equal(&p.low_ms, &q.low_ms, sizeof(double));
        }
        a->type->free(a);
        b->type->free(b);
    }
    synthetic_rows_free(&rows);
}

static void ensemble_is_the_mean_of_its_nets(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 300, dense_only, 1, &device, 1, 0.1);
    struct mlp_options options = quick_options();
    options.folds = 0;
    struct predictor *single[2];
    for (int i = 0; i < 2; i++) {
        options.seed = 5 + (uint64_t)i;
        single[i] = fit_with(&predictor_mlp, &rows, &options, NULL);
    }
    options.seed = 5;
    options.ensemble = 2;
    struct predictor *both = fit_with(&predictor_mlp, &rows, &options, NULL);
    double difference = 0;
    for (size_t row = 0; row < 50; row++) {
        const struct layer_config *config = &rows.rows[row].config;
        const double a = log(predict_one(single[0], config, NULL).median_ms);
        const double b = log(predict_one(single[1], config, NULL).median_ms);
        const double mean = log(predict_one(both, config, NULL).median_ms);
        assert_true(fabs(mean - (a + b) / 2) < 1e-5);
        difference += fabs(a - b);
    }
    assert_true(difference > 0);
    for (int i = 0; i < 2; i++)
        single[i]->type->free(single[i]);
    both->type->free(both);
    synthetic_rows_free(&rows);
}

static void several_devices_are_told_apart(void **state)
{
    (void)state;
    const struct device_info devices[] = {synthetic_device("slow", 50, 5),
                                          synthetic_device("middle", 200, 20),
                                          synthetic_device("fast", 1000, 100)};
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 6000, dense_only, 1, devices, 3, 0);
    const struct mlp_options options = small_fit_options();
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    const struct layer_config config = dense_config(32, 256, 256);
    double previous_ms = INFINITY;
    for (int i = 0; i < 3; i++) {
        const struct prediction p = predict_one(predictor, &config, &devices[i]);
        assert_true(p.covered && !p.extrapolates);
        assert_true(fabs(p.median_ms / synthetic_ms(&config, &devices[i]) - 1) < 0.25);
        assert_true(p.median_ms < previous_ms);
        previous_ms = p.median_ms;
    }
    struct device_info unseen = synthetic_device("unseen", 300, 30);
    const struct prediction p = predict_one(predictor, &config, &unseen);
    assert_true(p.covered && p.extrapolates);
    unseen.bandwidth_gbps = NAN;
    assert_false(predict_one(predictor, &config, &unseen).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Two devices, of which one has rows of one kind: fine-tuned to that one, the other is unknown.
 * Tuned in a second call, the nets start from before they learnt from the test rows. */
static void fine_tuning_knows_one_device(void **state)
{
    (void)state;
    const struct device_info devices[] = {synthetic_device("slow", 100, 10),
                                          synthetic_device("fast", 1000, 40)};
    const enum layer_kind kinds[] = {LAYER_DENSE, LAYER_POOL2D};
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 2000, kinds, 2, devices, 2, 0.02);
    size_t kept = 0;
    for (size_t i = 0; i < rows.count; i++)
        if (rows.rows[i].config.kind == LAYER_DENSE || rows.rows[i].device == 0)
            rows.rows[kept++] = rows.rows[i];
    rows.count = kept;
    struct mlp_options options = small_fit_options();
    struct predictor *joint = fit_with(&predictor_mlp, &rows, &options, NULL);
    struct error error = {0};
    snprintf(options.fine_tune, sizeof options.fine_tune, "fats");
    struct predictor *tuned = NULL;
    assert_int_equal(predictor_mlp.fit(&tuned, &rows, &options.base, NULL, &error),
                     STATUS_NO_DEVICE);
    assert_non_null(strstr(error.message, "'fats'"));
    assert_non_null(strstr(error.hint, "slow, fast"));
    snprintf(options.fine_tune, sizeof options.fine_tune, "fast");
    struct fit_report reports[LAYER_KIND_COUNT];
    tuned = fit_with(&predictor_mlp, &rows, &options, reports);
    assert_true(reports[LAYER_DENSE].rows > 300 && reports[LAYER_DENSE].rows < 500);
    assert_int_equal(reports[LAYER_POOL2D].rows, 0);
    assert_int_equal(predictor_mlp.tune(joint, &rows, &options.base, NULL, NULL), STATUS_OK);
    double tuned_error = 0;
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct layer_config *config = &rows.rows[i].config;
        const struct prediction own = predict_one(tuned, config, &devices[1]);
        assert_false(predict_one(tuned, config, &devices[0]).covered);
        assert_int_equal(own.covered, config->kind == LAYER_DENSE);
        if (!own.covered || rows.rows[i].device == 0 || split_of(config) != SPLIT_VALIDATION)
            continue;
        const struct prediction again = predict_one(joint, config, &devices[1]);
        assert_true(own.median_ms == again.median_ms); /* in one call or in two */
        tuned_error += fabs(own.median_ms / synthetic_ms(config, &devices[1]) - 1);
        count++;
    }
    print_message("fine-tuned: MAPE %.2f %% of %zu\n", 100 * tuned_error / (double)count, count);
    assert_true(tuned_error / (double)count < 0.08);
    joint->type->free(joint);
    tuned->type->free(tuned);
    synthetic_rows_free(&rows);
}

/* Half-width, in ln of time. */
static double half_width(const struct prediction *prediction)
{
    return log(prediction->high_ms / prediction->median_ms);
}

/* The nets learn from the test rows at last; where a forecast stays in its decade, its interval is
 * as wide as before. */
static void last_epochs_learn_the_test_rows(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 2000, dense_only, 1, &device, 1, 0.2);
    struct mlp_options options = small_fit_options();
    struct fit_report reports[LAYER_KIND_COUNT], without_reports[LAYER_KIND_COUNT];
    assert_true(options.last_share > 0);
    options.ensemble = 3;
    options.folds = 0;
    struct predictor *with = fit_with(&predictor_mlp, &rows, &options, reports);
    options.last_share = 0;
    struct predictor *without = fit_with(&predictor_mlp, &rows, &options, without_reports);
    double with_error = 0, without_error = 0;
    size_t changed = 0, same = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct layer_config *config = &rows.rows[i].config;
        const struct prediction a = predict_one(with, config, NULL);
        const struct prediction b = predict_one(without, config, NULL);
        const double difference = half_width(&a) - half_width(&b);
        same += fabs(difference) < 1e-9;
        if (interval_decade(a.median_ms) == interval_decade(b.median_ms))
            changed += fabs(difference) > 1e-9;
        if (split_of(config) == SPLIT_TEST) {
            with_error += fabs(log(a.median_ms / rows.rows[i].median_ms));
            without_error += fabs(log(b.median_ms / rows.rows[i].median_ms));
        }
    }
    assert_int_equal(changed, 0);
    assert_true(same > rows.count / 2);
    print_message("test rows: error %.3f of that without\n", with_error / without_error);
    assert_true(with_error < 0.99 * without_error);
    assert_int_equal(reports[LAYER_DENSE].rows, without_reports[LAYER_DENSE].rows);
    assert_int_equal(reports[LAYER_DENSE].epochs, without_reports[LAYER_DENSE].epochs);
    assert_true(reports[LAYER_DENSE].test_rmsle == without_reports[LAYER_DENSE].test_rmsle);
    with->type->free(with);
    without->type->free(without);
    synthetic_rows_free(&rows);
}

static void presets_are_known(void **state)
{
    (void)state;
    struct mlp_options options;
    struct error error = {0};
    assert_int_equal(mlp_options_preset(&options, "paper", &error), STATUS_OK);
    assert_int_equal(options.train.batch_size, 128);
    assert_int_equal(options.train.epochs, 300);
    assert_int_equal(options.hidden_count, 4);
    assert_int_equal(options.hidden[3], 128);
    assert_int_equal(options.output, MLP_OUTPUT_RELU);
    assert_int_equal(options.output_bias, 0);
    assert_int_equal(options.train.keep_best, 0);
    assert_true(options.last_share == 0);
    assert_true(options.target_units_per_ms == 1);
    assert_ptr_equal(options.trainer, &trainer_host);
    assert_int_equal(mlp_options_preset(&options, "papre", &error), STATUS_USAGE);
    assert_non_null(strstr(error.message, "papre"));
    assert_non_null(strstr(error.hint, "default"));
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 100, dense_only, 1, &device, 1, 0);
    struct mlp_options bad[6];
    for (size_t i = 0; i < 6; i++)
        bad[i] = quick_options();
    bad[0].ensemble = 0;
    bad[1].hidden_count = MLP_LAYER_LIMIT;
    bad[2].target_units_per_ms = NAN;
    bad[3].interval_level = 1;
    bad[4].train.batch_size = 0;
    bad[5].ensemble = 1000000;
    for (size_t i = 0; i < 6; i++) {
        struct predictor *predictor;
        struct error error = {0};
        assert_int_equal(predictor_mlp.fit(&predictor, &rows, &bad[i].base, NULL, &error),
                         STATUS_USAGE);
        assert_true(error.message[0] != '\0');
    }
    synthetic_rows_free(&rows);
}

static void scaler_standardises(void **state)
{
    (void)state;
    float rows[] = {1, 5, 3, 5, 5, 5}; /* (3, 2): 1 3 5, and a constant */
    struct scaler scaler;
    scaler_fit(&scaler, rows, 3, 2, 0);
    float other[] = {3, 5, 3 + sqrtf(8.0f / 3), 900};
    scaler_apply(&scaler, other, 2);
    assert_true(other[0] == 0 && other[1] == 0 && other[3] == 0);
    assert_true(fabsf(other[2] - 1) < 1e-6f);
    scaler_fit(&scaler, rows, 3, 2, 2);
    float far[] = {3000, 5, -3000, 5};
    scaler_apply(&scaler, far, 2);
    assert_true(far[0] == 2 && far[2] == -2);
}

/* Off by 2 at 0.02 ms; at 50 ms forward passes by 4, steps by 3; five rows at 1 ms. */
static void interval_has_bins_by_pass_and_decade(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    int32_t passes[COUNT];
    double measured_ms[COUNT], predicted_ms[COUNT], spreads[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        passes[i] = i < 1995 ? PASS_FORWARD : PASS_TRAIN;
        predicted_ms[i] = i < 1000 ? 0.02 : i < 2995 ? 50 : 1;
        measured_ms[i] = predicted_ms[i] * (i < 1000 ? 2 : i < 1995 ? 0.25 : i < 2995 ? 3 : 1.5);
    }
    const struct interval_rows rows = {passes, measured_ms, predicted_ms, spreads, COUNT};
    struct interval interval;
    assert_int_equal(interval_calibrate(&interval, &rows, 0.9, NULL), STATUS_OK);
    assert_true(interval.spread == 1);
    assert_true(fabs(interval_half_width(&interval, PASS_FORWARD, 0.02, 0) - log(2)) < 1e-12);
    assert_true(fabs(interval_half_width(&interval, PASS_FORWARD, 50, 0) - log(4)) < 1e-12);
    assert_true(fabs(interval_half_width(&interval, PASS_TRAIN, 50, 0) - log(3)) < 1e-12);
    /* five rows of its own do not outweigh the pooled ones; none at all leave those alone */
    assert_true(fabs(interval_half_width(&interval, PASS_TRAIN, 1, 0) - log(4)) < 1e-12);
    assert_true(fabs(interval_half_width(&interval, PASS_FORWARD, 1, 0) - log(4)) < 1e-12);
    assert_true(fabs(interval_half_width(&interval, PASS_TRAIN, 1e-3, 0) - log(4)) < 1e-12);
    assert_int_equal(interval_decade(1e-300), 0);
    assert_int_equal(interval_decade(1e300), INTERVAL_DECADE_COUNT - 1);
}

/* Two rows off by e and 1/e: Student's t of 2 degrees is 2.920 at 90 %. */
static void few_rows_widen_an_interval_and_none_leave_it_out(void **state)
{
    (void)state;
    const int32_t passes[] = {PASS_FORWARD, PASS_FORWARD};
    const double measured_ms[] = {exp(1), exp(-1)}, predicted_ms[] = {1, 1}, spreads[] = {0, 0};
    /* sqrt((1 + 1 + 2 * 0.5^2) / 4) * (1 + 0.6745 / sqrt(4)) * 2.9199856 (t of 2, 90 %) */
    const struct interval_rows two = {passes, measured_ms, predicted_ms, spreads, 2};
    const struct interval_rows none = {.count = 0};
    struct interval interval;
    assert_int_equal(interval_calibrate(&interval, &two, 0.9, NULL), STATUS_OK);
    for (double ms = 1e-3; ms < 1e3; ms *= 10)
        assert_true(fabs(interval_half_width(&interval, PASS_TRAIN, ms, 0) - 3.0869765) < 1e-6);
    assert_true(interval.correlation == 1);
    assert_int_equal(interval_calibrate(&interval, &none, 0.9, NULL), STATUS_OK);
    assert_true(isnan(interval_half_width(&interval, PASS_TRAIN, 1, 0)));
    assert_true(interval.spread == 1 && interval.correlation == 1);
}

/* Nets that know 50 rows by heart: the others lie within their intervals, as often as they say. */
static void few_rows_have_honest_intervals(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows, few;
    synthetic_rows_create(&rows, 1000, dense_only, 1, &device, 1, 0.2);
    struct mlp_options options = small_fit_options();
    struct fit_report reports[LAYER_KIND_COUNT];
    few = rows;
    few.count = 60;
    struct predictor *predictor = fit_with(&predictor_mlp, &few, &options, reports);
    assert_in_range(reports[LAYER_DENSE].calibration_rows, INTERVAL_ROWS_MINIMUM,
                    INTERVAL_BIN_ROWS - 1);
    size_t inside = 0;
    for (size_t i = few.count; i < rows.count; i++) {
        const struct prediction layer = predict_one(predictor, &rows.rows[i].config, NULL);
        inside += layer.low_ms <= rows.rows[i].median_ms && rows.rows[i].median_ms <= layer.high_ms;
    }
    print_message("%zu test rows: %zu of %zu others inside\n",
                  reports[LAYER_DENSE].calibration_rows, inside, rows.count - few.count);
    assert_true((double)inside >= 0.8 * (double)(rows.count - few.count));
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Rows on which the nets disagree twice as much get intervals twice as wide. */
static void interval_follows_the_spread(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    static int32_t passes[COUNT];
    static double measured_ms[COUNT], predicted_ms[COUNT], spreads[COUNT];
    for (int i = 0; i < COUNT; i++) {
        spreads[i] = i % 2 ? 0.02 : 0.3;
        predicted_ms[i] = 5;
        measured_ms[i] = 5 * exp(spreads[i] * synthetic_normal((uint32_t)i, 1));
    }
    const struct interval_rows rows = {passes, measured_ms, predicted_ms, spreads, COUNT};
    struct interval interval;
    assert_int_equal(interval_calibrate(&interval, &rows, 0.9, NULL), STATUS_OK);
    const double a = sqrt((0.02 * 0.02 + 0.3 * 0.3) / 2);
    assert_true(fabs(interval.spread - a) < 1e-12);
    const double wide = interval_half_width(&interval, PASS_FORWARD, 5, 0.3);
    const double narrow = interval_half_width(&interval, PASS_FORWARD, 5, 0.02);
    assert_true(fabs(wide / narrow - sqrt((0.09 + a * a) / (0.0004 + a * a))) < 1e-9);
    int inside = 0;
    for (int i = 0; i < COUNT; i++)
        inside += fabs(log(measured_ms[i] / 5)) <=
                  interval_half_width(&interval, PASS_FORWARD, 5, spreads[i]);
    assert_true(fabs(inside / (double)COUNT - 0.9) < 0.01);
}

/* Errors that sixteen neighbours share need correlation 1, errors of each row alone none. */
static void sums_learn_the_correlation(void **state)
{
    (void)state;
    enum { COUNT = 200 * INTERVAL_SUM_ROWS };
    static int32_t passes[COUNT];
    static double measured_ms[COUNT], predicted_ms[COUNT], spreads[COUNT];
    double correlations[2];
    for (int shared = 0; shared < 2; shared++) {
        for (int i = 0; i < COUNT; i++) {
            const int source = shared ? i / INTERVAL_SUM_ROWS : i;
            predicted_ms[i] = 5;
            measured_ms[i] = 5 * exp(0.1 * synthetic_normal((uint32_t)source, 3));
        }
        const struct interval_rows rows = {passes, measured_ms, predicted_ms, spreads, COUNT};
        struct interval interval;
        assert_int_equal(interval_calibrate(&interval, &rows, 0.9, NULL), STATUS_OK);
        assert_true(interval.correlation == 1);
        interval_calibrate_sums(&interval, &rows, 0.9);
        correlations[shared] = interval.correlation;
        const struct interval_rows few = {passes, measured_ms, predicted_ms, spreads,
                                          INTERVAL_SUM_ROWS * (INTERVAL_SUM_MINIMUM - 1)};
        interval_calibrate_sums(&interval, &few, 0.9);
        assert_true(interval.correlation == 1);
    }
    assert_true(correlations[0] < 0.1);
    assert_true(correlations[1] > 0.8);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp_learns_law),
        cmocka_unit_test(validation_rows_of_an_unknown_kind_are_left_out),
        cmocka_unit_test(linear_is_exact_on_a_linear_law),
        cmocka_unit_test(linear_stays_above_fastest_row),
        cmocka_unit_test(roofline_is_the_larger_of_two),
        cmocka_unit_test(repeated_configs_are_forecast_as_each_alone),
        cmocka_unit_test(too_few_rows_fail),
        cmocka_unit_test(rows_without_times_are_left_out),
        cmocka_unit_test(unknown_kind_and_device_are_not_covered),
        cmocka_unit_test(extrapolation_is_flagged),
        cmocka_unit_test(new_work_of_known_features_extrapolates),
        cmocka_unit_test(constant_feature_is_harmless),
        cmocka_unit_test(interval_covers_noise),
        cmocka_unit_test(validation_rows_are_never_touched),
        cmocka_unit_test(ensemble_is_the_mean_of_its_nets),
        cmocka_unit_test(several_devices_are_told_apart),
        cmocka_unit_test(presets_are_known),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(scaler_standardises),
        cmocka_unit_test(interval_has_bins_by_pass_and_decade),
        cmocka_unit_test(few_rows_widen_an_interval_and_none_leave_it_out),
        cmocka_unit_test(few_rows_have_honest_intervals),
        cmocka_unit_test(interval_follows_the_spread),
        cmocka_unit_test(sums_learn_the_correlation),
        cmocka_unit_test(fine_tuning_knows_one_device),
        cmocka_unit_test(last_epochs_learn_the_test_rows),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
