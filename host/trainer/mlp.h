/* The regressor: shape, parameters, forward pass. A plain feed-forward network: `inputs`
 * standardised features, hidden layers of ReLU or SiLU units (activation.h), dropout after the last
 * hidden layer (training only), then the output: one unit, or the heads of a sum.
 *
 * Parameters are one flat float array: per layer W (inputs, outputs) row-major, then b (outputs).
 * Output: MLP_OUTPUT_RELU: t' = max(z, 0), in target units (the paper: ms, no output bias);
 * MLP_OUTPUT_LOG: z = ln(1 + t') directly; MLP_OUTPUT_SUM: 1 to MLP_HEAD_LIMIT heads, each with an
 * offset that comes with the row: ln t' = ln sum over heads h of exp(z_h + offset_h) (log_sum.h).
 * Its W and b start at 0: the untrained net is the sum of the offsets' exponentials. A head that a
 * row does not have gets the offset MLP_NO_HEAD.
 * Loss (RMSLE squared): mean (ln(1 + t) - ln(1 + t'))^2 + l2 * sum W^2 / 2 (weights, not biases);
 * with MLP_OUTPUT_SUM the logarithms are ln t and ln t'.
 */
#ifndef EPOCHCAST_TRAINER_MLP_H
#define EPOCHCAST_TRAINER_MLP_H

#include "base/choice.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define MLP_OUTPUT_LIST(X)                                                                         \
    X(MLP_OUTPUT_RELU, "relu") X(MLP_OUTPUT_LOG, "log") X(MLP_OUTPUT_SUM, "sum")
enum mlp_output { MLP_OUTPUT_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_mlp_output;

#define MLP_ACTIVATION_LIST(X) X(MLP_ACTIVATION_RELU, "relu") X(MLP_ACTIVATION_SILU, "silu")
enum mlp_activation { MLP_ACTIVATION_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_mlp_activation;

enum { MLP_LAYER_LIMIT = 16, MLP_WIDTH_LIMIT = 4096, MLP_HEAD_LIMIT = 16, MLP_NO_HEAD = -60 };

struct mlp_shape {
    int32_t layer_count;                 /* hidden layers + 1 */
    int32_t widths[MLP_LAYER_LIMIT + 1]; /* widths[0] = inputs, ..., widths[layer_count] = heads */
    int32_t output;                      /* enum mlp_output */
    int32_t activation;                  /* enum mlp_activation, of every hidden unit */
    int32_t output_bias;                 /* 0: the output's b stays 0 */
};

enum status mlp_shape_check(const struct mlp_shape *shape, struct error *error);
/* 1 except with MLP_OUTPUT_SUM. */
int32_t mlp_head_count(const struct mlp_shape *shape);
size_t mlp_parameter_count(const struct mlp_shape *shape);
/* Offsets of layer `layer`'s W and b in the flat array. */
size_t mlp_weight_offset(const struct mlp_shape *shape, int layer);
size_t mlp_bias_offset(const struct mlp_shape *shape, int layer);

/* Initial weights: W uniform in +-sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010), biases 0.
 * Weight k (index in the flat array) is word k % 4 of philox(k / 4, 0, 0, PHILOX_WEIGHTS, seed).
 * The bias of an output of kind relu without output_bias: 0; W of an output of kind sum: 0. */
void mlp_initialise(float *parameters, const struct mlp_shape *shape, uint64_t seed);

/* predictions[r] = ln(1 + t') for rows of inputs (rows, widths[0]) row-major. No dropout.
 * MLP_OUTPUT_SUM: ln t', with offsets (rows, heads); other outputs: offsets NULL. One row takes no
 * memory, so that it cannot fail for want of it. */
enum status mlp_predict(float *predictions, const float *inputs, const float *offsets, size_t rows,
                        const float *parameters, const struct mlp_shape *shape,
                        struct error *error);

#endif
