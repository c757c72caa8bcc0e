/* conv2d: weights are (channels out, channels in, kernel, kernel). */
#include "kinds/reference.h"

/* Batch, image, kernel, channels in, channels out, stride, padding, bias, activation. */
#define CASE(...)    TRAINED(CONV2D, conv2d, __VA_ARGS__)
#define BATCHES(...) CASE(1, __VA_ARGS__), CASE(2, __VA_ARGS__), CASE(5, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(1, 6, 3, 5, 18, 1, PADDING_VALID, 1, ACTIVATION_RELU),
    BATCHES(8, 3, 3, 16, 1, PADDING_VALID, 1, ACTIVATION_RELU),
    BATCHES(8, 3, 16, 32, 1, PADDING_SAME, 1, ACTIVATION_TANH),
    BATCHES(8, 3, 16, 16, 2, PADDING_SAME, 1, ACTIVATION_NONE), /* zeros: 0 before, 1 after */
    BATCHES(9, 2, 4, 6, 1, PADDING_SAME, 0, ACTIVATION_RELU),   /* the same */
    BATCHES(9, 4, 17, 5, 2, PADDING_SAME, 1, ACTIVATION_SIGMOID),
    BATCHES(11, 5, 8, 24, 3, PADDING_VALID, 1, ACTIVATION_NONE), /* last pixels unused */
    BATCHES(12, 5, 16, 8, 1, PADDING_SAME, 1, ACTIVATION_SIGMOID),
    BATCHES(7, 1, 32, 16, 1, PADDING_VALID, 1, ACTIVATION_RELU),
    BATCHES(7, 1, 20, 12, 2, PADDING_SAME, 0, ACTIVATION_NONE), /* most pixels unused */
    BATCHES(14, 7, 3, 10, 2, PADDING_SAME, 1, ACTIVATION_RELU),
    BATCHES(9, 7, 8, 8, 1, PADDING_SAME, 0, ACTIVATION_TANH),
    BATCHES(5, 5, 6, 7, 1, PADDING_VALID, 1, ACTIVATION_TANH),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 3, 16, 32, 1, PADDING_SAME, 1, ACTIVATION_RELU),
    CASE(2, 9, 4, 17, 5, 2, PADDING_SAME, 1, ACTIVATION_SIGMOID),
    CASE(2, 14, 7, 3, 10, 2, PADDING_VALID, 0, ACTIVATION_NONE),
};

/* One product of an input and a weight, as offsets in the tensors. */
struct product {
    size_t input, weight, output;
};
typedef void visit_product(struct step *step, struct product product);

/* All products of output channel `plane` of the batch, at one of its pixels. */
static void visit_pixel(struct step *step, const struct sliding *at, size_t plane, int pixel,
                        visit_product *visit)
{
    const struct conv2d *conv = &step->config.as.conv2d;
    const int cells = conv->kernel_size * conv->kernel_size;
    const size_t in = (size_t)conv->channels_in, out = (size_t)conv->channels_out;
    const size_t image = (size_t)conv->image_size * (size_t)conv->image_size;
    const size_t size = (size_t)at->window.output_size * (size_t)at->window.output_size;
    for (size_t i = 0; i < in; i++)
        for (int cell = 0; cell < cells; cell++) {
            const long source = input_pixel(at, pixel, cell);
            if (source >= 0)
                visit(step, (struct product){(plane / out * in + i) * image + (size_t)source,
                                             (plane % out * in + i) * (size_t)cells + (size_t)cell,
                                             plane * size + (size_t)pixel});
        }
}

static void visit_products(struct step *step, visit_product *visit)
{
    const struct conv2d *conv = &step->config.as.conv2d;
    const struct sliding at = slide(step, conv->image_size, conv->kernel_size, conv->stride,
                                    conv->padding);
    const int size = at.window.output_size * at.window.output_size;
    for (size_t i = 0; i < step->output_size; i++)
        visit_pixel(step, &at, i / (size_t)size, (int)(i % (size_t)size), visit);
}

static void add_forward(struct step *step, struct product at)
{
    step->output[at.output] += (double)step->input[0][at.input] * (double)step->weights[at.weight];
}

static void add_backward(struct step *step, struct product at)
{
    const double gradient = step->gradient[at.output];
    step->input_gradient[0][at.input] += gradient * (double)step->weights[at.weight];
    step->weights_gradient[at.weight] += gradient * (double)step->input[0][at.input];
}

static void forward(struct step *step)
{
    visit_products(step, add_forward);
}

static void backward(struct step *step)
{
    visit_products(step, add_backward);
}

static struct planes planes(const struct layer_config *config, enum tensor_role role)
{
    const size_t batch = (size_t)config->batch_size;
    const size_t in = (size_t)config->as.conv2d.channels_in;
    const size_t out = (size_t)config->as.conv2d.channels_out;
    return role == TENSOR_WEIGHTS ? (struct planes){out, in, false}
                                  : (struct planes){batch, role == TENSOR_INPUT ? in : out, false};
}

const struct kind_reference reference_conv2d = {
    .forward = forward,
    .backward = backward,
    .planes = planes,
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform conv2d:batch_size=2,pass=train,optimizer=rmsprop,precision=fp32,"
            "image_size=5,kernel_size=2,channels_in=4,channels_out=701,stride=3,padding=same,"
            "use_bias=yes,activation=relu",
            "log_uniform conv2d:batch_size=32,pass=forward,optimizer=none,precision=fp32,"
            "image_size=27,kernel_size=4,channels_in=803,channels_out=13,stride=1,padding=valid,"
            "use_bias=no,activation=tanh",
            "log_uniform conv2d:batch_size=10,pass=train,optimizer=rmsprop,precision=fp32,"
            "image_size=85,kernel_size=6,channels_in=30,channels_out=1,stride=1,padding=valid,"
            "use_bias=no,activation=sigmoid",
            "log_uniform conv2d:batch_size=5,pass=forward,optimizer=none,precision=fp32,"
            "image_size=1,kernel_size=1,channels_in=125,channels_out=87,stride=3,padding=same,"
            "use_bias=yes,activation=none",
            "realistic conv2d:batch_size=8,pass=train,optimizer=momentum,precision=fp32,"
            "image_size=13,kernel_size=3,channels_in=32,channels_out=32,stride=1,padding=same,"
            "use_bias=no,activation=none",
            "uniform conv2d:batch_size=47,pass=forward,optimizer=none,precision=fp32,"
            "image_size=251,kernel_size=6,channels_in=22,channels_out=21,stride=4,padding=same,"
            "use_bias=yes,activation=sigmoid",
        },
};
