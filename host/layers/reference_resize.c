/* resize: pixel o of `output` of an image of `input` pixels lies at (o + 1/2) input / output - 1/2
 * (half-pixel centres: PyTorch's nearest-exact, and bilinear without align_corners). Nearest takes
 * the pixel whose cell it lies in, bilinear the two around it, at the edges the last one.
 */
#include "layers/reference_internal.h"

#include <math.h>

/* Shares of an axis's two pixels, first and first + 1. */
struct taps {
    int64_t first;
    double share; /* of the second one */
    bool is_open; /* so near an edge of a cell that rounding decides */
};

static struct taps nearest(int64_t output, int64_t from, int64_t to)
{
    const int64_t numerator = (2 * output + 1) * from, denominator = 2 * to;
    const int64_t rest = numerator % denominator;
    const int64_t margin = rest < denominator - rest ? rest : denominator - rest;
    const bool is_whole = from % to == 0 || to % from == 0;
    return (struct taps){.first = numerator / denominator,
                         .is_open = !is_whole && (double)margin < 1e-3 * (double)denominator};
}

static struct taps bilinear(int64_t output, int64_t from, int64_t to)
{
    const double place = ((double)output + 0.5) * (double)from / (double)to - 0.5;
    struct taps taps = {.first = (int64_t)floor(place)};
    taps.share = place - (double)taps.first;
    if (taps.first < 0)
        taps = (struct taps){.first = 0};
    if (taps.first >= from - 1)
        taps = (struct taps){.first = from - 1};
    return taps;
}

static struct taps taps_of(const struct reference *reference, int64_t output, int64_t from,
                           int64_t to)
{
    return reference->config.as.resize.interpolation == INTERPOLATION_NEAREST
               ? nearest(output, from, to)
               : bilinear(output, from, to);
}

/* Share that the output has of input pixel `pixel`. */
static double share_of(const struct taps *taps, int64_t pixel)
{
    return pixel == taps->first ? 1 - taps->share : pixel == taps->first + 1 ? taps->share : 0;
}

/* A share is the rest of a place: the larger that is, the more of its digits are lost. */
static double rounding_of(const struct taps *down, const struct taps *right)
{
    return 1 + (double)(down->first + right->first);
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct resize_sides at = resize_sides(&reference->config.as.resize);
    const int64_t plane = index / at.output_height / at.output_width;
    const struct taps down = taps_of(reference, index / at.output_width % at.output_height,
                                     at.height, at.output_height);
    const struct taps right = taps_of(reference, index % at.output_width, at.width,
                                      at.output_width);
    sum->is_open = down.is_open || right.is_open;
    for (int i = 0; i < 4; i++) {
        const int64_t row = down.first + i / 2, column = right.first + i % 2;
        const double share = share_of(&down, row) * share_of(&right, column);
        if (share <= 0)
            continue;
        const double value = reference_read_one(reference, VALUE_INPUT,
                                                (plane * at.height + row) * at.width + column);
        reference_add(sum, share * value, value * rounding_of(&down, &right));
    }
}

/* Outputs that may have a share of an input pixel: first .. end - 1. */
struct reach {
    int64_t first, end;
};
static struct reach reach_of(int64_t pixel, int64_t from, int64_t to)
{
    const double scale = (double)to / (double)from;
    const int64_t first = (int64_t)floor(((double)pixel - 1) * scale) - 1;
    const int64_t end = (int64_t)ceil(((double)pixel + 2) * scale) + 1;
    return (struct reach){first < 0 ? 0 : first, end < to ? end : to};
}

/* Of one row of outputs. */
static void add_row(struct reference_sum *sum, struct reference *reference, int64_t first_output,
                    int64_t column, const struct taps *down, double share)
{
    const struct resize_sides at = resize_sides(&reference->config.as.resize);
    const struct reach reach = reach_of(column, at.width, at.output_width);
    for (int64_t i = reach.first; i < reach.end; i++) {
        const struct taps right = taps_of(reference, i, at.width, at.output_width);
        const double both = share * share_of(&right, column);
        const int64_t index = first_output + i;
        double value, size;
        sum->is_open |= right.is_open;
        if (both <= 0)
            continue;
        reference_read(&value, &size, reference, VALUE_PRODUCT_GRADIENT, &index, 1);
        reference_add(sum, both * value, size * rounding_of(down, &right));
    }
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    const struct resize_sides at = resize_sides(&reference->config.as.resize);
    const int64_t plane = index / at.width / at.height, row = index / at.width % at.height;
    const struct reach reach = reach_of(row, at.height, at.output_height);
    (void)which;
    for (int64_t i = reach.first; i < reach.end; i++) {
        const struct taps down = taps_of(reference, i, at.height, at.output_height);
        sum->is_open |= down.is_open;
        if (share_of(&down, row) > 0)
            add_row(sum, reference, (plane * at.output_height + i) * at.output_width,
                    index % at.width, &down, share_of(&down, row));
    }
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const struct resize_sides at = resize_sides(&reference->config.as.resize);
    (void)index;
    if (what == VALUE_OUTPUT)
        return 4;
    return (3.0 * at.output_height / at.height + 2) * (3.0 * at.output_width / at.width + 2);
}

static struct value_planes planes(const struct layer_config *config, enum tensor_role role)
{
    (void)role;
    return (struct value_planes){.outer = config->batch_size,
                                 .channels = config->as.resize.channels};
}

const struct kind_meaning meaning_resize = {
    .output = output, .input_gradient = input_gradient, .terms = terms, .planes = planes};
