/* Nodes that multiply activations, matrix by matrix: MatMul, com.microsoft's FusedMatMul, an Einsum
 * of two operands that is such a product. Private to the onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_PRODUCT_H
#define EPOCHCAST_NETWORK_ONNX_PRODUCT_H

#include "network/onnx_operators.h"

struct onnx_product {
    double matrices; /* of all samples */
    double rows, depth, columns;
    bool is_right_transposed;
};

/* False: the node is none, an operand is constant or broadcast, or a matrix is of several samples.
 */
bool onnx_product_read(struct onnx_product *product, const struct onnx_call *call);
/* The node as kind matmul. */
bool onnx_read_product(struct onnx_match *match, const struct onnx_call *call);

/* The same of an Einsum's equation (onnx_einsum.c). */
bool onnx_einsum_product(struct onnx_product *product, const struct onnx_call *call);

#endif
