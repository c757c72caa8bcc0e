/* Quantised operators, and those of domain com.microsoft. Private to the onnx_*.c files. */
#ifndef EPOCHCAST_NETWORK_ONNX_CONTRIB_H
#define EPOCHCAST_NETWORK_ONNX_CONTRIB_H

#include "network/onnx_operators.h"

/* NULL: not known. Asked for those that the standard's table does not have. */
const struct onnx_operator *onnx_contrib_find(const struct onnx_node *node);

/* onnx_contrib_attention.c */
onnx_shape_function onnx_shape_packed_attention, onnx_shape_attention_of_three;
onnx_emit_function onnx_emit_packed_attention, onnx_emit_attention_of_three;
/* onnx_norm.c: sums and their normalisation */
onnx_expand_function onnx_expand_skip_norm, onnx_expand_skip_rms_norm;

#endif
