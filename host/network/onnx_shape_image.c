/* Operators on images: borders, sizes, places to sample at. */
#include "network/onnx_shape.h"

#include <math.h>
#include <string.h>

/* ---- borders ---- */

/* Axes that a list speaks of: attribute or input `axes`, else all. */
static enum status listed_axes(const struct onnx_call *call, int input, int rank,
                               int axes[ONNX_RANK_LIMIT], int *count)
{
    int64_t list[ONNX_LIST_LIMIT];
    TRY(onnx_list(call, "axes", input, list, count));
    if (*count > rank)
        return onnx_fail(call, "%d axes of %d dimensions", *count, rank);
    for (int i = 0; i < *count; i++)
        TRY(onnx_axis(call, list[i], rank, &axes[i]));
    for (int i = 0; *count < 0 && i < rank; i++)
        axes[i] = i;
    *count = *count < 0 ? rank : *count;
    return STATUS_OK;
}

enum status onnx_pads(const struct onnx_call *call, int64_t before[ONNX_RANK_LIMIT],
                      int64_t after[ONNX_RANK_LIMIT])
{
    struct onnx_value *input;
    int64_t pads[ONNX_LIST_LIMIT];
    int axes[ONNX_RANK_LIMIT], count, axis_count;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "pads", 1, pads, &count));
    TRY(listed_axes(call, 3, input->rank, axes, &axis_count));
    if (count != 2 * axis_count)
        return onnx_fail(call, "%d pads for %d dimensions", count, axis_count);
    memset(before, 0, ONNX_RANK_LIMIT * sizeof *before);
    memset(after, 0, ONNX_RANK_LIMIT * sizeof *after);
    for (int i = 0; i < axis_count; i++) {
        before[axes[i]] = onnx_clamp(pads[i], -INT32_MAX, INT32_MAX);
        after[axes[i]] = onnx_clamp(pads[axis_count + i], -INT32_MAX, INT32_MAX);
    }
    return STATUS_OK;
}

enum status onnx_shape_pad(const struct onnx_call *call)
{
    int64_t before[ONNX_RANK_LIMIT], after[ONNX_RANK_LIMIT], dims[ONNX_RANK_LIMIT];
    TRY(onnx_pads(call, before, after));
    const struct onnx_value *input = onnx_input(call, 0);
    for (int i = 0; i < input->rank; i++)
        dims[i] = input->dims[i] + before[i] + after[i];
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}

/* Cropped or padded to a shape, of all axes or of some. */
enum status onnx_shape_center_crop_pad(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t shape[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    int axes[ONNX_RANK_LIMIT], count, axis_count;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "shape", 1, shape, &count));
    TRY(listed_axes(call, 2, input->rank, axes, &axis_count));
    if (count != axis_count)
        return onnx_fail(call, "%d sizes for %d dimensions", count, axis_count);
    memcpy(dims, input->dims, sizeof dims);
    for (int i = 0; i < count; i++)
        dims[axes[i]] = shape[i];
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}

/* ---- sizes ---- */

/* What Resize and Upsample (until opset 9) are asked for: a size or a scale for some axes. */
struct resizing {
    int axes[ONNX_RANK_LIMIT], axis_count;
    bool by_sizes;
    const double *values; /* (axis_count) */
    double attribute[ONNX_RANK_LIMIT];
};

static enum status read_resizing(const struct onnx_call *call, const struct onnx_value *input,
                                 struct resizing *resizing)
{
    const bool is_old = slice_equals(call->node->op_type, "Upsample") || call->graph->opset < 11;
    const struct onnx_value *sizes = onnx_input(call, 3);
    const struct onnx_value *scales = onnx_input(call, is_old ? 1 : 2);
    const int given = onnx_numbers(call, "scales", resizing->attribute, ONNX_RANK_LIMIT);
    TRY(listed_axes(call, call->node->input_count, input->rank, resizing->axes,
                    &resizing->axis_count));
    resizing->by_sizes = sizes && sizes->count > 0;
    const struct onnx_value *asked = resizing->by_sizes ? sizes : scales;
    resizing->values = asked ? asked->folded : NULL;
    if (given == resizing->axis_count)
        resizing->values = resizing->attribute;
    else if (!resizing->values || asked->count != resizing->axis_count)
        return onnx_fail(call, "its sizes or scales are not constant, or not one per dimension");
    return STATUS_OK;
}

/* keep_aspect_ratio_policy (opset 18): one scale for all axes; 0: none. */
static double common_scale(const struct onnx_call *call, const struct onnx_value *input,
                           const struct resizing *resizing)
{
    const struct slice policy = onnx_text(call, "keep_aspect_ratio_policy");
    const bool is_smallest = slice_equals(policy, "not_larger");
    double scale = 0;
    if (!resizing->by_sizes || (!is_smallest && !slice_equals(policy, "not_smaller")))
        return 0;
    for (int i = 0; i < resizing->axis_count; i++) {
        const double own = resizing->values[i] / (double)input->dims[resizing->axes[i]];
        scale = i == 0 ? own : is_smallest ? fmin(scale, own) : fmax(scale, own);
    }
    return scale;
}

/* The part of an axis that tf_crop_and_resize takes: start and end of each axis in `roi`. */
static double cropped_part(const struct onnx_call *call, const struct resizing *resizing, int i)
{
    const struct onnx_value *roi = onnx_input(call, 1);
    const bool is_crop = slice_equals(onnx_text(call, "coordinate_transformation_mode"),
                                      "tf_crop_and_resize");
    if (!is_crop || !roi || !roi->folded || roi->count != 2.0 * resizing->axis_count)
        return 1;
    return roi->folded[resizing->axis_count + i] - roi->folded[i];
}

enum status onnx_shape_resize(const struct onnx_call *call)
{
    struct onnx_value *input;
    struct resizing resizing;
    int64_t dims[ONNX_RANK_LIMIT];
    TRY(onnx_need_input(call, 0, &input));
    TRY(read_resizing(call, input, &resizing));
    const double scale = common_scale(call, input, &resizing);
    memcpy(dims, input->dims, sizeof dims);
    for (int i = 0; i < resizing.axis_count; i++) {
        int64_t *dimension = &dims[resizing.axes[i]];
        const double own = (double)*dimension, value = resizing.values[i];
        const double size = scale > 0 ? round(scale * own)
                            : resizing.by_sizes
                                ? value
                                : floor(own * cropped_part(call, &resizing, i) * value);
        if (!(size >= 1 && size <= (double)ONNX_DIMENSION_LIMIT))
            return onnx_fail(call, "dimension %d of its output would be %g", resizing.axes[i],
                             size);
        *dimension = (int64_t)size;
    }
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}

static enum status move_blocks(const struct onnx_call *call, bool to_depth)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    const int64_t block = onnx_integer(call, "blocksize", 0), area = block * block;
    if (input->rank != 4 || block < 1 || block > 4096)
        return onnx_fail(call, "blocks of %lld in %d dimensions", (long long)block, input->rank);
    const int64_t *from = input->dims;
    if (to_depth ? from[2] % block || from[3] % block : from[1] % area)
        return onnx_fail(call, "blocks of %lld do not divide its input", (long long)block);
    const int64_t dims[4] = {from[0], to_depth ? from[1] * area : from[1] / area,
                             to_depth ? from[2] / block : from[2] * block,
                             to_depth ? from[3] / block : from[3] * block};
    return onnx_set_output(call, 0, input->type, 4, dims);
}

enum status onnx_shape_depth_to_space(const struct onnx_call *call)
{
    return move_blocks(call, false);
}

enum status onnx_shape_space_to_depth(const struct onnx_call *call)
{
    return move_blocks(call, true);
}

/* ---- sampled at places ---- */

/* X (n, c, image), grid (n, output image, axes). */
enum status onnx_shape_grid_sample(const struct onnx_call *call)
{
    struct onnx_value *x, *grid;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_need_input(call, 1, &grid));
    if (x->rank < 3 || grid->rank != x->rank || grid->dims[grid->rank - 1] != x->rank - 2)
        return onnx_fail(call, "a grid of %d dimensions for %d", grid->rank, x->rank);
    int64_t dims[ONNX_RANK_LIMIT] = {x->dims[0], x->dims[1]};
    for (int axis = 2; axis < x->rank; axis++)
        dims[axis] = grid->dims[axis - 1];
    return onnx_set_output(call, 0, x->type, x->rank, dims);
}

/* theta (n, axes, axes + 1), size (n, c, image): a place for each cell. */
enum status onnx_shape_affine_grid(const struct onnx_call *call)
{
    struct onnx_value *theta;
    int64_t size[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT] = {0};
    int count;
    TRY(onnx_need_input(call, 0, &theta));
    TRY(onnx_list(call, "size", 1, size, &count));
    if (count < 4 || count > 5)
        return onnx_fail(call, "its size has %d dimensions", count);
    dims[0] = size[0];
    memcpy(dims + 1, size + 2, (size_t)(count - 2) * sizeof *dims);
    dims[count - 1] = count - 2;
    return onnx_set_output(call, 0, theta->type, count, dims);
}

/* X (n, c, h, w), rois (r, ..): (r, c, output_height, output_width) or pooled_shape. */
enum status onnx_shape_roi_pool(const struct onnx_call *call)
{
    struct onnx_value *x, *rois;
    int64_t pooled[2] = {onnx_integer(call, "output_height", 1),
                         onnx_integer(call, "output_width", 1)};
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_need_input(call, 1, &rois));
    onnx_integers(call, "pooled_shape", pooled, 2);
    if (x->rank != 4 || rois->rank != 2)
        return onnx_fail(call, "its inputs have %d and %d dimensions", x->rank, rois->rank);
    const int64_t dims[4] = {rois->dims[0], x->dims[1], pooled[0], pooled[1]};
    return onnx_set_output(call, 0, x->type, 4, dims);
}

/* Columns (n, c * block, blocks) back to the image (n, c, image). */
enum status onnx_shape_col_to_image(const struct onnx_call *call)
{
    struct onnx_value *x;
    int64_t image[ONNX_LIST_LIMIT], block[ONNX_LIST_LIMIT], area = 1;
    int count, block_count;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_list(call, "image_shape", 1, image, &count));
    TRY(onnx_list(call, "block_shape", 2, block, &block_count));
    if (x->rank != 3 || count < 1 || count + 2 > ONNX_RANK_LIMIT || block_count != count)
        return onnx_fail(call, "blocks of %d axes for an image of %d", block_count, count);
    for (int i = 0; i < count; i++)
        area *= onnx_clamp(block[i], 1, 256);
    int64_t dims[ONNX_RANK_LIMIT] = {x->dims[0], x->dims[1] / area};
    memcpy(dims + 2, image, (size_t)count * sizeof *dims);
    return onnx_set_output(call, 0, x->type, count + 2, dims);
}
