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
    struct layer_config train = *config;
    train.pass = PASS_TRAIN;
    layer_work(&work, config);
    *step = (struct step){.config = *config,
                          .input_count = work_tensor_count(&work, TENSOR_INPUT),
                          .output_size = (size_t)work_elements(&work, TENSOR_OUTPUT),
                          .weights_count = work_tensor_count(&work, TENSOR_WEIGHTS),
                          .bias_size = (size_t)work_elements(&work, TENSOR_BIAS)};
    if (step->input_count > VALUE_FAMILY)
        step->input_count = VALUE_FAMILY;
    for (int i = 0; i < step->input_count; i++) {
        const struct layer_tensor *input = work_find(&work, TENSOR_INPUT, i);
        step->input_size[i] = (size_t)input->count;
        step->is_index[i] = input->storage == STORAGE_INT32;
        if (layer_value_count(&train, VALUE_INPUT_GRADIENT + i) > 0)
            step->input_gradient[i] = zeros(step->input_size[i]);
    }
    assert_in_range(step->weights_count, 0, VALUE_FAMILY);
    for (int i = 0; i < step->weights_count; i++) {
        step->weights_size[i] = (size_t)work_find(&work, TENSOR_WEIGHTS, i)->count;
        step->weights_gradient_size[i] = (size_t)layer_value_count(&train,
                                                                   VALUE_WEIGHTS_GRADIENT + i);
        step->weights_gradient[i] = zeros(step->weights_gradient_size[i]);
    }
    step->output = zeros(step->output_size);
    step->bias_gradient = zeros(step->bias_size);
}

void step_free(struct step *step)
{
    void *const all[] = {step->bias,          step->output_gradient, step->mean,
                         step->bias_gradient, step->variance,        step->output};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    for (int i = 0; i < VALUE_FAMILY; i++) {
        free(step->input[i]);
        free(step->input_gradient[i]);
        free(step->weights[i]);
        free(step->weights_gradient[i]);
    }
}

/* ---- its results ---- */

static enum status read_step(float *values, void *payload, enum layer_value what,
                             const int64_t *indices, int count, struct error *error)
{
    const struct step *step = payload;
    const struct value_place place = layer_value_place(what);
    const float *const *const operands[TENSOR_ROLE_COUNT] = {
        [TENSOR_INPUT] = (const float *const *)step->input,
        [TENSOR_WEIGHTS] = (const float *const *)step->weights,
        [TENSOR_BIAS] = (const float *const *)&step->bias,
        [TENSOR_KEPT] = (const float *const[]){step->mean, step->variance},
        [TENSOR_OUTPUT] = (const float *const *)&step->output_gradient,
    };
    (void)error;
    for (int i = 0; i < count; i++)
        values[i] = what == VALUE_OUTPUT ? (float)step->output[indices[i]]
                                         : operands[place.role][place.index][indices[i]];
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
        values[i] = element.is_open && what >= VALUE_WEIGHTS_GRADIENT ? NAN : element.value;
    }
    reference_end(&reference);
}

void step_forward(struct step *step)
{
    fill(step->output, step->output_size, step, VALUE_OUTPUT);
}

void step_backward(struct step *step)
{
    for (int i = 0; i < step->input_count; i++)
        if (step->input_gradient[i])
            fill(step->input_gradient[i], step->input_size[i], step, VALUE_INPUT_GRADIENT + i);
    for (int i = 0; i < step->weights_count; i++)
        fill(step->weights_gradient[i], step->weights_gradient_size[i], step,
             VALUE_WEIGHTS_GRADIENT + i);
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
    case OPTIMIZER_ADAMW:
        e.s0 = decay * e.s0 + (1 - decay) * e.g;
        e.s1 = decay2 * e.s1 + (1 - decay2) * e.g * e.g;
        e.w -= 0x1p-24 * e.w + rate * e.s0 / (sqrt(e.s1) + tiny);
        break;
    default:
        fail_msg("no rule for optimizer %d", optimizer);
    }
    return e;
}
