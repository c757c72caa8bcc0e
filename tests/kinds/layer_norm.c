/* layer_norm: Ba, Kiros, Hinton, "Layer normalization", arXiv 1607.06450, section 3. Weights are
 * the scales of a row's elements, then the shifts. */
#include "kinds/reference.h"

#include <math.h>

/* Batch, positions, width. */
#define CASE(...) TRAINED(LAYER_NORM, layer_norm, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 21), CASE(2, 1, 64), CASE(1, 7, 100), CASE(4, 5, 3), CASE(2, 9, 257),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 48),
};

static size_t width_of(const struct step *step)
{
    return (size_t)step->config.as.layer_norm.width;
}

/* Mean and 1 / sqrt(variance + epsilon) of a row. */
struct statistics {
    double mean, inverse;
};

static struct statistics statistics_of(const float *row, size_t width)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < width; i++)
        sum += (double)row[i];
    const double mean = sum / (double)width;
    for (size_t i = 0; i < width; i++)
        squares += pow((double)row[i] - mean, 2);
    return (struct statistics){mean, 1 / sqrt(squares / (double)width + 1e-5)};
}

static void forward(struct step *step)
{
    const size_t width = width_of(step);
    for (size_t start = 0; start < step->output_size; start += width) {
        const struct statistics at = statistics_of(step->input[0] + start, width);
        for (size_t i = 0; i < width; i++)
            step->output[start + i] = ((double)step->input[0][start + i] - at.mean) * at.inverse *
                                          (double)step->weights[i] +
                                      (double)step->weights[width + i];
    }
}

static void backward_row(struct step *step, size_t start)
{
    const size_t width = width_of(step);
    const float *x = step->input[0] + start;
    const double *gradient = step->gradient + start;
    const struct statistics at = statistics_of(x, width);
    double sum = 0, product = 0;
    for (size_t i = 0; i < width; i++) {
        const double normal = ((double)x[i] - at.mean) * at.inverse;
        step->weights_gradient[i] += gradient[i] * normal;
        step->weights_gradient[width + i] += gradient[i];
        sum += gradient[i] * (double)step->weights[i] / (double)width;
        product += gradient[i] * (double)step->weights[i] * normal / (double)width;
    }
    for (size_t i = 0; i < width; i++)
        step->input_gradient[0][start + i] = at.inverse *
                                             (gradient[i] * (double)step->weights[i] - sum -
                                              ((double)x[i] - at.mean) * at.inverse * product);
}

static void backward(struct step *step)
{
    for (size_t start = 0; start < step->output_size; start += width_of(step))
        backward_row(step, start);
}

const struct kind_reference reference_layer_norm = {
    .forward = forward,
    .backward = backward,
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "uniform "
            "layer_norm:batch_size=9,pass=forward,optimizer=none,precision=fp32,positions=1153,"
            "width=4212",
            "log_uniform "
            "layer_norm:batch_size=29,pass=train,optimizer=sgd,precision=fp32,positions=8,width=18",
            "log_uniform "
            "layer_norm:batch_size=11,pass=forward,optimizer=none,precision=fp32,positions=2,width="
            "2",
            "log_uniform "
            "layer_norm:batch_size=7,pass=train,optimizer=momentum,precision=fp32,positions=583,"
            "width=3751",
            "realistic "
            "layer_norm:batch_size=8,pass=forward,optimizer=none,precision=fp32,positions=2048,"
            "width=1024",
            "uniform "
            "layer_norm:batch_size=41,pass=train,optimizer=adagrad,precision=fp32,positions=271,"
            "width=3453",
        },
};
