/* Wrong results are found, right ones are not: the check of a sweep's results, on the cpu backend
 * and on plans whose results are computed here. */
#include "base/philox.h"
#include "bench/measure.h"
#include "kinds/reference.h"
#include "layer_configs.h"
#include "layers/describe.h"
#include "onednn/cpu_plan.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

static int setup(void **state)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {.arena_bytes = 256 << 20, .seed = 7};
    if (device_open(&device, "cpu", &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    *state = device;
    return 0;
}

static int teardown(void **state)
{
    device_close(*state);
    return 0;
}

static void succeed(enum status status, const struct layer_config *config,
                    const struct error *error)
{
    char text[256];
    describe_config(text, sizeof text, config);
    if (status != STATUS_OK)
        fail_msg("%s: %s", text, error->message);
}

/* A plan that ran. */
static struct plan *run(struct device *device, const struct layer_config *config)
{
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan = NULL;
    const struct bench *bench = device->backend->bench[config->kind];
    device->backend->reset(device);
    succeed(bench->prepare(&plan, device, config, NULL, &outcome, &error), config, &error);
    succeed(bench->enqueue(plan, phases_of(config), &error), config, &error);
    return plan;
}

/* Whether an element of the output may be defined: of large recurrent layers none may. */
static bool is_within_reach(const struct layer_config *config)
{
    struct reference reference;
    reference_begin(&reference, config, (struct value_source){.read = NULL}, false);
    return reference_terms(&reference, VALUE_OUTPUT, 0) <= CHECK_READS_OF_ONE;
}

static struct check check_of(struct plan *plan, struct device *device,
                             const struct layer_config *config)
{
    struct error error = {0};
    struct check check;
    succeed(check_plan(&check, plan, device, config, &error), config, &error);
    assert_true(check.is_checked || !is_within_reach(config));
    return check;
}

/* ---- right results ---- */

static void expect_right(struct device *device, const struct layer_config *config)
{
    char text[256];
    struct plan *plan = run(device, config);
    const struct check check = check_of(plan, device, config);
    describe_config(text, sizeof text, config);
    if (check.is_incorrect)
        fail_msg("%s: %s", text, check.finding);
    plan->bench->release(plan);
}

static void check_kind(struct device *device, enum layer_kind kind)
{
    for (int i = 0; i < kind_references[kind]->case_count; i++)
        for (int pass = 0; pass < PASS_COUNT; pass++) {
            struct layer_config config = kind_references[kind]->cases[i];
            config.pass = pass;
            expect_right(device, &config);
        }
}

#define RESULTS_ARE_RIGHT(KIND, kind)                                                              \
    static void results_of_##kind##_are_right(void **state)                                        \
    {                                                                                              \
        check_kind(*state, LAYER_##KIND);                                                          \
    }
LAYER_KINDS(RESULTS_ARE_RIGHT)

/* Long sums, large planes, every activation's approximation. */
static void large_layers_are_right(void **state)
{
    for (int activation = 0; activation < ACTIVATION_COUNT; activation++) {
        const struct layer_config configs[] = {
            dense_config(64, 4096, 300, 1, activation),
            conv2d_config(2, SQUARE(28, 3, 256, 64, 1, PADDING_SAME, 1, activation)),
            conv2d_config(16, SQUARE(56, 7, 3, 17, 2, PADDING_SAME, 0, activation)),
            pool2d_config(4,
                          (struct pool2d){57, 9, 24, 3, PADDING_SAME, POOLING_AVERAGE, activation}),
            batch_norm_config(16, (struct batch_norm){56, 20, activation}),
            addition_config(8, 100003, activation),
        };
        for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
            expect_right(*state, &configs[i]);
    }
}

/* Whether some result has an element of so few terms that it is looked at. */
static bool is_checkable(const struct layer_config *config)
{
    struct reference reference;
    reference_begin(&reference, config, (struct value_source){.read = NULL}, false);
    return config->pass == PASS_TRAIN ||
           reference_terms(&reference, VALUE_OUTPUT, 0) <= CHECK_READS_OF_ONE;
}

/* What the sweeps draw, as far as it fits the arena. */
static void drawn_layers_are_right(void **state)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct sample_domain domain;
        sample_domain_default(&domain, (enum layer_kind)kind);
        domain.flops_limit = 2e8;
        domain.memory_limit_bytes = 64 << 20;
        for (uint32_t draw = 0; draw < 25; draw++) {
            struct layer_config config;
            enum stratum stratum;
            struct error error = {0};
            succeed(sample_draw(&config, &stratum, &domain, 3, draw, &error), &config, &error);
            if (is_checkable(&config))
                expect_right(*state, &config);
        }
    }
}

/* 16 bits, where the processor and the library have them. */
static void narrow_layers_are_right(void **state)
{
    int count = 0;
    for (int precision = PRECISION_FP16; precision < PRECISION_COUNT; precision++)
        for (int kind = 0; kind < LAYER_KIND_COUNT && cpu_has_precision(precision); kind++)
            for (int i = 0; i < kind_references[kind]->case_count; i++, count++) {
                struct layer_config config = kind_references[kind]->cases[i];
                config.precision = precision;
                expect_right(*state, &config);
            }
    if (count == 0)
        skip();
}

/* An update changes the weights that the results came from. */
static void updated_layers_are_right(void **state)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++) {
            struct layer_config config = reference_example((enum layer_kind)kind);
            struct layer_work work;
            layer_work(&work, &config);
            config.optimizer = optimizer;
            if (work_tensor_count(&work, TENSOR_WEIGHTS))
                expect_right(*state, &config);
        }
}

/* Where calls take turns on several sets of operands, the first set is the one that is read. */
static void results_of_several_sets_are_right(void **state)
{
    struct measure_options options = measure_options_default;
    options.cache = CACHE_STEP;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int pass = 0; pass < PASS_COUNT; pass++) {
            struct error error = {0};
            struct measurement row;
            struct check check;
            struct layer_config config = reference_example((enum layer_kind)kind);
            struct layer_work work;
            layer_work(&work, &config);
            config.pass = pass;
            if (pass == PASS_TRAIN && work_tensor_count(&work, TENSOR_WEIGHTS))
                config.optimizer = OPTIMIZER_ADAM;
            succeed(measure_and_check(&row, &check, *state, &config, &options, &error), &config,
                    &error);
            assert_true(check.is_checked);
            if (check.is_incorrect)
                fail_msg("kind %d: %s", kind, check.finding);
        }
}

/* ---- one wrong element ---- */

static const enum cpu_role result_roles[] = {CPU_OUTPUT, CPU_INPUT_GRADIENT, CPU_WEIGHTS_GRADIENT,
                                             CPU_BIAS_GRADIENT};

static size_t element_count(const struct cpu_plan *plan, enum cpu_role role)
{
    const struct cpu_layout *layout = plan->tensor[role].layout;
    size_t count = 1;
    for (int i = 0; i < cpu_layout_rank(layout); i++)
        count *= (size_t)cpu_layout_dimensions(layout)[i];
    return count;
}

/* The tensor's last element, which every check looks at, becomes `change` of it. */
static void corrupt(struct cpu_plan *plan, enum cpu_role role, float (*change)(float value))
{
    struct error error = {0};
    const size_t count = element_count(plan, role);
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    assert_int_equal(cpu_plan_read(values, plan, role, &error), STATUS_OK);
    values[count - 1] = change(values[count - 1]);
    assert_int_equal(cpu_plan_write(plan, role, values, &error), STATUS_OK);
    free(values);
}

static float off_by_a_thousandth(float value)
{
    return value + 0.001f * (1 + fabsf(value));
}

static float not_a_number(float value)
{
    (void)value;
    return NAN;
}

static void expect_found(struct device *device, const struct layer_config *config,
                         enum cpu_role role, float (*change)(float value))
{
    struct plan *plan = run(device, config);
    struct cpu_plan *own = (struct cpu_plan *)plan;
    if (own->tensor[role].memory &&
        own->tensor[role].data != own->tensor[CPU_OUTPUT_GRADIENT].data) {
        corrupt(own, role, change);
        const struct check check = check_of(plan, device, config);
        if (!check.is_incorrect)
            fail_msg("kind %d, role %d: the wrong element is not found", config->kind, role);
        assert_non_null(strstr(check.finding, "by definition"));
    }
    plan->bench->release(plan);
}

static void one_wrong_element_is_found(void **state)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (size_t i = 0; i < sizeof result_roles / sizeof *result_roles; i++) {
            const struct layer_config config = reference_example((enum layer_kind)kind);
            expect_found(*state, &config, result_roles[i], off_by_a_thousandth);
            expect_found(*state, &config, result_roles[i], not_a_number);
        }
}

/* ---- plans of this test: noise, and results from rounded operands ---- */

struct rounding_plan {
    struct plan base;
    struct layer_config config;
    int bits;     /* that operands keep */
    double reads; /* elements */
};

static float rounded(float value, int bits)
{
    int exponent;
    const float fraction = frexpf(value, &exponent);
    return ldexpf(rintf(ldexpf(fraction, bits)), exponent - bits);
}

static enum status read_operands(float *values, void *payload, enum layer_value what,
                                 const int64_t *indices, int count, struct error *error)
{
    (void)error, (void)payload;
    for (int i = 0; i < count; i++) {
        const uint32_t word =
            philox((uint32_t)indices[i], (uint32_t)what, 0, PHILOX_NOISE, 5).word[0];
        values[i] = 2 * philox_uniform(word) - 1;
    }
    return STATUS_OK;
}

static enum status read_rounded(float *values, void *payload, enum layer_value what,
                                const int64_t *indices, int count, struct error *error)
{
    const struct rounding_plan *plan = payload;
    TRY(read_operands(values, payload, what, indices, count, error));
    for (int i = 0; i < count; i++)
        values[i] = rounded(values[i], plan->bits);
    return STATUS_OK;
}

/* Only outputs: gradients need them, which would take long. */
static enum status read_rounding(float *values, struct plan *plan, enum layer_value what,
                                 const int64_t *indices, int count, struct error *error)
{
    struct rounding_plan *own = (struct rounding_plan *)plan;
    struct reference reference;
    struct reference_element element;
    own->reads += count;
    if (what > VALUE_OUTPUT)
        return FAIL(error, STATUS_FAILED, "none");
    if (what != VALUE_OUTPUT)
        return read_operands(values, plan, what, indices, count, error);
    reference_begin(&reference, &own->config,
                    (struct value_source){.read = read_rounded, .payload = own}, false);
    enum status status = STATUS_OK;
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        status = reference_element(&element, &reference, what, indices[i], error);
        values[i] = (float)element.value;
    }
    reference_end(&reference);
    return status;
}

static const struct bench rounding_bench = {.read = read_rounding};

static struct check check_rounded(struct device *device, const struct layer_config *config,
                                  int bits, double *reads)
{
    struct error error = {0};
    struct check check;
    struct rounding_plan plan = {
        .base.bench = &rounding_bench, .config = *config, .bits = bits, .reads = 0};
    succeed(check_plan(&check, &plan.base, device, config, &error), config, &error);
    if (reads)
        *reads = plan.reads;
    return check;
}

/* An output in bf16 (8 bits) or tf32 and fp16 (11 bits) where fp32 was asked for, up to very long
 * sums. Those of fp32 itself (24 bits) are right. */
static void fewer_bits_are_found(void **state)
{
    const struct layer_config configs[] = {
        dense_config(4, 10, 40, 1, ACTIVATION_NONE),
        dense_config(2, 60000, 40, 0, ACTIVATION_NONE),
        conv2d_config(2, SQUARE(14, 3, 512, 8, 1, PADDING_SAME, 1, ACTIVATION_RELU)),
        pool2d_config(2, (struct pool2d){20, 5, 8, 2, PADDING_SAME, POOLING_AVERAGE, 0}),
        pool2d_config(2, (struct pool2d){20, 5, 8, 2, PADDING_SAME, POOLING_MAX, 0}),
        batch_norm_config(8, (struct batch_norm){28, 8, ACTIVATION_TANH}),
        addition_config(2, 5000, ACTIVATION_NONE),
        {.kind = LAYER_LAYER_NORM,
         .batch_size = 2,
         .pass = PASS_TRAIN,
         .as.layer_norm = {.positions = 20, .width = 1024, .pixels = 1}},
        {.kind = LAYER_SOFTMAX,
         .batch_size = 2,
         .pass = PASS_TRAIN,
         .as.softmax = {.positions = 20, .width = 100}},
        {.kind = LAYER_MATMUL,
         .batch_size = 2,
         .pass = PASS_TRAIN,
         .as.matmul = {.matrices = 3, .left_rows = 20, .depth = 30, .right_columns = 40}},
        {.kind = LAYER_ATTENTION,
         .batch_size = 2,
         .pass = PASS_TRAIN,
         .as.attention = {.heads = 4,
                          .key_value_heads = 2,
                          .query_length = 10,
                          .key_length = 12,
                          .head_size = 16,
                          .causal = SWITCH_YES}},
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        assert_false(check_rounded(*state, &configs[i], 24, NULL).is_incorrect);
        assert_true(check_rounded(*state, &configs[i], 11, NULL).is_incorrect);
        assert_true(check_rounded(*state, &configs[i], 8, NULL).is_incorrect);
    }
}

/* bf16 where fp16 was asked for is within twice the rounding, half of it is not. */
static void reduced_precisions_have_limits(void **state)
{
    struct layer_config config = dense_config(4, 100, 400, 0, ACTIVATION_NONE);
    config.precision = PRECISION_BF16;
    assert_false(check_rounded(*state, &config, 8, NULL).is_incorrect);
    assert_true(check_rounded(*state, &config, 4, NULL).is_incorrect);
    config.precision = PRECISION_FP16;
    assert_false(check_rounded(*state, &config, 11, NULL).is_incorrect);
    assert_true(check_rounded(*state, &config, 6, NULL).is_incorrect);
}

/* However large the layer: a bound on the elements read; of an element that needs more, none. */
static void the_cost_is_bounded(void **state)
{
    const struct layer_config configs[] = {
        dense_config(64, 1 << 20, 100, 1, ACTIVATION_NONE),
        conv2d_config(64, SQUARE(200, 9, 1000, 100, 1, PADDING_SAME, 1, ACTIVATION_RELU)),
        batch_norm_config(64, (struct batch_norm){100, 1000, ACTIVATION_NONE}),
        batch_norm_config(64, (struct batch_norm){250, 1000, ACTIVATION_NONE}),
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        double reads;
        const struct check check = check_rounded(*state, &configs[i], 24, &reads);
        assert_false(check.is_incorrect);
        assert_true(reads <= 3. * CHECK_READS_OF_ONE);
        assert_int_equal(check.is_checked, i != 3);
    }
}

/* ---- which configs ---- */

static void one_config_in_a_hundred_is_due(void **state)
{
    (void)state;
    struct layer_config config = dense_config(1, 1, 1, 0, 0);
    int due = 0, other_seed = 0;
    for (int i = 1; i <= 20000; i++) {
        config.as.dense.inputs = i;
        due += check_is_due(&config, 1, 100);
        other_seed += check_is_due(&config, 1, 100) && check_is_due(&config, 2, 100);
        assert_true(check_is_due(&config, 1, 1));
        assert_false(check_is_due(&config, 1, 0));
        assert_true(check_is_due(&config, 1, 100) == check_is_due(&config, 1, 100));
    }
    assert_in_range(due, 150, 250);
    assert_in_range(other_seed, 0, 10);
}

/* ---- measuring ---- */

/* A plan without `read` is measured and not checked; results that are wrong have no times. */
static void wrong_results_have_no_times(void **state)
{
    (void)state;
    struct error error = {0};
    struct device *device;
    struct measurement row;
    struct check check;
    const struct layer_config config = dense_config(4, 10, 20, 1, ACTIVATION_NONE);
    const struct device_options options = {.seed = 1};
    setenv("EPOCHCAST_FAKE_FAULTS", "wrong=1", 1);
    assert_int_equal(device_open(&device, "fake", &options, &error), STATUS_OK);
    succeed(measure_and_check(&row, &check, device, &config, &measure_options_default, &error),
            &config, &error);
    unsetenv("EPOCHCAST_FAKE_FAULTS");
    assert_int_equal(row.outcome, OUTCOME_INCORRECT);
    assert_true(isnan(row.median_ms) && row.sample_count == 0 && !measurement_is_timed(&row));
    assert_string_equal(row.algorithm, "fake");
    assert_non_null(strstr(error.message, "output["));
    succeed(measure_config(&row, device, &config, &measure_options_default, &error), &config,
            &error);
    assert_true(measurement_is_timed(&row)); /* not asked for a check */
    succeed(measure_and_check(&row, &check, device, &config, &measure_options_default, &error),
            &config, &error);
    assert_true(check.is_checked && !check.is_incorrect && measurement_is_timed(&row));
    device_close(device);
}

#define RESULTS_CASE(KIND, kind) cmocka_unit_test(results_of_##kind##_are_right),

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAYER_KINDS(RESULTS_CASE) cmocka_unit_test(large_layers_are_right),
        cmocka_unit_test(drawn_layers_are_right),
        cmocka_unit_test(narrow_layers_are_right),
        cmocka_unit_test(updated_layers_are_right),
        cmocka_unit_test(results_of_several_sets_are_right),
        cmocka_unit_test(one_wrong_element_is_found),
        cmocka_unit_test(fewer_bits_are_found),
        cmocka_unit_test(reduced_precisions_have_limits),
        cmocka_unit_test(the_cost_is_bounded),
        cmocka_unit_test(one_config_in_a_hundred_is_due),
        cmocka_unit_test(wrong_results_have_no_times),
    };
    return RUN_TESTS(argc, argv, tests, setup, teardown);
}
