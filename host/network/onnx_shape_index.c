/* Operators that pick by index, or by a test. Where the data decide how many elements come out, it
 * is the most that can. */
#include "network/onnx_shape.h"

#include <string.h>

/* Rows of the indices name places: data (b.., k.., rest..) -> (indices.., rest..). */
enum status onnx_shape_gather_nd(const struct onnx_call *call)
{
    struct onnx_value *data, *indices;
    int64_t dims[2 * ONNX_RANK_LIMIT];
    int rank = 0;
    TRY(onnx_need_input(call, 0, &data));
    TRY(onnx_need_input(call, 1, &indices));
    const int64_t batch = onnx_integer(call, "batch_dims", 0);
    const int64_t depth = indices->rank > 0 ? indices->dims[indices->rank - 1] : 0;
    if (batch < 0 || depth < 1 || batch + depth > data->rank || batch >= indices->rank)
        return onnx_fail(call, "indices of %lld axes for %d dimensions", (long long)depth,
                         data->rank);
    for (int i = 0; i + 1 < indices->rank; i++)
        dims[rank++] = indices->dims[i];
    for (int i = (int)(batch + depth); i < data->rank; i++)
        dims[rank++] = data->dims[i];
    return onnx_set_output(call, 0, data->type, rank, dims);
}

enum status onnx_shape_one_hot(const struct onnx_call *call)
{
    struct onnx_value *indices, *values;
    int64_t dims[ONNX_RANK_LIMIT + 1];
    int axis;
    TRY(onnx_need_input(call, 0, &indices));
    TRY(onnx_need_input(call, 2, &values));
    const struct onnx_value *given = onnx_input(call, 1);
    if (given && (!given->folded || given->count < 1))
        return onnx_fail(call, "depth depends on the data");
    const int64_t depth = given ? onnx_integer_of(given->folded[0]) : 0;
    TRY(onnx_axis(call, onnx_integer(call, "axis", -1), indices->rank + 1, &axis));
    for (int i = 0; i <= indices->rank; i++)
        dims[i] = i < axis ? indices->dims[i] : i == axis ? depth : indices->dims[i - 1];
    return onnx_set_output(call, 0, values->type, indices->rank + 1, dims);
}

/* How many elements of a test hold. */
static int64_t true_count(const struct onnx_value *test)
{
    int64_t count = 0;
    for (int i = 0; test->folded && i < (int)test->count; i++)
        count += test->folded[i] != 0;
    return test->folded ? count : (int64_t)test->count;
}

enum status onnx_shape_non_zero(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    const int64_t dims[2] = {input->rank, true_count(input)};
    return onnx_set_output(call, 0, ONNX_INT64, 2, dims);
}

/* Boxes (batch, n, 4), scores (batch, classes, n): a row for each box of a class that is kept. */
enum status onnx_shape_non_max_suppression(const struct onnx_call *call)
{
    struct onnx_value *boxes, *scores;
    TRY(onnx_need_input(call, 0, &boxes));
    TRY(onnx_need_input(call, 1, &scores));
    if (boxes->rank != 3 || scores->rank != 3)
        return onnx_fail(call, "its inputs have %d and %d dimensions, not 3", boxes->rank,
                         scores->rank);
    const struct onnx_value *most = onnx_input(call, 2);
    int64_t kept = boxes->dims[1];
    if (most && most->folded && most->count == 1 && most->folded[0] < (double)kept)
        kept = most->folded[0] > 0 ? (int64_t)most->folded[0] : 0;
    const int64_t dims[2] = {scores->dims[0] * scores->dims[1] * kept, 3};
    return onnx_set_output(call, 0, ONNX_INT64, 2, dims);
}

enum status onnx_shape_compress(const struct onnx_call *call)
{
    struct onnx_value *input, *condition;
    int64_t dims[ONNX_RANK_LIMIT];
    int axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_need_input(call, 1, &condition));
    const int64_t kept = true_count(condition);
    if (!onnx_has_attribute(call, "axis"))
        return onnx_set_output(call, 0, input->type, 1, &kept);
    TRY(onnx_axis(call, onnx_integer(call, "axis", 0), input->rank, &axis));
    memcpy(dims, input->dims, sizeof dims);
    dims[axis] = kept < dims[axis] ? kept : dims[axis];
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}

/* Values, their first places, the place of each element, how often. */
enum status onnx_shape_unique(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    int64_t count = (int64_t)input->count;
    int axis = 0;
    if (onnx_has_attribute(call, "axis")) {
        TRY(onnx_axis(call, onnx_integer(call, "axis", 0), input->rank, &axis));
        count = input->dims[axis];
        TRY(onnx_set_output(call, 0, input->type, input->rank, input->dims));
    } else {
        TRY(onnx_set_output(call, 0, input->type, 1, &count));
    }
    for (int i = 1; i < call->node->output_count; i++)
        TRY(onnx_set_output(call, i, ONNX_INT64, 1, &count));
    return STATUS_OK;
}

/* (rows, classes) -> (rows, sample_size) */
enum status onnx_shape_multinomial(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    if (input->rank != 2)
        return onnx_fail(call, "its input has %d dimensions, not 2", input->rank);
    const int64_t dims[2] = {input->dims[0], onnx_integer(call, "sample_size", 1)};
    return onnx_set_output(call, 0, (int)onnx_integer(call, "dtype", ONNX_INT32), 2, dims);
}

/* ---- of another's shape, or of a given one ---- */

/* Random*Like, EyeLike, Bernoulli: `dtype`, else the input's type. */
enum status onnx_shape_like(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    const int64_t type = onnx_integer(call, "dtype", input->type);
    return onnx_set_output(call, 0, type > 0 && type < ONNX_TYPE_COUNT ? (int)type : 0, input->rank,
                           input->dims);
}

enum status onnx_shape_random(const struct onnx_call *call)
{
    int64_t dims[ONNX_LIST_LIMIT];
    int count;
    TRY(onnx_list(call, "shape", call->node->input_count, dims, &count));
    if (count < 0)
        return onnx_fail(call, "it has no shape");
    return onnx_set_output(call, 0, ONNX_FLOAT, count, dims);
}

/* Losses: of each label, or one number; the second output is log-probabilities. */
enum status onnx_shape_loss(const struct onnx_call *call)
{
    struct onnx_value *scores, *labels;
    TRY(onnx_need_input(call, 0, &scores));
    TRY(onnx_need_input(call, 1, &labels));
    const bool is_reduced = !slice_equals(onnx_text(call, "reduction"), "none");
    TRY(onnx_set_output(call, 0, scores->type, is_reduced ? 0 : labels->rank, labels->dims));
    return onnx_set_output(call, 1, scores->type, scores->rank, scores->dims);
}

/* (.., m, m) -> (..) */
enum status onnx_shape_determinant(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    if (input->rank < 2)
        return onnx_fail(call, "its input has %d dimensions", input->rank);
    return onnx_set_output(call, 0, input->type, input->rank - 2, input->dims);
}
