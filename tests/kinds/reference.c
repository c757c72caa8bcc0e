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
    step->weights_gradient = zeros(step->weights_size);
    step->bias_gradient = zeros(step->bias_size);
}

void step_free(struct step *step)
{
    void *const all[] = {step->weights,       step->bias,     step->output_gradient,  step->mean,
                         step->bias_gradient, step->variance, step->weights_gradient, step->output};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    for (int i = 0; i < step->input_count; i++) {
        free(step->input[i]);
        free(step->input_gradient[i]);
    }
}

/* ---- its results ---- */

static enum status read_step(float *values, void *payload, enum layer_value what,
                             const int64_t *indices, int count, struct error *error)
{
    const struct step *step = payload;
    const float *const operands[VALUE_COUNT] = {
        [VALUE_INPUT] = step->input[0],
        [VALUE_SECOND_INPUT] = step->input[1],
        [VALUE_WEIGHTS] = step->weights,
        [VALUE_BIAS] = step->bias,
        [VALUE_MEAN] = step->mean,
        [VALUE_VARIANCE] = step->variance,
        [VALUE_OUTPUT_GRADIENT] = step->output_gradient,
    };
    (void)error;
    for (int i = 0; i < count; i++)
        values[i] = what == VALUE_OUTPUT ? (float)step->output[indices[i]]
                                         : operands[what][indices[i]];
    return STATUS_OK;
}

static void fill(double *values, size_t count, struct step *step, enum layer_value what)
{
    struct reference reference;
    struct reference_element element;
    reference_begin(&reference, &step->config,
                    (struct value_source){.read = read_step, .payload = step}, step->pads_alike);
    for (size_t i = 0; i < count; i++) {
        reference_element(&element, &reference, what, (int64_t)i, NULL);
        values[i] = element.value;
    }
}

void step_forward(struct step *step)
{
    fill(step->output, step->output_size, step, VALUE_OUTPUT);
}

void step_backward(struct step *step)
{
    for (int i = 0; i < step->input_count; i++)
        fill(step->input_gradient[i], step->input_size[i], step, VALUE_INPUT_GRADIENT);
    fill(step->weights_gradient, step->weights_size, step, VALUE_WEIGHTS_GRADIENT);
    fill(step->bias_gradient, step->bias_size, step, VALUE_BIAS_GRADIENT);
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
