/* Cases of test_backend_gpu.c: every kind, optimizer and link computes what it means. */
#ifndef EPOCHCAST_TESTS_GPU_LAYER_CASES_H
#define EPOCHCAST_TESTS_GPU_LAYER_CASES_H

#include "base/philox.h"
#include "gpu_tensor.h"

/* ---- layers ---- */

static void check_kind(struct device *device, enum layer_kind kind)
{
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int i = 0; i < kind_references[kind]->case_count; i++) {
            struct layer_config config = kind_references[kind]->cases[i];
            config.precision = precision;
            check_config(device, &config);
            config.pass = PASS_FORWARD;
            check_config(device, &config);
        }
    assert_no_failures();
}

/* One test per kind. */
#define KIND_IS_RIGHT(KIND, kind)                                                                  \
    static void kind##_is_right(void **state)                                                      \
    {                                                                                              \
        check_kind(*state, LAYER_##KIND);                                                          \
    }
LAYER_KINDS(KIND_IS_RIGHT)

/* A convolution of the tests that follow: its strides and sizes give every precision an algorithm.
 */
static struct layer_config convolution(int batch, int precision)
{
    struct layer_config config = conv2d_config(
        batch, SQUARE(8, 3, 16, 32, 1, PADDING_SAME, 1, ACTIVATION_TANH));
    config.precision = precision;
    return config;
}

static void autotune_is_right(void **state)
{
    (void)state;
    struct device *device = open_cuda(INT64_C(512) << 20, true);
    const struct kind_reference *reference = kind_references[LAYER_CONV2D];
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int i = 0; i < reference->case_count; i += 5) {
            struct layer_config config = reference->cases[i];
            config.precision = precision;
            check_config(device, &config);
        }
    backend->close(device);
    assert_no_failures();
}

/* Both producers' tensors are read where they are; the first has the sum's gradient. */
static void residuals_are_linked(void **state)
{
    struct device *device = *state;
    const struct layer_config norm = batch_norm_config(2, (struct batch_norm){6, 16, 0});
    for (int activation = 0; activation < ACTIVATION_COUNT; activation++) {
        const struct layer_config sum = addition_config(2, 16 * 36, activation);
        backend->reset(device);
        struct cuda_plan *first = prepare(device, &norm, NULL),
                         *second = prepare(device, &norm, NULL);
        struct cuda_plan *plan = prepare_pair(device, &sum, first, second);
        assert_ptr_equal(plan->tensor[CUDA_INPUT], first->tensor[CUDA_OUTPUT]);
        assert_ptr_equal(plan->tensor[CUDA_INPUT + 1], second->tensor[CUDA_OUTPUT]);
        assert_ptr_equal(plan->tensor[CUDA_INPUT_GRADIENT], first->tensor[CUDA_OUTPUT_GRADIENT]);
        enqueue(first, PHASE_FORWARD);
        enqueue(second, PHASE_FORWARD);
        check_step(plan);
        release(plan), release(second), release(first);
    }
    assert_no_failures();
}

static void operands_are_the_hosts_noise(void **state)
{
    struct device *device = *state;
    const struct layer_config config = dense_config(30, 33, 5, 0, ACTIVATION_NONE);
    backend->reset(device);
    struct cuda_plan *plan = prepare(device, &config, NULL);
    assert_non_null(plan);
    float *input = read_tensor(plan, CUDA_INPUT);
    for (uint32_t i = 0; i < 30 * 33; i++) {
        uint32_t word = philox(i / 4, CUDA_INPUT, 0, PHILOX_NOISE, SEED).word[i % 4];
        assert_true(input[i] == 2 * philox_uniform(word) - 1);
    }
    free(input);
    release(plan);
    assert_no_failures();
}

/* ---- updates ---- */

/* After two steps from parameters and state 0, gradient as it is. */
static void check_state(const struct cuda_plan *plan, const struct optimizer_update *update,
                        const double *const wanted[2])
{
    size_t count = (size_t)update->count;
    float *got = allocate(count * sizeof *got);
    for (int i = 0; i < optimizer_state_count(update->optimizer); i++) {
        copy_out(plan, got, update->state[i], count * sizeof *got);
        check_values(plan, i ? "second state" : "first state", got, wanted[i], count, 1e-4);
    }
    free(got);
}

/* Of what the update changes: fp32 weights in amp. */
static int32_t parameter_precision(const struct cuda_plan *plan,
                                   const struct optimizer_update *update)
{
    return update->has_float_parameters ? PRECISION_FP32 : cuda_role_precision(plan, CUDA_WEIGHTS);
}

/* In fp16 the tiny step is below the smallest number: the state alone is looked at. */
static void check_parameters(const struct cuda_plan *plan, const struct optimizer_update *update,
                             const double *wanted)
{
    int32_t precision = parameter_precision(plan, update);
    size_t count = (size_t)update->count, bytes = count * (size_t)precision_bytes(precision);
    void *raw = allocate(bytes);
    float *got = allocate(count * sizeof *got);
    copy_out(plan, raw, update->parameters, bytes);
    for (size_t i = 0; i < count; i++)
        got[i] = load_number(raw, i, precision);
    if (precision != PRECISION_FP16)
        check_values(plan, "parameters", got, wanted, count,
                     precision == PRECISION_BF16 ? 1e-2 : 1e-4);
    free(raw);
    free(got);
}

/* The arrays of an update are the device's, in the device's order. */
static void check_update(struct cuda_plan *plan, const struct optimizer_update *update)
{
    int32_t precision = cuda_role_precision(plan, CUDA_WEIGHTS);
    size_t count = (size_t)update->count, bytes = count * (size_t)precision_bytes(precision);
    void *gradient = allocate(bytes);
    double *w = zeros(count), *first = zeros(count), *second = zeros(count);
    copy_out(plan, gradient, update->gradient, bytes);
    for (size_t i = 0; i < count; i++) {
        struct element e = {.g = (double)load_number(gradient, i, precision)};
        e = updated(updated(e, update->optimizer), update->optimizer);
        w[i] = e.w;
        first[i] = e.s0;
        second[i] = e.s1;
    }
    check_parameters(plan, update, w);
    check_state(plan, update, (const double *const[2]){first, second});
    free(gradient);
    free(w);
    free(first);
    free(second);
}

static void check_optimizer(struct device *device, const struct layer_config *config)
{
    backend->reset(device);
    struct cuda_plan *plan = prepare(device, config, NULL);
    if (!plan)
        return;
    assert_int_equal(plan->update_count, plan->count[CUDA_BIAS] ? 2 : 1);
    assert_ptr_equal(plan->updates[0].parameters, plan->updates[0].has_float_parameters
                                                      ? plan->tensor[CUDA_MASTER]
                                                      : plan->tensor[CUDA_WEIGHTS]);
    if (plan->count[CUDA_BIAS])
        assert_ptr_equal(plan->updates[1].parameters, plan->updates[1].has_float_parameters
                                                          ? plan->tensor[CUDA_MASTER_END]
                                                          : plan->tensor[CUDA_BIAS]);
    float *before = read_tensor(plan, CUDA_WEIGHTS);
    enqueue(plan, TRAIN);
    float *after = read_tensor(plan, CUDA_WEIGHTS);
    assert_memory_equal(before, after, element_count(plan, CUDA_WEIGHTS) * sizeof *before);
    for (int i = 0; i < plan->update_count; i++) {
        const struct optimizer_update *update = &plan->updates[i];
        fill_bytes(plan, update->parameters, 0,
                   (size_t)update->count *
                       (size_t)precision_bytes(parameter_precision(plan, update)));
    }
    enqueue(plan, PHASE_UPDATE);
    enqueue(plan, PHASE_UPDATE);
    for (int i = 0; i < plan->update_count; i++)
        check_update(plan, &plan->updates[i]);
    free(before);
    free(after);
    release(plan);
}

static void optimizers_are_right(void **state)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct layer_config config = reference_example((enum layer_kind)kind);
        struct layer_work work;
        layer_work(&work, &config);
        for (int precision = 0; precision < PRECISION_COUNT; precision++)
            for (int optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++) {
                config.precision = precision;
                config.optimizer = optimizer;
                if (work_tensor_count(&work, TENSOR_WEIGHTS))
                    check_optimizer(*state, &config);
            }
    }
    assert_no_failures();
}

/* ---- links ---- */

enum { LINK_COUNT = 4 };

static void prepare_links(struct cuda_plan **plans, struct device *device, int precision)
{
    /* tanh: relu's zeros would tie in the pooling; average: so would 16-bit numbers */
    int pooling = precision == PRECISION_FP32 ? POOLING_MAX : POOLING_AVERAGE;
    struct layer_config configs[LINK_COUNT] = {
        conv2d_config(3, SQUARE(10, 3, 3, 16, 1, PADDING_SAME, 1, ACTIVATION_TANH)),
        pool2d_config(3, (struct pool2d){10, 2, 16, 2, PADDING_VALID, pooling, ACTIVATION_NONE}),
        conv2d_config(3, SQUARE(5, 3, 16, 8, 1, PADDING_SAME, 1, ACTIVATION_RELU)),
        dense_config(3, 8 * 25, 20, 1, ACTIVATION_SIGMOID)};
    backend->reset(device);
    for (int i = 0; i < LINK_COUNT; i++) {
        configs[i].precision = precision;
        if (configs[i].kind != LAYER_POOL2D)
            configs[i].optimizer = OPTIMIZER_MOMENTUM;
        plans[i] = prepare(device, &configs[i], i ? plans[i - 1] : NULL);
        assert_non_null(plans[i]);
    }
}

/* A consumer reads where its producer writes, and writes where that reads. */
static void linked_layers_pass_tensors(void **state)
{
    for (int precision = 0; precision < PRECISION_COUNT; precision++) {
        struct cuda_plan *plans[LINK_COUNT];
        prepare_links(plans, *state, precision);
        for (int i = 1; i < LINK_COUNT; i++) {
            assert_ptr_equal(plans[i]->tensor[CUDA_INPUT], plans[i - 1]->tensor[CUDA_OUTPUT]);
            assert_ptr_equal(plans[i]->tensor[CUDA_INPUT_GRADIENT],
                             plans[i - 1]->tensor[CUDA_OUTPUT_GRADIENT]);
        }
        for (int i = 0; i < LINK_COUNT; i++)
            poison(plans[i]);
        for (int i = 0; i < LINK_COUNT; i++)
            enqueue(plans[i], PHASE_FORWARD);
        for (int i = LINK_COUNT; i-- > 0;)
            enqueue(plans[i], PHASE_BACKWARD);
        for (int i = 0; i < LINK_COUNT; i++) {
            struct step step = read_operands(plans[i]);
            check_forward(plans[i], &step);
            check_backward(plans[i], &step);
            step_free(&step);
        }
        for (int i = 0; i < LINK_COUNT; i++)
            enqueue(plans[i], TRAIN | PHASE_UPDATE);
        synchronise(plans[0]);
        for (int i = LINK_COUNT; i-- > 0;)
            release(plans[i]);
    }
    assert_no_failures();
}

#endif
