#include "network/onnx_shape.h"

#include <string.h>

/* ---- shared ---- */

enum status onnx_need_input(const struct onnx_call *call, int i, struct onnx_value **value)
{
    *value = onnx_input(call, i);
    return *value ? STATUS_OK : onnx_fail(call, "its input %d is missing", i);
}

enum status onnx_set_output(const struct onnx_call *call, int i, int type, int rank,
                            const int64_t *dims)
{
    struct onnx_value *value = onnx_output(call, i);
    double count = 1;
    if (!value)
        return STATUS_OK;
    if (rank < 0 || rank > ONNX_RANK_LIMIT)
        return onnx_fail(call, "its output would have %d dimensions", rank);
    for (int axis = 0; axis < rank; axis++) {
        if (dims[axis] < 0 || dims[axis] > ONNX_DIMENSION_LIMIT)
            return onnx_fail(call, "dimension %d of its output would be %lld", axis,
                             (long long)dims[axis]);
        value->dims[axis] = dims[axis];
        count *= (double)dims[axis];
    }
    if (count > ONNX_ELEMENT_LIMIT)
        return onnx_fail(call, "its output would have %.4g elements (%.4g GB), more than 2^36",
                         count, count * onnx_type_bytes(type) / 1e9);
    value->rank = rank;
    value->type = type;
    value->count = count;
    return STATUS_OK;
}

enum status onnx_axis(const struct onnx_call *call, int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return onnx_fail(call, "axis %lld of %d dimensions", (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return STATUS_OK;
}

int64_t onnx_integer_of(double value)
{
    if (!(value > -0x1p62))
        return -(INT64_C(1) << 62);
    return value < 0x1p62 ? (int64_t)value : INT64_C(1) << 62;
}

enum status onnx_list(const struct onnx_call *call, const char *name, int i,
                      int64_t values[ONNX_LIST_LIMIT], int *count)
{
    const struct onnx_value *input = onnx_input(call, i);
    *count = onnx_integers(call, name, values, ONNX_LIST_LIMIT);
    if (*count > ONNX_LIST_LIMIT)
        return onnx_fail(call, "%s has %d values", name, *count);
    if (*count >= 0 || !input)
        return STATUS_OK;
    if (!input->folded)
        return onnx_fail(call, "%s depends on the data: it is neither constant nor of shapes",
                         name);
    if (input->count > ONNX_LIST_LIMIT)
        return onnx_fail(call, "%s has %.0f values", name, input->count);
    *count = (int)input->count;
    for (int k = 0; k < *count; k++)
        values[k] = onnx_integer_of(input->folded[k]);
    return STATUS_OK;
}

/* ---- elementwise ---- */

/* The first output as the first input, any other likewise (a mask, say). */
enum status onnx_shape_same(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    for (int i = 0; i < call->node->output_count; i++)
        TRY(onnx_set_output(call, i, i ? ONNX_BOOL : input->type, input->rank, input->dims));
    return STATUS_OK;
}

enum status onnx_shape_cast(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    const int64_t type = onnx_integer(call, "to", 0);
    return onnx_set_output(call, 0, type > 0 && type < 100 ? (int)type : 0, input->rank,
                           input->dims);
}

enum status onnx_shape_cast_like(const struct onnx_call *call)
{
    struct onnx_value *input, *other;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_need_input(call, 1, &other));
    return onnx_set_output(call, 0, other->type, input->rank, input->dims);
}

/* Of the first input's shape, a truth value each. */
enum status onnx_shape_test(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    return onnx_set_output(call, 0, ONNX_BOOL, input->rank, input->dims);
}

/* Numpy's rule: shapes are aligned at their ends, 1 stretches. */
static enum status join_shapes(const struct onnx_call *call, const struct onnx_value *input,
                               int *rank, int64_t dims[ONNX_RANK_LIMIT])
{
    if (input->rank > *rank) {
        const int shift = input->rank - *rank;
        memmove(dims + shift, dims, (size_t)*rank * sizeof *dims);
        for (int axis = 0; axis < shift; axis++)
            dims[axis] = 1;
        *rank = input->rank;
    }
    for (int axis = 0; axis < input->rank; axis++) {
        int64_t *joined = &dims[*rank - input->rank + axis];
        const int64_t own = input->dims[axis];
        if (*joined != own && *joined != 1 && own != 1)
            return onnx_fail(call, "shapes do not fit: %lld against %lld", (long long)*joined,
                             (long long)own);
        *joined = *joined == 1 ? own : *joined;
    }
    return STATUS_OK;
}

static enum status broadcast(const struct onnx_call *call, int typed_input, int type)
{
    int64_t dims[ONNX_RANK_LIMIT];
    int rank = 0;
    struct onnx_value *first;
    TRY(onnx_need_input(call, typed_input, &first));
    for (int i = 0; i < call->node->input_count; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        if (input)
            TRY(join_shapes(call, input, &rank, dims));
    }
    return onnx_set_output(call, 0, type ? type : first->type, rank, dims);
}

enum status onnx_shape_broadcast(const struct onnx_call *call)
{
    return broadcast(call, 0, 0);
}

enum status onnx_shape_compare(const struct onnx_call *call)
{
    return broadcast(call, 0, ONNX_BOOL);
}

enum status onnx_shape_where(const struct onnx_call *call)
{
    return broadcast(call, 1, 0);
}

/* Batch, instance, group normalisation: statistics are of the channels. */
enum status onnx_shape_normalization(const struct onnx_call *call)
{
    struct onnx_value *input, *scale;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_need_input(call, 1, &scale));
    TRY(onnx_set_output(call, 0, input->type, input->rank, input->dims));
    for (int i = 1; i < call->node->output_count; i++)
        TRY(onnx_set_output(call, i, scale->type, scale->rank, scale->dims));
    return STATUS_OK;
}

enum status onnx_shape_group_normalization(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    const int64_t groups = onnx_integer(call, "num_groups", 1);
    if (input->rank > 1 && (groups < 1 || input->dims[1] % groups))
        return onnx_fail(call, "num_groups is %lld for %lld channels", (long long)groups,
                         (long long)input->dims[1]);
    return onnx_shape_normalization(call);
}

/* Layer normalisation: statistics (mean, inverse deviation) are of all axes before `axis`. */
enum status onnx_shape_layer_normalization(const struct onnx_call *call)
{
    struct onnx_value *input, *scale;
    int64_t dims[ONNX_RANK_LIMIT];
    int first;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_need_input(call, 1, &scale));
    TRY(onnx_axis(call, onnx_integer(call, "axis", -1), input->rank, &first));
    for (int axis = 0; axis < input->rank; axis++)
        dims[axis] = axis < first ? input->dims[axis] : 1;
    TRY(onnx_set_output(call, 0, input->type, input->rank, input->dims));
    for (int i = 1; i < call->node->output_count; i++)
        TRY(onnx_set_output(call, i, ONNX_FLOAT, input->rank, dims));
    return STATUS_OK;
}

/* ---- products ---- */

enum status onnx_shape_gemm(const struct onnx_call *call)
{
    struct onnx_value *a, *b;
    TRY(onnx_need_input(call, 0, &a));
    TRY(onnx_need_input(call, 1, &b));
    if (a->rank != 2 || b->rank != 2)
        return onnx_fail(call, "its factors have %d and %d dimensions, not 2", a->rank, b->rank);
    const bool turned_a = onnx_integer(call, "transA", 0),
               turned_b = onnx_integer(call, "transB", 0);
    const int64_t dims[2] = {a->dims[turned_a], b->dims[!turned_b]};
    if (a->dims[!turned_a] != b->dims[turned_b])
        return onnx_fail(call, "its factors do not fit: %lld columns, %lld rows",
                         (long long)a->dims[!turned_a], (long long)b->dims[turned_b]);
    return onnx_set_output(call, 0, a->type, 2, dims);
}

/* As numpy.matmul: the last two axes multiply, those before broadcast. */
enum status onnx_shape_matmul(const struct onnx_call *call)
{
    struct onnx_value *a, *b;
    TRY(onnx_need_input(call, 0, &a));
    TRY(onnx_need_input(call, 1, &b));
    if (a->rank < 1 || b->rank < 1)
        return onnx_fail(call, "a factor is a scalar");
    const int64_t columns = a->dims[a->rank - 1], rows = b->dims[b->rank > 1 ? b->rank - 2 : 0];
    if (columns != rows)
        return onnx_fail(call, "its factors do not fit: %lld columns, %lld rows",
                         (long long)columns, (long long)rows);
    struct onnx_value outer_a = *a, outer_b = *b;
    outer_a.rank = a->rank > 2 ? a->rank - 2 : 0;
    outer_b.rank = b->rank > 2 ? b->rank - 2 : 0;
    int64_t dims[ONNX_RANK_LIMIT];
    int rank = 0;
    TRY(join_shapes(call, &outer_a, &rank, dims));
    TRY(join_shapes(call, &outer_b, &rank, dims));
    if (a->rank > 1)
        dims[rank++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        dims[rank++] = b->dims[b->rank - 1];
    return onnx_set_output(call, 0, a->type, rank, dims);
}

/* ---- reductions ---- */

static enum status reduce(const struct onnx_call *call, const bool *is_reduced, int type)
{
    const struct onnx_value *input = onnx_input(call, 0);
    const bool keeps = onnx_integer(call, "keepdims", 1);
    int64_t dims[ONNX_RANK_LIMIT];
    int rank = 0;
    for (int axis = 0; axis < input->rank; axis++)
        if (!is_reduced[axis])
            dims[rank++] = input->dims[axis];
        else if (keeps)
            dims[rank++] = 1;
    return onnx_set_output(call, 0, type, rank, dims);
}

/* No axes: all, unless noop_with_empty_axes says none. */
enum status onnx_reduced_axes(const struct onnx_call *call, bool is_reduced[ONNX_RANK_LIMIT])
{
    struct onnx_value *input;
    int64_t axes[ONNX_LIST_LIMIT];
    int count, axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "axes", 1, axes, &count));
    const bool all = count <= 0 && !onnx_integer(call, "noop_with_empty_axes", 0);
    for (int i = 0; i < ONNX_RANK_LIMIT; i++)
        is_reduced[i] = all;
    for (int i = 0; i < count; i++) {
        TRY(onnx_axis(call, axes[i], input->rank, &axis));
        is_reduced[axis] = true;
    }
    return STATUS_OK;
}

enum status onnx_shape_reduce(const struct onnx_call *call)
{
    bool is_reduced[ONNX_RANK_LIMIT];
    TRY(onnx_reduced_axes(call, is_reduced));
    return reduce(call, is_reduced, onnx_input(call, 0)->type);
}

enum status onnx_shape_arg_reduce(const struct onnx_call *call)
{
    struct onnx_value *input;
    bool is_reduced[ONNX_RANK_LIMIT] = {false};
    int axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_axis(call, onnx_integer(call, "axis", 0), input->rank, &axis));
    is_reduced[axis] = true;
    return reduce(call, is_reduced, ONNX_INT64);
}

enum status onnx_shape_top_k(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t kept[ONNX_LIST_LIMIT], dims[ONNX_RANK_LIMIT];
    int count, axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_list(call, "k", 1, kept, &count));
    TRY(onnx_axis(call, onnx_integer(call, "axis", -1), input->rank, &axis));
    memcpy(dims, input->dims, sizeof dims);
    dims[axis] = count > 0 ? kept[0] : onnx_integer(call, "k", 0);
    TRY(onnx_set_output(call, 0, input->type, input->rank, dims));
    return onnx_set_output(call, 1, ONNX_INT64, input->rank, dims);
}

/* ---- LSTM, GRU, RNN ---- */

/* X (steps, batch, inputs), layout 1: (batch, steps, inputs); W (directions, gates * hidden,
 * inputs); Y (steps, directions, batch, hidden), layout 1: (batch, steps, directions, hidden). */
enum status onnx_shape_recurrent(const struct onnx_call *call)
{
    struct onnx_value *x, *w, *r;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_need_input(call, 1, &w));
    TRY(onnx_need_input(call, 2, &r));
    if (x->rank != 3 || w->rank != 3 || r->rank != 3)
        return onnx_fail(call, "its inputs have %d, %d, %d dimensions, not 3", x->rank, w->rank,
                         r->rank);
    const int64_t directions = w->dims[0], hidden = r->dims[2];
    if (w->dims[2] != x->dims[2])
        return onnx_fail(call, "weights for %lld inputs, but there are %lld", (long long)w->dims[2],
                         (long long)x->dims[2]);
    if (hidden < 1 || w->dims[1] != r->dims[1] || w->dims[1] % hidden)
        return onnx_fail(call, "weights of %lld and %lld gates for a state of %lld",
                         (long long)w->dims[1], (long long)r->dims[1], (long long)hidden);
    const bool rows_first = onnx_integer(call, "layout", 0);
    const int64_t steps = x->dims[rows_first], rows = x->dims[!rows_first];
    const int64_t all[2][4] = {{steps, directions, rows, hidden},
                               {rows, steps, directions, hidden}};
    const int64_t last[2][3] = {{directions, rows, hidden}, {rows, directions, hidden}};
    TRY(onnx_set_output(call, 0, x->type, 4, all[rows_first]));
    TRY(onnx_set_output(call, 1, x->type, 3, last[rows_first]));
    return onnx_set_output(call, 2, x->type, 3, last[rows_first]);
}
