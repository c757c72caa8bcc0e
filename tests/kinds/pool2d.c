/* pool2d: the mean of the cells inside the image, or the first largest of them. */
#include "kinds/reference.h"

#include <math.h>

/* Batch, image, kernel, channels, stride, padding, pooling, activation. */
#define CASE(...) TRAINED(POOL2D, pool2d, __VA_ARGS__)
#define BOTH(image, kernel, channels, stride, padding, activation)                                 \
    CASE(3, image, kernel, channels, stride, padding, POOLING_MAX, activation),                    \
        CASE(3, image, kernel, channels, stride, padding, POOLING_AVERAGE, activation)

static const struct layer_config cases[] = {
    BOTH(8, 2, 16, 2, PADDING_VALID, ACTIVATION_NONE),
    BOTH(8, 3, 16, 2, PADDING_SAME, ACTIVATION_RELU), /* zeros: 0 before, 1 after */
    BOTH(9, 3, 20, 1, PADDING_SAME, ACTIVATION_SIGMOID),
    BOTH(9, 2, 3, 2, PADDING_VALID, ACTIVATION_NONE), /* last pixels unused */
    BOTH(7, 7, 33, 1, PADDING_VALID, ACTIVATION_TANH),
    BOTH(10, 4, 8, 3, PADDING_SAME, ACTIVATION_NONE),
    BOTH(12, 5, 8, 2, PADDING_SAME, ACTIVATION_RELU),
    BOTH(8, 1, 8, 2, PADDING_SAME, ACTIVATION_NONE),
};

static const struct layer_config narrow_cases[] = {
    CASE(2, 9, 3, 20, 1, PADDING_SAME, POOLING_AVERAGE, ACTIVATION_NONE),
    CASE(2, 8, 2, 16, 2, PADDING_VALID, POOLING_AVERAGE, ACTIVATION_RELU),
    CASE(2, 8, 2, 16, 2, PADDING_VALID, POOLING_MAX, ACTIVATION_NONE),
};

/* The cells of a window: how many lie inside, their mean, the first largest and where it is. */
struct cells {
    int inside;
    double mean, largest;
    long winner;
};

static struct cells look_through(const struct sliding *at, const float *plane, int pixel)
{
    struct cells cells = {.largest = -INFINITY, .winner = -1};
    for (int cell = 0; cell < at->kernel * at->kernel; cell++) {
        const long source = input_pixel(at, pixel, cell);
        if (source < 0)
            continue;
        cells.inside++;
        cells.mean += (double)plane[source];
        if ((double)plane[source] > cells.largest) {
            cells.largest = (double)plane[source];
            cells.winner = source;
        }
    }
    cells.mean /= cells.inside;
    return cells;
}

static struct sliding sliding_of(const struct step *step)
{
    const struct pool2d *pool = &step->config.as.pool2d;
    return slide(step, pool->image_size, pool->kernel_size, pool->stride, pool->padding);
}

static bool is_max(const struct step *step)
{
    return step->config.as.pool2d.pooling == POOLING_MAX;
}

/* The image under output element i: its first pixel, and the pixel of the output in *pixel. */
static size_t plane_of(int *pixel, const struct sliding *at, size_t i)
{
    const size_t size = (size_t)at->window.output_size * (size_t)at->window.output_size;
    *pixel = (int)(i % size);
    return i / size * (size_t)at->image * (size_t)at->image;
}

static void forward(struct step *step)
{
    const struct sliding at = sliding_of(step);
    int pixel;
    for (size_t i = 0; i < step->output_size; i++) {
        const size_t plane = plane_of(&pixel, &at, i);
        const struct cells cells = look_through(&at, step->input[0] + plane, pixel);
        step->output[i] = is_max(step) ? cells.largest : cells.mean;
    }
}

static void backward(struct step *step)
{
    const struct sliding at = sliding_of(step);
    int pixel;
    for (size_t i = 0; i < step->output_size; i++) {
        const size_t plane = plane_of(&pixel, &at, i);
        const struct cells cells = look_through(&at, step->input[0] + plane, pixel);
        for (int cell = 0; cell < at.kernel * at.kernel; cell++) {
            const long source = input_pixel(&at, pixel, cell);
            if (source >= 0)
                step->input_gradient[0][plane + (size_t)source] += is_max(step)
                                                                       ? (source == cells.winner) *
                                                                             step->gradient[i]
                                                                       : step->gradient[i] /
                                                                             cells.inside;
        }
    }
}

static struct planes planes(const struct layer_config *config, enum tensor_role role)
{
    (void)role;
    return (struct planes){(size_t)config->batch_size, (size_t)config->as.pool2d.channels, false};
}

const struct kind_reference reference_pool2d = {
    .forward = forward,
    .backward = backward,
    .planes = planes,
    .wants_distinct_inputs = true,
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform pool2d:batch_size=14,pass=forward,optimizer=none,precision=fp32,"
            "image_size=241,kernel_size=5,channels=34,stride=2,padding=same,pooling=max,"
            "activation=none",
            "uniform pool2d:batch_size=19,pass=train,optimizer=none,precision=fp32,image_size=48,"
            "kernel_size=4,channels=65,stride=4,padding=valid,pooling=average,activation=tanh",
            "realistic pool2d:batch_size=1,pass=forward,optimizer=none,precision=fp32,"
            "image_size=32,kernel_size=2,channels=384,stride=2,padding=same,pooling=average,"
            "activation=sigmoid",
            "realistic pool2d:batch_size=64,pass=train,optimizer=none,precision=fp32,image_size=56,"
            "kernel_size=5,channels=6,stride=1,padding=same,pooling=max,activation=relu",
            "realistic pool2d:batch_size=32,pass=forward,optimizer=none,precision=fp32,"
            "image_size=56,kernel_size=5,channels=1024,stride=2,padding=same,pooling=average,"
            "activation=sigmoid",
            "realistic pool2d:batch_size=2,pass=train,optimizer=none,precision=fp32,image_size=16,"
            "kernel_size=3,channels=64,stride=1,padding=same,pooling=max,activation=relu",
        },
};
