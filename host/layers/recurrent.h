/* Sizes of a recurrent layer that its work, its definition and the backends count with. */
#ifndef EPOCHCAST_LAYERS_RECURRENT_H
#define EPOCHCAST_LAYERS_RECURRENT_H

#include "layers/layer.h"

struct recurrent_sizes {
    int64_t positions, batch, inputs, hidden, layers;
    int64_t directions, gates;
    int64_t width; /* of an output row, and of what a later layer reads: directions * hidden */
    bool has_bias;
};
struct recurrent_sizes recurrent_sizes_of(const struct layer_config *config);

/* The parameter tensors, by their place among the weights (VALUE_WEIGHTS + i); a layer may lack the
 * last two. */
enum recurrent_parameters {
    RECURRENT_INPUT_WEIGHTS,
    RECURRENT_STATE_WEIGHTS,
    RECURRENT_LATER_WEIGHTS,
    RECURRENT_BIASES,
    RECURRENT_PARAMETER_COUNT
};
/* Place of the biases: behind those that there are. */
static inline int recurrent_biases_place(const struct recurrent_sizes *sizes)
{
    return sizes->layers > 1 ? RECURRENT_BIASES : RECURRENT_LATER_WEIGHTS;
}
/* Elements; 0: the layer has none. */
int64_t recurrent_parameter_count(const struct recurrent_sizes *sizes,
                                  enum recurrent_parameters what);

#endif
