/* Rearrangements as layers, and those that frameworks do not do at all: views.
 *
 * A view takes no time: a Split, a Slice that goes forward, a Transpose that leaves the elements
 * where they are (only axes of one element move). What reads it reads its part in place. PyTorch
 * has more views: its transpositions are copied when a product or a reshape needs their result in
 * one piece, which is nearly always, so here every other Transpose is a copy, as in onnxruntime.
 * What some frameworks copy behind a Split, and what joins its gradients, is not counted.
 */
#include "network/onnx_operators.h"

#include <math.h>
#include <string.h>

/* ---- transposition ---- */

/* Axes that stay together, as one; in the order of the output. */
struct merged {
    int count;
    int first[ONNX_RANK_LIMIT]; /* axis of the input */
    double size[ONNX_RANK_LIMIT];
};

/* The axis of the samples, -1: none is known. */
static int sample_axis(const struct onnx_graph *graph, const struct onnx_value *x)
{
    if (x->batch_axis >= 0)
        return x->batch_axis;
    return graph->batch == 1 && x->rank > 0 && x->dims[0] == 1 ? 0 : -1;
}

/* False: no such axis order. */
static bool read_order(int order[ONNX_RANK_LIMIT], const struct onnx_call *call,
                       const struct onnx_value *x)
{
    int64_t perm[ONNX_RANK_LIMIT];
    const int count = onnx_integers(call, "perm", perm, ONNX_RANK_LIMIT);
    for (int i = 0; i < x->rank; i++) {
        const int64_t axis = count < 0 ? x->rank - 1 - i : perm[i] + (perm[i] < 0 ? x->rank : 0);
        if (axis < 0 || axis >= x->rank)
            return false;
        order[i] = (int)axis;
    }
    return count < 0 || count == x->rank;
}

/* Whether no axis of several elements stands before it, in the input and in the output. */
static bool is_outermost(int axis, const int *order, const struct onnx_value *x)
{
    bool is_first = true, is_seen = false;
    for (int i = 0; i < axis; i++)
        is_first &= x->dims[i] == 1;
    for (int i = 0; i < x->rank; i++) {
        is_seen |= order[i] == axis;
        is_first &= is_seen || x->dims[order[i]] == 1;
    }
    return is_first;
}

/* The axis of several elements behind `axis`. */
static int next_axis(int axis, int samples, const struct onnx_value *x)
{
    do
        axis++;
    while (axis < x->rank && (x->dims[axis] == 1 || axis == samples));
    return axis;
}

/* The samples, and what an axis in front of all others holds besides them, are left out. */
static bool merge(struct merged *merged, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const int samples = sample_axis(call->graph, x);
    int order[ONNX_RANK_LIMIT], wanted = -1;
    *merged = (struct merged){.count = 0};
    if (!read_order(order, call, x) || (samples >= 0 && !is_outermost(samples, order, x)))
        return false;
    for (int i = 0; i < x->rank; i++) {
        const int axis = order[i];
        if (axis == samples || x->dims[axis] == 1)
            continue;
        if (axis != wanted) {
            merged->first[merged->count] = axis;
            merged->size[merged->count++] = 1;
        }
        merged->size[merged->count - 1] *= (double)x->dims[axis];
        wanted = next_axis(axis, samples, x);
    }
    return true;
}

/* Whether part `i` of the output is that of the input, too. */
static bool stays(const struct merged *merged, int i)
{
    int before = 0;
    for (int j = 0; j < merged->count; j++)
        before += merged->first[j] < merged->first[i];
    return before == i;
}

bool onnx_read_transpose(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    struct merged merged;
    if (x->is_constant || !merge(&merged, call) || merged.count < 2)
        return false;
    const bool has_outer = stays(&merged, 0), has_inner = stays(&merged, merged.count - 1);
    if (merged.count - has_outer - has_inner != 2)
        return false;
    const double samples = onnx_samples(call->graph, x);
    const double columns = merged.size[has_outer], rows = merged.size[has_outer + 1];
    const double inner = has_inner ? merged.size[merged.count - 1] : 1;
    const double outer = x->count / samples / rows / columns / inner;
    if (!(outer >= 1 && outer <= INT32_MAX && rows <= INT32_MAX && columns <= INT32_MAX &&
          inner <= INT32_MAX) ||
        floor(outer) != outer)
        return false;
    *match = (struct onnx_match){.rows = samples, .config.kind = LAYER_TRANSPOSE};
    match->config.as.transpose = (struct transpose){.outer = (int32_t)outer,
                                                    .matrix_rows = (int32_t)rows,
                                                    .matrix_columns = (int32_t)columns,
                                                    .inner = (int32_t)inner};
    return true;
}

/* ---- concatenation ---- */

/* Elements of a row of input `i`, -1: it is a constant, or of other samples than the output. */
static double row_of(const struct onnx_call *call, int i, double rows)
{
    const struct onnx_value *x = onnx_input(call, i), *y = onnx_output(call, 0);
    const bool fits = x && !x->is_constant && x->count > 0 &&
                      (x->batch_axis == ONNX_UNBATCHED) == (y->batch_axis == ONNX_UNBATCHED);
    return fits ? x->count / rows : -1;
}

/* Activations along an axis behind that of the samples; from the fourth on of one width. */
bool onnx_read_concat(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *y = onnx_output(call, 0);
    const int count = call->node->input_count;
    const double samples = onnx_samples(call->graph, y);
    const int64_t along = onnx_integer(call, "axis", 1);
    const int axis = (int)(along < 0 ? along + y->rank : along);
    double rows = 1, widths[LAYER_INPUT_LIMIT];
    if (call->node->known->shape != onnx_shape_concat || count < 2 || count > LAYER_INPUT_LIMIT ||
        axis <= y->batch_axis)
        return false;
    for (int i = 0; i < axis; i++)
        rows *= (double)y->dims[i];
    for (int i = 0; i < count; i++) {
        widths[i] = row_of(call, i, rows);
        if (!(widths[i] >= 1 && widths[i] <= INT32_MAX) || (i > 3 && widths[i] != widths[3]))
            return false;
    }
    const double outer = rows / samples;
    if (!(outer >= 1 && outer <= INT32_MAX) || floor(outer) != outer)
        return false;
    *match = (struct onnx_match){.rows = samples, .config.kind = LAYER_CONCAT};
    match->config.as.concat = (struct concat){.parts = count,
                                              .outer = (int32_t)outer,
                                              .first = (int32_t)widths[0],
                                              .second = (int32_t)widths[1],
                                              .third = count > 2 ? (int32_t)widths[2] : 0,
                                              .rest = count > 3 ? (int32_t)widths[3] : 0};
    return true;
}

/* ---- views ---- */

static bool is_forward_slice(const struct onnx_call *call)
{
    int64_t steps[ONNX_LIST_LIMIT];
    int count;
    if (onnx_list(call, "steps", 4, steps, &count) != STATUS_OK)
        return false;
    for (int i = 0; i < count; i++)
        if (steps[i] < 1)
            return false;
    return true;
}

bool onnx_is_view(const struct onnx_call *call)
{
    const struct onnx_operator *known = call->node->known;
    struct merged merged;
    if (!known || !known->emit)
        return known != NULL;
    if (known->shape == onnx_shape_transpose)
        return merge(&merged, call) && merged.count < 2;
    return known->shape == onnx_shape_split ||
           (known->shape == onnx_shape_slice && is_forward_slice(call));
}

/* ---- images ---- */

/* Of an axis: sides of the input and the output; 1 where the image has one axis alone. */
static int64_t side_of(const struct onnx_value *image, int axis)
{
    const int at = image->rank - 2 + axis;
    return at < 2 ? 1 : image->dims[at];
}

/* Rows of channels first, of one axis or two, by the nearest pixel or linear; where the pixels'
 * centres are taken to lie changes no work. */
bool onnx_read_resize(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0), *y = onnx_output(call, 0);
    const struct slice mode = onnx_text(call, "mode");
    const bool is_nearest = mode.size == 0 || slice_equals(mode, "nearest");
    if (x->is_constant || (x->rank != 3 && x->rank != 4) || x->dims[0] != y->dims[0] ||
        x->dims[1] != y->dims[1] || x->dims[1] > INT32_MAX ||
        !(is_nearest || slice_equals(mode, "linear")) || onnx_integer(call, "antialias", 0))
        return false;
    const int64_t sides[] = {side_of(x, 0), side_of(x, 1), side_of(y, 0), side_of(y, 1)};
    for (int i = 0; i < 4; i++)
        if (sides[i] < 1 || sides[i] > INT32_MAX)
            return false;
    *match = (struct onnx_match){.rows = (double)x->dims[0], .config.kind = LAYER_RESIZE};
    match->config.as.resize = (struct resize){
        .image_size = (int32_t)sides[0],
        .output_size = (int32_t)sides[2],
        .channels = (int32_t)x->dims[1],
        .interpolation = is_nearest ? INTERPOLATION_NEAREST : INTERPOLATION_BILINEAR,
        .image_width = sides[1] == sides[0] ? 0 : (int32_t)sides[1],
        .output_width = sides[3] == sides[2] ? 0 : (int32_t)sides[3]};
    return true;
}
