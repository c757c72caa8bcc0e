#include "network/onnx_product.h"

#include <math.h>
#include <string.h>

static double leading_count(const struct onnx_value *value)
{
    double count = 1;
    for (int axis = 0; axis < value->rank - 2; axis++)
        count *= (double)value->dims[axis];
    return count;
}

/* Samples stand in front of the matrices. */
static bool are_samples_apart(const struct onnx_call *call, const struct onnx_value *output)
{
    const int axis = output->batch_axis;
    return call->graph->batch == 1 || axis == ONNX_UNBATCHED ||
           (axis >= 0 && axis < output->rank - 2);
}

static bool read_matmul(struct onnx_product *product, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    const struct onnx_value *output = onnx_output(call, 0);
    const bool is_turned = onnx_integer(call, "transB", 0);
    if (a->rank < 2 || b->rank < 2 || onnx_integer(call, "transA", 0) ||
        onnx_integer(call, "transBatchA", 0) || onnx_integer(call, "transBatchB", 0) ||
        !are_samples_apart(call, output))
        return false;
    *product = (struct onnx_product){.matrices = leading_count(output),
                                     .rows = (double)a->dims[a->rank - 2],
                                     .depth = (double)a->dims[a->rank - 1],
                                     .columns = (double)b->dims[b->rank - (is_turned ? 2 : 1)],
                                     .is_right_transposed = is_turned};
    return true;
}

bool onnx_product_read(struct onnx_product *product, const struct onnx_call *call)
{
    static const char *const products[] = {"matmul", "fused_matmul", "einsum"};
    const struct onnx_operator *known = call->node->known;
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    int which = 0;
    while (which < 3 && !(known && strcmp(known->name, products[which]) == 0))
        which++;
    if (which == 3 || !a || !b || a->is_constant || b->is_constant || !onnx_output(call, 0) ||
        !(which == 2 ? onnx_einsum_product : read_matmul)(product, call))
        return false;
    return a->count == product->matrices * product->rows * product->depth &&
           b->count == product->matrices * product->depth * product->columns;
}

bool onnx_read_product(struct onnx_match *match, const struct onnx_call *call)
{
    struct onnx_product product;
    if (!onnx_product_read(&product, call))
        return false;
    const double samples = onnx_samples(call->graph, onnx_output(call, 0));
    const double matrices = product.matrices / samples;
    if (!(matrices >= 1 && matrices <= INT32_MAX) || floor(matrices) != matrices ||
        product.rows > INT32_MAX || product.depth > INT32_MAX || product.columns > INT32_MAX)
        return false;
    *match = (struct onnx_match){.rows = samples, .config.kind = LAYER_MATMUL};
    match->config.as.matmul = (struct matmul){.matrices = (int32_t)matrices,
                                              .left_rows = (int32_t)product.rows,
                                              .depth = (int32_t)product.depth,
                                              .right_columns = (int32_t)product.columns,
                                              .is_right_transposed = product.is_right_transposed};
    return true;
}
