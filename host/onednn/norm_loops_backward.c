/* The backward pass. h is the normal x, g the gradient of y: x's gradient is (g scale - mean(g
 * scale) - h mean(g scale h)) / deviation, without the first mean where x has none taken off.
 */
#include "onednn/norm_loops_internal.h"

#include <omp.h>

/* Sums over a row. */
struct row_sums {
    double plain, product; /* of g scale; of g scale h */
};

/* Sums of g and of g h. */
LOOP_CLONES static void block_gradients(float sums[2], const float *g, const float *x, int count,
                                        float mean, float inverse)
{
    float plain = 0, product = 0;
#pragma omp simd reduction(+ : plain, product)
    for (int i = 0; i < count; i++) {
        plain += g[i];
        product += g[i] * (x[i] - mean);
    }
    sums[0] = plain;
    sums[1] = product * inverse;
}

/* x_gradient = factor g - slope x + shift */
LOOP_CLONES static void block_combine(float *x_gradient, const float *g, const float *x, int count,
                                      float factor, float slope, float shift)
{
#pragma omp simd
    for (int i = 0; i < count; i++)
        x_gradient[i] = g[i] * factor - x[i] * slope + shift;
}

/* The same where each element has its scale; its gradient and the shift's are summed up, too. */
LOOP_CLONES static void block_gradients_each(float sums[2], float *scale_sums, float *shift_sums,
                                             const float *g, const float *x, int count, float mean,
                                             float inverse, const float *scales)
{
    float plain = 0, product = 0;
#pragma omp simd reduction(+ : plain, product)
    for (int i = 0; i < count; i++) {
        const float normal = g[i] * ((x[i] - mean) * inverse);
        scale_sums[i] += normal;
        plain += g[i] * scales[i];
        product += normal * scales[i];
    }
    sums[0] = plain;
    sums[1] = product;
#pragma omp simd
    for (int i = 0; i < (shift_sums ? count : 0); i++)
        shift_sums[i] += g[i];
}

LOOP_CLONES static void block_combine_each(float *x_gradient, const float *g, const float *x,
                                           int count, const float *scales, float inverse,
                                           float slope, float shift)
{
#pragma omp simd
    for (int i = 0; i < count; i++)
        x_gradient[i] = g[i] * (scales[i] * inverse) - x[i] * slope + shift;
}

/* What an element of x and a constant add to x's gradient. */
struct row_line {
    float slope, shift;
};
static struct row_line line_of(const struct norm *norm, int64_t row, const struct row_sums *sums)
{
    const double inverse = (double)norm->inverses[row], count = (double)norm->length;
    const double slope = sums->product / count * inverse * inverse;
    const double plain = norm->has_mean ? sums->plain / count * inverse : 0;
    return (struct row_line){(float)slope, (float)((double)norm->means[row] * slope - plain)};
}

/* ---- each element has its scale: every thread sums up the parameters' gradients of its rows ----
 */

static void sum_elements(struct row_sums *sums, float *gradients, const struct norm *norm,
                         int64_t row)
{
    float g_buffer[LOOP_BLOCK], x_buffer[LOOP_BLOCK], block[2];
    const int64_t scale = first_scale(norm, row), scales = norm->turns * norm->width;
    *sums = (struct row_sums){0, 0};
    EACH_BLOCK(at, count, norm->length)
    {
        const int64_t first = row * norm->length + at;
        const float *g = loop_load(g_buffer, norm->y_gradient, first, count, norm->type);
        const float *x = loop_load(x_buffer, norm->x, first, count, norm->type);
        float *own = gradients + scale + at;
        block_gradients_each(block, own, norm->has_mean ? own + scales : NULL, g, x, count,
                             norm->means[row], norm->inverses[row], norm->scales + scale + at);
        sums->plain += (double)block[0];
        sums->product += (double)block[1];
    }
}

static void combine_elements(const struct norm *norm, int64_t row, const struct row_sums *sums)
{
    float g_buffer[LOOP_BLOCK], x_buffer[LOOP_BLOCK], to[LOOP_BLOCK];
    const struct row_line line = line_of(norm, row, sums);
    const int64_t scale = first_scale(norm, row);
    EACH_BLOCK(at, count, norm->length)
    {
        const int64_t first = row * norm->length + at;
        const float *g = loop_load(g_buffer, norm->y_gradient, first, count, norm->type);
        const float *x = loop_load(x_buffer, norm->x, first, count, norm->type);
        float *target = loop_target(to, norm->x_gradient, first, norm->type);
        block_combine_each(target, g, x, count, norm->scales + scale + at, norm->inverses[row],
                           line.slope, line.shift);
        loop_store(norm->x_gradient, first, target, count, norm->type);
    }
}

void norm_run_backward_each(const struct cpu_loop *loop)
{
    const struct norm norm = norm_of(loop);
#pragma omp parallel num_threads(norm.threads)
    {
        float *own = norm.scratch + omp_get_thread_num() * norm.parameter_count;
        const int threads = omp_get_num_threads();
        memset(own, 0, (size_t)norm.parameter_count * sizeof *own);
#pragma omp for
        for (int64_t row = 0; row < norm.rows; row++) {
            struct row_sums sums;
            sum_elements(&sums, own, &norm, row);
            combine_elements(&norm, row, &sums);
        }
#pragma omp for
        for (int64_t i = 0; i < norm.parameter_count; i++) {
            norm.gradients[i] = norm.scratch[i];
            for (int thread = 1; thread < threads; thread++)
                norm.gradients[i] += norm.scratch[thread * norm.parameter_count + i];
        }
    }
}

/* ---- a channel has its scale: sums of each channel of each row, then over the rows ---- */

static void sum_channel(float sums[2], const struct norm *norm, int64_t row, int64_t channel)
{
    float g_buffer[LOOP_BLOCK], x_buffer[LOOP_BLOCK], block[2];
    double plain = 0, product = 0;
    EACH_BLOCK(at, count, norm->pixels)
    {
        const int64_t first = row * norm->length + channel * norm->pixels + at;
        const float *g = loop_load(g_buffer, norm->y_gradient, first, count, norm->type);
        const float *x = loop_load(x_buffer, norm->x, first, count, norm->type);
        block_gradients(block, g, x, count, norm->means[row], norm->inverses[row]);
        plain += (double)block[0];
        product += (double)block[1];
    }
    sums[0] = (float)plain;
    sums[1] = (float)product;
}

static void combine_channel(const struct norm *norm, int64_t row, int64_t channel,
                            const struct row_line *line)
{
    float g_buffer[LOOP_BLOCK], x_buffer[LOOP_BLOCK], to[LOOP_BLOCK];
    const float factor = norm->scales[first_scale(norm, row) + channel] * norm->inverses[row];
    EACH_BLOCK(at, count, norm->pixels)
    {
        const int64_t first = row * norm->length + channel * norm->pixels + at;
        const float *g = loop_load(g_buffer, norm->y_gradient, first, count, norm->type);
        const float *x = loop_load(x_buffer, norm->x, first, count, norm->type);
        float *target = loop_target(to, norm->x_gradient, first, norm->type);
        block_combine(target, g, x, count, factor, line->slope, line->shift);
        loop_store(norm->x_gradient, first, target, count, norm->type);
    }
}

/* sums (width, 2) */
static void run_backward_row(const struct norm *norm, int64_t row, float *sums)
{
    struct row_sums all = {0, 0};
    for (int64_t channel = 0; channel < norm->width; channel++) {
        const double scale = (double)norm->scales[first_scale(norm, row) + channel];
        sum_channel(sums + 2 * channel, norm, row, channel);
        all.plain += (double)sums[2 * channel] * scale;
        all.product += (double)sums[2 * channel + 1] * scale;
    }
    const struct row_line line = line_of(norm, row, &all);
    for (int64_t channel = 0; channel < norm->width; channel++)
        combine_channel(norm, row, channel, &line);
}

void norm_run_backward_channels(const struct cpu_loop *loop)
{
    const struct norm norm = norm_of(loop);
    const int64_t scales = norm.turns * norm.width;
#pragma omp parallel for num_threads(norm.threads)
    for (int64_t row = 0; row < norm.rows; row++)
        run_backward_row(&norm, row, norm.scratch + 2 * row * norm.width);
#pragma omp parallel for num_threads(norm.threads)
    for (int64_t i = 0; i < scales; i++) {
        float plain = 0, product = 0;
        for (int64_t at = i; at < norm.rows * norm.width; at += scales) {
            plain += norm.scratch[2 * at];
            product += norm.scratch[2 * at + 1];
        }
        norm.gradients[i] = product;
        if (norm.has_mean)
            norm.gradients[scales + i] = plain;
    }
}
