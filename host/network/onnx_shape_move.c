/* Operators that rearrange elements. */
#include "network/onnx_shape.h"

#include <math.h>
#include <string.h>

static double product(const int64_t *dims, int count)
{
    double result = 1;
    for (int i = 0; i < count; i++)
        result *= (double)dims[i];
    return result;
}

/* 0: the input's dimension (unless allowzero); one -1: what is left. */
static enum status resolve_shape(const struct onnx_call *call, const struct onnx_value *input,
                                 int64_t *dims, int count)
{
    const bool zero_is_zero = onnx_integer(call, "allowzero", 0);
    int open = -1;
    for (int i = 0; i < count; i++) {
        if (dims[i] == 0 && !zero_is_zero && i < input->rank)
            dims[i] = input->dims[i];
        if (dims[i] == -1 && open >= 0)
            return onnx_fail(call, "two dimensions of its shape are -1");
        if (dims[i] == -1)
            open = i;
    }
    if (open < 0)
        return STATUS_OK;
    dims[open] = 1;
    const double known = product(dims, count);
    if (known < 0 || fmod(input->count, known > 0 ? known : 1) != 0)
        return onnx_fail(call, "%.0f elements do not fill its shape", input->count);
    dims[open] = known > 0 ? (int64_t)(input->count / known) : 0;
    return STATUS_OK;
}

enum status onnx_shape_reshape(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t dims[ONNX_LIST_LIMIT];
    int count;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "shape", 1, dims, &count));
    if (count < 0 || count > ONNX_RANK_LIMIT)
        return onnx_fail(call, "its shape has %d dimensions", count);
    TRY(resolve_shape(call, input, dims, count));
    if (product(dims, count) != input->count)
        return onnx_fail(call, "%.0f elements become %.0f", input->count, product(dims, count));
    return onnx_set_output(call, 0, input->type, count, dims);
}

enum status onnx_shape_flatten(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    int64_t axis = onnx_integer(call, "axis", 1);
    axis = axis < 0 ? axis + input->rank : axis;
    if (axis < 0 || axis > input->rank)
        return onnx_fail(call, "axis %lld of %d dimensions", (long long)axis, input->rank);
    const double rows = product(input->dims, (int)axis);
    const double columns = product(input->dims + axis, input->rank - (int)axis);
    const int64_t dims[2] = {(int64_t)rows, (int64_t)columns};
    return onnx_set_output(call, 0, input->type, 2, dims);
}

enum status onnx_shape_transpose(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t order[ONNX_RANK_LIMIT], dims[ONNX_RANK_LIMIT];
    bool is_used[ONNX_RANK_LIMIT] = {false};
    TRY(onnx_need_input(call, 0, &input));
    const int count = onnx_integers(call, "perm", order, ONNX_RANK_LIMIT);
    if (count >= 0 && count != input->rank)
        return onnx_fail(call, "perm has %d values for %d dimensions", count, input->rank);
    for (int i = 0; i < input->rank; i++) {
        int axis;
        TRY(onnx_axis(call, count < 0 ? input->rank - 1 - i : order[i], input->rank, &axis));
        if (is_used[axis])
            return onnx_fail(call, "perm has axis %d twice", axis);
        is_used[axis] = true;
        dims[i] = input->dims[axis];
    }
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}

enum status onnx_shape_concat(const struct onnx_call *call)
{
    struct onnx_value *first;
    int64_t dims[ONNX_RANK_LIMIT];
    int joined;
    TRY(onnx_need_input(call, 0, &first));
    TRY(onnx_axis(call, onnx_integer(call, "axis", 1), first->rank, &joined));
    memcpy(dims, first->dims, sizeof dims);
    for (int i = 1; i < call->node->input_count; i++) {
        struct onnx_value *input;
        TRY(onnx_need_input(call, i, &input));
        if (input->rank != first->rank)
            return onnx_fail(call, "it joins %d and %d dimensions", first->rank, input->rank);
        for (int axis = 0; axis < input->rank; axis++)
            if (axis == joined)
                dims[axis] += input->dims[axis];
            else if (dims[axis] != input->dims[axis])
                return onnx_fail(call, "shapes do not fit: %lld against %lld",
                                 (long long)dims[axis], (long long)input->dims[axis]);
    }
    return onnx_set_output(call, 0, first->type, first->rank, dims);
}

/* How many elements start:end:step takes of `size`. */
static int64_t slice_length(int64_t size, int64_t start, int64_t end, int64_t step)
{
    start = start < 0 ? start + size : start;
    end = end < 0 ? end + size : end;
    if (step > 0) {
        start = onnx_clamp(start, 0, size);
        end = onnx_clamp(end, 0, size);
        return end > start ? (end - start - 1) / step + 1 : 0;
    }
    start = onnx_clamp(start, 0, size - 1);
    end = onnx_clamp(end, -1, size - 1);
    return start > end ? (start - end - 1) / -step + 1 : 0;
}

enum status onnx_shape_slice(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t starts[ONNX_LIST_LIMIT], ends[ONNX_LIST_LIMIT], axes[ONNX_LIST_LIMIT],
        steps[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    int start_count, end_count, axis_count, step_count, axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "starts", 1, starts, &start_count));
    TRY(onnx_list(call, "ends", 2, ends, &end_count));
    TRY(onnx_list(call, "axes", 3, axes, &axis_count));
    TRY(onnx_list(call, "steps", 4, steps, &step_count));
    if (start_count < 0 || start_count != end_count ||
        (axis_count >= 0 && axis_count != start_count) ||
        (step_count >= 0 && step_count != start_count))
        return onnx_fail(call, "%d starts, %d ends", start_count, end_count);
    bool is_cut[ONNX_RANK_LIMIT] = {false};
    memcpy(dims, input->dims, sizeof dims);
    for (int i = 0; i < start_count; i++) {
        const int64_t step = step_count < 0 ? 1 : onnx_clamp(steps[i], -INT32_MAX, INT32_MAX);
        TRY(onnx_axis(call, axis_count < 0 ? i : axes[i], input->rank, &axis));
        if (step == 0 || is_cut[axis])
            return onnx_fail(call, step ? "it cuts axis %d twice" : "axis %d: a step of 0", axis);
        is_cut[axis] = true;
        dims[axis] = slice_length(input->dims[axis], onnx_clamp(starts[i], -INT32_MAX, INT32_MAX),
                                  onnx_clamp(ends[i], -INT64_C(0x100000000), INT32_MAX), step);
    }
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}

/* Parts as `split` says, or equal ones (the last may be smaller from opset 18 on). */
enum status onnx_shape_split(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t parts[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    int count, axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "split", 1, parts, &count));
    TRY(onnx_axis(call, onnx_integer(call, "axis", 0), input->rank, &axis));
    const int outputs = call->node->output_count;
    int64_t left = input->dims[axis];
    if (count >= 0 && count != outputs)
        return onnx_fail(call, "%d parts for %d outputs", count, outputs);
    memcpy(dims, input->dims, sizeof dims);
    for (int i = 0; i < outputs; i++) {
        const int64_t equal = (input->dims[axis] + outputs - 1) / outputs;
        dims[axis] = count >= 0 ? parts[i] : equal < left ? equal : left;
        if (dims[axis] > left)
            return onnx_fail(call, "its parts are larger than the whole");
        left -= dims[axis];
        TRY(onnx_set_output(call, i, input->type, input->rank, dims));
    }
    return left ? onnx_fail(call, "its parts are smaller than the whole") : STATUS_OK;
}

enum status onnx_shape_squeeze(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t axes[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    bool is_squeezed[ONNX_RANK_LIMIT] = {false};
    int count, axis, rank = 0;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "axes", 1, axes, &count));
    for (int i = 0; i < input->rank && count < 0; i++)
        is_squeezed[i] = input->dims[i] == 1;
    for (int i = 0; i < count; i++) {
        TRY(onnx_axis(call, axes[i], input->rank, &axis));
        if (input->dims[axis] != 1)
            return onnx_fail(call, "dimension %d is %lld, not 1", axis,
                             (long long)input->dims[axis]);
        is_squeezed[axis] = true;
    }
    for (int i = 0; i < input->rank; i++)
        if (!is_squeezed[i])
            dims[rank++] = input->dims[i];
    return onnx_set_output(call, 0, input->type, rank, dims);
}

enum status onnx_shape_unsqueeze(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t axes[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    bool is_new[ONNX_RANK_LIMIT] = {false};
    int count, axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "axes", 1, axes, &count));
    const int rank = input->rank + count;
    if (count < 1 || rank > ONNX_RANK_LIMIT)
        return onnx_fail(call, "it adds %d dimensions to %d", count, input->rank);
    for (int i = 0; i < count; i++) {
        TRY(onnx_axis(call, axes[i], rank, &axis));
        if (is_new[axis])
            return onnx_fail(call, "it adds dimension %d twice", axis);
        is_new[axis] = true;
    }
    for (int i = 0, old = 0; i < rank; i++)
        dims[i] = is_new[i] ? 1 : input->dims[old++];
    return onnx_set_output(call, 0, input->type, rank, dims);
}

/* The axis becomes the shape of the indices. */
enum status onnx_shape_gather(const struct onnx_call *call)
{
    struct onnx_value *data, *indices;
    int64_t dims[2 * ONNX_RANK_LIMIT];
    int axis, rank = 0;
    TRY(onnx_need_input(call, 0, &data));
    TRY(onnx_need_input(call, 1, &indices));
    TRY(onnx_axis(call, onnx_integer(call, "axis", 0), data->rank, &axis));
    for (int i = 0; i < axis; i++)
        dims[rank++] = data->dims[i];
    for (int i = 0; i < indices->rank; i++)
        dims[rank++] = indices->dims[i];
    for (int i = axis + 1; i < data->rank; i++)
        dims[rank++] = data->dims[i];
    return onnx_set_output(call, 0, data->type, rank, dims);
}

enum status onnx_shape_gather_elements(const struct onnx_call *call)
{
    struct onnx_value *data, *indices;
    TRY(onnx_need_input(call, 0, &data));
    TRY(onnx_need_input(call, 1, &indices));
    return onnx_set_output(call, 0, data->type, indices->rank, indices->dims);
}

enum status onnx_shape_expand(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t wanted[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    int count;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "shape", 1, wanted, &count));
    if (count < 0 || count > ONNX_RANK_LIMIT)
        return onnx_fail(call, "its shape has %d dimensions", count);
    const int rank = count > input->rank ? count : input->rank;
    for (int i = 0; i < rank; i++) {
        const int own = i - (rank - input->rank), other = i - (rank - count);
        const int64_t have = own < 0 ? 1 : input->dims[own], want = other < 0 ? 1 : wanted[other];
        if (have != want && have != 1 && want != 1)
            return onnx_fail(call, "%lld does not expand to %lld", (long long)have,
                             (long long)want);
        dims[i] = have == 1 ? want : have;
    }
    return onnx_set_output(call, 0, input->type, rank, dims);
}

enum status onnx_shape_tile(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t repeats[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    int count;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "repeats", 1, repeats, &count));
    if (count != input->rank)
        return onnx_fail(call, "%d repeats for %d dimensions", count, input->rank);
    for (int i = 0; i < count; i++) /* below 0 or too large: onnx_set_output refuses it */
        dims[i] = input->dims[i] *
                  onnx_clamp(repeats[i], -1, INT64_MAX / (input->dims[i] > 0 ? input->dims[i] : 1));
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}
