#include "kinds/reference.h"

#include "test.h"

#include <math.h>
#include <stdlib.h>

#define REFERENCE(KIND, kind) &reference_##kind,
const struct kind_reference *const kind_references[LAYER_KIND_COUNT] = {LAYER_KINDS(REFERENCE)};

struct layer_config reference_example(enum layer_kind kind)
{
    return kind_references[kind]->cases[0];
}

double *zeros(size_t count)
{
    double *values = calloc(count ? count : 1, sizeof *values);
    assert_non_null(values);
    return values;
}

/* ---- a step ---- */

void step_begin(struct step *step, const struct layer_config *config)
{
    struct layer_work work;
    layer_work(&work, config);
    *step = (struct step){.config = *config,
                          .input_count = work_tensor_count(&work, TENSOR_INPUT),
                          .output_size = (size_t)work_elements(&work, TENSOR_OUTPUT),
                          .weights_size = (size_t)work_elements(&work, TENSOR_WEIGHTS),
                          .bias_size = (size_t)work_elements(&work, TENSOR_BIAS)};
    assert_in_range(step->input_count, 1, STEP_INPUT_LIMIT);
    for (int i = 0; i < step->input_count; i++) {
        step->input_size[i] = (size_t)work_find(&work, TENSOR_INPUT, i)->count;
        step->input_gradient[i] = zeros(step->input_size[i]);
    }
    step->output = zeros(step->output_size);
    step->gradient = zeros(step->output_size);
    step->weights_gradient = zeros(step->weights_size);
    step->bias_gradient = zeros(step->bias_size);
}

void step_free(struct step *step)
{
    void *const all[] = {step->weights,       step->bias,     step->output_gradient,
                         step->mean,          step->output,   step->gradient,
                         step->bias_gradient, step->variance, step->weights_gradient};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    for (int i = 0; i < step->input_count; i++) {
        free(step->input[i]);
        free(step->input_gradient[i]);
    }
}

static void clear(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = 0;
}

static double activate(double x, int32_t activation)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    default:
        return x;
    }
}

/* From the activation's output y. */
static double slope(double y, int32_t activation)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return y > 0;
    case ACTIVATION_TANH:
        return 1 - y * y;
    case ACTIVATION_SIGMOID:
        return y * (1 - y);
    default:
        return 1;
    }
}

static int32_t activation_of(const struct step *step)
{
    struct layer_work work;
    layer_work(&work, &step->config);
    return work.activation;
}

/* The bias of output element i: one per channel of a row. */
static size_t bias_of(const struct step *step, size_t i)
{
    return i / (step->output_size / (size_t)step->config.batch_size / step->bias_size) %
           step->bias_size;
}

void step_forward(struct step *step)
{
    const int32_t activation = activation_of(step);
    clear(step->output, step->output_size);
    kind_references[step->config.kind]->forward(step);
    for (size_t i = 0; i < step->output_size; i++) {
        const double bias = step->bias ? (double)step->bias[bias_of(step, i)] : 0;
        step->output[i] = activate(step->output[i] + bias, activation);
    }
}

void step_backward(struct step *step)
{
    const int32_t activation = activation_of(step);
    for (int i = 0; i < step->input_count; i++)
        clear(step->input_gradient[i], step->input_size[i]);
    clear(step->weights_gradient, step->weights_size);
    clear(step->bias_gradient, step->bias_size);
    for (size_t i = 0; i < step->output_size; i++) {
        step->gradient[i] = (double)step->output_gradient[i] * slope(step->output[i], activation);
        if (step->bias_size)
            step->bias_gradient[bias_of(step, i)] += step->gradient[i];
    }
    kind_references[step->config.kind]->backward(step);
}

/* ---- windows ---- */

struct sliding slide(const struct step *step, int image, int kernel, int stride, int32_t padding)
{
    struct sliding at = {image, kernel, stride, window_of(image, kernel, stride, padding)};
    if (step->pads_alike && stride > 1)
        at.window.pad_before = at.window.pad_after;
    return at;
}

long input_pixel(const struct sliding *at, int pixel, int cell)
{
    const int y = pixel / at->window.output_size, x = pixel % at->window.output_size;
    const int row = y * at->stride + cell / at->kernel - at->window.pad_before;
    const int column = x * at->stride + cell % at->kernel - at->window.pad_before;
    const bool inside = row >= 0 && column >= 0 && row < at->image && column < at->image;
    return inside ? (long)row * at->image + column : -1;
}

/* ---- optimizers ---- */

struct element updated(struct element e, int optimizer)
{
    const double rate = 1e-8, decay = 0.9, decay2 = 0.999, tiny = 1e-7;
    double delta;
    switch (optimizer) {
    case OPTIMIZER_SGD:
        e.w -= rate * e.g;
        break;
    case OPTIMIZER_MOMENTUM:
        e.s0 = decay * e.s0 + e.g;
        e.w -= rate * e.s0;
        break;
    case OPTIMIZER_ADAGRAD:
        e.s0 += e.g * e.g;
        e.w -= rate * e.g / (sqrt(e.s0) + tiny);
        break;
    case OPTIMIZER_ADADELTA:
        e.s0 = decay * e.s0 + (1 - decay) * e.g * e.g;
        delta = sqrt(e.s1 + tiny) / sqrt(e.s0 + tiny) * e.g;
        e.s1 = decay * e.s1 + (1 - decay) * delta * delta;
        e.w -= rate * delta;
        break;
    case OPTIMIZER_RMSPROP:
        e.s0 = decay * e.s0 + (1 - decay) * e.g * e.g;
        e.w -= rate * e.g / (sqrt(e.s0) + tiny);
        break;
    case OPTIMIZER_ADAM:
        e.s0 = decay * e.s0 + (1 - decay) * e.g;
        e.s1 = decay2 * e.s1 + (1 - decay2) * e.g * e.g;
        e.w -= rate * e.s0 / (sqrt(e.s1) + tiny);
        break;
    default:
        fail_msg("no rule for optimizer %d", optimizer);
    }
    return e;
}
