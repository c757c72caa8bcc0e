/* Attention as exporters leave it: a product of queries and keys, a scale and a mask in any order,
 * softmax, dropout, a product with values. It becomes one layer, that of the second product; the
 * nodes before it are absorbed. Private to the onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_ATTENTION_PATTERN_H
#define EPOCHCAST_NETWORK_ONNX_ATTENTION_PATTERN_H

#include "network/onnx_operators.h"

/* Finds all, once shapes and samples are known: marks what is absorbed, and the second product of
 * each (onnx_node.attention). */
enum status onnx_attentions_find(struct onnx_builder *builder, struct error *error);
void onnx_attentions_free(struct onnx_builder *builder);

/* A node that is the second product of one. */
bool onnx_attention_read(struct onnx_match *match, const struct onnx_builder *builder,
                         const struct onnx_call *call);

#endif
