/* The cuda backend on a GPU computes what its layers mean, in every precision: every tensor of a
 * training step against naive double-precision loops. And what the measuring relies on: updates,
 * links, recordings, accounts of memory. A mismatch is said and counted and the test goes on: time
 * on a GPU is scarce.
 */
#include "base/clock.h"
#include "base/philox.h"
#include "base/term.h"
#include "bench/measure.h"
#include "cuda_device.h"
#include "gpu_or_skip.h"
#include "kinds/reference.h"
#include "layer_configs.h"
#include "precision.h"
#include "test.h"
#include "trainer_cuda.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN = PHASE_FORWARD | PHASE_BACKWARD };
enum { SEED = 7 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct backend *const backend = &backend_cuda_device;

/* ---- failures ---- */

static int failure_count;

static void config_text(char *text, size_t size, const struct layer_config *config)
{
    const struct layer_descriptor *kind = layer_descriptors[config->kind];
    size_t length = (size_t)snprintf(text, size, "%s %s", kind->name,
                                     choice_name(&choice_precision, config->precision));
    for (int i = 0; i < kind->feature_count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, " %s=%d", kind->features[i].name,
                                   layer_get(config, &kind->features[i]));
}

static void note_failure(const struct layer_config *config, const char *what)
{
    char text[512];
    config_text(text, sizeof text, config);
    print_error("%s: %s\n", text, what);
    failure_count++;
}

static void assert_no_failures(void)
{
    int count = failure_count;
    failure_count = 0;
    assert_int_equal(count, 0);
}

/* ---- device and plans ---- */

static struct device *open_cuda(int64_t arena_bytes, bool autotune)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {
        .arena_bytes = arena_bytes, .seed = SEED, .autotune = autotune};
    if (backend->open(&device, 0, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return device;
}

static int setup(void **state)
{
    *state = open_cuda(INT64_C(1) << 30, false);
    return 0;
}

static int teardown(void **state)
{
    backend->close(*state);
    return 0;
}

/* NULL where cuDNN has nothing for it, which only 16-bit layers may be. */
static struct cuda_plan *prepare_pair(struct device *device, const struct layer_config *config,
                                      struct cuda_plan *first, struct cuda_plan *second)
{
    struct plan *const inputs[] = {first ? &first->base : NULL, second ? &second->base : NULL};
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    if (layer_check(config, &error) != STATUS_OK)
        fail_msg("bad config in test: %s", error.message);
    if (backend->bench[config->kind]->prepare(&plan, device, config, inputs, &outcome, &error) !=
        STATUS_OK) {
        note_failure(config, error.message);
        failure_count -= outcome == OUTCOME_UNSUPPORTED && precision_bytes(config->precision) < 4;
        assert_null(plan);
        return NULL;
    }
    if (strlen(plan->algorithm) == 0)
        note_failure(config, "no algorithm is named");
    if (config->precision == PRECISION_FP32 && strstr(plan->numerical_notes, "tensor_core"))
        note_failure(config, "tensor cores in fp32");
    return (struct cuda_plan *)plan;
}

static struct cuda_plan *prepare(struct device *device, const struct layer_config *config,
                                 struct cuda_plan *input)
{
    return prepare_pair(device, config, input, NULL);
}

static void release(struct cuda_plan *plan)
{
    plan->base.bench->release(&plan->base);
}

static void enqueue(struct cuda_plan *plan, int phases)
{
    struct error error = {0};
    if (plan->base.bench->enqueue(&plan->base, phases, &error) != STATUS_OK)
        note_failure(&plan->config, error.message);
}

/* The device's stream does not wait for the null stream, nor that for it. */
static void synchronise(const struct cuda_plan *plan)
{
    cudaError_t code = cudaStreamSynchronize(plan->device->stream);
    if (code != cudaSuccess)
        fail_msg("%s", cudaGetErrorString(code));
}

static void copy_in(struct cuda_plan *plan, void *to, const void *from, size_t bytes)
{
    assert_int_equal(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, plan->device->stream),
                     cudaSuccess);
    synchronise(plan);
}

static void copy_out(const struct cuda_plan *plan, void *to, const void *from, size_t bytes)
{
    synchronise(plan);
    assert_int_equal(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
}

static void fill_bytes(struct cuda_plan *plan, void *memory, int byte, size_t bytes)
{
    assert_int_equal(cudaMemsetAsync(memory, byte, bytes, plan->device->stream), cudaSuccess);
    synchronise(plan);
}

/* ---- numbers ---- */

static float from_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float size = exponent == 31  ? (fraction ? NAN : INFINITY)
                 : exponent == 0 ? ldexpf((float)fraction, -24)
                                 : ldexpf((float)(1024 + fraction), exponent - 25);
    return bits >> 15 ? -size : size;
}

/* Of a number that is one: normal, with 11 bits at most, or 0. */
static uint16_t to_half(float value)
{
    int exponent;
    int fraction = (int)ldexpf(frexpf(fabsf(value), &exponent), 11);
    if (value == 0)
        return 0;
    return (uint16_t)((value < 0) << 15 | (exponent + 14) << 10 | (fraction - 1024));
}

static float load_number(const void *raw, size_t i, int32_t precision)
{
    float value;
    if (precision_bytes(precision) == sizeof value)
        return ((const float *)raw)[i];
    uint16_t bits = ((const uint16_t *)raw)[i];
    if (precision == PRECISION_FP16)
        return from_half(bits);
    uint32_t wide = (uint32_t)bits << 16;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* Of a number that the storage has. */
static void store_number(void *raw, size_t i, float value, int32_t precision)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (precision_bytes(precision) == sizeof value)
        ((float *)raw)[i] = value;
    else
        ((uint16_t *)raw)[i] = precision == PRECISION_FP16 ? to_half(value)
                                                           : (uint16_t)(bits >> 16);
}

/* ---- tensors ---- */

static const char *const role_names[CUDA_ROLE_COUNT] = {
    [CUDA_INPUT] = "input",
    [CUDA_INPUT + 1] = "second input",
    [CUDA_WEIGHTS] = "weights",
    [CUDA_BIAS] = "bias",
    [CUDA_PRODUCT] = "product",
    [CUDA_OUTPUT] = "output",
    [CUDA_OUTPUT_GRADIENT] = "output gradient",
    [CUDA_PRODUCT_GRADIENT] = "product gradient",
    [CUDA_INPUT_GRADIENT] = "input gradient",
    [CUDA_WEIGHTS_GRADIENT] = "weights gradient",
    [CUDA_BIAS_GRADIENT] = "bias gradient",
    [CUDA_KEPT] = "statistics",
};

/* Plain order is (outer, channels, inner); the device's may be (outer, inner, channels). */
struct order {
    size_t outer, channels, inner;
    bool is_channels_last;
};

/* What the role is to the layer: gradients are as what they are of. */
static enum tensor_role tensor_role_of(enum cuda_role role)
{
    static const enum tensor_role roles[CUDA_ROLE_COUNT] = {
        [CUDA_INPUT] = TENSOR_INPUT,
        [CUDA_INPUT + 1] = TENSOR_INPUT,
        [CUDA_INPUT_GRADIENT] = TENSOR_INPUT,
        [CUDA_WEIGHTS] = TENSOR_WEIGHTS,
        [CUDA_WEIGHTS_GRADIENT] = TENSOR_WEIGHTS,
        [CUDA_BIAS] = TENSOR_BIAS,
        [CUDA_BIAS_GRADIENT] = TENSOR_BIAS,
        [CUDA_PRODUCT] = TENSOR_OUTPUT,
        [CUDA_OUTPUT] = TENSOR_OUTPUT,
        [CUDA_OUTPUT_GRADIENT] = TENSOR_OUTPUT,
        [CUDA_PRODUCT_GRADIENT] = TENSOR_OUTPUT,
        [CUDA_KEPT] = TENSOR_KEPT,
    };
    return roles[role];
}

/* One tensor's elements. */
static size_t element_count(const struct cuda_plan *plan, enum cuda_role role)
{
    struct layer_work work;
    layer_work(&work, &plan->config);
    const struct layer_tensor *tensor = work_find(&work, tensor_role_of(role),
                                                  (int)role == CUDA_INPUT + 1);
    return tensor ? (size_t)tensor->count : 0;
}

static struct order order_of(const struct cuda_plan *plan, enum cuda_role role)
{
    const struct kind_reference *reference = kind_references[plan->config.kind];
    const enum tensor_role what = tensor_role_of(role);
    const size_t count = element_count(plan, role);
    const bool has_planes = reference->planes && what != TENSOR_BIAS && what != TENSOR_KEPT;
    const struct planes planes = has_planes ? reference->planes(&plan->config, what)
                                            : (struct planes){0};
    if (planes.channels == 0)
        return (struct order){1, 1, count, false};
    return (struct order){planes.outer, planes.channels, count / planes.outer / planes.channels,
                          planes.is_transposed ||
                              cuda_precisions[plan->config.precision].is_channels_last};
}

/* Where the device has the plain element i. */
static size_t place_of(const struct order *order, size_t i)
{
    size_t inner = i % order->inner, channel = i / order->inner % order->channels;
    size_t outer = i / order->inner / order->channels;
    return order->is_channels_last ? (outer * order->inner + inner) * order->channels + channel : i;
}

static int32_t precision_of(const struct cuda_plan *plan, enum cuda_role role)
{
    return role == CUDA_KEPT ? PRECISION_FP32 : cuda_role_precision(plan, role);
}

static size_t role_bytes(const struct cuda_plan *plan, enum cuda_role role)
{
    return element_count(plan, role) * (size_t)precision_bytes(precision_of(plan, role));
}

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    assert_non_null(memory);
    return memory;
}

/* The role's values in plain order; the caller frees. */
static float *read_tensor(const struct cuda_plan *plan, enum cuda_role role)
{
    size_t count = element_count(plan, role), bytes = role_bytes(plan, role);
    struct order order = order_of(plan, role);
    float *values = allocate(count * sizeof *values);
    void *raw = allocate(bytes);
    copy_out(plan, raw, plan->tensor[role], bytes);
    for (size_t i = 0; i < count; i++)
        values[i] = load_number(raw, place_of(&order, i), precision_of(plan, role));
    free(raw);
    return values;
}

/* Inputs of which no two in a plane (of 256 pixels at most) are the same, in any precision: which
 * one of a tie is the largest, nobody says. */
static void write_distinct_inputs(struct cuda_plan *plan)
{
    struct order order = order_of(plan, CUDA_INPUT);
    void *raw = allocate(role_bytes(plan, CUDA_INPUT));
    assert_true(order.inner <= 256);
    for (size_t i = 0; i < element_count(plan, CUDA_INPUT); i++) {
        int number = (int)((i % order.inner * 101 + i / order.inner * 37) % 256) - 128;
        store_number(raw, place_of(&order, i), (float)number / 128, plan->config.precision);
    }
    copy_in(plan, plan->tensor[CUDA_INPUT], raw, role_bytes(plan, CUDA_INPUT));
    free(raw);
}

/* NaN into everything that a step writes. */
static void poison(struct cuda_plan *plan)
{
    static const enum cuda_role written[] = {CUDA_PRODUCT,        CUDA_OUTPUT,
                                             CUDA_INPUT_GRADIENT, CUDA_WEIGHTS_GRADIENT,
                                             CUDA_BIAS_GRADIENT,  CUDA_PRODUCT_GRADIENT};
    for (size_t i = 0; i < COUNT(written); i++) {
        void *memory = plan->tensor[written[i]];
        if (memory && memory != plan->tensor[CUDA_OUTPUT_GRADIENT])
            fill_bytes(plan, memory, 0xFF, role_bytes(plan, written[i]));
    }
}

static size_t count_nan(const float *values, size_t count)
{
    size_t nan_count = 0;
    for (size_t i = 0; i < count; i++)
        nan_count += isnan(values[i]);
    return nan_count;
}

/* All elements still as poison left them. */
static bool is_untouched(const struct cuda_plan *plan, enum cuda_role role)
{
    float *values = read_tensor(plan, role);
    bool untouched = count_nan(values, element_count(plan, role)) == element_count(plan, role);
    free(values);
    return untouched;
}

/* ---- comparison ---- */

static double norm_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

static void check_values(const struct cuda_plan *plan, const char *what, const float *got,
                         const double *wanted, size_t count, double tolerance)
{
    double *difference = zeros(count), norm = norm_of(wanted, count);
    for (size_t i = 0; i < count; i++)
        difference[i] = (double)got[i] - wanted[i];
    double off = norm_of(difference, count) / norm;
    char text[256];
    snprintf(text, sizeof text, "%s is off by %.3g (%.0e is allowed), %zu of %zu are NaN [%s; %s]",
             what, off, tolerance, count_nan(got, count), count, plan->base.algorithm,
             plan->base.numerical_notes);
    if (!(off <= tolerance)) /* nothing but zeros is wanted nowhere */
        note_failure(&plan->config, text);
    free(difference);
}

/* Relative, of a whole tensor; transforms and sums in 16 bits lose digits beside plain sums. */
static double tolerance_of(const struct cuda_plan *plan)
{
    static const double tolerances[PRECISION_COUNT] = {
        [PRECISION_FP32] = 1e-5,
        [PRECISION_TF32] = 2e-3,
        [PRECISION_FP16] = 4e-3,
        [PRECISION_BF16] = 3e-2,
    };
    const char *notes = plan->base.numerical_notes;
    bool loses_digits = strstr(notes, "winograd") || strstr(notes, "fft") ||
                        strstr(notes, "reduced_precision_reduction");
    return tolerances[plan->config.precision] * (loses_digits ? 10 : 1);
}

static void check_role(const struct cuda_plan *plan, enum cuda_role role, const double *wanted)
{
    float *got = read_tensor(plan, role);
    check_values(plan, role_names[role], got, wanted, element_count(plan, role),
                 tolerance_of(plan));
    free(got);
}

/* A forward pass has its statistics given: means, then variances. */
static void read_statistics(struct step *step, const struct cuda_plan *plan)
{
    const size_t channels = element_count(plan, CUDA_KEPT) / 2;
    step->mean = read_tensor(plan, CUDA_KEPT);
    step->variance = allocate(channels * sizeof *step->variance);
    memcpy(step->variance, step->mean + channels, channels * sizeof *step->variance);
}

/* The naive step with the device's operands; cuDNN pads both sides alike where the stride is above
 * 1. */
static struct step read_operands(const struct cuda_plan *plan)
{
    struct step step;
    step_begin(&step, &plan->config);
    step.pads_alike = true;
    for (int i = 0; i < step.input_count; i++)
        step.input[i] = read_tensor(plan, (enum cuda_role)(CUDA_INPUT + i));
    step.weights = step.weights_size ? read_tensor(plan, CUDA_WEIGHTS) : NULL;
    step.bias = step.bias_size ? read_tensor(plan, CUDA_BIAS) : NULL;
    if (plan->config.pass == PASS_TRAIN)
        step.output_gradient = read_tensor(plan, CUDA_OUTPUT_GRADIENT);
    else if (plan->tensor[CUDA_KEPT])
        read_statistics(&step, plan);
    return step;
}

static void check_forward(const struct cuda_plan *plan, struct step *step)
{
    step_forward(step);
    check_role(plan, CUDA_OUTPUT, step->output);
}

/* From the output that the device has: relu's derivative jumps where rounding changes a sign. */
static void check_backward(const struct cuda_plan *plan, struct step *step)
{
    float *output = read_tensor(plan, CUDA_OUTPUT);
    for (size_t i = 0; i < step->output_size; i++)
        step->output[i] = (double)output[i];
    free(output);
    step_backward(step);
    for (int i = 0; i < step->input_count; i++) /* inputs after the first share the gradient */
        check_role(plan, CUDA_INPUT_GRADIENT, step->input_gradient[i]);
    if (step->weights)
        check_role(plan, CUDA_WEIGHTS_GRADIENT, step->weights_gradient);
    if (step->bias)
        check_role(plan, CUDA_BIAS_GRADIENT, step->bias_gradient);
}

static void check_step(struct cuda_plan *plan)
{
    struct step step = read_operands(plan);
    poison(plan);
    enqueue(plan, PHASE_FORWARD);
    check_forward(plan, &step);
    if (plan->config.pass == PASS_TRAIN) {
        const bool is_own = plan->tensor[CUDA_INPUT_GRADIENT] != plan->tensor[CUDA_OUTPUT_GRADIENT];
        if (is_own && !is_untouched(plan, CUDA_INPUT_GRADIENT))
            note_failure(&plan->config, "the forward phase writes the gradient");
        poison(plan);
        enqueue(plan, TRAIN);
        check_backward(plan, &step);
    }
    step_free(&step);
}

static void check_config(struct device *device, const struct layer_config *config)
{
    backend->reset(device);
    struct cuda_plan *plan = prepare(device, config, NULL);
    if (!plan)
        return;
    if (kind_references[config->kind]->wants_distinct_inputs)
        write_distinct_inputs(plan);
    check_step(plan);
    release(plan);
}

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
        batch, (struct conv2d){8, 3, 16, 32, 1, PADDING_SAME, 1, ACTIVATION_TANH});
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
        const struct layer_config sum = addition_config(2, (struct addition){16 * 36, activation});
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

/* In fp16 the tiny step is below the smallest number: the state alone is looked at. */
static void check_parameters(const struct cuda_plan *plan, const struct optimizer_update *update,
                             const double *wanted)
{
    int32_t precision = cuda_role_precision(plan, CUDA_WEIGHTS);
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
    assert_ptr_equal(plan->updates[0].parameters, plan->tensor[CUDA_WEIGHTS]);
    if (plan->count[CUDA_BIAS])
        assert_ptr_equal(plan->updates[1].parameters, plan->tensor[CUDA_BIAS]);
    float *before = read_tensor(plan, CUDA_WEIGHTS);
    enqueue(plan, TRAIN);
    float *after = read_tensor(plan, CUDA_WEIGHTS);
    assert_memory_equal(before, after, element_count(plan, CUDA_WEIGHTS) * sizeof *before);
    fill_bytes(plan, plan->tensor[CUDA_WEIGHTS], 0, role_bytes(plan, CUDA_WEIGHTS));
    if (plan->count[CUDA_BIAS])
        fill_bytes(plan, plan->tensor[CUDA_BIAS], 0, role_bytes(plan, CUDA_BIAS));
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
        conv2d_config(3, (struct conv2d){10, 3, 3, 16, 1, PADDING_SAME, 1, ACTIVATION_TANH}),
        pool2d_config(3, (struct pool2d){10, 2, 16, 2, PADDING_VALID, pooling, ACTIVATION_NONE}),
        conv2d_config(3, (struct conv2d){5, 3, 16, 8, 1, PADDING_SAME, 1, ACTIVATION_RELU}),
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

/* ---- what cannot be ---- */

static enum status refuse(struct device *device, const struct layer_config *config,
                          struct cuda_plan *input, enum outcome *outcome, struct error *error)
{
    struct plan *plan = (struct plan *)1;
    *outcome = OUTCOME_OK;
    *error = (struct error){0};
    struct plan *const inputs[LAYER_INPUT_LIMIT] = {input ? &input->base : NULL};
    enum status status = backend->bench[config->kind]->prepare(&plan, device, config, inputs,
                                                               outcome, error);
    assert_null(plan);
    return status;
}

static void assert_outcome(struct device *device, const struct layer_config *config, int outcome)
{
    struct measurement row;
    struct error error = {0};
    assert_int_equal(measure_config(&row, device, config, &measure_options_default, &error),
                     STATUS_OK);
    assert_int_equal(row.outcome, outcome);
    assert_true(isnan(row.median_ms) && row.sample_count == 0);
}

static void memory_is_accounted_before_use(void **state)
{
    (void)state;
    struct error error;
    enum outcome outcome;
    struct device *device = open_cuda(1 << 20, false);
    struct cuda_device *cuda = (struct cuda_device *)device;
    const struct layer_config large[] = {
        dense_config(64, 1000, 1000, 1, ACTIVATION_NONE),
        conv2d_config(64, (struct conv2d){64, 3, 64, 64, 1, PADDING_SAME, 1, ACTIVATION_NONE}),
        pool2d_config(64, (struct pool2d){64, 2, 64, 2, PADDING_VALID, 0, ACTIVATION_NONE})};
    for (size_t i = 0; i < COUNT(large); i++) {
        backend->reset(device);
        assert_int_equal(refuse(device, &large[i], NULL, &outcome, &error), STATUS_OUT_OF_MEMORY);
        assert_non_null(strstr(error.message, "arena"));
        assert_true(cuda->arena_bytes == 1 << 20 && cuda->used_bytes <= cuda->arena_bytes);
        assert_outcome(device, &large[i], OUTCOME_OUT_OF_MEMORY);
    }
    const struct layer_config small = dense_config(4, 30, 20, 1, ACTIVATION_TANH);
    check_config(device, &small);
    backend->close(device);
    assert_no_failures();
}

/* An even window at stride 1 wants more cells after than before. */
static void unsupported_is_an_outcome(void **state)
{
    struct error error;
    enum outcome outcome;
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int kernel = 2; kernel <= 4; kernel += 2) {
            struct layer_config config = pool2d_config(
                2, (struct pool2d){8, kernel, 4, 1, PADDING_SAME, 0, ACTIVATION_NONE});
            config.precision = precision;
            backend->reset(*state);
            assert_int_equal(refuse(*state, &config, NULL, &outcome, &error), STATUS_FAILED);
            assert_int_equal(outcome, OUTCOME_UNSUPPORTED);
            assert_outcome(*state, &config, OUTCOME_UNSUPPORTED);
        }
}

static void device_goes_on_after_failures(void **state)
{
    struct error error;
    enum outcome outcome;
    struct device *device = *state;
    const struct layer_config good = dense_config(6, 20, 30, 1, ACTIVATION_TANH);
    const struct layer_config bad = pool2d_config(
        2, (struct pool2d){8, 2, 4, 1, PADDING_SAME, 0, ACTIVATION_NONE});
    const struct layer_config large = dense_config(32768, 16384, 16384, 1, ACTIVATION_NONE);
    backend->reset(device);
    struct cuda_plan *producer = prepare(device, &good, NULL);
    assert_non_null(producer);
    assert_int_equal(refuse(device, &good, producer, &outcome, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "another size"));
    assert_int_equal(refuse(device, &bad, NULL, &outcome, &error), STATUS_FAILED);
    assert_int_equal(refuse(device, &large, NULL, &outcome, &error), STATUS_OUT_OF_MEMORY);
    check_step(producer);
    release(producer);
    check_config(device, &good);
    assert_no_failures();
}

/* ---- recordings ---- */

static double *read_doubles(const struct cuda_plan *plan, enum cuda_role role)
{
    float *values = read_tensor(plan, role);
    double *wide = zeros(element_count(plan, role));
    for (size_t i = 0; i < element_count(plan, role); i++)
        wide[i] = (double)values[i];
    free(values);
    return wide;
}

static void check_recording(struct device *device, const struct layer_config *config, int repeats)
{
    struct error error = {0};
    backend->reset(device);
    struct cuda_plan *plan = prepare(device, config, NULL);
    assert_non_null(plan);
    enqueue(plan, TRAIN);
    double *output = read_doubles(plan, CUDA_OUTPUT);
    double *gradient = read_doubles(plan, CUDA_INPUT_GRADIENT);
    poison(plan);
    assert_int_equal(backend->record_start(device, &error), STATUS_OK);
    for (int i = 0; i < repeats; i++)
        enqueue(plan, TRAIN);
    if (backend->record_stop(device, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (!is_untouched(plan, CUDA_OUTPUT) || !is_untouched(plan, CUDA_INPUT_GRADIENT))
        note_failure(config, "recording runs the work");
    assert_int_equal(backend->replay(device, &error), STATUS_OK);
    check_role(plan, CUDA_OUTPUT, output);
    check_role(plan, CUDA_INPUT_GRADIENT, gradient);
    free(output);
    free(gradient);
    release(plan);
}

static void replays_what_was_recorded(void **state)
{
    const struct layer_config configs[] = {
        dense_config(16, 64, 32, 1, ACTIVATION_RELU), convolution(4, PRECISION_FP32),
        convolution(4, PRECISION_FP16),
        pool2d_config(3, (struct pool2d){9, 3, 20, 1, PADDING_SAME, 1, ACTIVATION_SIGMOID})};
    for (size_t i = 0; i < COUNT(configs); i++)
        for (int repeats = 1; repeats <= 50; repeats += 49)
            check_recording(*state, &configs[i], repeats);
    assert_no_failures();
}

/* K calls beside 2 K of them: a replay's time holds nothing beside its kernels. */
static void replays_last_as_long_as_their_kernels(void **state)
{
    struct cuda_device *cuda = *state;
    struct error error = {0};
    assert_int_equal(cuda_timer_calibrate(&cuda->timer, &error), STATUS_OK);
    print_message("beside their kernels replays last %.2f us; behind a spinning kernel %.2f us%s\n",
                  1e3 * cuda->timer.inside_error_ms, 1e3 * cuda->timer.spin_error_ms,
                  cuda->timer.spins ? ", which is taken" : "");
    const double left_ms = cuda->timer.spins ? cuda->timer.spin_error_ms
                                             : cuda->timer.inside_error_ms;
    assert_true(fabs(left_ms) < 0.01);
}

/* Waiting is not allowed while recording: the recording fails, nothing else. */
static void failed_recordings_are_survived(void **state)
{
    struct device *device = *state;
    struct error error = {0};
    const struct layer_config config = dense_config(16, 64, 32, 1, ACTIVATION_RELU);
    backend->reset(device);
    assert_int_equal(backend->record_start(device, &error), STATUS_OK);
    assert_int_not_equal(cudaStreamSynchronize(((struct cuda_device *)device)->stream),
                         cudaSuccess);
    cudaGetLastError();
    assert_int_equal(backend->record_stop(device, &error), STATUS_FAILED);
    assert_true(strlen(error.message) > 0);
    check_recording(device, &config, 2);
    assert_no_failures();
}

/* ---- measuring ---- */

static struct measurement measure(struct device *device, const struct layer_config *config,
                                  bool cold_cache)
{
    struct measurement row;
    struct error error = {0};
    struct measure_options options = measure_options_default;
    options.cold_cache = cold_cache;
    if (measure_config(&row, device, config, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    char text[512];
    config_text(text, sizeof text, config);
    print_message("%s: %s%.4f ms +- %.4f, eager %.4f, %s\n", text, cold_cache ? "cold " : "",
                  row.median_ms, row.ci_ms, row.eager_ms, row.algorithm);
    assert_true(measurement_is_timed(&row));
    return row;
}

static void measurements_are_complete(void **state)
{
    struct layer_config configs[] = {
        dense_config(64, 512, 512, 1, ACTIVATION_RELU),
        conv2d_config(8, (struct conv2d){28, 3, 32, 32, 1, PADDING_SAME, 1, ACTIVATION_RELU}),
        pool2d_config(8, (struct pool2d){28, 2, 32, 2, PADDING_VALID, 0, ACTIVATION_NONE})};
    configs[0].optimizer = configs[1].optimizer = OPTIMIZER_ADAM;
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (size_t i = 0; i < COUNT(configs); i++) {
            configs[i].precision = precision;
            struct measurement row = measure(*state, &configs[i], false);
            assert_int_equal(row.timing, TIMING_GRAPH);
            assert_true(row.sample_count > 5 && row.repeats_per_sample >= 1);
            assert_true(row.median_ms > 1e-4 && row.median_ms < 100);
            assert_true(row.minimum_ms <= row.median_ms && row.median_ms <= row.maximum_ms);
            assert_true(row.ci_ms >= 0 && row.setup_ms > 0 && row.measuring_ms > 0);
            assert_true(isnan(row.eager_ms) || row.eager_ms >= 0.5 * row.median_ms);
            assert_true(strlen(row.algorithm) > 0 && row.workspace_bytes >= 0);
            if (precision == PRECISION_FP32)
                assert_null(strstr(row.numerical_notes, "tensor_core"));
        }
}

static void cold_caches_are_not_faster(void **state)
{
    struct layer_config config = dense_config(16, 512, 512, 0, ACTIVATION_NONE);
    config.pass = PASS_FORWARD;
    struct measurement hot = measure(*state, &config, false);
    struct measurement cold = measure(*state, &config, true);
    assert_int_equal(cold.repeats_per_sample, 1);
    assert_true(cold.median_ms >= 0.9 * hot.median_ms);
}

static void clock_runs(void **state)
{
    struct device *device = *state;
    struct error error = {0};
    double elapsed_ms = -1;
    assert_int_equal(backend->timer_start(device, &error), STATUS_OK);
    backend->flush_cache(device);
    assert_int_equal(backend->timer_stop(device, &elapsed_ms, &error), STATUS_OK);
    assert_true(elapsed_ms > 0 && elapsed_ms < 1000);
}

/* ---- description ---- */

static void device_describes_itself(void **state)
{
    struct device_info info;
    struct error error = {0};
    assert_int_equal(backend->describe(*state, false, &info, &error), STATUS_OK);
    assert_string_equal(info.backend, "cuda");
    assert_true(strlen(info.name) > 0 && strlen(info.technology) > 0);
    assert_true(strlen(info.connectivity) > 0 && strncmp(info.library, "CUDA ", 5) == 0);
    assert_true(info.device_count == 1 && info.thread_count == 1);
    assert_true(info.memory_bytes > 1 << 30 && info.cache_bytes > 1 << 17);
    assert_true(info.clock_mhz > 100 && info.bandwidth_gbps > 10);
    assert_true(info.core_count > 100 && info.peak_gflops > 100);
    assert_true(isnan(info.measured_copy_gbps) && isnan(info.measured_sgemm_gflops));
    uint64_t fingerprint = device_fingerprint(&info);
    assert_int_equal(backend->describe(*state, true, &info, &error), STATUS_OK);
    print_message("%s: copy %.0f of %.0f GB/s, sgemm %.0f of %.0f GFLOP/s, launch %.2f us\n",
                  info.name, info.measured_copy_gbps, info.bandwidth_gbps,
                  info.measured_sgemm_gflops, info.peak_gflops, info.measured_call_latency_us);
    assert_true(info.measured_copy_gbps > 1 && info.measured_copy_gbps < 1e5);
    assert_true(info.measured_sgemm_gflops > 10 && info.measured_sgemm_gflops < 1e6);
    assert_true(info.measured_call_latency_us > 0.1 && info.measured_call_latency_us < 1e4);
    assert_true(fingerprint == device_fingerprint(&info));
}

static void conditions_and_trainer_are_there(void **state)
{
    struct conditions conditions;
    const struct trainer *trainer;
    struct error error = {0};
    const double started_s = monotonic_s();
    backend->conditions(*state, &conditions);
    print_message("clocks read in %.3f ms\n", 1e3 * (monotonic_s() - started_s));
    assert_true(isnan(conditions.sm_clock_mhz) || conditions.sm_clock_mhz > 0);
    assert_true(isnan(conditions.temperature_c) || conditions.temperature_c < 150);
    assert_int_equal(backend->trainer(&trainer, 0, &error), STATUS_OK);
    assert_ptr_equal(trainer, &trainer_cuda);
    assert_int_equal(backend->trainer(&trainer, 1000, &error), STATUS_NO_DEVICE);
    assert_null(trainer);
}

/* ---- groups: an error that a device does not get over ends one of them alone ---- */

enum { GROUP_LIMIT = 8 };

#define KIND_GROUP(KIND, kind) {#kind, {cmocka_unit_test(kind##_is_right)}},

static const struct group {
    const char *name;
    struct CMUnitTest tests[GROUP_LIMIT];
} groups[] = {
    LAYER_KINDS(KIND_GROUP){"pooling", {cmocka_unit_test(unsupported_is_an_outcome)}},
    {"links",
     {cmocka_unit_test(operands_are_the_hosts_noise), cmocka_unit_test(residuals_are_linked),
      cmocka_unit_test(linked_layers_pass_tensors)}},
    {"updates", {cmocka_unit_test(optimizers_are_right)}},
    {"measuring",
     {cmocka_unit_test(replays_last_as_long_as_their_kernels),
      cmocka_unit_test(replays_what_was_recorded), cmocka_unit_test(measurements_are_complete),
      cmocka_unit_test(cold_caches_are_not_faster), cmocka_unit_test(clock_runs),
      cmocka_unit_test(conditions_and_trainer_are_there),
      cmocka_unit_test(device_describes_itself)}},
    {"failures",
     {cmocka_unit_test(memory_is_accounted_before_use),
      cmocka_unit_test(device_goes_on_after_failures),
      cmocka_unit_test(failed_recordings_are_survived)}},
    {"autotune", {cmocka_unit_test(autotune_is_right)}},
};

static int run_group(const struct group *group)
{
    size_t count = 0;
    while (count < GROUP_LIMIT && group->tests[count].test_func)
        count++;
    return _cmocka_run_group_tests(group->name, group->tests, count, setup, teardown);
}

/* test_backend_gpu [GROUP [PATTERN]]; --groups lists them. */
int main(int count, char **arguments)
{
    const char *wanted = count > 1 ? arguments[1] : NULL;
    int failed = 0, run = 0;
    if (wanted && strcmp(wanted, "--groups") == 0) {
        for (size_t i = 0; i < COUNT(groups); i++)
            puts(groups[i].name);
        return 0;
    }
    if (!has_gpu())
        return SKIPPED;
    if (count > 2)
        cmocka_set_test_filter(arguments[2]);
    for (size_t i = 0; i < COUNT(groups); i++)
        if (!wanted || strcmp(wanted, groups[i].name) == 0) {
            failed += run_group(&groups[i]);
            run++;
        }
    return failed > 0 || run == 0;
}
