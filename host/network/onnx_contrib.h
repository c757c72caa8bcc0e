/* Quantised operators, and those of domain com.microsoft. Private to the onnx_*.c files. */
#ifndef EPOCHCAST_NETWORK_ONNX_CONTRIB_H
#define EPOCHCAST_NETWORK_ONNX_CONTRIB_H

#include "network/onnx_operators.h"

/* NULL: not known. Asked for those that the standard's table does not have. */
const struct onnx_operator *onnx_contrib_find(const struct onnx_node *node);

/* What they share: elements of a tensor of one sample (0: left out); an operator of so many
 * multiply-adds (2 operations, twice that backward) and other operations of one sample. */
double onnx_count_of(const struct onnx_call *call, const struct onnx_value *value);
enum status onnx_emit_products(struct onnx_builder *builder, const struct onnx_call *call,
                               double products, double others);

/* onnx_contrib_attention.c */
onnx_shape_function onnx_shape_packed_attention, onnx_shape_attention_of_three;
onnx_emit_function onnx_emit_packed_attention, onnx_emit_attention_of_three;

#endif
