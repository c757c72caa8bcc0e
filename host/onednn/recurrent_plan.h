/* A recurrent layer while its plan is prepared; private to recurrent.c and recurrent_parameters.c.
 */
#ifndef EPOCHCAST_ONEDNN_RECURRENT_PLAN_H
#define EPOCHCAST_ONEDNN_RECURRENT_PLAN_H

#include "layers/recurrent.h"
#include "onednn/cpu_plan.h"

/* The library's order of a primitive's weights, and of their gradients. */
enum recurrent_side { INPUT_SIDE, STATE_SIDE, SIDE_COUNT };

/* One layer: its primitives, and its part of tensors that all layers share. */
struct recurrent_layer {
    dnnl_primitive_desc_t forward, backward; /* backward NULL: no training */
    struct cpu_tensor input, output, workspace;
    struct cpu_tensor weights[SIDE_COUNT]; /* as the layer's parameters have them */
    struct cpu_tensor bias;                /* as the primitives take it */
};

struct recurrent_plan {
    struct cpu_plan *plan;
    struct recurrent_sizes sizes;
    dnnl_alg_kind_t cell;
    struct recurrent_layer layers[RECURRENT_LAYER_LIMIT];
    struct cpu_tensor state, memory;          /* zeros: h and, of an LSTM, c to begin with */
    struct cpu_tensor biases, bias_gradients; /* (layers, directions, gates of biases, hidden) */
};

/* The parameters of all layers, once the layers have their primitives, and each layer's part; a
 * step that makes the primitives' biases of them. */
enum status recurrent_parameters_add(struct recurrent_plan *recurrent, struct error *error);
/* A layer's part of the gradient of its weights, in the layout of the weights if these are fp32,
 * else plain. */
enum status recurrent_gradient_part(struct cpu_tensor *part, const struct recurrent_plan *recurrent,
                                    int layer, enum recurrent_side side, struct error *error);
/* The gradients of the biases: memory for the primitives' own, then a step that makes those of the
 * parameters of them, if there are any. */
enum status recurrent_bias_gradients_add(struct recurrent_plan *recurrent, struct error *error);
enum status recurrent_bias_gradients_settle(const struct recurrent_plan *recurrent,
                                            struct error *error);
/* The biases of so many layers as a primitive takes them; one layer's part of all. */
enum status recurrent_bias_layout(const struct cpu_layout **layout,
                                  const struct recurrent_plan *recurrent, int64_t layers,
                                  struct error *error);
enum status recurrent_bias_part(struct cpu_tensor *part, const struct recurrent_plan *recurrent,
                                const struct cpu_tensor *whole, int layer, struct error *error);

#endif
