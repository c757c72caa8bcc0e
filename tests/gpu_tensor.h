/* Tensors of a plan on a GPU, in plain order, and a step beside the naive one. */
#ifndef EPOCHCAST_TESTS_GPU_TENSOR_H
#define EPOCHCAST_TESTS_GPU_TENSOR_H

#include "gpu_plan.h"

/* ---- tensors ---- */

/* Which of the layer's tensors: gradients are as what they are of. */
struct role_place {
    const char *name;
    int first;
    enum tensor_role role;
};
static const struct role_place *place_of_role(enum cuda_role role)
{
    static const struct role_place places[] = {
        {"input", CUDA_INPUT, TENSOR_INPUT},
        {"input gradient", CUDA_INPUT_GRADIENT, TENSOR_INPUT},
        {"weights", CUDA_WEIGHTS, TENSOR_WEIGHTS},
        {"weights gradient", CUDA_WEIGHTS_GRADIENT, TENSOR_WEIGHTS},
        {"statistics", CUDA_KEPT, TENSOR_KEPT},
        {"bias", CUDA_BIAS, TENSOR_BIAS},
        {"bias gradient", CUDA_BIAS_GRADIENT, TENSOR_BIAS},
        {"product", CUDA_PRODUCT, TENSOR_OUTPUT},
        {"product gradient", CUDA_PRODUCT_GRADIENT, TENSOR_OUTPUT},
        {"output", CUDA_OUTPUT, TENSOR_OUTPUT},
        {"output gradient", CUDA_OUTPUT_GRADIENT, TENSOR_OUTPUT},
    };
    size_t i = sizeof places / sizeof *places - 1;
    while ((int)role < places[i].first)
        i--;
    return &places[i];
}

static enum tensor_role tensor_role_of(enum cuda_role role)
{
    return place_of_role(role)->role;
}

/* One tensor's elements. */
static size_t element_count(const struct cuda_plan *plan, enum cuda_role role)
{
    struct layer_work work;
    layer_work(&work, &plan->config);
    const struct role_place *place = place_of_role(role);
    const struct layer_tensor *tensor = work_find(&work, place->role, (int)role - place->first);
    if (tensor && place->first == CUDA_WEIGHTS_GRADIENT && tensor->gradient_count > 0)
        return (size_t)tensor->gradient_count;
    return tensor ? (size_t)tensor->count : 0;
}

static struct cuda_order order_of(const struct cuda_plan *plan, enum cuda_role role)
{
    return cuda_order_of(plan, tensor_role_of(role), (int64_t)element_count(plan, role));
}

static bool is_index(const struct cuda_plan *plan, enum cuda_role role)
{
    return plan->storage[role] == STORAGE_INT32;
}

/* Indices are as wide as fp32. */
static int32_t precision_of(const struct cuda_plan *plan, enum cuda_role role)
{
    return role == CUDA_KEPT || is_index(plan, role) ? PRECISION_FP32
                                                     : cuda_role_precision(plan, role);
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

/* Where element `i` lies in what holds the role. */
static size_t place_of_element(const struct cuda_plan *plan, enum cuda_role role, size_t i)
{
    const struct role_place *place = place_of_role(role);
    const struct cuda_order order = order_of(plan, role);
    if (place->role == TENSOR_WEIGHTS && plan->kind->weights_place)
        return (size_t)plan->kind->weights_place(plan, (int)role - place->first, (int64_t)i);
    return (size_t)cuda_place_of(&order, (int64_t)i);
}

/* The role's values in plain order; the caller frees. */
static float *read_tensor(const struct cuda_plan *plan, enum cuda_role role)
{
    const enum cuda_role holder = cuda_holder_of(plan, role);
    const size_t count = element_count(plan, role);
    const size_t bytes = (size_t)plan->count[holder] *
                         (size_t)precision_bytes(precision_of(plan, holder));
    float *values = allocate(count * sizeof *values);
    void *raw = allocate(bytes);
    copy_out(plan, raw, plan->tensor[holder], bytes);
    for (size_t i = 0; i < count; i++) {
        const size_t place = place_of_element(plan, role, i);
        values[i] = is_index(plan, role) ? (float)((const int32_t *)raw)[place]
                                         : load_number(raw, place, precision_of(plan, role));
    }
    free(raw);
    return values;
}

/* Inputs of which no two in a plane (of 256 pixels at most) are the same, in any precision: which
 * one of a tie is the largest, nobody says. */
static void write_distinct_inputs(struct cuda_plan *plan)
{
    struct cuda_order order = order_of(plan, CUDA_INPUT);
    void *raw = allocate(role_bytes(plan, CUDA_INPUT));
    assert_true(order.inner <= 256);
    for (size_t i = 0; i < element_count(plan, CUDA_INPUT); i++) {
        int number = (int)((i % (size_t)order.inner * 101 + i / (size_t)order.inner * 37) % 256) -
                     128;
        store_number(raw, (size_t)cuda_place_of(&order, (int64_t)i), (float)number / 128,
                     plan->config.precision);
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
        sum += isnan(values[i]) ? 0 : values[i] * values[i]; /* NaN: nobody says what it is */
    return sqrt(sum);
}

static void check_values(const struct cuda_plan *plan, const char *what, const float *got,
                         const double *wanted, size_t count, double tolerance)
{
    double *difference = zeros(count), norm = norm_of(wanted, count);
    for (size_t i = 0; i < count; i++)
        difference[i] = (double)got[i] - wanted[i];
    double off = norm_of(difference, count) / norm;
    for (size_t i = 0; i < count; i++)
        if (isnan(got[i]) && !isnan(wanted[i]))
            off = INFINITY;
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
        [PRECISION_FP32] = 1e-5, [PRECISION_TF32] = 2e-3, [PRECISION_FP16] = 4e-3,
        [PRECISION_BF16] = 3e-2, [PRECISION_AMP] = 4e-3,
    };
    const char *notes = plan->base.numerical_notes;
    bool loses_digits = strstr(notes, "winograd") || strstr(notes, "fft") ||
                        strstr(notes, "reduced_precision_reduction");
    return tolerances[plan->config.precision] * (loses_digits ? 10 : 1);
}

static void check_role(const struct cuda_plan *plan, enum cuda_role role, const double *wanted)
{
    float *got = read_tensor(plan, role);
    check_values(plan, place_of_role(role)->name, got, wanted, element_count(plan, role),
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
    for (int i = 0; i < step.weights_count; i++)
        step.weights[i] = read_tensor(plan, (enum cuda_role)(CUDA_WEIGHTS + i));
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
    for (int i = 0; i < step->input_count; i++)
        if (step->input_gradient[i])
            check_role(plan, (enum cuda_role)(CUDA_INPUT_GRADIENT + i), step->input_gradient[i]);
    for (int i = 0; i < step->weights_count; i++)
        check_role(plan, (enum cuda_role)(CUDA_WEIGHTS_GRADIENT + i), step->weights_gradient[i]);
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

#endif
