/* Works that have no kind: what each predictor makes of an operator that nothing measures. */
#include "predictor_calls.h"
#include "predictors/predictor_roofline.h"
#include "synthetic_rows.h"
#include "test.h"

static struct predictor *fit_small(const struct predictor_type *type,
                                   const struct dataset_rows *rows)
{
    const struct mlp_options options = small_fit_options();
    return fit_with(type, rows, &options, NULL);
}

#define KIND(KIND, kind) LAYER_##KIND,
static const enum layer_kind all_kinds[] = {LAYER_KINDS(KIND)};

/* A product with a stream behind it, in the sizes of `scale`. */
static void set_attention(struct layer_work *work, double scale)
{
    const struct work_operation scores = {
        .rows = 64 * scale, .depth = 64, .columns = 64 * scale, .batch = 8};
    work_begin(work);
    work_tensor(work, TENSOR_INPUT, "query", 8 * 64 * 64 * scale);
    work_tensor(work, TENSOR_INPUT, "key", 8 * 64 * 64 * scale);
    work_tensor(work, TENSOR_OUTPUT, "scores", 8 * 64 * 64 * scale * scale);
    work_product(work, WORK_FORWARD, scores);
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = 1e5 * scale * scale});
    work_product(work, WORK_BACKWARD_DATA, scores);
    work_product(work, WORK_BACKWARD_DATA, scores);
}

static void set_table(struct layer_work *work, double scale)
{
    work_begin(work);
    work_add_tensor(work, (struct layer_tensor){.name = "indices",
                                                .role = TENSOR_INPUT,
                                                .storage = STORAGE_INT32,
                                                .count = 1000 * scale});
    work_tensor(work, TENSOR_OUTPUT, "y", 1e6 * scale);
    work_tensor(work, TENSOR_WEIGHTS, "table", 1e6);
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = 0});
    work_stream(work, WORK_BACKWARD_WEIGHTS, (struct work_operation){.flops = 1e6 * scale});
}

/* ms; NaN: not covered. */
static double ask(const struct predictor *predictor, const struct layer_work *work, int32_t pass,
                  const struct device_info *device)
{
    const struct layer_question question = {.work = work, .pass = pass};
    struct prediction prediction;
    assert_int_equal(predictor->type->predict(&prediction, predictor, &question, 1, device, NULL),
                     STATUS_OK);
    assert_true(prediction.covered == !isnan(prediction.median_ms));
    return prediction.median_ms;
}

typedef void (*set_work)(struct layer_work *work, double scale);

/* Within a factor of six of the law that the rows follow, and growing with pass and size. */
static void assert_plausible(const struct predictor *predictor, set_work set,
                             const struct device_info *device)
{
    double last_ms = 0;
    for (double scale = 1; scale <= 64; scale *= 4) {
        struct layer_work work;
        set(&work, scale);
        const double forward_ms = ask(predictor, &work, PASS_FORWARD, device);
        const double train_ms = ask(predictor, &work, PASS_TRAIN, device);
        const struct cost cost = cost_of_work(&work, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32);
        const double law_ms = 0.005 + cost.flops / (device->peak_gflops * 1e6) +
                              (cost.bytes_read + cost.bytes_written) /
                                  (device->bandwidth_gbps * 1e6);
        assert_true(forward_ms > law_ms / 6 && forward_ms < law_ms * 6);
        assert_true(train_ms > forward_ms && forward_ms > last_ms);
        last_ms = forward_ms;
    }
}

static void works_without_a_kind_are_forecast(void **state)
{
    (void)state;
    static const struct predictor_type *const types[] = {&predictor_roofline, &predictor_paleo,
                                                         &predictor_neusight, &predictor_ceilings,
                                                         &predictor_fitted};
    const struct device_info device = synthetic_device("one", 1000, 100);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 600, all_kinds, LAYER_KIND_COUNT, &device, 1, 0.05);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct predictor *predictor = fit_small(types[i], &rows);
        assert_plausible(predictor, set_attention, &device);
        assert_plausible(predictor, set_table, &device);
        predictor->type->free(predictor);
    }
    synthetic_rows_free(&rows);
}

/* Those that need the features of a kind. */
static void others_do_not_cover_them(void **state)
{
    (void)state;
    static const struct predictor_type *const types[] = {&predictor_linear, &predictor_li2023,
                                                         &predictor_nearest, &predictor_mlp};
    const struct device_info device = synthetic_device("one", 1000, 100);
    struct layer_work work;
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 300, all_kinds, 1, &device, 1, 0.05);
    set_attention(&work, 1);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct predictor *predictor = fit_small(types[i], &rows);
        assert_true(isnan(ask(predictor, &work, PASS_FORWARD, &device)));
        predictor->type->free(predictor);
    }
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_without_a_kind_are_forecast),
        cmocka_unit_test(others_do_not_cover_them),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
