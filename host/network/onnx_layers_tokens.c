/* Nodes that read indices: rows of a table, losses by labels. */
#include "network/onnx_operators.h"

#include <math.h>

/* Numbers of one sample, of a tensor with so many; false: no whole ones. */
static bool per_sample(int32_t *number, double count, double samples)
{
    const double each = count / samples;
    if (!(each >= 1 && each <= INT32_MAX) || floor(each) != each)
        return false;
    *number = (int32_t)each;
    return true;
}

/* Rows of a constant matrix, by indices that are computed or an input. */
bool onnx_read_embedding(struct onnx_match *match, const struct onnx_call *call)
{
    struct onnx_value *table = onnx_input(call, 0);
    const struct onnx_value *indices = onnx_input(call, 1);
    const int64_t axis = onnx_integer(call, "axis", 0);
    const double samples = onnx_samples(call->graph, onnx_output(call, 0));
    int32_t positions;
    if (!table->is_constant || !onnx_type_is_floating(table->type) || table->rank != 2 ||
        (axis != 0 && axis != -2) || indices->is_constant || table->dims[0] > INT32_MAX ||
        table->dims[1] > INT32_MAX || !per_sample(&positions, indices->count, samples))
        return false;
    *match = (struct onnx_match){
        .rows = samples, .parameters = {table}, .config.kind = LAYER_EMBEDDING};
    match->config.as.embedding = (struct embedding){.positions = positions,
                                                    .vocabulary = (int32_t)table->dims[0],
                                                    .width = (int32_t)table->dims[1]};
    return true;
}

/* Scores (samples, classes, ...) and their labels, one number for all; weighted by no class. */
bool onnx_read_loss(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *scores = onnx_input(call, 0);
    const double samples = onnx_samples(call->graph, scores);
    const double rows = onnx_samples(call->graph, onnx_output(call, 0)); /* 1: none of its axes */
    int32_t positions;
    if (scores->is_constant || scores->rank < 2 || onnx_input(call, 2) || onnx_output(call, 1) ||
        slice_equals(onnx_text(call, "reduction"), "none") || scores->dims[1] > INT32_MAX ||
        !per_sample(&positions, scores->count / (double)scores->dims[1], samples))
        return false;
    *match = (struct onnx_match){.rows = rows, .config.kind = LAYER_LOSS};
    match->config.as.loss = (struct loss){.positions = positions,
                                          .classes = (int32_t)scores->dims[1]};
    return true;
}
