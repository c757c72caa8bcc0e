/* The `fitted` baseline: its own law, devices without rates, few rows. */
#include "data/split.h"
#include "predictor_calls.h"
#include "synthetic_rows.h"
#include "test.h"

static const enum layer_kind dense_only[] = {LAYER_DENSE};

static struct predictor *fit(const struct dataset_rows *rows)
{
    return fit_with(&predictor_fitted, rows, NULL, NULL);
}

/* The largest relative error over all rows. */
static double worst(const struct predictor *predictor, const struct dataset_rows *rows)
{
    double most = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        const struct prediction prediction = predict_one(predictor, &row->config,
                                                         &rows->devices[row->device]);
        assert_true(prediction.covered && isnan(prediction.low_ms));
        most = fmax(most, fabs(prediction.median_ms / row->median_ms - 1));
    }
    return most;
}

/* The synthetic law is a sum of ceilings at full rates and 0.005 ms. */
static void fitted_finds_the_law(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 900, dense_only, 1, &device, 1, 0);
    struct predictor *predictor = fit(&rows);
    assert_true(worst(predictor, &rows) < 0.02);
    const struct layer_config config = {
        .kind = LAYER_DENSE, .batch_size = 512, .as.dense = {.inputs = 4096, .outputs = 4096}};
    const double ms = predict_one(predictor, &config, NULL).median_ms;
    /* the factors belong to the rates of the fit: measuring the same device anew changes nothing */
    struct device_info again = device;
    again.measured_sgemm_gflops = 90;
    assert_true(predict_one(predictor, &config, &again).median_ms == ms);
    /* an unseen device of twice the speed takes half the time; one without rates is not covered */
    struct device_info fast = synthetic_device("two", 200, 20);
    assert_true(fabs(predict_one(predictor, &config, &fast).median_ms / ms - 0.5) < 0.01);
    fast.peak_gflops = NAN;
    assert_false(predict_one(predictor, &config, &fast).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Rates that a dataset does not tell: the factors take up the difference, for that device alone. */
static void fitted_needs_no_rates(void **state)
{
    (void)state;
    struct device_info devices[] = {synthetic_device("one", 100, 10),
                                    synthetic_device("two", 300, 30)};
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 900, dense_only, 1, devices, 2, 0);
    for (size_t i = 0; i < rows.count; i++) { /* Sobol: pass follows the index's parity */
        rows.rows[i].device = (int32_t)(i / 2 % 2);
        rows.rows[i].median_ms = synthetic_ms(&rows.rows[i].config, &devices[i / 2 % 2]);
    }
    const struct device_info unseen = synthetic_device("three", 100, 10);
    const struct layer_config *config = &rows.rows[0].config;
    rows.devices[0].peak_gflops = rows.devices[0].bandwidth_gbps = NAN;
    struct predictor *predictor = fit(&rows);
    assert_true(worst(predictor, &rows) < 0.1);
    const double ms = synthetic_ms(config, &unseen);
    assert_true(fabs(predict_one(predictor, config, &unseen).median_ms / ms - 1) < 0.1);
    predictor->type->free(predictor);
    rows.devices[1].peak_gflops = NAN; /* now no device says what its factors mean elsewhere */
    predictor = fit(&rows);
    assert_true(worst(predictor, &rows) < 0.1);
    assert_false(predict_one(predictor, config, &unseen).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* From one train row on; the prior holds the rest, except of layers that take less than any row:
 * nothing tells their fixed cost. A kind without a train row is not covered. */
static void fitted_takes_few_rows(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 400, dense_only, 1, &device, 1, 0);
    size_t seen = 0, last = 0;
    double least_ms = INFINITY;
    for (size_t count = 0; count <= 12; count++) {
        const size_t train_rows = seen;
        if (train_rows > 0 && train_rows != last) {
            struct dataset_rows few = rows;
            few.count = count;
            struct predictor *predictor = fit(&few);
            for (size_t i = 0; i < rows.count; i++) {
                const struct prediction p = predict_one(predictor, &rows.rows[i].config, NULL);
                const double ms = fmax(rows.rows[i].median_ms, least_ms);
                assert_true(p.covered && p.median_ms > 0.05 * rows.rows[i].median_ms);
                assert_true(p.median_ms < 20 * ms);
            }
            predictor->type->free(predictor);
            last = train_rows;
        }
        if (split_of(&rows.rows[count].config) == SPLIT_TRAIN) {
            least_ms = fmin(least_ms, rows.rows[count].median_ms);
            seen++;
        }
    }
    assert_true(last >= 3);
    struct dataset_rows none = {.rows = rows.rows, .devices = rows.devices, .device_count = 1};
    while (split_of(&none.rows->config) == SPLIT_TRAIN)
        none.rows++;
    none.count = 1;
    struct predictor *predictor = fit(&none);
    assert_false(predict_one(predictor, &rows.rows[0].config, NULL).covered);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fitted_finds_the_law),
        cmocka_unit_test(fitted_needs_no_rates),
        cmocka_unit_test(fitted_takes_few_rows),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
