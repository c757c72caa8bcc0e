/* Where one node puts the samples of its inputs: the rules of onnx_batch.c. */
#include "network/onnx_batch.h"
#include "network/onnx_operators.h"

/* An input at which the walk looks. */
struct step {
    const struct onnx_call *call;
    const struct onnx_value *input, *output;
    int index, axis; /* of the input, of its batch */
    double samples;
};
typedef int follow_function(const struct step *step);

/* Shapes are aligned at their ends. */
static int follow_aligned(const struct step *step)
{
    const int axis = step->axis + step->output->rank - step->input->rank;
    const bool is_kept = axis >= 0 && axis < step->output->rank &&
                         step->output->dims[axis] == step->input->dims[step->axis];
    return is_kept ? axis : ONNX_MIXED;
}

/* The axis that as many elements stand before, which may have taken in those behind it. */
static int follow_reshape(const struct step *step)
{
    double before = 1, reached = 1;
    for (int axis = 0; axis < step->axis; axis++)
        before *= (double)step->input->dims[axis];
    for (int axis = 0; axis < step->output->rank; axis++) {
        if (reached == before && step->output->dims[axis] % (int64_t)step->samples == 0)
            return axis;
        reached *= (double)step->output->dims[axis];
    }
    return ONNX_MIXED;
}

static int follow_transpose(const struct step *step)
{
    int64_t order[ONNX_RANK_LIMIT];
    const int count = onnx_integers(step->call, "perm", order, ONNX_RANK_LIMIT);
    for (int axis = 0; axis < step->output->rank; axis++)
        if ((count > 0 ? order[axis] : step->output->rank - 1 - axis) == step->axis)
            return axis;
    return ONNX_MIXED;
}

/* The factors' common axis is summed up. */
static int follow_matmul(const struct step *step)
{
    const int rank = step->input->rank, behind = rank - 1 - step->axis;
    const bool is_summed = rank == 1 || behind == (step->index == 0 ? 0 : 1);
    return is_summed || step->index > 1 ? ONNX_MIXED : follow_aligned(step);
}

static int follow_gemm(const struct step *step)
{
    if (step->index > 1)
        return follow_aligned(step);
    const bool is_turned = onnx_integer(step->call, step->index ? "transB" : "transA", 0);
    const int kept = step->index == 0 ? is_turned : !is_turned;
    return step->axis == kept ? step->index : ONNX_MIXED;
}

static int follow_window(const struct step *step)
{
    return step->index == 0 && step->axis == 0 ? 0 : ONNX_MIXED;
}

static int follow_normalization(const struct step *step)
{
    int64_t first = 1; /* of the axes that statistics are taken over */
    if (step->call->node->known->shape == onnx_shape_layer_normalization)
        first = onnx_integer(step->call, "axis", -1);
    first += first < 0 ? step->input->rank : 0;
    return step->index == 0 && step->axis < first ? step->axis : ONNX_MIXED;
}

/* Elementwise, but for those that sum up along an axis. */
static int follow_same(const struct step *step)
{
    const struct slice type = step->call->node->op_type;
    const bool is_flattened = step->call->graph->opset < 13;
    if (slice_equals(type, "Softmax") || slice_equals(type, "LogSoftmax")) {
        int64_t axis = onnx_integer(step->call, "axis", is_flattened ? 1 : -1);
        axis += axis < 0 ? step->input->rank : 0;
        if (is_flattened ? step->axis >= axis : step->axis == axis)
            return ONNX_MIXED;
    }
    return follow_aligned(step);
}

static int follow_reduce(const struct step *step)
{
    int64_t axes[ONNX_LIST_LIMIT];
    int count, reduced_before = 0;
    if (onnx_list(step->call, "axes", 1, axes, &count) != STATUS_OK)
        return ONNX_MIXED;
    if (step->call->node->known->shape == onnx_shape_arg_reduce) {
        axes[0] = onnx_integer(step->call, "axis", 0);
        count = 1;
    }
    if (count <= 0)
        return onnx_integer(step->call, "noop_with_empty_axes", 0) ? step->axis : ONNX_MIXED;
    for (int i = 0; i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + step->input->rank : axes[i];
        if (axis == step->axis)
            return ONNX_MIXED;
        reduced_before += axis < step->axis;
    }
    return step->axis - (onnx_integer(step->call, "keepdims", 1) ? 0 : reduced_before);
}

/* Indices of a table that no batch has, or a pick along another axis. */
static int follow_gather(const struct step *step)
{
    const struct onnx_value *table = onnx_input(step->call, 0);
    const struct onnx_value *indices = onnx_input(step->call, 1);
    int64_t along = onnx_integer(step->call, "axis", 0);
    along += along < 0 ? table->rank : 0;
    if (step->index == 1)
        return table->batch_axis == ONNX_UNBATCHED ? step->axis + (int)along : ONNX_MIXED;
    if (step->axis == along || indices->batch_axis != ONNX_UNBATCHED)
        return ONNX_MIXED;
    return step->axis + (step->axis > along ? indices->rank - 1 : 0);
}

static int follow_recurrent(const struct step *step)
{
    const bool rows_first = onnx_integer(step->call, "layout", 0);
    const bool is_sequence = step->output == onnx_output(step->call, 0);
    if (step->axis != (rows_first ? 0 : 1) && step->index != 4)
        return ONNX_MIXED;
    return rows_first ? 0 : is_sequence ? 2 : 1;
}

static int follow_heads(const struct step *step)
{
    return step->axis == 0 ? 0 : ONNX_MIXED;
}

static int follow_einsum(const struct step *step)
{
    return onnx_einsum_axis(step->call, step->index, step->axis);
}

static int follow_gather_nd(const struct step *step)
{
    return step->axis < onnx_integer(step->call, "batch_dims", 0) ? step->axis : ONNX_MIXED;
}

static int follow_made(const struct step *step)
{
    const bool is_taken = step->call->node->known == &onnx_take;
    const int own = step->call->node->axis, rank = step->input->rank + !is_taken;
    const int axis = own < 0 ? own + rank : own;
    if (!is_taken)
        return step->axis + (step->axis >= axis);
    return step->axis == axis ? ONNX_MIXED : step->axis - (step->axis > axis);
}

static int follow_unknown(const struct step *step)
{
    const int aligned = follow_aligned(step), axis = step->axis;
    const bool is_kept = axis < step->output->rank &&
                         step->output->dims[axis] == step->input->dims[axis];
    return is_kept ? axis : aligned;
}

/* By the operator's shape function; what is not listed is aligned, as is a copy of parts. */
static const struct {
    onnx_shape_function *shape;
    follow_function *follow;
} rules[] = {
    {onnx_shape_same, follow_same},
    {onnx_shape_reshape, follow_reshape},
    {onnx_shape_flatten, follow_reshape},
    {onnx_shape_squeeze, follow_reshape},
    {onnx_shape_unsqueeze, follow_reshape},
    {onnx_shape_transpose, follow_transpose},
    {onnx_shape_matmul, follow_matmul},
    {onnx_shape_gemm, follow_gemm},
    {onnx_shape_conv, follow_window},
    {onnx_shape_conv_transpose, follow_window},
    {onnx_shape_pool, follow_window},
    {onnx_shape_global_pool, follow_window},
    {onnx_shape_normalization, follow_normalization},
    {onnx_shape_group_normalization, follow_normalization},
    {onnx_shape_layer_normalization, follow_normalization},
    {onnx_shape_attention, follow_heads},
    {onnx_shape_einsum, follow_einsum},
    {onnx_shape_gather_nd, follow_gather_nd},
    {onnx_shape_reduce, follow_reduce},
    {onnx_shape_arg_reduce, follow_reduce},
    {onnx_shape_gather, follow_gather},
    {onnx_shape_recurrent, follow_recurrent},
};

static follow_function *rule_of(const struct onnx_node *node)
{
    if (!node->known || node->known == &onnx_take || node->known == &onnx_stack)
        return node->known ? follow_made : follow_unknown;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].shape == node->known->shape)
            return rules[i].follow;
    return follow_aligned;
}

static int follow_input(const struct step *step)
{
    if (step->input->batch_axis < 0)
        return step->input->batch_axis;
    return rule_of(step->call->node)(step);
}

/* The axis that all batched inputs agree on. */
int onnx_follow_output(const struct onnx_call *call, const struct onnx_value *output,
                       double samples)
{
    int found = ONNX_UNBATCHED;
    for (int i = 0; i < call->node->input_count; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        if (!input || input->is_constant)
            continue;
        const int axis = follow_input(&(struct step){.call = call,
                                                     .input = input,
                                                     .output = output,
                                                     .index = i,
                                                     .axis = input->batch_axis,
                                                     .samples = samples});
        if (axis == ONNX_MIXED || (axis >= 0 && found >= 0 && axis != found))
            return ONNX_MIXED;
        found = axis >= 0 ? axis : found;
    }
    return found;
}

static bool is_product(const struct onnx_node *node)
{
    follow_function *const products[] = {follow_matmul, follow_gemm, follow_window, follow_einsum};
    const bool is_pool = node->known && (node->known->shape == onnx_shape_pool ||
                                         node->known->shape == onnx_shape_global_pool);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (rule_of(node) == products[i])
            return !is_pool;
    return false;
}

bool onnx_sums_up_batch(const struct onnx_call *call, double samples)
{
    const struct onnx_value *output = onnx_output(call, 0);
    for (int i = 0; i < call->node->input_count && i < 2 && output; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        const bool has_samples = input && !input->is_constant && input->batch_axis >= 0;
        if (has_samples && is_product(call->node) &&
            follow_input(&(struct step){.call = call,
                                        .input = input,
                                        .output = output,
                                        .index = i,
                                        .axis = input->batch_axis,
                                        .samples = samples}) == ONNX_MIXED)
            return true;
    }
    return false;
}
