/* Constant folding of small tensors: the arithmetic by which graphs compute shapes. A function sets
 * its output's values when it knows the inputs', else leaves them unknown; shapes are inferred
 * before it is called. Integers are held as doubles, exact to 2^53.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_FOLD_H
#define EPOCHCAST_NETWORK_ONNX_FOLD_H

#include "network/onnx_graph.h"

typedef void onnx_fold_function(const struct onnx_call *call);

onnx_fold_function onnx_fold_copy, onnx_fold_cast, onnx_fold_shape, onnx_fold_size,
    onnx_fold_constant_of_shape, onnx_fold_range, onnx_fold_gather, onnx_fold_concat,
    onnx_fold_slice, onnx_fold_where, onnx_fold_add, onnx_fold_sub, onnx_fold_mul, onnx_fold_div,
    onnx_fold_mod, onnx_fold_max, onnx_fold_min, onnx_fold_equal, onnx_fold_floor, onnx_fold_ceil,
    onnx_fold_sqrt, onnx_fold_neg, onnx_fold_product, onnx_fold_transpose, onnx_fold_expand;

#endif
