/* pool2d: the mean of the cells inside the image, or the largest of them. Which of several largest
 * has the gradient is left open. */
#include "layers/reference_internal.h"

#include <math.h>

static struct sliding sliding_of(const struct reference *reference)
{
    const struct pool2d *pool = &reference->config.as.pool2d;
    const struct window_axes axes = pool2d_axes(pool);
    return reference_slide(reference, &axes, 1);
}

static bool is_max(const struct reference *reference)
{
    return reference->config.as.pool2d.pooling == POOLING_MAX;
}

/* The cells of a window: how many lie inside, their sum, the largest, where it is, how many are as
 * large. */
struct cells {
    double inside, squares, sum, largest;
    int64_t winner;
    int ties;
};

static void look_at(struct cells *cells, double value, int64_t place)
{
    cells->inside++;
    cells->sum += value;
    cells->squares += value * value;
    cells->ties = value > cells->largest ? 1 : cells->ties + (value == cells->largest);
    if (value > cells->largest)
        cells->winner = place;
    cells->largest = fmax(cells->largest, value);
}

/* Of output pixel `pixel` of channel `plane` of the batch. */
static struct cells look_through(struct reference *reference, const struct sliding *at,
                                 int64_t plane, int64_t pixel)
{
    struct cells cells = {.largest = -INFINITY, .winner = -1};
    const int rows = at->axes.at[AXIS_HEIGHT].kernel, columns = at->axes.at[AXIS_WIDTH].kernel;
    for (int row = 0; row < rows; row++) {
        int64_t places[REFERENCE_BLOCK];
        double values[REFERENCE_BLOCK];
        int count = 0;
        for (int column = 0; column < columns && count < REFERENCE_BLOCK; column++) {
            const int64_t source = sliding_input(at, pixel, row * columns + column);
            if (source >= 0)
                places[count++] = plane * sliding_input_count(at) + source;
        }
        if (count > 0)
            reference_read(values, NULL, reference, VALUE_INPUT, places, count);
        for (int i = 0; i < count; i++)
            look_at(&cells, values[i], places[i]);
    }
    return cells;
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct sliding at = sliding_of(reference);
    const int64_t pixels = sliding_output_count(&at);
    const struct cells cells = look_through(reference, &at, index / pixels, index % pixels);
    if (is_max(reference)) {
        reference_add(sum, cells.largest, cells.largest);
        return;
    }
    sum->sum = cells.sum / cells.inside;
    sum->squares = cells.squares / (cells.inside * cells.inside);
    sum->count = cells.inside;
}

static double cells_inside(const struct sliding *at, int64_t pixel)
{
    double inside = 0;
    for (int cell = 0; cell < sliding_cell_count(at); cell++)
        inside += sliding_input(at, pixel, cell) >= 0;
    return inside;
}

/* What output pixel `target` hands to input element `index`. */
static void add_share(struct reference_sum *sum, struct reference *reference,
                      const struct sliding *at, int64_t index, int64_t target)
{
    const int64_t plane = index / sliding_input_count(at);
    const int64_t from = plane * sliding_output_count(at) + target;
    double share, value, size;
    reference_read(&value, &size, reference, VALUE_PRODUCT_GRADIENT, &from, 1);
    if (is_max(reference)) {
        const struct cells cells = look_through(reference, at, plane, target);
        const bool is_largest = reference_read_one(reference, VALUE_INPUT, index) == cells.largest;
        sum->is_open |= is_largest && cells.ties > 1;
        share = cells.winner == index;
    } else {
        share = 1 / cells_inside(at, target);
    }
    reference_add(sum, share * value, share * size);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const struct sliding at = sliding_of(reference);
    for (int cell = 0; cell < sliding_cell_count(&at); cell++) {
        const int64_t target = sliding_output(&at, index % sliding_input_count(&at), cell);
        if (target >= 0)
            add_share(sum, reference, &at, index, target);
    }
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const struct sliding at = sliding_of(reference);
    const double cells = sliding_cell_count(&at);
    const double across = ceil((double)at.axes.at[AXIS_HEIGHT].kernel /
                               at.axes.at[AXIS_HEIGHT].stride);
    (void)index;
    if (what == VALUE_OUTPUT)
        return cells;
    return across * across * cells; /* an average looks for the cells that lie inside */
}

static struct value_planes planes(const struct layer_config *config, enum tensor_role role)
{
    (void)role;
    return (struct value_planes){config->batch_size, config->as.pool2d.channels, false};
}

const struct kind_meaning meaning_pool2d = {
    .output = output, .input_gradient = input_gradient, .terms = terms, .planes = planes};
