/* The regressor: shape, parameters, forward pass. A plain feed-forward network: `inputs`
 * standardised features, hidden layers of ReLU or SiLU units (activation.h), dropout after the last
 * hidden layer (training only), one output.
 *
 * Parameters are one flat float array: per layer W (inputs, outputs) row-major, then b (outputs).
 * Output: MLP_OUTPUT_RELU: t' = max(z, 0), in target units (the paper: ms, no output bias);
 * MLP_OUTPUT_LOG: z = ln(1 + t') directly.
 * Loss (RMSLE squared): mean (ln(1 + t) - ln(1 + t'))^2 + l2 * sum W^2 / 2 (weights, not biases).
 */
#ifndef EPOCHCAST_TRAINER_MLP_H
#define EPOCHCAST_TRAINER_MLP_H

#include "base/choice.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define MLP_OUTPUT_LIST(X) X(MLP_OUTPUT_RELU, "relu") X(MLP_OUTPUT_LOG, "log")
enum mlp_output { MLP_OUTPUT_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_mlp_output;

#define MLP_ACTIVATION_LIST(X) X(MLP_ACTIVATION_RELU, "relu") X(MLP_ACTIVATION_SILU, "silu")
enum mlp_activation { MLP_ACTIVATION_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_mlp_activation;

enum { MLP_LAYER_LIMIT = 16, MLP_WIDTH_LIMIT = 4096 };

struct mlp_shape {
    int32_t layer_count;                 /* hidden layers + 1 */
    int32_t widths[MLP_LAYER_LIMIT + 1]; /* widths[0] = inputs, ..., widths[layer_count] = 1 */
    int32_t output;                      /* enum mlp_output */
    int32_t activation;                  /* enum mlp_activation, of every hidden unit */
    int32_t output_bias;                 /* 0: the output's b stays 0 */
};

enum status mlp_shape_check(const struct mlp_shape *shape, struct error *error);
size_t mlp_parameter_count(const struct mlp_shape *shape);
/* Offsets of layer `layer`'s W and b in the flat array. */
size_t mlp_weight_offset(const struct mlp_shape *shape, int layer);
size_t mlp_bias_offset(const struct mlp_shape *shape, int layer);

/* Initial weights: W uniform in +-sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010), biases 0.
 * Weight k (index in the flat array) is word k % 4 of philox(k / 4, 0, 0, PHILOX_WEIGHTS, seed).
 * The bias of an output of kind relu without output_bias: 0. */
void mlp_initialise(float *parameters, const struct mlp_shape *shape, uint64_t seed);

/* predictions[r] = ln(1 + t') for rows of inputs (rows, widths[0]) row-major. No dropout. */
enum status mlp_predict(float *predictions, const float *inputs, size_t rows,
                        const float *parameters, const struct mlp_shape *shape,
                        struct error *error);

#endif
