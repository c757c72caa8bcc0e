#include "trainer/head_net.h"

#include "base/permutation.h"
#include "onednn/gemm.h"
#include "trainer/trainer_host_kernels.h"
#include "trainer/trainer_math.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 3, BATCH_ROWS = 256, EPOCHS = 10, STEPS_MINIMUM = 300 };

/* Chosen on the published rows; nearby values change little. */
static const struct train_options recipe = {.learning_rate = 3e-3f,
                                            .beta1 = 0.9f,
                                            .beta2 = 0.99f,
                                            .epsilon = 1e-8f,
                                            .weight_decay = 0.1f,
                                            .gradient_clip = 1,
                                            .schedule = SCHEDULE_COSINE,
                                            .warmup_share = 0.05f,
                                            .batch_size = BATCH_ROWS,
                                            .epochs = EPOCHS};

struct mlp_shape head_net_shape(int32_t columns, int32_t heads)
{
    assert(heads <= HEAD_NET_HEAD_LIMIT);
    return (struct mlp_shape){.layer_count = LAYERS,
                              .widths = {columns, HEAD_NET_WIDTH, HEAD_NET_WIDTH, heads}};
}

/* ---- training ---- */

/* Arrays for BATCH_ROWS rows. */
struct net {
    const struct mlp_shape *shape;
    float *parameters, *gradient, *m, *v; /* (parameter_count) */
    float *inputs;                        /* (BATCH_ROWS, widths[0]) */
    float *outputs[LAYERS], *deltas[LAYERS];
    float *ceilings, *targets; /* (BATCH_ROWS, heads), (BATCH_ROWS) */
    int failures;              /* products that failed */
    size_t hidden_column;
    uint64_t seed;
    void *memory;
};

static enum status net_create(struct net *net, const struct mlp_shape *shape, float *parameters,
                              struct error *error)
{
    const size_t heads = (size_t)shape->widths[LAYERS], count = mlp_parameter_count(shape),
                 columns = (size_t)shape->widths[0];
    *net = (struct net){.shape = shape, .parameters = parameters};
    TRY(error_allocate(&net->memory,
                       3 * count + BATCH_ROWS * (columns + 4 * HEAD_NET_WIDTH + 3 * heads + 1),
                       sizeof(float), "training", error));
    float *next = net->memory;
    net->gradient = next;
    net->m = next += count;
    net->v = next += count;
    net->inputs = next += count;
    net->ceilings = next += BATCH_ROWS * columns;
    net->targets = next += BATCH_ROWS * heads;
    next += BATCH_ROWS;
    for (int layer = 0; layer < LAYERS; layer++) {
        const size_t size = BATCH_ROWS * (size_t)shape->widths[layer + 1];
        net->outputs[layer] = next;
        net->deltas[layer] = next + size;
        next += 2 * size;
    }
    return STATUS_OK;
}

static void multiply(struct net *net, bool transpose_a, bool transpose_b, int rows, int columns,
                     int inner, const float *a, const float *b, float *c)
{
    net->failures += 0 != sgemm_row_major(transpose_a, transpose_b, rows, columns, inner, 1, a,
                                          transpose_a ? rows : inner, b,
                                          transpose_b ? inner : columns, 0, c, columns);
}

/* Fills outputs; the last layer's are the heads. */
static void forward(struct net *net, int rows)
{
    const struct mlp_shape *shape = net->shape;
    const float *inputs = net->inputs;
    for (int layer = 0; layer < LAYERS; layer++) {
        const int columns = shape->widths[layer + 1];
        const float *bias = net->parameters + mlp_bias_offset(shape, layer);
        float *z = net->outputs[layer];
        multiply(net, false, false, rows, columns, shape->widths[layer], inputs,
                 net->parameters + mlp_weight_offset(shape, layer), z);
        if (layer + 1 < LAYERS)
            kernel_bias_relu(z, bias, (size_t)rows, (size_t)columns);
        else
            for (int i = 0; i < rows * columns; i++)
                z[i] += bias[i % columns];
        inputs = z;
    }
}

/* ln of the sum of the heads; shares (unless NULL): each head's part of the sum. */
static double log_sum(float *shares, const float *ceilings, const float *heads, int count)
{
    double highest = -INFINITY, sum = 0;
    for (int i = 0; i < count; i++)
        highest = fmax(highest, (double)ceilings[i] + (double)heads[i]);
    for (int i = 0; i < count; i++)
        sum += exp((double)ceilings[i] + (double)heads[i] - highest);
    for (int i = 0; i < count && shares; i++)
        shares[i] = (float)(exp((double)ceilings[i] + (double)heads[i] - highest) / sum);
    return highest + log(sum);
}

/* gradient of the batch's mean squared error. */
static void backward(struct net *net, int rows)
{
    const struct mlp_shape *shape = net->shape;
    const int count = shape->widths[LAYERS];
    float *delta = net->deltas[LAYERS - 1];
    for (int row = 0; row < rows; row++) {
        float *shares = delta + row * count;
        const double error = log_sum(shares, net->ceilings + row * count,
                                     net->outputs[LAYERS - 1] + row * count, count) -
                             (double)net->targets[row];
        for (int i = 0; i < count; i++)
            shares[i] *= (float)(2 * error / rows);
    }
    for (int layer = LAYERS - 1; layer >= 0; layer--) {
        const int inner = shape->widths[layer], columns = shape->widths[layer + 1];
        const float *inputs = layer > 0 ? net->outputs[layer - 1] : net->inputs;
        const size_t weights = mlp_weight_offset(shape, layer);
        multiply(net, true, false, inner, columns, rows, inputs, net->deltas[layer],
                 net->gradient + weights);
        kernel_column_sums(net->gradient + mlp_bias_offset(shape, layer), net->deltas[layer],
                           (size_t)rows, (size_t)columns);
        if (layer == 0)
            return;
        multiply(net, false, true, rows, inner, columns, net->deltas[layer],
                 net->parameters + weights, net->deltas[layer - 1]);
        kernel_relu_backward(net->deltas[layer - 1], inputs, (size_t)(rows * inner), 1);
    }
}

static void update(struct net *net, uint32_t step, uint32_t epoch_steps,
                   const struct train_options *options)
{
    const double rate = learning_rate(options, step, epoch_steps);
    const size_t count = mlp_parameter_count(net->shape);
    const double norm = sqrt(kernel_squared_norm(net->gradient, count));
    const double clip = (double)options->gradient_clip;
    struct adam adam = {.beta1 = options->beta1,
                        .beta2 = options->beta2,
                        .epsilon = options->epsilon,
                        .rate = (float)adam_rate(options, rate, step),
                        .gradient_scale = norm > clip ? (float)(clip / norm) : 1};
    for (int part = 0; part < 2 * LAYERS; part++) { /* W, b of each layer */
        const size_t middle = mlp_bias_offset(net->shape, part / 2);
        const size_t from = part % 2 ? middle : mlp_weight_offset(net->shape, part / 2);
        const size_t to = part % 2 ? mlp_weight_offset(net->shape, part / 2 + 1) : middle;
        adam.decay = part % 2 ? 0 : (float)(rate * (double)options->weight_decay);
        kernel_adam(net->parameters + from, net->m + from, net->v + from, net->gradient + from,
                    to - from, &adam);
    }
}

/* Batch `step`, in the order of its epoch; returns its rows. */
static int gather(struct net *net, const struct head_rows *table, uint32_t step,
                  uint32_t epoch_steps)
{
    const size_t heads = (size_t)net->shape->widths[LAYERS];
    const uint32_t count = (uint32_t)table->count, first = step % epoch_steps * BATCH_ROWS;
    const uint32_t key = permutation_key(net->seed, step / epoch_steps);
    const int half_bits = permutation_half_bits(count);
    const uint32_t rows = count - first < BATCH_ROWS ? count - first : BATCH_ROWS;
    for (uint32_t r = 0; r < rows; r++) {
        const size_t row = permutation(first + r, count, half_bits, key);
        memcpy(net->inputs + r * table->columns, table->inputs + row * table->columns,
               table->columns * sizeof(float));
        net->inputs[r * table->columns + net->hidden_column] = 0;
        memcpy(net->ceilings + r * heads, table->ceilings + row * heads, heads * sizeof(float));
        net->targets[r] = table->targets[row];
    }
    return (int)rows;
}

static void learn(struct net *net, const struct head_rows *table)
{
    struct train_options options = recipe;
    const uint32_t epoch_steps = (uint32_t)((table->count + BATCH_ROWS - 1) / BATCH_ROWS);
    const uint32_t needed = (STEPS_MINIMUM + epoch_steps - 1) / epoch_steps;
    if ((uint32_t)options.epochs < needed)
        options.epochs = (int32_t)needed;
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1); /* the products are too small to share */
    for (uint32_t step = 0; step < (uint32_t)options.epochs * epoch_steps; step++) {
        const int rows = gather(net, table, step, epoch_steps);
        forward(net, rows);
        backward(net, rows);
        update(net, step, epoch_steps, &options);
    }
    omp_set_num_threads(threads);
}

static void initialise(float *parameters, const struct mlp_shape *shape, uint64_t seed)
{
    mlp_initialise(parameters, shape, seed);
    const size_t end = mlp_bias_offset(shape, LAYERS - 1);
    for (size_t i = mlp_weight_offset(shape, LAYERS - 1); i < end; i++)
        parameters[i] *= 0.1f; /* start close to the ceilings */
}

enum status head_net_train(float *parameters, const struct mlp_shape *shape,
                           const struct head_rows *rows, size_t hidden_column, uint64_t seed,
                           struct error *error)
{
    struct net net;
    TRY(net_create(&net, shape, parameters, error));
    net.hidden_column = hidden_column;
    net.seed = seed;
    initialise(parameters, shape, seed);
    learn(&net, rows);
    const int failures = net.failures;
    free(net.memory);
    if (failures > 0)
        return FAIL(error, STATUS_FAILED, "oneDNN's sgemm failed: out of memory?");
    return STATUS_OK;
}

/* ---- forecasting ---- */

/* out (columns) = inputs W + bias of layer `layer`; relu, except for the last layer. */
static void apply_layer(float *out, const float *inputs, const struct mlp_shape *shape,
                        const float *parameters, int layer)
{
    const size_t columns = (size_t)shape->widths[layer + 1];
    const float *weights = parameters + mlp_weight_offset(shape, layer);
    memcpy(out, parameters + mlp_bias_offset(shape, layer), columns * sizeof(float));
    for (size_t i = 0; i < (size_t)shape->widths[layer]; i++)
        for (size_t j = 0; j < columns; j++)
            out[j] += inputs[i] * weights[i * columns + j];
    for (size_t j = 0; j < columns && layer + 1 < LAYERS; j++)
        out[j] = out[j] > 0 ? out[j] : 0;
}

double head_net_forecast(const float *inputs, const float *ceilings, const struct mlp_shape *shape,
                         const float *parameters)
{
    float first[HEAD_NET_WIDTH], second[HEAD_NET_WIDTH], heads[HEAD_NET_HEAD_LIMIT];
    apply_layer(first, inputs, shape, parameters, 0);
    apply_layer(second, first, shape, parameters, 1);
    apply_layer(heads, second, shape, parameters, 2);
    return log_sum(NULL, ceilings, heads, shape->widths[LAYERS]);
}
