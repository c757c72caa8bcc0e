/* Elementwise loops of the host trainer. Sums run in a fixed order, so that the bits do not depend
 * on the vector width. Matrices are row-major.
 */
#ifndef EPOCHCAST_TRAINER_TRAINER_HOST_KERNELS_H
#define EPOCHCAST_TRAINER_TRAINER_HOST_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Asks memory for values that are read soon. */
static inline void kernel_prefetch(const float *values, size_t count)
{
    enum { LINE_FLOATS = 16 };
    for (size_t i = 0; i < count; i += LINE_FLOATS)
        __builtin_prefetch(values + i);
}

/* z (rows, width) += bias. */
void kernel_bias(float *z, const float *bias, size_t rows, size_t width);

/* z (rows, width) = relu(z + bias); NaN stays NaN. */
void kernel_bias_relu(float *z, const float *bias, size_t rows, size_t width);

/* z (rows, width) = silu(z + bias); slopes, unless NULL: its derivative. */
void kernel_bias_silu(float *z, float *slopes, const float *bias, size_t rows, size_t width);

struct dropout {
    float share;              /* of units dropped */
    uint32_t step, first_row; /* of the batch: row r of the array is row first_row + r */
    uint64_t seed;
};
/* a (rows, width) = a / (1 - share) where kept, else 0. */
void kernel_dropout(float *a, size_t rows, size_t width, const struct dropout *dropout);

/* delta = activation > 0 ? delta * scale : 0, the derivative of relu and dropout (scale
 * 1 / (1 - share); dropped units are 0). */
void kernel_relu_backward(float *delta, const float *activation, size_t count, float scale);

/* values *= factors. */
void kernel_multiply(float *values, const float *factors, size_t count);

/* sums (width) = column sums of a (rows, width). */
void kernel_column_sums(float *sums, const float *a, size_t rows, size_t width);

/* out (rows, width) = column (rows) times row (width). */
void kernel_outer_product(float *out, const float *column, const float *row, size_t rows,
                          size_t width);

/* out (columns, rows) = a (rows, columns) transposed. */
void kernel_transpose(float *out, const float *a, size_t rows, size_t columns);

/* sum = a + b; sum may be a. */
void kernel_sum(float *sum, const float *a, const float *b, size_t count);
/* gradient += l2 * weights. */
void kernel_add_scaled(float *gradient, const float *weights, size_t count, float l2);

double kernel_squared_norm(const float *values, size_t count);

struct adam {
    float beta1, beta2, epsilon;
    float rate;           /* learning rate * sqrt(1 - beta2^t) / (1 - beta1^t) */
    float decay;          /* learning rate * weight decay; 0 for biases */
    float gradient_scale; /* of the clip; 1: none */
};
/* Kingma & Ba 2015, section 2's reordered form, as TensorFlow and Keras: epsilon is "epsilon hat",
 * added to the uncorrected sqrt(v): w -= rate * m / (sqrt(v) + epsilon) + decay * w. */
void kernel_adam(float *weights, float *m, float *v, const float *gradient, size_t count,
                 const struct adam *adam);

#endif
