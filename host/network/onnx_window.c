/* Sliding windows: Conv, ConvTranspose and the pools. */
#include "network/onnx_operators.h"

#include <string.h>

/* An attribute with one value for each axis, `otherwise` where it is left out. */
static enum status axis_values(const struct onnx_call *call, const char *name, int axes,
                               int64_t otherwise, int64_t minimum, int64_t *values)
{
    const int count = onnx_integers(call, name, values, axes);
    for (int i = 0; count < 0 && i < axes; i++)
        values[i] = otherwise;
    if (count >= 0 && count != axes)
        return onnx_fail(call, "%s has %d values for %d", name, count, axes);
    for (int i = 0; i < axes; i++)
        if (values[i] < minimum || values[i] > ONNX_DIMENSION_LIMIT)
            return onnx_fail(call, "%s is %lld", name, (long long)values[i]);
    return STATUS_OK;
}

static enum status read_pads(const struct onnx_call *call, struct onnx_window *window)
{
    int64_t pads[2 * ONNX_SPATIAL_LIMIT];
    TRY(axis_values(call, "pads", 2 * window->axes, 0, 0, pads));
    memcpy(window->before, pads, (size_t)window->axes * sizeof *pads);
    memcpy(window->after, pads + window->axes, (size_t)window->axes * sizeof *pads);
    return STATUS_OK;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Cells that a dilated kernel spans. */
static int64_t span(const struct onnx_window *window, int axis)
{
    return (window->kernel[axis] - 1) * window->dilation[axis] + 1;
}

/* auto_pad SAME_*: as many zeros as give ceil(image / stride) outputs. */
static void same_axis(struct onnx_window *window, int axis, bool is_lower)
{
    const int64_t stride = window->stride[axis], image = window->image[axis];
    window->output[axis] = (image - 1) / stride + 1;
    const int64_t covered = (window->output[axis] - 1) * stride + span(window, axis);
    const int64_t zeros = covered - smaller(covered, image);
    window->before[axis] = is_lower ? zeros - zeros / 2 : zeros / 2;
    window->after[axis] = zeros - window->before[axis];
}

/* With ceil_mode a last window may stick out, but not start, beyond the image and its zeros. */
static enum status padded_axis(const struct onnx_call *call, struct onnx_window *window, int axis,
                               bool is_ceil)
{
    const int64_t stride = window->stride[axis], before = window->before[axis];
    const int64_t image = window->image[axis];
    const int64_t last = image + before + window->after[axis] - span(window, axis);
    if (last < 0)
        return onnx_fail(call, "a window of %lld cells over an image of %lld",
                         (long long)span(window, axis), (long long)image);
    window->output[axis] = last / stride + 1;
    if (is_ceil && last % stride && window->output[axis] * stride < image + before)
        window->output[axis]++;
    return STATUS_OK;
}

static enum status resolve(const struct onnx_call *call, struct onnx_window *window)
{
    const struct slice automatic = onnx_text(call, "auto_pad");
    const bool is_lower = slice_equals(automatic, "SAME_LOWER");
    const bool is_same = is_lower || slice_equals(automatic, "SAME_UPPER");
    const bool is_ceil = onnx_integer(call, "ceil_mode", 0);
    if (automatic.size && !is_same && !slice_equals(automatic, "VALID") &&
        !slice_equals(automatic, "NOTSET"))
        return onnx_fail(call, "unknown auto_pad");
    TRY(read_pads(call, window));
    for (int axis = 0; axis < window->axes; axis++)
        if (is_same)
            same_axis(window, axis, is_lower);
        else
            TRY(padded_axis(call, window, axis, is_ceil));
    return STATUS_OK;
}

static enum status read_sizes(const struct onnx_call *call, struct onnx_window *window)
{
    struct onnx_value *x;
    const bool is_pool = call->node->known && call->node->known->shape == onnx_shape_pool;
    const struct onnx_value *w = is_pool ? NULL : onnx_input(call, 1); /* of a pool a scale */
    TRY(onnx_need_input(call, 0, &x));
    *window = (struct onnx_window){.axes = x->rank - 2};
    if (window->axes < 1 || window->axes > ONNX_SPATIAL_LIMIT)
        return onnx_fail(call, "its input has %d dimensions, not 3..%d", x->rank,
                         ONNX_SPATIAL_LIMIT + 2);
    memcpy(window->image, x->dims + 2, (size_t)window->axes * sizeof *x->dims);
    if (w && w->rank != x->rank)
        return onnx_fail(call, "its weights have %d dimensions, its input %d", w->rank, x->rank);
    TRY(axis_values(call, "kernel_shape", window->axes, 0, 0, window->kernel));
    for (int axis = 0; w && axis < window->axes; axis++)
        window->kernel[axis] = w->dims[2 + axis];
    for (int axis = 0; axis < window->axes; axis++)
        if (window->kernel[axis] < 1)
            return onnx_fail(call, "it has no kernel_shape");
    TRY(axis_values(call, "strides", window->axes, 1, 1, window->stride));
    TRY(axis_values(call, "dilations", window->axes, 1, 1, window->dilation));
    for (int axis = 0; axis < window->axes; axis++)
        if (window->image[axis] < 1)
            return onnx_fail(call, "its image is empty");
    for (int axis = 0; axis < window->axes; axis++)
        if (window->kernel[axis] * window->dilation[axis] > ONNX_DIMENSION_LIMIT)
            return onnx_fail(call, "its kernel spans more than 2^31 cells");
    return STATUS_OK;
}

enum status onnx_window_read(const struct onnx_call *call, struct onnx_window *window)
{
    TRY(read_sizes(call, window));
    return resolve(call, window);
}

static enum status set_image(const struct onnx_call *call, const struct onnx_window *window,
                             int64_t channels)
{
    const struct onnx_value *x = onnx_input(call, 0);
    int64_t dims[ONNX_RANK_LIMIT] = {x->dims[0], channels};
    memcpy(dims + 2, window->output, (size_t)window->axes * sizeof *dims);
    for (int i = 0; i < call->node->output_count; i++)
        TRY(onnx_set_output(call, i, i ? ONNX_INT64 : x->type, x->rank, dims));
    return STATUS_OK;
}

enum status onnx_shape_conv(const struct onnx_call *call)
{
    struct onnx_value *x, *w;
    struct onnx_window window;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_need_input(call, 1, &w));
    TRY(onnx_window_read(call, &window));
    const int64_t group = onnx_integer(call, "group", 1);
    if (group < 1 || x->dims[1] % group || w->dims[0] % group || x->dims[1] / group != w->dims[1])
        return onnx_fail(call, "weights for %lld channels in %lld groups, but there are %lld",
                         (long long)w->dims[1], (long long)group, (long long)x->dims[1]);
    return set_image(call, &window, w->dims[0]);
}

/* output = stride (image - 1) + output_padding + span - pads; or as output_shape says. */
enum status onnx_window_read_transposed(const struct onnx_call *call, struct onnx_window *window)
{
    int64_t extra[ONNX_SPATIAL_LIMIT], wanted[ONNX_SPATIAL_LIMIT];
    TRY(read_sizes(call, window));
    TRY(read_pads(call, window));
    TRY(axis_values(call, "output_padding", window->axes, 0, 0, extra));
    TRY(axis_values(call, "output_shape", window->axes, 0, 0, wanted));
    const struct slice automatic = onnx_text(call, "auto_pad");
    const bool is_same = slice_equals(automatic, "SAME_UPPER") ||
                         slice_equals(automatic, "SAME_LOWER");
    for (int axis = 0; axis < window->axes; axis++) {
        const int64_t stride = window->stride[axis];
        window->output[axis] = stride * (window->image[axis] - 1) + extra[axis] +
                               span(window, axis) - window->before[axis] - window->after[axis];
        if (wanted[axis])
            window->output[axis] = wanted[axis];
        else if (is_same)
            window->output[axis] = stride * window->image[axis];
    }
    return STATUS_OK;
}

enum status onnx_shape_conv_transpose(const struct onnx_call *call)
{
    struct onnx_value *x, *w;
    struct onnx_window window;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_need_input(call, 1, &w));
    TRY(onnx_window_read_transposed(call, &window));
    const int64_t group = onnx_integer(call, "group", 1);
    if (x->dims[1] != w->dims[0])
        return onnx_fail(call, "weights for %lld channels, but there are %lld",
                         (long long)w->dims[0], (long long)x->dims[1]);
    if (group < 1 || w->dims[0] % group)
        return onnx_fail(call, "group is %lld for %lld channels", (long long)group,
                         (long long)w->dims[0]);
    return set_image(call, &window, w->dims[1] * group);
}

enum status onnx_shape_pool(const struct onnx_call *call)
{
    struct onnx_value *x;
    struct onnx_window window;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_window_read(call, &window));
    return set_image(call, &window, x->dims[1]);
}

/* As ConvTranspose of one cell a window, or of the size that its third input says. */
enum status onnx_shape_max_unpool(const struct onnx_call *call)
{
    struct onnx_value *x;
    struct onnx_window window;
    int64_t dims[ONNX_LIST_LIMIT];
    int count;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_list(call, "output_shape", 2, dims, &count));
    if (count >= 0)
        return onnx_set_output(call, 0, x->type, count, dims);
    const struct onnx_node pool = {.input_count = 1,
                                   .first = call->node->first,
                                   .name = call->node->name,
                                   .op_type = call->node->op_type,
                                   .message = call->node->message};
    const struct onnx_call alone = {call->graph, (struct onnx_node *)&pool, call->error};
    TRY(read_sizes(&alone, &window));
    TRY(read_pads(&alone, &window));
    for (int axis = 0; axis < window.axes; axis++)
        window.output[axis] = window.stride[axis] * (window.image[axis] - 1) + span(&window, axis) -
                              window.before[axis] - window.after[axis];
    return set_image(call, &window, x->dims[1]);
}

enum status onnx_shape_global_pool(const struct onnx_call *call)
{
    struct onnx_value *x;
    TRY(onnx_need_input(call, 0, &x));
    int64_t dims[ONNX_RANK_LIMIT];
    if (x->rank < 3)
        return onnx_fail(call, "its input has %d dimensions, not 3 or more", x->rank);
    for (int axis = 0; axis < x->rank; axis++)
        dims[axis] = axis < 2 ? x->dims[axis] : 1;
    return onnx_set_output(call, 0, x->type, x->rank, dims);
}
