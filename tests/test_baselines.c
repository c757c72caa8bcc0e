/* The baselines: forecasts by hand, and data that follow a baseline's own law, which it must
 * recover. */
#include "data/split.h"
#include "predictor_calls.h"
#include "predictors/predictor_roofline.h"
#include "synthetic_rows.h"
#include "test.h"

static const enum layer_kind dense_only[] = {LAYER_DENSE};
static const enum layer_kind conv2d_only[] = {LAYER_CONV2D};
static const enum layer_kind all_kinds[] = {LAYER_KINDS(LAYER_ENUMERATOR)};

static struct predictor *fit(const struct predictor_type *type, const struct dataset_rows *rows)
{
    const struct mlp_options options = small_fit_options();
    return fit_with(type, rows, &options, NULL);
}

/* Gives every row the time of a law. */
typedef double (*time_law)(const struct layer_config *config, const struct device_info *device);
static void set_times(struct dataset_rows *rows, time_law law)
{
    for (size_t i = 0; i < rows->count; i++)
        rows->rows[i].median_ms = law(&rows->rows[i].config, &rows->devices[rows->rows[i].device]);
}

/* The largest relative error over all rows. */
static double worst(const struct predictor *predictor, const struct dataset_rows *rows)
{
    double most = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct prediction prediction = predict_one(predictor, &rows->rows[i].config,
                                                         &rows->devices[rows->rows[i].device]);
        assert_true(prediction.covered && isnan(prediction.low_ms));
        most = fmax(most, fabs(prediction.median_ms / rows->rows[i].median_ms - 1));
    }
    return most;
}

/* ---- paleo ---- */

/* Dense at 50 % of the peak and 25 % of the bandwidth, written out from Paleo's counts. */
static double paleo_dense(const struct layer_config *config, const struct device_info *device)
{
    const double rows = config->batch_size, in = config->as.dense.inputs;
    const double out = config->as.dense.outputs, passes = config->pass == PASS_TRAIN ? 3 : 1;
    const double updated = config->optimizer != OPTIMIZER_NONE
                               ? (double)layer_cost(config).parameter_count
                               : 0;
    const double flops = passes * 2 * rows * in * out + 2 * updated;
    const double bytes = passes * 4 * (rows * in + in * out + rows * out) + 12 * updated;
    return flops / (0.5 * device->peak_gflops * 1e6) +
           bytes / (0.25 * device->bandwidth_gbps * 1e6);
}

/* 2 x 8 -> 4, forward: 128 FLOP at 0.5 x 100 GFLOPS, (16 + 32 + 8) floats at 0.25 x 10 GB/s. */
static void paleo_finds_the_shares_of_dense(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 400, dense_only, 1, &device, 1, 0);
    set_times(&rows, paleo_dense);
    struct predictor *predictor = fit(&predictor_paleo, &rows);
    assert_true(worst(predictor, &rows) < 1e-6);
    const struct layer_config config = {
        .kind = LAYER_DENSE, .batch_size = 2, .as.dense = {.inputs = 8, .outputs = 4}};
    const double by_hand = 128 / 50e6 + 224 / 2.5e6;
    assert_true(fabs(predict_one(predictor, &config, NULL).median_ms / by_hand - 1) < 1e-6);
    /* an unseen device of twice the speed takes half the time; one without rates is not covered */
    struct device_info fast = synthetic_device("two", 200, 20);
    assert_true(fabs(predict_one(predictor, &config, &fast).median_ms / by_hand - 0.5) < 1e-6);
    fast.peak_gflops = NAN;
    assert_false(predict_one(predictor, &config, &fast).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Forward, stride 1, 30 x 30 image, 5 x 5 kernel, valid: output 26. By hand, for N = 2, C = 16,
 * O = 32: GEMM 2 * 2 * 676 * 25 * 16 * 32 = 34,611,200 FLOP; whole FFT, side 32: (2 * 48 + 512)
 * transforms of 5 * 1024 * 5 = 25,600 and products 4 * 2 * 512 * 544: 17,793,024; tiles of 32 keep
 * 28: one tile, the same. So the FFT does it: at 20 % of 100 GFLOPS 0.8896512 ms. Bytes: 2 * 900 *
 * 16 + 25 * 512 + 2 * 676 * 32 floats = 339,456 bytes at 50 % of 10 GB/s: 0.0678912 ms. */
static void paleo_chooses_the_cheaper_algorithm(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct layer_config config = {
        .kind = LAYER_CONV2D,
        .batch_size = 2,
        .as.conv2d = {30, 5, 16, 32, 1, PADDING_VALID, SWITCH_NO, ACTIVATION_NONE, 0, 0, 1, 1}};
    const double by_hand_ms = 17793024 / 20e6 + 339456 / 5e6;
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 300, conv2d_only, 1, &device, 1, 0);
    for (size_t i = 0; i < rows.count; i++) { /* kernels of 1: plain products, 80 % of the peak */
        struct layer_config *own = &rows.rows[i].config;
        own->pass = PASS_FORWARD;
        own->optimizer = OPTIMIZER_NONE;
        own->as.conv2d = (struct conv2d){.image_size = (int32_t)i % 40 + 1,
                                         .kernel_size = 1,
                                         .channels_in = (int32_t)i % 7 + 1,
                                         .channels_out = (int32_t)i % 11 + 1,
                                         .stride = 1,
                                         .padding = PADDING_VALID,
                                         .groups = 1,
                                         .dilation = 1};
        const double cells = (double)own->batch_size * own->as.conv2d.image_size *
                             own->as.conv2d.image_size;
        const double in = own->as.conv2d.channels_in, out = own->as.conv2d.channels_out;
        rows.rows[i].median_ms = 2 * cells * in * out / 80e6 +
                                 4 * (cells * in + in * out + cells * out) / 5e6;
        if (i % 3 == 0) { /* and the FFT layer at 20 %, on every side of the split */
            *own = config;
            own->batch_size = 2 + (int32_t)i % 5 * 2;
            const double share = own->batch_size / 2.0; /* all but the filters grow with it */
            const double transforms = (96 * share + 512) * 25600, products = 2228224 * share;
            rows.rows[i].median_ms = (transforms + products) / 20e6 +
                                     4 * (72064 * share + 12800) / 5e6;
        }
    }
    struct predictor *predictor = fit(&predictor_paleo, &rows);
    assert_true(fabs(predict_one(predictor, &config, NULL).median_ms / by_hand_ms - 1) < 1e-6);
    assert_true(worst(predictor, &rows) < 1e-6);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* ---- li2023 ---- */

/* Forward: over the outputs; train: over FLOPs. The slope's inverse is the bandwidth. */
static double li_law(const struct layer_config *config, const struct device_info *device)
{
    const double x = config->pass == PASS_FORWARD ? (double)layer_output_elements(config) * 1e-4
                                                  : layer_cost(config).flops * 1e-6;
    return 0.02 + x / device->bandwidth_gbps;
}

static void li2023_finds_driver_and_line(void **state)
{
    (void)state;
    const struct device_info devices[] = {synthetic_device("one", 100, 10),
                                          synthetic_device("two", 100, 30)};
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 800, dense_only, 1, devices, 2, 0);
    for (size_t i = 0; i < rows.count; i++) /* Sobol: pass follows the index's parity */
        rows.rows[i].device = (int32_t)(i / 2 % 2);
    set_times(&rows, li_law);
    struct predictor *predictor = fit(&predictor_li2023, &rows);
    assert_true(worst(predictor, &rows) < 1e-6);
    /* by hand: 10 x 100 -> 200, forward, on an unseen device of 20 GB/s: 2000e-4 / 20, without 0.02
     */
    const struct layer_config config = {
        .kind = LAYER_DENSE, .batch_size = 10, .as.dense = {.inputs = 100, .outputs = 200}};
    const struct device_info unseen = synthetic_device("three", 100, 20);
    assert_true(fabs(predict_one(predictor, &config, &unseen).median_ms / 0.01 - 1) < 1e-6);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* ---- nearest ---- */

static void nearest_knows_measured_layers(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct device_info other = synthetic_device("two", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 900, all_kinds, 3, &device, 1, 0.3);
    struct predictor *predictor = fit(&predictor_nearest, &rows);
    int known = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct prediction prediction = predict_one(predictor, &rows.rows[i].config, &device);
        assert_true(prediction.covered);
        if (split_of(&rows.rows[i].config) != SPLIT_TRAIN)
            continue;
        assert_true(fabs(prediction.median_ms / rows.rows[i].median_ms - 1) < 1e-3);
        known++;
    }
    assert_true(known > 600);
    assert_false(predict_one(predictor, &rows.rows[0].config, &other).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Configs that differ in the batch alone, 1, 2, 4, ...: 3 lies as near to the logarithm of 2 and 4
 * as log2(1.5) and log2(4/3) say. With two rows of each batch the four nearest are those of 4 and
 * 2, weights 1 / distance^2. */
static void nearest_weighs_by_distance(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 120, dense_only, 1, &device, 1, 0);
    const struct layer_config config = {
        .kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = 64, .outputs = 64}};
    int copies[17] = {0};
    for (size_t i = 0; i < rows.count; i++) {
        rows.rows[i].config = config;
        rows.rows[i].config.batch_size = 1 << (i % 15);
        rows.rows[i].median_ms = pow(10, (double)(i % 15)); /* ln t = n ln 10 */
        const bool is_train = split_of(&rows.rows[i].config) == SPLIT_TRAIN;
        if (!is_train || copies[i % 15]++ >= 2)
            rows.rows[i].outcome = OUTCOME_UNSUPPORTED;
    }
    for (int n = 0; n < 15; n++) /* whichever batch sizes the split leaves to learn from */
        if (n + 1 < 15 && copies[n] >= 2 && copies[n + 1] >= 2 && n > 0) {
            struct predictor *predictor = fit(&predictor_nearest, &rows);
            struct layer_config between = config;
            between.batch_size = 3 << (n - 1); /* 1.5 * 2^n */
            const double ms = predict_one(predictor, &between, NULL).median_ms;
            assert_true(ms > pow(10, n) && ms < pow(10, n + 1));
            assert_true(ms > pow(10, n + 0.5)); /* nearer to the larger one */
            predictor->type->free(predictor);
            synthetic_rows_free(&rows);
            return;
        }
    fail_msg("no two neighbouring batch sizes in the train split");
}

/* ---- neusight ---- */

/* One tile of 8 x 8 x 8 on one unit. By hand: FLOPs 1024; bytes 4 * 192 = 768; at 100 GFLOPS and
 * 10 GB/s the roof is min(1e8, 1e7 * 1024 / 768) FLOP/ms, so 768 bytes at 1e7 bytes/ms: 7.68e-5 ms
 * at full utilisation, twice that at 50 %. Rows of such layers alone let the law reach any time. */
static void neusight_of_one_tile_by_hand(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("one", 100, 10); /* 10 cores: one unit */
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 200, dense_only, 1, &device, 1, 0);
    const struct layer_config config = {
        .kind = LAYER_DENSE, .batch_size = 8, .as.dense = {.inputs = 8, .outputs = 8}};
    for (size_t i = 0; i < rows.count; i++) {
        rows.rows[i].config = config;
        rows.rows[i].median_ms = 7.68e-5 / 0.5;
    }
    if (split_of(&config) != SPLIT_TRAIN)
        skip();
    struct predictor *predictor = fit(&predictor_neusight, &rows);
    assert_true(worst(predictor, &rows) < 1e-3);
    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].median_ms = 7.68e-5 / 2; /* faster than the roofline: cannot be */
    predictor->type->free(predictor);
    predictor = fit(&predictor_neusight, &rows);
    assert_true(predict_one(predictor, &config, NULL).median_ms >= 7.68e-5);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Utilisation sigmoid(g) - sigmoid(a) / waves with constant a and g, of tiles written out for
 * layers whose sides are powers of two: forward, no bias, no activation. */
static double neusight_law(const struct layer_config *config, const struct device_info *device)
{
    const double rows = config->batch_size, in = config->as.dense.inputs;
    const double out = config->as.dense.outputs, units = 4;
    const double tile_rows = fmin(rows, 128), tile_in = fmin(in, 256), tile_out = fmin(out, 128);
    const double tiles = rows / tile_rows * (in / tile_in) * (out / tile_out);
    const double bytes = 4 * (rows * in + in * out + rows * out);
    const double roof = fmin(device->peak_gflops * 1e6,
                             device->bandwidth_gbps * 1e6 * 2 * rows * in * out / bytes);
    const double waves = ceil(tiles / units);
    const double utilisation = 0.7 - 0.3 / waves;
    return waves * units * 2 * tile_rows * tile_in * tile_out / (roof * utilisation);
}

static void neusight_finds_its_own_law(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("one", 100, 10);
    device.core_count = 4 * 64;
    device.cache_bytes = 1 << 22;
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 1500, dense_only, 1, &device, 1, 0);
    for (size_t i = 0; i < rows.count; i++) {
        const struct philox_words words = philox((uint32_t)i, 1, 0, PHILOX_FAKE_TIME, 5);
        rows.rows[i].config = (struct layer_config){
            .kind = LAYER_DENSE,
            .batch_size = 1 << (words.word[0] % 10),
            .as.dense = {.inputs = 1 << (words.word[1] % 12),
                         .outputs = 1 << (words.word[2] % 12)}};
    }
    set_times(&rows, neusight_law);
    struct predictor *predictor = fit(&predictor_neusight, &rows);
    const double error = worst(predictor, &rows);
    print_message("largest error %.3g\n", error);
    assert_true(error < 0.02);
    /* the law is of ratios: an unseen device of the same shape and twice the speed takes half */
    struct device_info fast = device;
    snprintf(fast.name, sizeof fast.name, "two");
    assert_true(predict_one(predictor, &rows.rows[0].config, &fast).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* ---- ceilings ---- */

/* The synthetic law is a sum of ceilings: an unseen device of another balance follows it. */
static void ceilings_follow_an_unseen_device(void **state)
{
    (void)state;
    const struct device_info devices[] = {synthetic_device("one", 100, 20),
                                          synthetic_device("two", 400, 20),
                                          synthetic_device("three", 100, 80)};
    const struct device_info unseen = synthetic_device("unseen", 200, 25);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 6000, dense_only, 1, devices, 3, 0);
    struct predictor *predictor = fit(&predictor_ceilings, &rows);
    double sum = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct prediction p = predict_one(predictor, &rows.rows[i].config, &unseen);
        assert_true(p.covered);
        sum += fabs(p.median_ms / synthetic_ms(&rows.rows[i].config, &unseen) - 1);
    }
    print_message("MAPE %.2f %%\n", 100 * sum / (double)rows.count);
    assert_true(sum < 0.06 * (double)rows.count);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static struct device_info device_of(const char *technology, const char *name, double gflops,
                                    double gbps)
{
    struct device_info device = synthetic_device(name, gflops, gbps);
    snprintf(device.technology, sizeof device.technology, "%s", technology);
    return device;
}

static double slow_kepler_ms(const struct layer_config *config, const struct device_info *device)
{
    return synthetic_ms(config, device) * (strcmp(device->technology, "Kepler") == 0 ? 1.5 : 1);
}

/* What one generation reaches of its peaks is forecast for an unseen device of that generation. */
static void ceilings_know_generations(void **state)
{
    (void)state;
    const struct device_info devices[] = {device_of("Kepler", "one", 100, 20),
                                          device_of("Maxwell", "two", 400, 20),
                                          device_of("Maxwell", "three", 100, 80)};
    const struct device_info unseen = device_of("Kepler", "unseen", 150, 20);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 6000, dense_only, 1, devices, 3, 0);
    set_times(&rows, slow_kepler_ms);
    struct predictor *predictor = fit(&predictor_ceilings, &rows);
    double sum = 0;
    for (size_t i = 0; i < rows.count; i++)
        sum += fabs(predict_one(predictor, &rows.rows[i].config, &unseen).median_ms /
                        slow_kepler_ms(&rows.rows[i].config, &unseen) -
                    1);
    print_message("MAPE %.2f %%\n", 100 * sum / (double)rows.count);
    assert_true(sum < 0.1 * (double)rows.count);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static struct predictor *fit_nets(const struct dataset_rows *rows, const char *nets)
{
    const struct predictor_type *type = &predictor_ceilings;
    struct fit_options *options;
    struct predictor *predictor;
    assert_int_equal(fit_options_create(&options, type, NULL), STATUS_OK);
    assert_int_equal(members_parse(options, type->options, type->option_count, "nets", nets, NULL),
                     STATUS_OK);
    assert_int_equal(type->fit(&predictor, rows, options, NULL, NULL), STATUS_OK);
    free(options);
    return predictor;
}

/* Maxwell and Ampere differ in their latency alone, which the second net sees, not the first. */
static void ceilings_hide_a_measure_from_half_of_the_nets(void **state)
{
    (void)state;
    const struct device_info devices[] = {device_of("Maxwell", "one", 100, 20),
                                          device_of("Ampere", "two", 100, 20)};
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 1000, dense_only, 1, devices, 2, 0);
    for (size_t i = 0; i < rows.count; i++) /* for the nets to tell the two apart, if they can */
        rows.rows[i].median_ms *= rows.rows[i].device == 0 ? 1 : 2;
    struct predictor *one = fit_nets(&rows, "1"), *both = fit_nets(&rows, "2");
    const struct layer_config *config = &rows.rows[0].config;
    assert_true(predict_one(one, config, &devices[0]).median_ms ==
                predict_one(one, config, &devices[1]).median_ms);
    assert_true(predict_one(both, config, &devices[0]).median_ms <
                predict_one(both, config, &devices[1]).median_ms);
    one->type->free(one);
    both->type->free(both);
    synthetic_rows_free(&rows);
}

static void units_are_those_of_the_generation(void **state)
{
    (void)state;
    const struct device_info kepler = device_of("Kepler", "K80", 1, 1);
    const struct device_info p100 = device_of("Pascal", "Tesla P100-PCIE", 1, 1);
    const struct device_info pascal = device_of("Pascal", "GTX 1080 Ti", 1, 1);
    const struct device_info other = device_of("", "cpu", 1, 1);
    assert_true(device_unit_of(&kepler).cores == 192 && device_unit_of(&kepler).schedulers == 4);
    assert_true(device_unit_of(&p100).cores == 64 && device_unit_of(&p100).schedulers == 2);
    assert_true(device_unit_of(&pascal).cores == 128);
    assert_true(device_unit_of(&pascal).latency_cycles == 6);
    assert_true(device_unit_of(&other).cores == 64 && device_unit_of(&other).latency_cycles == 4);
}

/* ---- all of them ---- */

/* Every baseline forecasts every kind, positive and finite, learns nothing of kinds without rows,
 * and its name is found. */
static void baselines_cover_what_they_learnt(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows all, dense;
    synthetic_rows_create(&all, 600, all_kinds, 3, &device, 1, 0.1);
    synthetic_rows_create(&dense, 200, dense_only, 1, &device, 1, 0.1);
#define BASELINE(name) &predictor_##name,
    const struct predictor_type *const baselines[] = {BASELINES(BASELINE)};
    for (size_t i = 0; i < sizeof baselines / sizeof *baselines; i++) {
        assert_ptr_equal(predictor_find(baselines[i]->name), baselines[i]);
        struct predictor *predictor = fit(baselines[i], &all);
        for (size_t row = 0; row < all.count; row++) {
            const struct prediction p = predict_one(predictor, &all.rows[row].config, NULL);
            assert_true(p.covered && isfinite(p.median_ms) && p.median_ms > 0);
        }
        predictor->type->free(predictor);
        if (baselines[i] == &predictor_roofline) /* needs no rows */
            continue;
        predictor = fit(baselines[i], &dense);
        for (size_t row = 0; row < all.count; row++)
            assert_int_equal(predict_one(predictor, &all.rows[row].config, NULL).covered,
                             all.rows[row].config.kind == LAYER_DENSE);
        predictor->type->free(predictor);
    }
    assert_null(predictor_find("nope"));
    synthetic_rows_free(&all);
    synthetic_rows_free(&dense);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paleo_finds_the_shares_of_dense),
        cmocka_unit_test(paleo_chooses_the_cheaper_algorithm),
        cmocka_unit_test(li2023_finds_driver_and_line),
        cmocka_unit_test(nearest_knows_measured_layers),
        cmocka_unit_test(nearest_weighs_by_distance),
        cmocka_unit_test(neusight_of_one_tile_by_hand),
        cmocka_unit_test(neusight_finds_its_own_law),
        cmocka_unit_test(ceilings_follow_an_unseen_device),
        cmocka_unit_test(ceilings_know_generations),
        cmocka_unit_test(ceilings_hide_a_measure_from_half_of_the_nets),
        cmocka_unit_test(units_are_those_of_the_generation),
        cmocka_unit_test(baselines_cover_what_they_learnt),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
