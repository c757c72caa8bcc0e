#include "onednn/norm_loops_internal.h"

#include <math.h>

static const float epsilon = 1e-5f;

struct norm norm_of(const struct cpu_loop *loop)
{
    void *const *data = loop->data;
    const int64_t *size = loop->size;
    const bool has_mean = size[NORM_HAS_MEAN];
    const int64_t scales = size[NORM_TURNS] * size[NORM_WIDTH];
    const float *parameters = data[DATA_PARAMETERS];
    float *statistics = data[DATA_STATISTICS];
    return (struct norm){.x = data[DATA_X],
                         .y = data[DATA_Y],
                         .y_gradient = data[DATA_Y_GRADIENT],
                         .x_gradient = data[DATA_X_GRADIENT],
                         .scales = parameters,
                         .shifts = has_mean ? parameters + scales : NULL,
                         .means = statistics,
                         .inverses = statistics + size[NORM_ROWS],
                         .gradients = data[DATA_PARAMETERS_GRADIENT],
                         .scratch = data[DATA_SCRATCH],
                         .rows = size[NORM_ROWS],
                         .turns = size[NORM_TURNS],
                         .width = size[NORM_WIDTH],
                         .pixels = size[NORM_PIXELS],
                         .length = size[NORM_WIDTH] * size[NORM_PIXELS],
                         .parameter_count = scales * (has_mean ? 2 : 1),
                         .type = (dnnl_data_type_t)size[NORM_TYPE],
                         .threads = (int)size[NORM_THREADS],
                         .has_mean = has_mean};
}

/* ---- statistics ---- */

LOOP_CLONES static float block_sum(const float *x, int count)
{
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < count; i++)
        sum += x[i];
    return sum;
}

LOOP_CLONES static float block_squares(const float *x, int count, float mean)
{
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < count; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

/* Blocks, each by its own mean, are joined (Chan, Golub, LeVeque 1979): one pass over the row. */
static void take_statistics(const struct norm *norm, int64_t row)
{
    float buffer[LOOP_BLOCK];
    double mean = 0, squares = 0, seen = 0;
    EACH_BLOCK(at, count, norm->length)
    {
        const float *x = loop_load(buffer, norm->x, row * norm->length + at, count, norm->type);
        const float own = norm->has_mean ? block_sum(x, count) / (float)count : 0;
        const double apart = (double)own - mean, total = seen + count;
        squares += (double)block_squares(x, count, own) + apart * apart * seen * count / total;
        mean += apart * count / total;
        seen = total;
    }
    norm->means[row] = (float)mean;
    norm->inverses[row] = (float)(1 / sqrt(squares / seen + (double)epsilon));
}

/* ---- forward ---- */

LOOP_CLONES static void block_scale(float *y, const float *x, int count, float factor, float shift)
{
#pragma omp simd
    for (int i = 0; i < count; i++)
        y[i] = x[i] * factor + shift;
}

LOOP_CLONES static void block_scale_each(float *y, const float *x, int count, float mean,
                                         float inverse, const float *scales, const float *shifts)
{
    if (!shifts) {
#pragma omp simd
        for (int i = 0; i < count; i++)
            y[i] = x[i] * inverse * scales[i];
        return;
    }
#pragma omp simd
    for (int i = 0; i < count; i++)
        y[i] = (x[i] - mean) * inverse * scales[i] + shifts[i];
}

static void write_elements(const struct norm *norm, int64_t row)
{
    float from[LOOP_BLOCK], to[LOOP_BLOCK];
    const int64_t scale = first_scale(norm, row);
    EACH_BLOCK(at, count, norm->length)
    {
        const int64_t first = row * norm->length + at;
        const float *x = loop_load(from, norm->x, first, count, norm->type);
        float *y = loop_target(to, norm->y, first, norm->type);
        block_scale_each(y, x, count, norm->means[row], norm->inverses[row],
                         norm->scales + scale + at,
                         norm->shifts ? norm->shifts + scale + at : NULL);
        loop_store(norm->y, first, y, count, norm->type);
    }
}

static void write_channel(const struct norm *norm, int64_t row, int64_t channel)
{
    float from[LOOP_BLOCK], to[LOOP_BLOCK];
    const int64_t scale = first_scale(norm, row) + channel;
    const float factor = norm->scales[scale] * norm->inverses[row];
    const float shift = norm->shifts ? norm->shifts[scale] - norm->means[row] * factor : 0;
    EACH_BLOCK(at, count, norm->pixels)
    {
        const int64_t first = row * norm->length + channel * norm->pixels + at;
        const float *x = loop_load(from, norm->x, first, count, norm->type);
        float *y = loop_target(to, norm->y, first, norm->type);
        block_scale(y, x, count, factor, shift);
        loop_store(norm->y, first, y, count, norm->type);
    }
}

static void run_forward(const struct cpu_loop *loop)
{
    const struct norm norm = norm_of(loop);
#pragma omp parallel for num_threads(norm.threads)
    for (int64_t row = 0; row < norm.rows; row++) {
        take_statistics(&norm, row);
        if (norm.pixels == 1)
            write_elements(&norm, row);
        for (int64_t channel = 0; channel < norm.width && norm.pixels > 1; channel++)
            write_channel(&norm, row, channel);
    }
}

/* ---- steps ---- */

static struct cpu_loop loop_of(const struct cpu_plan *plan, const struct norm_rows *rows,
                               const struct norm_tensors *tensors)
{
    return (struct cpu_loop){.data = {[DATA_X] = tensors->x->data,
                                      [DATA_Y] = tensors->y->data,
                                      [DATA_PARAMETERS] = tensors->parameters->data,
                                      [DATA_STATISTICS] = tensors->statistics->data},
                             .size = {[NORM_ROWS] = rows->rows,
                                      [NORM_TURNS] = rows->turns,
                                      [NORM_WIDTH] = rows->width,
                                      [NORM_PIXELS] = rows->pixels,
                                      [NORM_HAS_MEAN] = rows->has_mean,
                                      [NORM_TYPE] = cpu_storage(plan),
                                      [NORM_THREADS] = plan->device->thread_count}};
}

enum status norm_loop_forward(struct cpu_plan *plan, const struct norm_rows *rows,
                              const struct norm_tensors *tensors, struct error *error)
{
    struct cpu_loop loop = loop_of(plan, rows, tensors);
    loop.run = run_forward;
    return cpu_loop_add(plan, PHASE_FORWARD, &loop, error);
}

enum status norm_loop_backward(struct cpu_plan *plan, const struct norm_rows *rows,
                               const struct norm_tensors *tensors, struct error *error)
{
    struct cpu_loop loop = loop_of(plan, rows, tensors);
    const bool is_each = rows->pixels == 1;
    const int64_t parameters = rows->turns * rows->width * (rows->has_mean ? 2 : 1);
    const dnnl_dim_t count = is_each ? plan->device->thread_count * parameters
                                     : 2 * rows->rows * rows->width;
    const struct cpu_layout *layout;
    struct cpu_tensor scratch;
    TRY(cpu_plain_layout(&layout, plan, 1, &count, dnnl_f32, error));
    TRY(cpu_tensor_create(&scratch, plan, layout, 0, error));
    plan->base.workspace_bytes += count * (int64_t)sizeof(float);
    loop.run = is_each ? norm_run_backward_each : norm_run_backward_channels;
    loop.data[DATA_Y_GRADIENT] = tensors->y_gradient->data;
    loop.data[DATA_X_GRADIENT] = tensors->x_gradient->data;
    loop.data[DATA_PARAMETERS_GRADIENT] = tensors->parameters_gradient->data;
    loop.data[DATA_SCRATCH] = scratch.data;
    return cpu_loop_add(plan, PHASE_BACKWARD, &loop, error);
}
