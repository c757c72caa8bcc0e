#include "network/onnx_fold.h"

#include "network/onnx_shape.h"

#include <math.h>
#include <string.h>

/* The output's room, when input i's values are known for all i < count; else NULL. */
static double *room(const struct onnx_call *call, int count)
{
    struct onnx_value *output = onnx_output(call, 0);
    for (int i = 0; i < count; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        if (!input || !input->folded)
            return NULL;
    }
    if (output && !output->folded)
        output->folded = onnx_fold_room(&call->graph->source, output->count);
    return output ? output->folded : NULL;
}

static const double *folded(const struct onnx_call *call, int i)
{
    return onnx_input(call, i)->folded;
}

/* Same elements in the same order: Reshape, Squeeze, Unsqueeze, Identity. */
void onnx_fold_copy(const struct onnx_call *call)
{
    double *out = room(call, 1);
    const double count = onnx_output(call, 0) ? onnx_output(call, 0)->count : 0;
    if (out && onnx_input(call, 0)->count == count)
        memcpy(out, folded(call, 0), (size_t)count * sizeof *out);
    else if (out)
        onnx_output(call, 0)->folded = NULL;
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
    double *out = room(call, 0);
    const struct onnx_value *input = onnx_input(call, 0), *output = onnx_output(call, 0);
    if (!out)
        return;
    int64_t start = onnx_integer(call, "start", 0);
    start = start < 0 ? start + input->rank : start;
    for (int i = 0; i < (int)output->count; i++)
        out[i] = start + i >= 0 && start + i < input->rank ? (double)input->dims[start + i] : 0;
}

void onnx_fold_size(const struct onnx_call *call)
{
    double *out = room(call, 0);
    if (out)
        *out = onnx_input(call, 0)->count;
}

void onnx_fold_constant_of_shape(const struct onnx_call *call)
{
    double *out = room(call, 0);
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
    double *out = room(call, 3);
    if (!out)
        return;
    for (int i = 0; i < (int)onnx_output(call, 0)->count; i++)
        out[i] = folded(call, 0)[0] + i * folded(call, 2)[0];
}

/* Of lists alone. */
void onnx_fold_gather(const struct onnx_call *call)
{
    double *out = room(call, 2);
    if (!out)
        return;
    struct onnx_value *output = onnx_output(call, 0);
    const struct onnx_value *data = onnx_input(call, 0);
    for (int i = 0; i < (int)output->count; i++) {
        const double index = folded(call, 1)[i] + (folded(call, 1)[i] < 0 ? data->count : 0);
        if (data->rank != 1 || !(index >= 0 && index < data->count)) {
            output->folded = NULL;
            return;
        }
        out[i] = data->folded[(int)index];
    }
}

void onnx_fold_concat(const struct onnx_call *call)
{
    double *out = onnx_input(call, 0) && onnx_input(call, 0)->rank == 1
                      ? room(call, call->node->input_count)
                      : NULL;
    for (int i = 0; out && i < call->node->input_count; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        memcpy(out, input->folded, (size_t)input->count * sizeof *out);
        out += (size_t)input->count;
    }
}

/* out[i, j, ...] = in[offset + i strides[0] + j strides[1] + ...] */
static void copy_strided(const struct onnx_call *call, double *out, int64_t offset,
                         const int64_t *strides)
{
    const struct onnx_value *output = onnx_output(call, 0);
    int64_t index[ONNX_RANK_LIMIT] = {0};
    for (int i = 0; i < (int)output->count; i++) {
        out[i] = folded(call, 0)[offset];
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
    int64_t starts[ONNX_FOLD_LIMIT], axes[ONNX_FOLD_LIMIT], steps[ONNX_FOLD_LIMIT];
    int64_t strides[ONNX_RANK_LIMIT], offset = 0;
    int start_count, axis_count, step_count, axis;
    double *out = room(call, 1);
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
    double *out = room(call, 1);
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

/* Same shapes, or one value against many; anything else stays unknown. */
static double element(const struct onnx_value *input, int i)
{
    return input->folded[input->count == 1 ? 0 : i];
}

static double *elementwise_room(const struct onnx_call *call, int count)
{
    const struct onnx_value *output = onnx_output(call, 0);
    for (int i = 0; i < count; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        if (!output || !input || (input->count != 1 && input->count != output->count))
            return NULL;
    }
    return room(call, count);
}

void onnx_fold_where(const struct onnx_call *call)
{
    double *out = elementwise_room(call, 3);
    for (int i = 0; out && i < (int)onnx_output(call, 0)->count; i++)
        out[i] = element(onnx_input(call, element(onnx_input(call, 0), i) != 0 ? 1 : 2), i);
}

void onnx_fold_expand(const struct onnx_call *call)
{
    double *out = elementwise_room(call, 1);
    for (int i = 0; out && i < (int)onnx_output(call, 0)->count; i++)
        out[i] = element(onnx_input(call, 0), i);
}

typedef double binary_function(double a, double b);

static void fold_binary(const struct onnx_call *call, binary_function *function)
{
    double *out = elementwise_room(call, 2);
    const bool is_whole = out && !onnx_type_is_floating(onnx_input(call, 0)->type);
    for (int i = 0; out && i < (int)onnx_output(call, 0)->count; i++) {
        out[i] = function(element(onnx_input(call, 0), i), element(onnx_input(call, 1), i));
        if (is_whole)
            out[i] = trunc(out[i]);
    }
}

static void fold_unary(const struct onnx_call *call, double (*function)(double))
{
    double *out = elementwise_room(call, 1);
    for (int i = 0; out && i < (int)onnx_output(call, 0)->count; i++)
        out[i] = function(element(onnx_input(call, 0), i));
}

#define FOLD_BINARY(name, expression)                                                              \
    static double name##_of(double a, double b)                                                    \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    void onnx_fold_##name(const struct onnx_call *call)                                            \
    {                                                                                              \
        fold_binary(call, name##_of);                                                              \
    }
FOLD_BINARY(add, a + b)
FOLD_BINARY(sub, a - b)
FOLD_BINARY(mul, a *b)
FOLD_BINARY(div, a / b)
FOLD_BINARY(mod, a - b * floor(a / b))
FOLD_BINARY(max, fmax(a, b))
FOLD_BINARY(min, fmin(a, b))
FOLD_BINARY(equal, a == b)

static double negative_of(double a)
{
    return -a;
}

void onnx_fold_floor(const struct onnx_call *call)
{
    fold_unary(call, floor);
}

void onnx_fold_ceil(const struct onnx_call *call)
{
    fold_unary(call, ceil);
}

void onnx_fold_sqrt(const struct onnx_call *call)
{
    fold_unary(call, sqrt);
}

void onnx_fold_neg(const struct onnx_call *call)
{
    fold_unary(call, negative_of);
}

/* ReduceProd of a list: how many elements a shape has. */
void onnx_fold_product(const struct onnx_call *call)
{
    const struct onnx_value *output = onnx_output(call, 0);
    double *out = output && output->count == 1 ? room(call, 1) : NULL;
    if (!out)
        return;
    *out = 1;
    for (int i = 0; i < (int)onnx_input(call, 0)->count; i++)
        *out *= folded(call, 0)[i];
}
