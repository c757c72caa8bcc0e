#include "trainer/trainer_host_kernels.h"

#include "trainer/activation.h"
#include "trainer/trainer_math.h"
#include "trainer/vector.h"

#include <math.h>

VECTOR_CLONES
void kernel_bias(float *restrict z, const float *restrict bias, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < width; j++)
            z[r * width + j] += bias[j];
}

VECTOR_CLONES
void kernel_bias_relu(float *restrict z, const float *restrict bias, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < width; j++) {
            float sum = z[r * width + j] + bias[j];
            z[r * width + j] = sum < 0 ? 0 : sum;
        }
}

VECTOR_CLONES
static void bias_silu_forward(float *restrict z, const float *restrict bias, size_t rows,
                              size_t width)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < width; j++)
            z[r * width + j] = silu_of(z[r * width + j] + bias[j]).value;
}

VECTOR_CLONES
static void bias_silu_train(float *restrict z, float *restrict slopes, const float *restrict bias,
                            size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < width; j++) {
            struct silu silu = silu_of(z[r * width + j] + bias[j]);
            z[r * width + j] = silu.value;
            slopes[r * width + j] = silu.slope;
        }
}

void kernel_bias_silu(float *z, float *slopes, const float *bias, size_t rows, size_t width)
{
    if (slopes)
        bias_silu_train(z, slopes, bias, rows, width);
    else
        bias_silu_forward(z, bias, rows, width);
}

enum { GROUP_BLOCK = 16, GROUP_UNITS = 8 }; /* dropout_words calls at once; decisions per call */

/* words[i][g] = word i of group first_group + g */
static inline __attribute__((always_inline)) void draw_groups(uint32_t words[4][GROUP_BLOCK],
                                                              uint32_t step, uint32_t row,
                                                              uint32_t first_group, uint64_t seed)
{
    for (uint32_t g = 0; g < GROUP_BLOCK; g++) {
        struct philox_words drawn = dropout_words(step, row, first_group + g, seed);
        words[0][g] = drawn.word[0];
        words[1][g] = drawn.word[1];
        words[2][g] = drawn.word[2];
        words[3][g] = drawn.word[3];
    }
}

/* one block of one row: bits[] in the order of the units, as dropout_bits */
static inline __attribute__((always_inline)) void
draw_bits(uint32_t *bits, uint32_t step, uint32_t row, uint32_t first_group, uint64_t seed)
{
    uint32_t words[4][GROUP_BLOCK];
    draw_groups(words, step, row, first_group, seed);
    for (uint32_t g = 0; g < GROUP_BLOCK; g++)
        for (uint32_t i = 0; i < 4; i++) {
            bits[g * GROUP_UNITS + 2 * i] = words[i][g] & 0xFFFF;
            bits[g * GROUP_UNITS + 2 * i + 1] = words[i][g] >> 16;
        }
}

VECTOR_CLONES
void kernel_dropout(float *a, size_t rows, size_t width, const struct dropout *dropout)
{
    enum { BLOCK_UNITS = GROUP_BLOCK * GROUP_UNITS };
    uint32_t threshold = dropout_threshold(dropout->share);
    float scale = 1.0f / (1.0f - dropout->share);
    for (size_t r = 0; r < rows; r++)
        for (size_t first = 0; first < width; first += BLOCK_UNITS) {
            uint32_t bits[BLOCK_UNITS];
            float *block = a + r * width + first;
            size_t count = width - first < BLOCK_UNITS ? width - first : BLOCK_UNITS;
            draw_bits(bits, dropout->step, dropout->first_row + (uint32_t)r,
                      (uint32_t)(first / GROUP_UNITS), dropout->seed);
            for (size_t j = 0; j < count; j++)
                block[j] = bits[j] < threshold ? block[j] * scale : 0;
        }
}

VECTOR_CLONES
void kernel_relu_backward(float *restrict delta, const float *restrict activation, size_t count,
                          float scale)
{
    for (size_t i = 0; i < count; i++)
        delta[i] = activation[i] > 0 ? delta[i] * scale : 0;
}

VECTOR_CLONES
void kernel_multiply(float *restrict values, const float *restrict factors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] *= factors[i];
}

VECTOR_CLONES
void kernel_column_sums(float *restrict sums, const float *restrict a, size_t rows, size_t width)
{
    for (size_t j = 0; j < width; j++)
        sums[j] = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < width; j++)
            sums[j] += a[r * width + j];
}

VECTOR_CLONES
void kernel_outer_product(float *restrict out, const float *restrict column,
                          const float *restrict row, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < width; j++)
            out[r * width + j] = column[r] * row[j];
}

/* by square tiles, so that neither side strides through the cache */
void kernel_transpose(float *restrict out, const float *restrict a, size_t rows, size_t columns)
{
    enum { TILE = 16 };
    for (size_t r = 0; r < rows; r += TILE)
        for (size_t c = 0; c < columns; c += TILE)
            for (size_t j = c; j < columns && j < c + TILE; j++)
                for (size_t i = r; i < rows && i < r + TILE; i++)
                    out[j * rows + i] = a[i * columns + j];
}

VECTOR_CLONES
void kernel_sum(float *sum, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] = a[i] + b[i];
}

VECTOR_CLONES
void kernel_add_scaled(float *restrict gradient, const float *restrict weights, size_t count,
                       float l2)
{
    for (size_t i = 0; i < count; i++)
        gradient[i] += l2 * weights[i];
}

VECTOR_CLONES
double kernel_squared_norm(const float *values, size_t count)
{
    enum { LANES = 32 }; /* several vectors: none waits for its own last sum */
    double sum[LANES] = {0}, total = 0;
    const size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sum[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (size_t i = whole; i < count; i++)
        sum[i - whole] += (double)values[i] * (double)values[i];
    for (int lane = 0; lane < LANES; lane++)
        total += sum[lane];
    return total;
}

VECTOR_CLONES
void kernel_adam(float *restrict weights, float *restrict m, float *restrict v,
                 const float *restrict gradient, size_t count, const struct adam *adam)
{
    const struct adam a = *adam;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] * a.gradient_scale;
        m[i] += (g - m[i]) * (1.0f - a.beta1);
        v[i] += (g * g - v[i]) * (1.0f - a.beta2);
        weights[i] -= a.rate * m[i] / (sqrtf(v[i]) + a.epsilon) + a.decay * weights[i];
    }
}
