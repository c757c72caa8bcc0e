/* conv_transpose2d: the convolution from its output to its input, turned round. Weights (channels
 * in, channels out, kernel, kernel). */
#include "layers/reference_internal.h"

/* Of the turned convolution: `at` slides over the output. */
struct shape {
    struct sliding at;
    int64_t in, out, inputs, outputs; /* channels; pixels of a channel */
    int cells;                        /* of the kernel */
};

static struct shape shape_of(const struct reference *reference)
{
    const struct conv_transpose2d *conv = &reference->config.as.conv_transpose2d;
    const struct window_axes axes = conv_transpose2d_axes(conv);
    const struct sliding at = reference_slide(reference, &axes, 1);
    return (struct shape){.at = at,
                          .in = conv->channels_in,
                          .out = conv->channels_out,
                          .inputs = sliding_output_count(&at),
                          .outputs = sliding_input_count(&at),
                          .cells = sliding_cell_count(&at)};
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct shape s = shape_of(reference);
    const int64_t plane = index / s.outputs, row = plane / s.out, out = plane % s.out;
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_WEIGHTS);
    for (int cell = 0; cell < s.cells; cell++) {
        const int64_t source = sliding_output(&s.at, index % s.outputs, cell);
        for (int64_t in = 0; in < s.in && source >= 0; in++)
            reference_products_add(&products, (row * s.in + in) * s.inputs + source,
                                   (in * s.out + out) * s.cells + cell);
    }
    reference_products_end(&products);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const struct shape s = shape_of(reference);
    const int64_t plane = index / s.inputs, row = plane / s.in, in = plane % s.in;
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_WEIGHTS, VALUE_PRODUCT_GRADIENT);
    for (int cell = 0; cell < s.cells; cell++) {
        const int64_t target = sliding_input(&s.at, index % s.inputs, cell);
        for (int64_t out = 0; out < s.out && target >= 0; out++)
            reference_products_add(&products, (in * s.out + out) * s.cells + cell,
                                   (row * s.out + out) * s.outputs + target);
    }
    reference_products_end(&products);
}

static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    (void)which;
    const struct shape s = shape_of(reference);
    const int64_t in = index / s.cells / s.out, out = index / s.cells % s.out;
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_PRODUCT_GRADIENT);
    for (int64_t row = 0; row < reference->config.batch_size; row++)
        for (int64_t pixel = 0; pixel < s.inputs; pixel++) {
            const int64_t target = sliding_input(&s.at, pixel, (int)(index % s.cells));
            if (target >= 0)
                reference_products_add(&products, (row * s.in + in) * s.inputs + pixel,
                                       (row * s.out + out) * s.outputs + target);
        }
    reference_products_end(&products);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const struct shape s = shape_of(reference);
    (void)index;
    if (what == VALUE_WEIGHTS_GRADIENT)
        return (double)(reference->config.batch_size * s.inputs);
    return (double)(s.cells * (what == VALUE_OUTPUT ? s.in : s.out));
}

static struct value_planes planes(const struct layer_config *config, enum tensor_role role)
{
    const struct conv_transpose2d *conv = &config->as.conv_transpose2d;
    if (role == TENSOR_WEIGHTS)
        return (struct value_planes){conv->channels_in, conv->channels_out, false};
    return (struct value_planes){
        config->batch_size, role == TENSOR_INPUT ? conv->channels_in : conv->channels_out, false};
}

const struct kind_meaning meaning_conv_transpose2d = {
    .output = output,
    .input_gradient = input_gradient,
    .weights_gradient = weights_gradient,
    .terms = terms,
    .planes = planes,
};
