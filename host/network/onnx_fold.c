#include "network/onnx_fold.h"

#include "network/onnx_shape.h"

#include <math.h>
#include <string.h>

/* ---- shared ---- */

double *onnx_fold_output(const struct onnx_call *call, int i, int input_count)
{
    struct onnx_value *output = onnx_output(call, i);
    for (int k = 0; k < input_count; k++) {
        const struct onnx_value *input = onnx_input(call, k);
        if (!input || !input->folded)
            return NULL;
    }
    if (output && !output->folded)
        output->folded = onnx_fold_room(&call->graph->source, output->count);
    return output ? output->folded : NULL;
}

const double *onnx_folded(const struct onnx_call *call, int i)
{
    return onnx_input(call, i)->folded;
}

void onnx_unravel(const struct onnx_value *value, int element, int64_t index[ONNX_RANK_LIMIT])
{
    for (int axis = value->rank; axis-- > 0;) {
        index[axis] = element % value->dims[axis];
        element = (int)(element / value->dims[axis]);
    }
}

int onnx_ravel(const struct onnx_value *value, const int64_t index[ONNX_RANK_LIMIT])
{
    int64_t element = 0;
    for (int axis = 0; axis < value->rank; axis++)
        element = element * value->dims[axis] + index[axis];
    return (int)element;
}

int onnx_broadcast_element(const struct onnx_value *output, const struct onnx_value *input,
                           int element)
{
    int64_t index[ONNX_RANK_LIMIT], own[ONNX_RANK_LIMIT];
    onnx_unravel(output, element, index);
    for (int axis = 0; axis < input->rank; axis++)
        own[axis] = input->dims[axis] == 1 ? 0 : index[output->rank - input->rank + axis];
    return onnx_ravel(input, own);
}

/* What could not be folded after all. */
static void forget(const struct onnx_call *call)
{
    onnx_output(call, 0)->folded = NULL;
}

/* ---- copies ---- */

/* Same elements in the same order: Reshape, Squeeze, Unsqueeze, Identity. */
void onnx_fold_copy(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 1);
    const double count = onnx_output(call, 0) ? onnx_output(call, 0)->count : 0;
    if (out && onnx_input(call, 0)->count == count)
        memcpy(out, onnx_folded(call, 0), (size_t)count * sizeof *out);
    else if (out)
        forget(call);
}

void onnx_fold_cast(const struct onnx_call *call)
{
    onnx_fold_copy(call);
    const struct onnx_value *output = onnx_output(call, 0);
    if (!output || !output->folded)
        return;
    for (int i = 0; i < (int)output->count; i++)
        if (output->type == ONNX_BOOL)
            output->folded[i] = output->folded[i] != 0;
        else if (!onnx_type_is_floating(output->type))
            output->folded[i] = trunc(output->folded[i]);
}

/* From opset 15 on a part of the shape may be asked: start, end. */
void onnx_fold_shape(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 0);
    const struct onnx_value *input = onnx_input(call, 0), *output = onnx_output(call, 0);
    if (!out)
        return;
    int64_t start = onnx_integer(call, "start", 0);
    start = start < 0 ? start + input->rank : start;
    start = start < 0 ? 0 : start;
    for (int i = 0; i < (int)output->count; i++)
        out[i] = start + i < input->rank ? (double)input->dims[start + i] : 0;
}

void onnx_fold_size(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 0);
    if (out)
        *out = onnx_input(call, 0)->count;
}

void onnx_fold_constant_of_shape(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 0);
    struct onnx_value value = {.name = {"value", 5}};
    const struct onnx_value *output = onnx_output(call, 0);
    if (!out)
        return;
    const bool has_value = onnx_has_attribute(call, "value") &&
                           onnx_tensor_attribute(call, "value", &value) == STATUS_OK &&
                           value.folded && value.count >= 1;
    for (int i = 0; i < (int)output->count; i++)
        out[i] = has_value ? value.folded[0] : 0;
}

void onnx_fold_range(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 3);
    if (!out)
        return;
    for (int i = 0; i < (int)onnx_output(call, 0)->count; i++)
        out[i] = onnx_folded(call, 0)[0] + i * onnx_folded(call, 2)[0];
}

void onnx_fold_expand(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 1);
    for (int i = 0; out && i < (int)onnx_output(call, 0)->count; i++)
        out[i] = onnx_folded(
            call, 0)[onnx_broadcast_element(onnx_output(call, 0), onnx_input(call, 0), i)];
}

/* ---- parts ---- */

/* `axis` of the data becomes the axes of the indices. */
void onnx_fold_gather(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 2);
    int axis;
    if (!out)
        return;
    const struct onnx_value *data = onnx_input(call, 0), *indices = onnx_input(call, 1);
    if (onnx_axis(call, onnx_integer(call, "axis", 0), data->rank, &axis) != STATUS_OK)
        return forget(call);
    for (int i = 0; i < (int)onnx_output(call, 0)->count; i++) {
        int64_t index[ONNX_RANK_LIMIT], from[ONNX_RANK_LIMIT];
        onnx_unravel(onnx_output(call, 0), i, index);
        const double place = indices->folded[onnx_ravel(indices, index + axis)];
        const double wrapped = place < 0 ? place + (double)data->dims[axis] : place;
        if (!(wrapped >= 0 && wrapped < (double)data->dims[axis]))
            return forget(call);
        for (int k = 0; k < data->rank; k++)
            from[k] = k < axis    ? index[k]
                      : k == axis ? (int64_t)wrapped
                                  : index[k - 1 + indices->rank];
        out[i] = data->folded[onnx_ravel(data, from)];
    }
}

void onnx_fold_concat(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, call->node->input_count);
    int64_t shift = 0;
    int axis;
    if (!out)
        return;
    const struct onnx_value *output = onnx_output(call, 0);
    if (onnx_axis(call, onnx_integer(call, "axis", 1), output->rank, &axis) != STATUS_OK)
        return forget(call);
    for (int k = 0; k < call->node->input_count; k++) {
        const struct onnx_value *input = onnx_input(call, k);
        for (int i = 0; i < (int)input->count; i++) {
            int64_t index[ONNX_RANK_LIMIT];
            onnx_unravel(input, i, index);
            index[axis] += shift;
            out[onnx_ravel(output, index)] = input->folded[i];
        }
        shift += input->dims[axis];
    }
}

void onnx_fold_split(const struct onnx_call *call)
{
    const struct onnx_value *input = onnx_input(call, 0);
    int64_t shift = 0;
    int axis;
    if (onnx_axis(call, onnx_integer(call, "axis", 0), input->rank, &axis) != STATUS_OK)
        return;
    for (int k = 0; k < call->node->output_count; k++) {
        const struct onnx_value *output = onnx_output(call, k);
        double *out = onnx_fold_output(call, k, 1);
        if (!out)
            return; /* where parts are left out it is not known where the next begins */
        for (int i = 0; i < (int)output->count; i++) {
            int64_t index[ONNX_RANK_LIMIT];
            onnx_unravel(output, i, index);
            index[axis] += shift;
            out[i] = input->folded[onnx_ravel(input, index)];
        }
        shift += output->dims[axis];
    }
}

/* out[i, j, ...] = in[offset + i strides[0] + j strides[1] + ...] */
static void copy_strided(const struct onnx_call *call, double *out, int64_t offset,
                         const int64_t *strides)
{
    const struct onnx_value *output = onnx_output(call, 0);
    int64_t index[ONNX_RANK_LIMIT] = {0};
    for (int i = 0; i < (int)output->count; i++) {
        out[i] = onnx_folded(call, 0)[offset];
        for (int axis = output->rank; axis-- > 0;) {
            offset += strides[axis];
            if (++index[axis] < output->dims[axis])
                break;
            offset -= output->dims[axis] * strides[axis];
            index[axis] = 0;
        }
    }
}

static void contiguous_strides(const struct onnx_value *value, int64_t *strides)
{
    int64_t stride = 1;
    for (int axis = value->rank; axis-- > 0;) {
        strides[axis] = stride;
        stride *= value->dims[axis];
    }
}

void onnx_fold_slice(const struct onnx_call *call)
{
    int64_t starts[ONNX_LIST_LIMIT], axes[ONNX_LIST_LIMIT], steps[ONNX_LIST_LIMIT];
    int64_t strides[ONNX_RANK_LIMIT], offset = 0;
    int start_count, axis_count, step_count, axis;
    double *out = onnx_fold_output(call, 0, 1);
    const struct onnx_value *input = onnx_input(call, 0);
    /* shape inference has read the same lists without complaint */
    if (!out || onnx_list(call, "starts", 1, starts, &start_count) != STATUS_OK ||
        onnx_list(call, "axes", 3, axes, &axis_count) != STATUS_OK ||
        onnx_list(call, "steps", 4, steps, &step_count) != STATUS_OK)
        return;
    contiguous_strides(input, strides);
    for (int i = 0; i < start_count; i++) {
        if (onnx_axis(call, axis_count < 0 ? i : axes[i], input->rank, &axis) != STATUS_OK)
            return;
        const int64_t size = input->dims[axis];
        const int64_t start = starts[i] < 0 ? starts[i] + size : starts[i];
        const int64_t last = start < 0 ? 0 : start >= size ? size - 1 : start;
        offset += last * strides[axis];
        strides[axis] *= step_count < 0     ? 1
                         : steps[i] > size  ? size
                         : steps[i] < -size ? -size
                                            : steps[i];
    }
    copy_strided(call, out, offset, strides);
}

void onnx_fold_transpose(const struct onnx_call *call)
{
    int64_t order[ONNX_RANK_LIMIT], from[ONNX_RANK_LIMIT], strides[ONNX_RANK_LIMIT];
    double *out = onnx_fold_output(call, 0, 1);
    const int count = onnx_integers(call, "perm", order, ONNX_RANK_LIMIT);
    if (!out)
        return;
    const struct onnx_value *input = onnx_input(call, 0);
    contiguous_strides(input, from);
    for (int i = 0; i < input->rank; i++) {
        const int64_t axis = count < 0 ? input->rank - 1 - i : order[i];
        strides[i] = from[axis < 0 ? axis + input->rank : axis];
    }
    copy_strided(call, out, 0, strides);
}

/* ---- repeated, padded, overwritten ---- */

void onnx_fold_tile(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 1);
    const struct onnx_value *input = onnx_input(call, 0), *output = onnx_output(call, 0);
    for (int i = 0; out && i < (int)output->count; i++) {
        int64_t index[ONNX_RANK_LIMIT];
        onnx_unravel(output, i, index);
        for (int axis = 0; axis < output->rank; axis++)
            index[axis] %= input->dims[axis];
        out[i] = input->folded[onnx_ravel(input, index)];
    }
}

/* With a constant: how exporters bring the pads of a Pad to their length. */
void onnx_fold_pad(const struct onnx_call *call)
{
    int64_t before[ONNX_RANK_LIMIT], after[ONNX_RANK_LIMIT];
    const struct slice mode = onnx_text(call, "mode");
    const bool is_constant = mode.size == 0 || slice_equals(mode, "constant");
    const struct onnx_value *input = onnx_input(call, 0), *output = onnx_output(call, 0);
    const struct onnx_value *fill = onnx_input(call, 2);
    if (!is_constant || (fill && !fill->folded) || onnx_pads(call, before, after) != STATUS_OK)
        return;
    double *out = onnx_fold_output(call, 0, 1);
    for (int i = 0; out && i < (int)output->count; i++) {
        int64_t index[ONNX_RANK_LIMIT];
        bool is_inside = true;
        onnx_unravel(output, i, index);
        for (int axis = 0; axis < output->rank; axis++) {
            index[axis] -= before[axis];
            is_inside &= index[axis] >= 0 && index[axis] < input->dims[axis];
        }
        out[i] = is_inside                 ? input->folded[onnx_ravel(input, index)]
                 : fill && fill->count > 0 ? fill->folded[0]
                                           : 0;
    }
}

/* Updates stand at the places that the rows of the indices name. */
void onnx_fold_scatter_nd(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 3);
    const struct onnx_value *data = onnx_input(call, 0), *indices = onnx_input(call, 1);
    if (!out || onnx_text(call, "reduction").size > 0 || indices->rank < 1)
        return out ? forget(call) : (void)0;
    const int depth = (int)indices->dims[indices->rank - 1];
    if (depth < 1 || depth > data->rank)
        return forget(call);
    int block = 1;
    for (int axis = depth; axis < data->rank; axis++)
        block *= (int)data->dims[axis];
    memcpy(out, data->folded, (size_t)data->count * sizeof *out);
    for (int row = 0; row * depth < (int)indices->count; row++) {
        int64_t index[ONNX_RANK_LIMIT] = {0};
        for (int k = 0; k < depth; k++) {
            const double place = indices->folded[row * depth + k];
            const double wrapped = place < 0 ? place + (double)data->dims[k] : place;
            if (!(wrapped >= 0 && wrapped < (double)data->dims[k]))
                return forget(call);
            index[k] = (int64_t)wrapped;
        }
        if ((row + 1) * block > (int)onnx_input(call, 2)->count)
            return forget(call);
        memcpy(out + onnx_ravel(data, index), onnx_folded(call, 2) + row * block,
               (size_t)block * sizeof *out);
    }
}

/* Places of the elements that are not zero, a column each. */
void onnx_fold_non_zero(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 1);
    if (!out)
        return;
    const struct onnx_value *input = onnx_input(call, 0);
    const int columns = (int)onnx_output(call, 0)->dims[1];
    for (int i = 0, column = 0; i < (int)input->count; i++) {
        int64_t index[ONNX_RANK_LIMIT];
        if (input->folded[i] == 0 || column == columns)
            continue;
        onnx_unravel(input, i, index);
        for (int axis = 0; axis < input->rank; axis++)
            out[axis * columns + column] = (double)index[axis];
        column++;
    }
}
