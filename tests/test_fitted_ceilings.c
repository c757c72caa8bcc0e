/* Fitted ceilings: factors found again, an optimum by finite differences, few and bad rows. */
#include "base/stats.h"
#include "predictors/fitted_ceilings.h"
#include "synthetic_rows.h"
#include "test.h"

static const enum layer_kind dense_only[] = {LAYER_DENSE};

struct fit_rows {
    size_t count;
    double *ceilings, *log_ms; /* (count, CEILING_HEADS), (count) */
};

static void fit_rows_free(struct fit_rows *rows)
{
    free(rows->ceilings);
    free(rows->log_ms);
}

static struct fit_rows fit_rows_create(size_t count)
{
    struct fit_rows rows = {.count = count,
                            .ceilings = calloc(count, CEILING_HEADS * sizeof(double)),
                            .log_ms = calloc(count, sizeof(double))};
    assert_true(rows.ceilings && rows.log_ms);
    return rows;
}

/* Dense layers of the sampler on a device of 100 GFLOPS and 10 GB/s; times of the law with `truth`,
 * times exp(noise N(0, 1)). */
static struct fit_rows dense_rows(size_t count, const struct fitted_ceilings *truth, double noise)
{
    const struct device_info device = synthetic_device("one", 100, 10);
    struct fit_rows rows = fit_rows_create(count);
    struct dataset_rows layers;
    synthetic_rows_create(&layers, count, dense_only, 1, &device, 1, 0);
    for (size_t i = 0; i < count; i++) {
        double *row = rows.ceilings + i * CEILING_HEADS;
        fitted_ceilings_config_row(row, &layers.rows[i].config, &device);
        rows.log_ms[i] = fitted_ceilings_log_ms(truth, row) +
                         noise * synthetic_normal((uint32_t)i, 3);
    }
    synthetic_rows_free(&layers);
    return rows;
}

static const struct fitted_ceilings truth = {.theta = {0.2, 1.1, 0.6, 0.9, 0.4, -5, -4}};

static bool is_finite(const struct fitted_ceilings *fitted)
{
    bool finite = isfinite(fitted->variance) && fitted->variance >= 1e-4;
    for (int i = 0; i < CEILING_HEADS; i++)
        finite = finite && fabs(fitted->theta[i]) < 100;
    return finite;
}

static double ms_of(const struct fitted_ceilings *fitted, const struct fit_rows *rows, size_t row)
{
    return exp(fitted_ceilings_log_ms(fitted, rows->ceilings + row * CEILING_HEADS));
}

/* 2 x 8 -> 4 with bias, forward and trained with SGD, at 100 GFLOPS and 10 GB/s. */
static void ceilings_of_a_layer_by_hand(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("one", 100, 10);
    struct layer_config config = {
        .kind = LAYER_DENSE, .batch_size = 2, .as.dense = {.inputs = 8, .outputs = 4}};
    double row[CEILING_HEADS];
    fitted_ceilings_config_row(row, &config, &device);
    assert_true(fabs(exp(row[HEAD_FORWARD_COMPUTE]) / (128 / 1e8) - 1) < 1e-12);
    assert_true(fabs(exp(row[HEAD_FORWARD_MEMORY]) / (224 / 1e7) - 1) < 1e-12);
    assert_true(row[HEAD_FORWARD_FIXED] == 0);
    for (int i = HEAD_BACKWARD_COMPUTE; i <= HEAD_UPDATE_MEMORY; i++)
        assert_true(row[i] == -60);
    assert_true(row[HEAD_TRAIN_FIXED] == -60);
    config.pass = PASS_TRAIN; /* gradients of data and weights: a product each */
    fitted_ceilings_config_row(row, &config, &device);
    assert_true(fabs(exp(row[HEAD_BACKWARD_COMPUTE]) / (256 / 1e8) - 1) < 1e-12);
    assert_true(row[HEAD_TRAIN_FIXED] == 0 && row[HEAD_UPDATE_MEMORY] == -60);
    config.optimizer = OPTIMIZER_SGD; /* reads weights and gradients, writes weights */
    fitted_ceilings_config_row(row, &config, &device);
    assert_true(fabs(exp(row[HEAD_UPDATE_MEMORY]) / (3 * 4 * 32 / 1e7) - 1) < 1e-12);
    /* rates that are unknown: those of a modest device */
    struct device_rates rates;
    device.peak_gflops = NAN;
    assert_false(fitted_ceilings_rates(&rates, &device));
    assert_true(rates.gflops == 1000 && rates.gbps == 10);
}

/* Every head matters somewhere in these rows, so each factor is found; the prior bends it a bit. */
static void factors_are_found_again(void **state)
{
    (void)state;
    static const double noises[] = {0, 0.1};
    for (size_t i = 0; i < 2; i++) {
        struct fit_rows rows = dense_rows(2000, &truth, noises[i]);
        struct fitted_ceilings fitted;
        fitted_ceilings_fit(&fitted, rows.ceilings, rows.log_ms, rows.count);
        for (int head = 0; head < CEILING_HEADS; head++)
            print_message("%.4f ", fitted.theta[head]);
        print_message("variance %.3g\n", fitted.variance);
        const double bound[] = {0.02, 0.15};
        for (int head = 0; head < CEILING_HEADS; head++)
            assert_true(fabs(fitted.theta[head] - truth.theta[head]) < bound[i]);
        assert_true(fabs(sqrt(fitted.variance) - noises[i]) < 0.01 + 0.005);
        fit_rows_free(&rows);
    }
}

/* The objective as the header states it, written anew. */
static double objective(const struct fitted_ceilings *fitted, const struct fit_rows *rows,
                        double fixed_prior)
{
    double sum = 0;
    for (size_t i = 0; i < rows->count; i++) {
        double f = 0;
        for (int h = 0; h < CEILING_HEADS; h++)
            f += exp(fitted->theta[h]) * exp(rows->ceilings[i * CEILING_HEADS + (size_t)h]);
        const double r = fabs(log(f) - rows->log_ms[i]);
        sum += (r < 0.5 ? r * r : r - 0.25) / fitted->variance;
    }
    for (int h = 0; h < CEILING_HEADS; h++) {
        const double z = (fitted->theta[h] - (h < 5 ? log(1.5) : fixed_prior)) / 1.5;
        sum += z * z;
    }
    return sum;
}

/* No step along any axis, small or large, lowers the objective, and its slope is 0. */
static void the_fit_is_an_optimum(void **state)
{
    (void)state;
    static const size_t counts[] = {5, 40, 700};
    for (size_t c = 0; c < 3; c++) {
        struct fit_rows rows = dense_rows(counts[c], &truth, 0.3);
        rows.log_ms[0] += 4; /* an outlier: the linear part */
        struct fitted_ceilings fitted;
        fitted_ceilings_fit(&fitted, rows.ceilings, rows.log_ms, rows.count);
        double sorted[700];
        memcpy(sorted, rows.log_ms, rows.count * sizeof *sorted);
        stats_sort(sorted, rows.count);
        const double prior = log(fmin(exp(stats_quantile(sorted, rows.count, 0.02)) / 2, 0.05));
        const double best = objective(&fitted, &rows, prior);
        for (int head = 0; head < CEILING_HEADS; head++) {
            static const double steps[] = {1e-3, 1e-2, 0.1, 0.5, 2};
            for (size_t i = 0; i < 5; i++) {
                struct fitted_ceilings low = fitted, high = fitted;
                low.theta[head] -= steps[i];
                high.theta[head] += steps[i];
                const double below = objective(&low, &rows, prior);
                const double above = objective(&high, &rows, prior);
                assert_true(below > best && above > best);
                if (i == 0) /* at a slope of 0 the two differ in the third order */
                    assert_true(fabs(above - below) < 0.05 * (above + below - 2 * best));
            }
        }
        fit_rows_free(&rows);
    }
}

/* Without rows: two thirds of the full rates. */
static void no_rows_leave_the_prior(void **state)
{
    (void)state;
    struct fitted_ceilings fitted;
    fitted_ceilings_fit(&fitted, NULL, NULL, 0);
    for (int i = 0; i < CEILING_HEADS; i++)
        assert_true(fabs(exp(fitted.theta[i]) - (i < HEAD_FORWARD_FIXED ? 1.5 : 0.05)) < 1e-12);
    assert_true(fitted.variance == 0.25);
}

/* A head that no row has stays where its prior is: forward rows say nothing of training. */
static void absent_heads_keep_their_prior(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct fit_rows rows = dense_rows(200, &truth, 0.1);
    struct dataset_rows layers;
    synthetic_rows_create(&layers, 200, dense_only, 1, &device, 1, 0);
    for (size_t i = 0; i < rows.count; i++) {
        double *row = rows.ceilings + i * CEILING_HEADS;
        layers.rows[i].config.pass = PASS_FORWARD;
        layers.rows[i].config.optimizer = OPTIMIZER_NONE;
        fitted_ceilings_config_row(row, &layers.rows[i].config, &device);
        rows.log_ms[i] = fitted_ceilings_log_ms(&truth, row);
    }
    struct fitted_ceilings fitted;
    fitted_ceilings_fit(&fitted, rows.ceilings, rows.log_ms, rows.count);
    for (int i = HEAD_BACKWARD_COMPUTE; i <= HEAD_UPDATE_MEMORY; i++)
        assert_true(fabs(fitted.theta[i] - log(1.5)) < 1e-6);
    assert_true(fabs(fitted.theta[HEAD_FORWARD_MEMORY] - truth.theta[HEAD_FORWARD_MEMORY]) < 0.1);
    synthetic_rows_free(&layers);
    fit_rows_free(&rows);
}

/* A single row is met where the roofline's factors can be; a time out of any reach leaves them
 * finite, and those of layers of another pass where they were. */
static void one_row_is_met(void **state)
{
    (void)state;
    static const double times_ms[] = {1e-6, 1e9}, factors[] = {0.3, 1, 3};
    struct fit_rows rows = dense_rows(2, &truth, 0);
    struct fitted_ceilings fitted;
    for (size_t i = 0; i < 3; i++) {
        const double ms = factors[i] * ms_of(&truth, &rows, 1), log_ms = log(ms);
        fitted_ceilings_fit(&fitted, rows.ceilings + CEILING_HEADS, &log_ms, 1);
        assert_true(is_finite(&fitted));
        assert_true(fabs(ms_of(&fitted, &rows, 1) / ms - 1) < 0.1);
    }
    /* a small layer of its pass does not cost half of what the large one takes */
    const double small[CEILING_HEADS] = {-60, -10, -60, -60, -60, 0, -60};
    const double large_log_ms = log(1000);
    fitted_ceilings_fit(&fitted, rows.ceilings + CEILING_HEADS, &large_log_ms, 1);
    assert_true(exp(fitted_ceilings_log_ms(&fitted, small)) < 10);
    for (size_t i = 0; i < 2; i++) {
        const double log_ms = log(times_ms[i]);
        fitted_ceilings_fit(&fitted, rows.ceilings + CEILING_HEADS, &log_ms, 1);
        assert_true(is_finite(&fitted));
        assert_true(isfinite(ms_of(&fitted, &rows, 0)) && ms_of(&fitted, &rows, 0) > 0);
        for (int head = 0; head < HEAD_FORWARD_FIXED; head++)
            assert_true(fabs(fitted.theta[head] - log(1.5)) < 5 * 1.5);
    }
    fit_rows_free(&rows);
}

/* The same layer again and again, with one time, or with two that contradict: between them. */
static void rows_of_one_size_are_met(void **state)
{
    (void)state;
    for (int contradicts = 0; contradicts < 2; contradicts++) {
        struct fit_rows rows = dense_rows(50, &truth, 0);
        for (size_t i = 0; i < rows.count; i++) {
            memcpy(rows.ceilings + i * CEILING_HEADS, rows.ceilings,
                   CEILING_HEADS * sizeof(double));
            rows.log_ms[i] = contradicts && i % 2 ? log(4) : log(1);
        }
        struct fitted_ceilings fitted;
        fitted_ceilings_fit(&fitted, rows.ceilings, rows.log_ms, rows.count);
        assert_true(is_finite(&fitted));
        const double ms = ms_of(&fitted, &rows, 0);
        assert_true(contradicts ? ms > 1.3 && ms < 3.1 : fabs(ms - 1) < 0.02);
        /* ln 4 apart: about ln 2 off the middle */
        assert_true(contradicts ? fabs(sqrt(fitted.variance) - log(2)) < 0.15
                                : fitted.variance < 1e-3);
        fit_rows_free(&rows);
    }
}

/* Constant columns, times of 1e-6 and 1e9 ms among each other, layers without any work. */
static void odd_rows_stay_finite(void **state)
{
    (void)state;
    struct fit_rows rows = dense_rows(100, &truth, 0.1);
    struct fitted_ceilings fitted;
    for (size_t i = 0; i < rows.count; i++)
        rows.log_ms[i] = i % 3 ? log(1e-6) : log(1e9);
    fitted_ceilings_fit(&fitted, rows.ceilings, rows.log_ms, rows.count);
    assert_true(is_finite(&fitted) && ms_of(&fitted, &rows, 0) > 0);
    for (size_t i = 0; i < rows.count; i++)
        for (size_t head = 0; head < CEILING_HEADS; head++)
            rows.ceilings[i * CEILING_HEADS + head] = head % 2 ? 0 : -60;
    fitted_ceilings_fit(&fitted, rows.ceilings, rows.log_ms, rows.count);
    assert_true(is_finite(&fitted) && ms_of(&fitted, &rows, 0) > 0);
    for (size_t i = 0; i < rows.count * CEILING_HEADS; i++)
        rows.ceilings[i] = -60;
    fitted_ceilings_fit(&fitted, rows.ceilings, rows.log_ms, rows.count);
    assert_true(is_finite(&fitted));
    fit_rows_free(&rows);
}

/* Of many rows some are used, from every part of the order: of either pass, which alternates in
 * a sweep, and of a drift of the latter half the mean. */
static void many_rows_are_chosen_evenly(void **state)
{
    (void)state;
    static const size_t counts[] = {2 * FITTED_ROW_LIMIT, 5 * FITTED_ROW_LIMIT + 1};
    for (size_t c = 0; c < 2; c++) {
        struct fit_rows rows = dense_rows(counts[c], &truth, 0.1);
        struct fitted_ceilings all, drifting;
        fitted_ceilings_fit(&all, rows.ceilings, rows.log_ms, rows.count);
        for (int head = 0; head < CEILING_HEADS; head++)
            assert_true(fabs(all.theta[head] - truth.theta[head]) < 0.15);
        for (size_t i = rows.count / 2; i < rows.count; i++)
            rows.log_ms[i] += 0.4;
        fitted_ceilings_fit(&drifting, rows.ceilings, rows.log_ms, rows.count);
        for (int head = 0; head < CEILING_HEADS; head++)
            assert_true(fabs(drifting.theta[head] - all.theta[head] - 0.2) < 0.1);
        fit_rows_free(&rows);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ceilings_of_a_layer_by_hand),   cmocka_unit_test(factors_are_found_again),
        cmocka_unit_test(the_fit_is_an_optimum),         cmocka_unit_test(no_rows_leave_the_prior),
        cmocka_unit_test(absent_heads_keep_their_prior), cmocka_unit_test(one_row_is_met),
        cmocka_unit_test(rows_of_one_size_are_met),      cmocka_unit_test(odd_rows_stay_finite),
        cmocka_unit_test(many_rows_are_chosen_evenly),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
