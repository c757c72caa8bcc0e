/* What a layer means: a training step in naive double-precision loops over plain (NCHW) arrays, and
 * the optimizers. For the tests of the backends. Includes nothing of CMocka: the test has.
 */
#ifndef LAYER_REFERENCE_H
#define LAYER_REFERENCE_H

#include "layers/layer.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

/* ---- configs ---- */

static struct layer_config dense_config(int batch, int inputs, int outputs, int bias,
                                        int activation)
{
    return (struct layer_config){
        .kind = LAYER_DENSE,
        .batch_size = batch,
        .pass = PASS_TRAIN,
        .as.dense = {
            .inputs = inputs, .outputs = outputs, .use_bias = bias, .activation = activation}};
}

static struct layer_config conv2d_config(int batch, struct conv2d conv2d)
{
    return (struct layer_config){
        .kind = LAYER_CONV2D, .batch_size = batch, .pass = PASS_TRAIN, .as.conv2d = conv2d};
}

static struct layer_config pool2d_config(int batch, struct pool2d pool2d)
{
    return (struct layer_config){
        .kind = LAYER_POOL2D, .batch_size = batch, .pass = PASS_TRAIN, .as.pool2d = pool2d};
}

static struct layer_config batch_norm_config(int batch, struct batch_norm batch_norm)
{
    return (struct layer_config){.kind = LAYER_BATCH_NORM,
                                 .batch_size = batch,
                                 .pass = PASS_TRAIN,
                                 .as.batch_norm = batch_norm};
}

static struct layer_config addition_config(int batch, struct addition addition)
{
    return (struct layer_config){
        .kind = LAYER_ADDITION, .batch_size = batch, .pass = PASS_TRAIN, .as.addition = addition};
}

static double *zeros(size_t count)
{
    double *values = calloc(count ? count : 1, sizeof *values);
    assert_non_null(values);
    return values;
}

/* ---- shapes ---- */

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

/* A sliding window in plain layout; dense is an image and a kernel of one pixel, the others are
 * windows of one pixel. */
struct shape {
    bool pools, normalises, adds;
    int batch, channels_in, channels_out, image, kernel, stride;
    struct window window;
    int32_t activation, pooling;
};

static struct shape shape_of(const struct layer_config *config)
{
    struct shape shape = {.batch = config->batch_size, .image = 1, .kernel = 1, .stride = 1};
    if (config->kind == LAYER_DENSE) {
        shape.channels_in = config->as.dense.inputs;
        shape.channels_out = config->as.dense.outputs;
        shape.activation = config->as.dense.activation;
        shape.window = (struct window){.output_size = 1};
        return shape;
    }
    if (config->kind == LAYER_BATCH_NORM) {
        shape.normalises = true;
        shape.channels_in = shape.channels_out = config->as.batch_norm.channels;
        shape.image = config->as.batch_norm.image_size;
        shape.activation = config->as.batch_norm.activation;
        shape.window = (struct window){.output_size = shape.image};
        return shape;
    }
    if (config->kind == LAYER_ADDITION) {
        shape.adds = true;
        shape.channels_in = shape.channels_out = config->as.addition.elements;
        shape.activation = config->as.addition.activation;
        shape.window = (struct window){.output_size = 1};
        return shape;
    }
    const struct conv2d *c = &config->as.conv2d;
    const struct pool2d *p = &config->as.pool2d;
    bool conv = config->kind == LAYER_CONV2D;
    shape.pools = !conv;
    shape.channels_in = conv ? c->channels_in : p->channels;
    shape.channels_out = conv ? c->channels_out : p->channels;
    shape.image = conv ? c->image_size : p->image_size;
    shape.kernel = conv ? c->kernel_size : p->kernel_size;
    shape.stride = conv ? c->stride : p->stride;
    shape.activation = conv ? c->activation : p->activation;
    shape.pooling = p->pooling;
    shape.window = window_of(shape.image, shape.kernel, shape.stride,
                             conv ? c->padding : p->padding);
    return shape;
}

static size_t shape_inputs(const struct shape *s)
{
    return (size_t)s->batch * s->channels_in * s->image * s->image;
}

static size_t shape_outputs(const struct shape *s)
{
    return (size_t)s->batch * s->channels_out * s->window.output_size * s->window.output_size;
}

static size_t shape_weights(const struct shape *s)
{
    if (s->normalises)
        return 2 * (size_t)s->channels_out; /* scales, then shifts */
    return s->pools || s->adds ? 0
                               : (size_t)s->channels_out * s->channels_in * s->kernel * s->kernel;
}

/* Pixel of the input under kernel cell (kernel_y, kernel_x) of output pixel (y, x); -1: padding. */
static long input_pixel(const struct shape *s, int y, int x, int kernel_y, int kernel_x)
{
    int row = y * s->stride + kernel_y - s->window.pad_before;
    int column = x * s->stride + kernel_x - s->window.pad_before;
    bool inside = row >= 0 && column >= 0 && row < s->image && column < s->image;
    return inside ? (long)row * s->image + column : -1;
}

/* Calls visit for every product of a convolution with the offsets of its four tensors. */
struct product {
    size_t input, weight, output;
};
typedef void visit_product(void *payload, struct product product);

static void visit_pixel(const struct shape *s, int n, int o, int y, int x, visit_product *visit,
                        void *payload)
{
    int size = s->window.output_size, cells = s->kernel * s->kernel;
    for (int i = 0; i < s->channels_in; i++)
        for (int cell = 0; cell < cells; cell++) {
            long pixel = input_pixel(s, y, x, cell / s->kernel, cell % s->kernel);
            if (pixel >= 0)
                visit(payload,
                      (struct product){((size_t)n * s->channels_in + i) * s->image * s->image +
                                           (size_t)pixel,
                                       ((size_t)o * s->channels_in + i) * cells + cell,
                                       (((size_t)n * s->channels_out + o) * size + y) * size + x});
        }
}

static void visit_products(const struct shape *s, visit_product *visit, void *payload)
{
    int size = s->window.output_size;
    for (int n = 0; n < s->batch; n++)
        for (int o = 0; o < s->channels_out; o++)
            for (int pixel = 0; pixel < size * size; pixel++)
                visit_pixel(s, n, o, pixel / size, pixel % size, visit, payload);
}

/* ---- a step ---- */

/* One training step of a layer; pooling and additions have no weights. mean and variance: what
 * batch normalisation takes instead of the batch's. */
struct step {
    float *input, *weights, *bias, *output_gradient; /* weights and bias may be NULL */
    float *second_input, *mean, *variance;           /* or NULL */
    double *output, *gradient;                       /* gradient: before the activation */
    double *input_gradient, *weights_gradient, *bias_gradient;
};

/* The results; the operands are the caller's to set. */
static void step_allocate(struct step *step, const struct shape *s)
{
    *step = (struct step){.output = zeros(shape_outputs(s)),
                          .gradient = zeros(shape_outputs(s)),
                          .input_gradient = zeros(shape_inputs(s)),
                          .weights_gradient = zeros(shape_weights(s)),
                          .bias_gradient = zeros((size_t)s->channels_out)};
}

static void step_free(struct step *step)
{
    void *const all[] = {
        step->input,         step->weights,      step->bias,           step->output_gradient,
        step->output,        step->gradient,     step->input_gradient, step->weights_gradient,
        step->bias_gradient, step->second_input, step->mean,           step->variance};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void clear(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = 0;
}

static void add_forward(void *payload, struct product at)
{
    struct step *step = payload;
    step->output[at.output] += (double)step->input[at.input] * (double)step->weights[at.weight];
}

static void add_backward(void *payload, struct product at)
{
    struct step *step = payload;
    step->input_gradient[at.input] += step->gradient[at.output] * (double)step->weights[at.weight];
    step->weights_gradient[at.weight] += step->gradient[at.output] * (double)step->input[at.input];
}

/* The cells of a window: how many lie inside, their mean, the first largest and where it is. */
struct cells {
    int inside;
    double mean, largest;
    long winner;
};

static struct cells look_through(const struct shape *s, const float *plane, int y, int x)
{
    struct cells cells = {.largest = -INFINITY, .winner = -1};
    for (int cell = 0; cell < s->kernel * s->kernel; cell++) {
        long pixel = input_pixel(s, y, x, cell / s->kernel, cell % s->kernel);
        if (pixel < 0)
            continue;
        cells.inside++;
        cells.mean += (double)plane[pixel];
        if ((double)plane[pixel] > cells.largest) {
            cells.largest = (double)plane[pixel];
            cells.winner = pixel;
        }
    }
    cells.mean /= cells.inside;
    return cells;
}

static void pass_gradient(double *input_gradient, const struct shape *s, const float *plane, int y,
                          int x, double gradient)
{
    struct cells cells = look_through(s, plane, y, x);
    for (int cell = 0; cell < s->kernel * s->kernel; cell++) {
        long pixel = input_pixel(s, y, x, cell / s->kernel, cell % s->kernel);
        if (pixel >= 0)
            input_gradient[pixel] += s->pooling == POOLING_MAX ? (pixel == cells.winner) * gradient
                                                               : gradient / cells.inside;
    }
}

/* Every output pixel of a pooling: forward, or its gradient backward. */
static void pool(struct step *step, const struct shape *s, bool backward)
{
    int size = s->window.output_size;
    for (size_t i = 0; i < shape_outputs(s); i++) {
        size_t plane = i / ((size_t)size * size) * s->image * s->image;
        int y = (int)(i / size % size), x = (int)(i % size);
        struct cells cells = look_through(s, step->input + plane, y, x);
        if (backward)
            pass_gradient(step->input_gradient + plane, s, step->input + plane, y, x,
                          step->gradient[i]);
        else
            step->output[i] = s->pooling == POOLING_MAX ? cells.largest : cells.mean;
    }
}

/* The channel of output element i. */
static size_t channel_of(const struct shape *s, size_t i)
{
    size_t size = (size_t)s->window.output_size;
    return i / (size * size) % (size_t)s->channels_out;
}

/* Mean and 1 / sqrt(variance + epsilon) of a channel. */
struct statistics {
    double mean, inverse;
};

static struct statistics statistics_of(const struct step *step, const struct shape *s,
                                       size_t channel)
{
    const double count = (double)(shape_inputs(s) / (size_t)s->channels_in), epsilon = 1e-5;
    double sum = 0, squares = 0;
    if (step->mean)
        return (struct statistics){(double)step->mean[channel],
                                   1 / sqrt((double)step->variance[channel] + epsilon)};
    for (size_t i = 0; i < shape_inputs(s); i++)
        sum += channel_of(s, i) == channel ? (double)step->input[i] : 0;
    for (size_t i = 0; i < shape_inputs(s); i++)
        if (channel_of(s, i) == channel)
            squares += pow((double)step->input[i] - sum / count, 2);
    return (struct statistics){sum / count, 1 / sqrt(squares / count + epsilon)};
}

static void normalise(struct step *step, const struct shape *s)
{
    const size_t channels = (size_t)s->channels_in;
    for (size_t channel = 0; channel < channels; channel++) {
        const struct statistics at = statistics_of(step, s, channel);
        for (size_t i = 0; i < shape_inputs(s); i++)
            if (channel_of(s, i) == channel)
                step->output[i] = ((double)step->input[i] - at.mean) * at.inverse *
                                      (double)step->weights[channel] +
                                  (double)step->weights[channels + channel];
    }
}

/* Ioffe & Szegedy, "Batch normalization", arXiv 1502.03167, section 3. */
static void normalise_backward(struct step *step, const struct shape *s)
{
    const size_t channels = (size_t)s->channels_in;
    const double count = (double)(shape_inputs(s) / channels);
    for (size_t channel = 0; channel < channels; channel++) {
        const struct statistics at = statistics_of(step, s, channel);
        double *scale = &step->weights_gradient[channel], *shift = scale + channels;
        for (size_t i = 0; i < shape_inputs(s); i++)
            if (channel_of(s, i) == channel) {
                *scale += step->gradient[i] * ((double)step->input[i] - at.mean) * at.inverse;
                *shift += step->gradient[i];
            }
        for (size_t i = 0; i < shape_inputs(s); i++)
            if (channel_of(s, i) == channel)
                step->input_gradient[i] = (double)step->weights[channel] * at.inverse *
                                          (step->gradient[i] - *shift / count -
                                           ((double)step->input[i] - at.mean) * at.inverse *
                                               *scale / count);
    }
}

static void compute_forward(struct step *step, const struct shape *s)
{
    clear(step->output, shape_outputs(s));
    if (s->pools)
        pool(step, s, false);
    else if (s->normalises)
        normalise(step, s);
    else if (s->adds)
        for (size_t i = 0; i < shape_outputs(s); i++)
            step->output[i] = (double)step->input[i] + (double)step->second_input[i];
    else
        visit_products(s, add_forward, step);
    for (size_t i = 0; i < shape_outputs(s); i++) {
        double bias = step->bias ? (double)step->bias[channel_of(s, i)] : 0;
        step->output[i] = activate(step->output[i] + bias, s->activation);
    }
}

/* From step->output, be it computed or measured. */
static void compute_backward(struct step *step, const struct shape *s)
{
    clear(step->input_gradient, shape_inputs(s));
    clear(step->weights_gradient, shape_weights(s));
    clear(step->bias_gradient, (size_t)s->channels_out);
    for (size_t i = 0; i < shape_outputs(s); i++) {
        step->gradient[i] = (double)step->output_gradient[i] *
                            slope(step->output[i], s->activation);
        step->bias_gradient[channel_of(s, i)] += step->gradient[i];
    }
    if (s->pools)
        pool(step, s, true);
    else if (s->normalises)
        normalise_backward(step, s);
    else if (s->adds)
        for (size_t i = 0; i < shape_inputs(s); i++)
            step->input_gradient[i] = step->gradient[i]; /* and the second input's */
    else
        visit_products(s, add_backward, step);
}

/* ---- optimizers ---- */

/* The six rules in double, element by element, from weights 0 and state as given. */
struct element {
    double w, g, s0, s1;
};
static struct element updated(struct element e, int optimizer)
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

#endif
