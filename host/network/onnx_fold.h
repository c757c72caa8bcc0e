/* Constant folding of small tensors: the arithmetic by which graphs compute shapes. A function sets
 * its outputs' values when it knows the inputs', else leaves them unknown; shapes are inferred
 * before it is called. Integers are held as doubles, exact to 2^53.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_FOLD_H
#define EPOCHCAST_NETWORK_ONNX_FOLD_H

#include "network/onnx_graph.h"

typedef void onnx_fold_function(const struct onnx_call *call);

/* onnx_fold.c: elements are moved */
onnx_fold_function onnx_fold_copy, onnx_fold_cast, onnx_fold_shape, onnx_fold_size,
    onnx_fold_constant_of_shape, onnx_fold_range, onnx_fold_gather, onnx_fold_concat,
    onnx_fold_slice, onnx_fold_split, onnx_fold_tile, onnx_fold_pad, onnx_fold_scatter_nd,
    onnx_fold_transpose, onnx_fold_expand, onnx_fold_non_zero;
/* onnx_fold_math.c: elements are computed, with numpy's broadcasting */
onnx_fold_function onnx_fold_where, onnx_fold_add, onnx_fold_sub, onnx_fold_mul, onnx_fold_div,
    onnx_fold_mod, onnx_fold_pow, onnx_fold_max, onnx_fold_min, onnx_fold_sum, onnx_fold_equal,
    onnx_fold_less, onnx_fold_less_or_equal, onnx_fold_greater, onnx_fold_greater_or_equal,
    onnx_fold_and, onnx_fold_or, onnx_fold_xor, onnx_fold_not, onnx_fold_clip, onnx_fold_floor,
    onnx_fold_ceil, onnx_fold_round, onnx_fold_sqrt, onnx_fold_neg, onnx_fold_abs, onnx_fold_sign,
    onnx_fold_exp, onnx_fold_log, onnx_fold_reciprocal, onnx_fold_reduce_product,
    onnx_fold_reduce_sum, onnx_fold_reduce_mean, onnx_fold_reduce_max, onnx_fold_reduce_min;

/* ---- what they share ---- */

/* Room for output i, when the values of the first `input_count` inputs are known; else NULL. */
double *onnx_fold_output(const struct onnx_call *call, int i, int input_count);
/* Values of input i, which are known. */
const double *onnx_folded(const struct onnx_call *call, int i);
/* Position of an element on each axis, and back. */
void onnx_unravel(const struct onnx_value *value, int element, int64_t index[ONNX_RANK_LIMIT]);
int onnx_ravel(const struct onnx_value *value, const int64_t index[ONNX_RANK_LIMIT]);
/* The element of `input` that numpy's broadcasting puts at `element` of `output`. */
int onnx_broadcast_element(const struct onnx_value *output, const struct onnx_value *input,
                           int element);

#endif
