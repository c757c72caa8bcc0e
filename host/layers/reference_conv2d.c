#include "layers/reference_internal.h"

/* The sizes that all three results need; channels of a group, of all groups. */
struct shape {
    struct sliding at;
    int64_t in, out, group_in, group_out;
    int64_t image, pixels; /* pixels of an input and of an output channel */
    int cells;             /* of the kernel */
};

static struct shape shape_of(const struct reference *reference)
{
    const struct conv2d *conv = &reference->config.as.conv2d;
    const struct window_axes axes = conv2d_axes(conv);
    const struct sliding at = reference_slide(reference, &axes, conv->dilation);
    return (struct shape){.at = at,
                          .in = conv->channels_in,
                          .out = conv->channels_out,
                          .group_in = conv->channels_in / conv->groups,
                          .group_out = conv->channels_out / conv->groups,
                          .image = sliding_input_count(&at),
                          .pixels = sliding_output_count(&at),
                          .cells = sliding_cell_count(&at)};
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct shape s = shape_of(reference);
    const int64_t plane = index / s.pixels, pixel = index % s.pixels;
    struct reference_products products;
    const int64_t row = plane / s.out, out = plane % s.out;
    const int64_t first = row * s.in + out / s.group_out * s.group_in; /* plane of the group */
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_WEIGHTS);
    for (int cell = 0; cell < s.cells; cell++) {
        const int64_t source = sliding_input(&s.at, pixel, cell);
        for (int64_t i = 0; i < s.group_in && source >= 0; i++)
            reference_products_add(&products, (first + i) * s.image + source,
                                   (out * s.group_in + i) * s.cells + cell);
    }
    reference_products_end(&products);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const struct shape s = shape_of(reference);
    const int64_t plane = index / s.image, pixel = index % s.image;
    struct reference_products products;
    const int64_t row = plane / s.in, in = plane % s.in;
    const int64_t first = in / s.group_in * s.group_out; /* output channel of the group */
    reference_products_begin(&products, sum, reference, VALUE_WEIGHTS, VALUE_PRODUCT_GRADIENT);
    for (int cell = 0; cell < s.cells; cell++) {
        const int64_t target = sliding_output(&s.at, pixel, cell);
        for (int64_t out = first; out < first + s.group_out && target >= 0; out++)
            reference_products_add(&products, (out * s.group_in + in % s.group_in) * s.cells + cell,
                                   (row * s.out + out) * s.pixels + target);
    }
    reference_products_end(&products);
}

static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    (void)which;
    const struct shape s = shape_of(reference);
    const int64_t out = index / s.cells / s.group_in;
    const int64_t in = out / s.group_out * s.group_in + index / s.cells % s.group_in;
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_PRODUCT_GRADIENT);
    for (int64_t row = 0; row < reference->config.batch_size; row++)
        for (int64_t pixel = 0; pixel < s.pixels; pixel++) {
            const int64_t source = sliding_input(&s.at, pixel, (int)(index % s.cells));
            if (source >= 0)
                reference_products_add(&products, (row * s.in + in) * s.image + source,
                                       (row * s.out + out) * s.pixels + pixel);
        }
    reference_products_end(&products);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const struct shape s = shape_of(reference);
    (void)index;
    if (what == VALUE_WEIGHTS_GRADIENT)
        return (double)(reference->config.batch_size * s.pixels);
    return (double)(s.cells * (what == VALUE_OUTPUT ? s.group_in : s.group_out));
}

static struct value_planes planes(const struct layer_config *config, enum tensor_role role)
{
    const struct conv2d *conv = &config->as.conv2d;
    if (role == TENSOR_WEIGHTS)
        return (struct value_planes){conv->channels_out, conv->channels_in / conv->groups, false};
    return (struct value_planes){
        config->batch_size, role == TENSOR_INPUT ? conv->channels_in : conv->channels_out, false};
}

const struct kind_meaning meaning_conv2d = {
    .output = output,
    .input_gradient = input_gradient,
    .weights_gradient = weights_gradient,
    .terms = terms,
    .planes = planes,
};
