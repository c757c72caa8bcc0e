#include "trainer/mlp.h"

#include "base/philox.h"
#include "trainer/activation.h"
#include "trainer/log_sum.h"
#include "trainer/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHOICE_NAME(value, text) text,
static const char *const mlp_output_names[] = {MLP_OUTPUT_LIST(CHOICE_NAME)};
const struct choice choice_mlp_output = {.name = "output",
                                         .names = mlp_output_names,
                                         .count = sizeof mlp_output_names /
                                                  sizeof *mlp_output_names};
static const char *const mlp_activation_names[] = {MLP_ACTIVATION_LIST(CHOICE_NAME)};
const struct choice choice_mlp_activation = {.name = "activation",
                                             .names = mlp_activation_names,
                                             .count = sizeof mlp_activation_names /
                                                      sizeof *mlp_activation_names};

enum {
    LANES = 16,       /* floats of a vector */
    BLOCK_ROWS = 4,   /* rows that share a load of W, and sums under way at once */
    PREDICT_ROWS = 64 /* rows that go through all layers together: they stay in cache */
};

enum status mlp_shape_check(const struct mlp_shape *shape, struct error *error)
{
    if (shape->layer_count < 1 || shape->layer_count > MLP_LAYER_LIMIT)
        return FAIL(error, STATUS_FAILED, "network has %d layers, expected 1 to %d",
                    shape->layer_count, MLP_LAYER_LIMIT);
    for (int i = 0; i <= shape->layer_count; i++)
        if (shape->widths[i] < 1 || shape->widths[i] > MLP_WIDTH_LIMIT)
            return FAIL(error, STATUS_FAILED, "width %d of the network is %d, expected 1 to %d", i,
                        shape->widths[i], MLP_WIDTH_LIMIT);
    if (shape->output < 0 || shape->output >= choice_mlp_output.count)
        return FAIL(error, STATUS_FAILED, "network has unknown output kind %d", shape->output);
    const int32_t heads = mlp_head_count(shape);
    if (shape->output != MLP_OUTPUT_SUM && heads != 1)
        return FAIL(error, STATUS_FAILED, "network has %d outputs, expected 1", heads);
    if (heads > MLP_HEAD_LIMIT)
        return FAIL(error, STATUS_FAILED, "network has %d outputs, expected 1 to %d", heads,
                    MLP_HEAD_LIMIT);
    if (shape->activation < 0 || shape->activation >= choice_mlp_activation.count)
        return FAIL(error, STATUS_FAILED, "network has unknown activation %d", shape->activation);
    if (shape->output_bias != 0 && shape->output_bias != 1)
        return FAIL(error, STATUS_FAILED, "output_bias of the network is %d, expected 0 or 1",
                    shape->output_bias);
    return STATUS_OK;
}

size_t mlp_weight_offset(const struct mlp_shape *shape, int layer)
{
    size_t offset = 0;
    for (int i = 0; i < layer; i++)
        offset += ((size_t)shape->widths[i] + 1) * (size_t)shape->widths[i + 1];
    return offset;
}

size_t mlp_bias_offset(const struct mlp_shape *shape, int layer)
{
    return mlp_weight_offset(shape, layer) +
           (size_t)shape->widths[layer] * (size_t)shape->widths[layer + 1];
}

int32_t mlp_head_count(const struct mlp_shape *shape)
{
    return shape->widths[shape->layer_count];
}

size_t mlp_parameter_count(const struct mlp_shape *shape)
{
    return mlp_weight_offset(shape, shape->layer_count);
}

void mlp_initialise(float *parameters, const struct mlp_shape *shape, uint64_t seed)
{
    const int drawn = shape->layer_count - (shape->output == MLP_OUTPUT_SUM);
    memset(parameters, 0, mlp_parameter_count(shape) * sizeof *parameters);
    for (int layer = 0; layer < drawn; layer++) {
        size_t end = mlp_bias_offset(shape, layer);
        double limit = sqrt(6.0 / (shape->widths[layer] + shape->widths[layer + 1]));
        for (size_t k = mlp_weight_offset(shape, layer); k < end; k++) {
            struct philox_words words = philox((uint32_t)(k / 4), 0, 0, PHILOX_WEIGHTS, seed);
            parameters[k] = (float)(limit * (2.0 * (double)philox_uniform(words.word[k % 4]) - 1));
        }
    }
}

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float))));

/* `rows` rows times `vectors` vectors of columns of A W + b, both constants of the caller, at most
 * BLOCK_ROWS together; the sum over k in ascending order: a row's prediction does not depend on the
 * other rows. */
static inline __attribute__((always_inline)) void
multiply_block(float *out, const float *inputs, const float *weights, const float *bias,
               size_t inner, size_t columns, size_t rows, size_t vectors)
{
    lanes sum[BLOCK_ROWS][BLOCK_ROWS];
    for (size_t r = 0; r < rows; r++)
        memcpy(sum[r], bias, vectors * sizeof *sum[r]);
    for (size_t k = 0; k < inner; k++)
        for (size_t v = 0; v < vectors; v++) {
            lanes weight;
            memcpy(&weight, weights + k * columns + v * LANES, sizeof weight);
            for (size_t r = 0; r < rows; r++)
                sum[r][v] += inputs[r * inner + k] * weight;
        }
    for (size_t r = 0; r < rows; r++)
        memcpy(out + r * columns, sum[r], vectors * sizeof *sum[r]);
}

/* All vectors of columns of `rows` rows: as many at once as hide the additions' latency. */
static inline __attribute__((always_inline)) void
multiply_rows(float *out, const float *inputs, const float *weights, const float *bias,
              size_t inner, size_t columns, size_t rows, size_t vectors)
{
    size_t j = 0;
    for (; j + vectors * LANES <= columns; j += vectors * LANES)
        multiply_block(out + j, inputs, weights + j, bias + j, inner, columns, rows, vectors);
    for (; j + LANES <= columns && vectors > 1; j += LANES)
        multiply_block(out + j, inputs, weights + j, bias + j, inner, columns, rows, 1);
}

/* the columns that do not fill a vector */
static inline __attribute__((always_inline)) void
multiply_tail(float *out, const float *inputs, const float *weights, const float *bias, size_t rows,
              size_t inner, size_t columns, size_t first)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = first; j < columns; j++) {
            float sum = bias[j];
            for (size_t k = 0; k < inner; k++)
                sum += inputs[r * inner + k] * weights[k * columns + j];
            out[r * columns + j] = sum;
        }
}

/* the columns that fill vectors; rows that fill no block have shapes of their own */
static inline __attribute__((always_inline)) void multiply_vectors(float *out, const float *inputs,
                                                                   const float *weights,
                                                                   const float *bias, size_t rows,
                                                                   size_t inner, size_t columns)
{
    const size_t full = rows - rows % BLOCK_ROWS;
    for (size_t r = 0; r < full; r += BLOCK_ROWS)
        multiply_rows(out + r * columns, inputs + r * inner, weights, bias, inner, columns,
                      BLOCK_ROWS, 1);
    out += full * columns;
    inputs += full * inner;
    if (rows - full == 1)
        multiply_rows(out, inputs, weights, bias, inner, columns, 1, 4);
    else if (rows - full == 2)
        multiply_rows(out, inputs, weights, bias, inner, columns, 2, 2);
    else if (rows - full == 3)
        multiply_rows(out, inputs, weights, bias, inner, columns, 3, 1);
}

/* out (rows, columns) = inputs (rows, inner) W (inner, columns) + bias. Not oneDNN's sgemm: it
 * compiles its kernels on first use, which takes longer than a small forecast. */
VECTOR_CLONES
static void multiply(float *out, const float *inputs, const float *weights, const float *bias,
                     size_t rows, size_t inner, size_t columns)
{
    multiply_vectors(out, inputs, weights, bias, rows, inner, columns);
    multiply_tail(out, inputs, weights, bias, rows, inner, columns, columns - columns % LANES);
}

/* NaN stays NaN */
static void relu(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = values[i] < 0 ? 0 : values[i];
}

VECTOR_CLONES
static void silu(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = silu_of(values[i]).value;
}

/* z (rows, heads) of the output layer -> predictions */
static void combine_heads(float *predictions, const float *z, const float *offsets, size_t rows,
                          const struct mlp_shape *shape)
{
    const size_t heads = (size_t)mlp_head_count(shape);
    for (size_t r = 0; r < rows; r++)
        if (shape->output == MLP_OUTPUT_SUM)
            predictions[r] = log_sum(NULL, z + r * heads, offsets + r * heads, (int32_t)heads);
        else if (shape->output == MLP_OUTPUT_RELU)
            predictions[r] = log1pf(z[r] < 0 ? 0 : z[r]); /* NaN stays NaN */
        else
            predictions[r] = z[r];
}

/* rows <= PREDICT_ROWS; front and back hold that many rows of the widest layer */
static void predict_block(float *predictions, const float *inputs, const float *offsets,
                          size_t rows, const float *parameters, const struct mlp_shape *shape,
                          float *front, float *back)
{
    int last = shape->layer_count - 1;
    const float *layer_inputs = inputs;
    for (int layer = 0; layer <= last; layer++) {
        float *out = layer % 2 ? back : front;
        size_t columns = (size_t)shape->widths[layer + 1];
        multiply(out, layer_inputs, parameters + mlp_weight_offset(shape, layer),
                 parameters + mlp_bias_offset(shape, layer), rows, (size_t)shape->widths[layer],
                 columns);
        if (layer < last)
            (shape->activation == MLP_ACTIVATION_SILU ? silu : relu)(out, rows * columns);
        layer_inputs = out;
    }
    combine_heads(predictions, layer_inputs, offsets, rows, shape);
}

enum status mlp_predict(float *predictions, const float *inputs, const float *offsets, size_t rows,
                        const float *parameters, const struct mlp_shape *shape, struct error *error)
{
    TRY(mlp_shape_check(shape, error));
    if ((shape->output == MLP_OUTPUT_SUM) != (offsets != NULL))
        return FAIL(error, STATUS_FAILED, "output %s %s", choice_mlp_output.names[shape->output],
                    offsets ? "takes no offsets" : "needs offsets");
    const size_t heads = (size_t)mlp_head_count(shape);
    size_t widest = 1;
    for (int i = 1; i <= shape->layer_count; i++)
        if ((size_t)shape->widths[i] > widest)
            widest = (size_t)shape->widths[i];
    void *scratch = NULL;
    float small[2 * MLP_WIDTH_LIMIT];
    const size_t at_once = rows < PREDICT_ROWS ? rows : PREDICT_ROWS;
    if (at_once * widest > MLP_WIDTH_LIMIT)
        TRY(error_allocate(&scratch, 2 * at_once * widest, sizeof(float), "prediction", error));
    float *front = scratch ? scratch : small, *back = front + at_once * widest;
    for (size_t r = 0; r < rows; r += PREDICT_ROWS) {
        size_t count = rows - r < PREDICT_ROWS ? rows - r : PREDICT_ROWS;
        predict_block(predictions + r, inputs + r * (size_t)shape->widths[0],
                      offsets ? offsets + r * heads : NULL, count, parameters, shape, front, back);
    }
    free(scratch);
    return STATUS_OK;
}
