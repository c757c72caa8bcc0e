/* batch_norm: Ioffe & Szegedy, "Batch normalization", arXiv 1502.03167, section 3. Weights are the
 * scales of all channels, then the shifts. */
#include "kinds/reference.h"

#include <math.h>

/* Batch, image, channels, activation. */
#define CASE(...) TRAINED(BATCH_NORM, batch_norm, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 21, ACTIVATION_RELU), CASE(3, 8, 16, ACTIVATION_RELU),
    CASE(4, 7, 33, ACTIVATION_NONE), CASE(3, 5, 3, ACTIVATION_RELU),
    CASE(4, 6, 20, ACTIVATION_TANH), CASE(3, 1, 40, ACTIVATION_RELU),
    CASE(4, 1, 40, ACTIVATION_NONE), CASE(4, 9, 64, ACTIVATION_SIGMOID),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 16, ACTIVATION_NONE),
    CASE(3, 5, 33, ACTIVATION_TANH),
};

static size_t channels_of(const struct step *step)
{
    return (size_t)step->config.as.batch_norm.channels;
}

static bool is_of(const struct step *step, size_t i, size_t channel)
{
    const size_t size = (size_t)step->config.as.batch_norm.image_size;
    return i / (size * size) % channels_of(step) == channel;
}

/* Mean and 1 / sqrt(variance + epsilon) of a channel. */
struct statistics {
    double mean, inverse;
};

static struct statistics statistics_of(const struct step *step, size_t channel)
{
    const size_t size = step->input_size[0];
    const double count = (double)(size / channels_of(step)), epsilon = 1e-5;
    double sum = 0, squares = 0;
    if (step->mean)
        return (struct statistics){(double)step->mean[channel],
                                   1 / sqrt((double)step->variance[channel] + epsilon)};
    for (size_t i = 0; i < size; i++)
        sum += is_of(step, i, channel) ? (double)step->input[0][i] : 0;
    for (size_t i = 0; i < size; i++)
        if (is_of(step, i, channel))
            squares += pow((double)step->input[0][i] - sum / count, 2);
    return (struct statistics){sum / count, 1 / sqrt(squares / count + epsilon)};
}

static void forward(struct step *step)
{
    const size_t channels = channels_of(step);
    for (size_t channel = 0; channel < channels; channel++) {
        const struct statistics at = statistics_of(step, channel);
        for (size_t i = 0; i < step->output_size; i++)
            if (is_of(step, i, channel))
                step->output[i] = ((double)step->input[0][i] - at.mean) * at.inverse *
                                      (double)step->weights[channel] +
                                  (double)step->weights[channels + channel];
    }
}

static void backward_channel(struct step *step, size_t channel)
{
    const double count = (double)(step->input_size[0] / channels_of(step));
    const struct statistics at = statistics_of(step, channel);
    double *scale = &step->weights_gradient[channel], *shift = scale + channels_of(step);
    for (size_t i = 0; i < step->output_size; i++)
        if (is_of(step, i, channel)) {
            *scale += step->gradient[i] * ((double)step->input[0][i] - at.mean) * at.inverse;
            *shift += step->gradient[i];
        }
    for (size_t i = 0; i < step->output_size; i++)
        if (is_of(step, i, channel)) {
            const double normal = ((double)step->input[0][i] - at.mean) * at.inverse;
            step->input_gradient[0][i] = (double)step->weights[channel] * at.inverse *
                                         (step->gradient[i] - *shift / count -
                                          normal * *scale / count);
        }
}

static void backward(struct step *step)
{
    for (size_t channel = 0; channel < channels_of(step); channel++)
        backward_channel(step, channel);
}

static struct planes planes(const struct layer_config *config, enum tensor_role role)
{
    if (role == TENSOR_WEIGHTS)
        return (struct planes){0};
    return (struct planes){(size_t)config->batch_size, (size_t)config->as.batch_norm.channels,
                           false};
}

const struct kind_reference reference_batch_norm = {
    .forward = forward,
    .backward = backward,
    .planes = planes,
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic batch_norm:batch_size=16,pass=forward,optimizer=none,precision=fp32,"
            "image_size=112,channels=6,activation=relu",
            "uniform batch_norm:batch_size=32,pass=train,optimizer=rmsprop,precision=fp32,"
            "image_size=110,channels=73,activation=tanh",
            "log_uniform batch_norm:batch_size=1,pass=forward,optimizer=none,precision=fp32,"
            "image_size=3,channels=86,activation=none",
            "log_uniform batch_norm:batch_size=26,pass=train,optimizer=adadelta,precision=fp32,"
            "image_size=166,channels=14,activation=sigmoid",
            "log_uniform batch_norm:batch_size=64,pass=forward,optimizer=none,precision=fp32,"
            "image_size=118,channels=3,activation=none",
            "uniform batch_norm:batch_size=5,pass=train,optimizer=adagrad,precision=fp32,"
            "image_size=15,channels=605,activation=sigmoid",
        },
};
