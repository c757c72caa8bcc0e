/* Tensors and their types, as an ONNX file stores them: heads, small values, external data. Private
 * to the onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_TENSOR_H
#define EPOCHCAST_NETWORK_ONNX_TENSOR_H

#include "network/onnx_value.h"

/* Reads a TensorProto's head: type, shape, small values; checks that the data has the size. */
enum status onnx_tensor_read(struct onnx_source *source, struct onnx_value *value,
                             struct slice message, struct error *error);
/* The dimensions that a message lists as field `number`, in place of the value's; false: damaged.
 */
bool onnx_dims_read(const struct onnx_source *source, struct onnx_value *value,
                    struct slice message, uint32_t number);
/* The shape that a TypeProto declares; symbolic dimensions are -1. False: no shape in it. */
bool onnx_type_read(const struct onnx_source *source, struct slice message, int *type, int *rank,
                    int64_t dims[ONNX_RANK_LIMIT], struct slice names[ONNX_RANK_LIMIT]);
/* Bytes of weights in a file beside the model; STATUS_BAD_FILE: outside of its folder, missing or
 * too short. `message` is the TensorProto. */
enum status onnx_external_check(struct onnx_source *source, const struct onnx_value *value,
                                struct slice message, double byte_count, struct error *error);

#endif
