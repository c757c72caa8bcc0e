#include "trainer/trainer_host.h"

#include "onednn/gemm.h"
#include "trainer/log_sum.h"
#include "trainer/trainer_host_kernels.h"
#include "trainer/trainer_math.h"

#include <math.h>
#include <string.h>

struct host_batch host_batch_at(const struct host_net *net, uint32_t step)
{
    size_t index = step % net->epoch_steps, size = (size_t)net->job->options.batch_size;
    size_t left = net->job->data->train_rows - index * size;
    return (struct host_batch){
        .epoch = (uint32_t)(step / net->epoch_steps),
        .step = step,
        .first = index * size,
        .rows = left < size ? left : size,
    };
}

/* Of the member of the crew that part `index` of a call falls to. */
static struct host_scratch *scratch_of(struct host_net *net, int index)
{
    return &net->scratches[index % net->crew.size];
}

enum { ROWS_AHEAD = 8 }; /* that gather asks memory for; a power of two */

/* Copies rows first..first + rows - 1 of the epoch's order into the scratch. */
static void gather(struct host_scratch *scratch, const struct host_net *net, uint32_t epoch,
                   size_t first, size_t rows)
{
    const struct train_data *data = net->job->data;
    size_t inputs = (size_t)data->inputs, heads = (size_t)mlp_head_count(&net->job->shape);
    uint32_t count = (uint32_t)data->train_rows, key = permutation_key(net->job->seed, epoch);
    int half_bits = permutation_half_bits(count);
    size_t ahead[ROWS_AHEAD];
    for (size_t r = 0; r < rows + ROWS_AHEAD; r++) {
        size_t row = ahead[r % ROWS_AHEAD], to = r - ROWS_AHEAD;
        if (r < rows) {
            ahead[r % ROWS_AHEAD] = permutation((uint32_t)(first + r), count, half_bits, key);
            kernel_prefetch(data->train_inputs + ahead[r % ROWS_AHEAD] * inputs, inputs);
        }
        if (r < ROWS_AHEAD || to >= rows)
            continue;
        memcpy(scratch->inputs + to * inputs, data->train_inputs + row * inputs,
               inputs * sizeof(float));
        scratch->targets[to] = data->train_targets[row];
        if (scratch->offsets)
            memcpy(scratch->offsets + to * heads, data->train_offsets + row * heads,
                   heads * sizeof(float));
    }
}

/* z (rows, columns) of hidden layer `layer` -> its output, in place; fills slopes in training. */
static void activate(struct host_scratch *scratch, const struct host_net *net, int layer,
                     size_t rows, bool is_training)
{
    const struct mlp_shape *shape = &net->job->shape;
    const float *bias = net->parameters + mlp_bias_offset(shape, layer);
    size_t columns = (size_t)shape->widths[layer + 1];
    float *z = scratch->activations[layer];
    if (shape->activation == MLP_ACTIVATION_SILU)
        kernel_bias_silu(z, is_training ? scratch->slopes[layer] : NULL, bias, rows, columns);
    else
        kernel_bias_relu(z, bias, rows, columns);
}

/* of the last hidden layer */
static void drop(struct host_scratch *scratch, const struct host_net *net, int layer, size_t rows,
                 const struct dropout *dropout)
{
    size_t columns = (size_t)net->job->shape.widths[layer + 1];
    kernel_dropout(scratch->activations[layer], rows, columns, dropout);
    if (net->job->shape.activation == MLP_ACTIVATION_SILU)
        kernel_dropout(scratch->slopes[layer], rows, columns, dropout);
}

/* Fills the scratch's activations; those of the output layer are z. dropout: NULL outside training.
 */
static void forward(struct host_scratch *scratch, const struct host_net *net, const float *inputs,
                    size_t rows, const struct dropout *dropout)
{
    const struct mlp_shape *shape = &net->job->shape;
    int last = shape->layer_count - 1;
    for (int layer = 0; layer <= last; layer++) {
        int inner = shape->widths[layer], columns = shape->widths[layer + 1];
        float *z = scratch->activations[layer];
        scratch->failures += 0 != sgemm_row_major(false, false, (int)rows, columns, inner, 1,
                                                  inputs, inner,
                                                  net->parameters + mlp_weight_offset(shape, layer),
                                                  columns, 0, z, columns);
        if (layer == last)
            kernel_bias(z, net->parameters + mlp_bias_offset(shape, layer), rows, (size_t)columns);
        else
            activate(scratch, net, layer, rows, dropout != NULL);
        if (dropout && dropout->share > 0 && layer == last - 1)
            drop(scratch, net, layer, rows, dropout);
        inputs = z;
    }
}

/* Rows to compare the output with. */
struct truth {
    const float *targets, *offsets; /* (rows), (rows, heads) or NULL */
    size_t rows;
};

/* compare() of an output of kind sum */
static void compare_sums(struct host_chunk *chunk, const struct host_scratch *scratch,
                         const struct train_job *job, const struct truth *truth, float *delta,
                         float scale)
{
    const int32_t heads = mlp_head_count(&job->shape);
    const float *z = scratch->activations[job->shape.layer_count - 1], *offsets = truth->offsets;
    for (size_t r = 0; r < truth->rows; r++, z += heads, offsets += heads) {
        float *shares = delta ? delta + r * (size_t)heads : NULL;
        float difference = log_sum(shares, z, offsets, heads) - truth->targets[r];
        chunk->squared_error += (double)difference * (double)difference;
        float slope = scale * loss_slope(job->options.loss, job->options.loss_scale, difference);
        for (int32_t h = 0; h < heads && delta; h++)
            shares[h] *= slope;
    }
}

/* Squared error and count of the rows; delta (rows, heads), unless NULL: d loss / d z, with the
 * loss's mean over batch_rows rows. */
static void compare(struct host_chunk *chunk, const struct host_scratch *scratch,
                    const struct train_job *job, const struct truth *truth, float *delta,
                    size_t batch_rows)
{
    const struct mlp_shape *shape = &job->shape;
    const float *z = scratch->activations[shape->layer_count - 1], *targets = truth->targets;
    bool relu = shape->output == MLP_OUTPUT_RELU;
    float scale = 2.0f / (float)batch_rows;
    chunk->squared_error = 0;
    chunk->positive = 0;
    if (shape->output == MLP_OUTPUT_SUM) {
        compare_sums(chunk, scratch, job, truth, delta, scale);
        return;
    }
    for (size_t r = 0; r < truth->rows; r++) {
        float time = relu && z[r] < 0 ? 0 : z[r]; /* NaN stays NaN */
        float difference = (relu ? log1pf(time) : time) - targets[r];
        chunk->squared_error += (double)difference * (double)difference;
        chunk->positive += z[r] > 0;
        if (!delta)
            continue;
        float slope = !relu ? 1 : z[r] > 0 ? 1 / (1 + time) : 0;
        delta[r] = scale * loss_slope(job->options.loss, job->options.loss_scale, difference) *
                   slope;
    }
}

/* From delta of layer `layer` (rows, outputs): its part of the gradient, and, except for the first
 * layer, the delta of the previous layer into `before` (rows, inputs). */
static void backward_layer(struct host_scratch *scratch, float *gradient,
                           const struct host_net *net, int layer, size_t rows, const float *delta,
                           float *before)
{
    const struct mlp_shape *shape = &net->job->shape;
    int inner = shape->widths[layer], columns = shape->widths[layer + 1];
    const float *weights = net->parameters + mlp_weight_offset(shape, layer);
    const float *inputs = layer ? scratch->activations[layer - 1] : scratch->inputs;
    bool last = layer == shape->layer_count - 1;
    scratch->failures += 0 != sgemm_row_major(true, false, inner, columns, (int)rows, 1, inputs,
                                              inner, delta, columns, 0,
                                              gradient + mlp_weight_offset(shape, layer), columns);
    if (!last || shape->output_bias)
        kernel_column_sums(gradient + mlp_bias_offset(shape, layer), delta, rows, (size_t)columns);
    if (layer == 0)
        return;
    if (columns == 1)
        kernel_outer_product(before, delta, weights, rows, (size_t)inner);
    else
        scratch->failures += 0 != sgemm_row_major(false, false, (int)rows, inner, columns, 1, delta,
                                                  columns,
                                                  net->transposed + mlp_weight_offset(shape, layer),
                                                  inner, 0, before, inner);
    if (shape->activation == MLP_ACTIVATION_SILU)
        kernel_multiply(before, scratch->slopes[layer - 1], rows * (size_t)inner);
    else
        kernel_relu_backward(before, inputs, rows * (size_t)inner,
                             last ? 1 / (1 - net->job->options.dropout) : 1);
}

struct chunk_work {
    struct host_net *net;
    const struct host_batch *batch;
};

/* Alone, a thread adds the gradient of a chunk to the mean at once, while it is in its cache: the
 * same sums in the same order as sum_gradients(). */
static void add_alone(struct host_net *net, int index)
{
    if (net->crew.size == 1 && index > 0)
        kernel_sum(net->mean, net->mean, net->chunks[1].gradient, net->parameter_count);
}

/* Forward and backward over the rows that are chunk `index` of the batch. */
static void run_chunk(void *payload, int index)
{
    const struct chunk_work *work = payload;
    struct host_net *net = work->net;
    const struct host_batch *batch = work->batch;
    struct host_chunk *chunk = &net->chunks[index];
    struct host_scratch *scratch = scratch_of(net, index);
    float *gradient = net->crew.size == 1 && index > 0 ? net->chunks[1].gradient : chunk->gradient;
    const struct train_options *options = &net->job->options;
    size_t first = (size_t)index * net->chunk_rows, rows = batch->rows - first;
    if (rows > net->chunk_rows)
        rows = net->chunk_rows;
    struct dropout dropout = {.share = options->dropout,
                              .step = batch->step,
                              .first_row = (uint32_t)first,
                              .seed = net->job->seed};
    gather(scratch, net, batch->epoch, batch->first + first, rows);
    forward(scratch, net, scratch->inputs, rows, &dropout);
    int last = net->job->shape.layer_count - 1;
    const struct truth truth = {scratch->targets, scratch->offsets, rows};
    compare(chunk, scratch, net->job, &truth, scratch->deltas[last % 2], batch->rows);
    for (int layer = last; layer >= 0; layer--)
        backward_layer(scratch, gradient, net, layer, rows, scratch->deltas[layer % 2],
                       scratch->deltas[(layer + 1) % 2]);
    add_alone(net, index);
}

/* net->mean, the gradient of the first chunk, becomes the sum of all in their order + L2 */
static void sum_gradients(struct host_net *net, int chunks)
{
    const struct mlp_shape *shape = &net->job->shape;
    for (int c = 1; c < chunks && net->crew.size > 1; c++)
        kernel_sum(net->mean, net->mean, net->chunks[c].gradient, net->parameter_count);
    for (int layer = 0; layer < shape->layer_count && net->job->options.l2 > 0; layer++) {
        size_t offset = mlp_weight_offset(shape, layer);
        kernel_add_scaled(net->mean + offset, net->parameters + offset,
                          mlp_bias_offset(shape, layer) - offset, net->job->options.l2);
    }
}

/* of the layers except the first: backward multiplies by them */
static void transpose_weights(struct host_net *net)
{
    const struct mlp_shape *shape = &net->job->shape;
    for (int layer = 1; layer < shape->layer_count; layer++) {
        size_t offset = mlp_weight_offset(shape, layer);
        kernel_transpose(net->transposed + offset, net->parameters + offset,
                         (size_t)shape->widths[layer], (size_t)shape->widths[layer + 1]);
    }
}

void host_net_gradient(struct host_net *net, const struct host_batch *batch, double *squared_error,
                       size_t *positive)
{
    int chunks = (int)((batch->rows + net->chunk_rows - 1) / net->chunk_rows);
    transpose_weights(net);
    struct chunk_work work = {net, batch};
    crew_run(&net->crew, run_chunk, &work, chunks);
    for (int c = 0; c < chunks; c++) {
        *squared_error += net->chunks[c].squared_error;
        *positive += net->chunks[c].positive;
    }
    sum_gradients(net, chunks);
}

enum status host_net_check(const struct host_net *net, struct error *error)
{
    for (int c = 0; c < net->chunk_count; c++)
        if (net->scratches[c].failures)
            return FAIL(error, STATUS_FAILED, "oneDNN's sgemm failed: out of memory?");
    return STATUS_OK;
}

static float clip_scale(const struct host_net *net)
{
    double limit = (double)net->job->options.gradient_clip;
    if (limit <= 0)
        return 1;
    double norm = sqrt(kernel_squared_norm(net->mean, net->parameter_count));
    return norm > limit ? (float)(limit / norm) : 1;
}

void host_net_update(struct host_net *net, uint32_t step)
{
    const struct mlp_shape *shape = &net->job->shape;
    const struct train_options *options = &net->job->options;
    double rate = learning_rate(options, step, (uint32_t)net->epoch_steps);
    struct adam weights = {
        .beta1 = options->beta1,
        .beta2 = options->beta2,
        .epsilon = options->epsilon,
        .rate = (float)adam_rate(options, rate, step),
        .decay = (float)(rate * (double)options->weight_decay),
        .gradient_scale = clip_scale(net),
    };
    struct adam biases = weights;
    biases.decay = 0;
    for (int part = 0; part < 2 * shape->layer_count; part++) { /* W, b of each layer */
        int layer = part / 2;
        size_t middle = mlp_bias_offset(shape, layer);
        size_t from = part % 2 ? middle : mlp_weight_offset(shape, layer);
        size_t to = part % 2 ? mlp_weight_offset(shape, layer + 1) : middle;
        kernel_adam(net->parameters + from, net->m + from, net->v + from, net->mean + from,
                    to - from, part % 2 ? &biases : &weights);
    }
}

struct evaluation {
    struct host_net *net;
    const float *inputs;
    struct truth truth;
    double sums[CHUNK_LIMIT]; /* squared errors */
};

/* Every chunk_count-th block of rows, from block `index` on. */
static void evaluate_blocks(void *payload, int index)
{
    struct evaluation *evaluation = payload;
    struct host_net *net = evaluation->net;
    struct host_scratch *scratch = scratch_of(net, index);
    struct host_chunk chunk;
    size_t width = (size_t)net->job->shape.widths[0], size = net->chunk_rows;
    size_t stride = (size_t)net->chunk_count * size;
    const struct truth *all = &evaluation->truth;
    const size_t heads = (size_t)mlp_head_count(&net->job->shape);
    for (size_t first = (size_t)index * size; first < all->rows; first += stride) {
        size_t left = all->rows - first, count = left < size ? left : size;
        const struct truth block = {all->targets + first,
                                    all->offsets ? all->offsets + first * heads : NULL, count};
        forward(scratch, net, evaluation->inputs + first * width, count, NULL);
        compare(&chunk, scratch, net->job, &block, NULL, count);
        evaluation->sums[index] += chunk.squared_error;
    }
}

static double evaluate(struct host_net *net, const float *inputs, const struct truth *truth)
{
    struct evaluation evaluation = {net, inputs, *truth, {0}};
    crew_run(&net->crew, evaluate_blocks, &evaluation, net->chunk_count);
    double total = 0;
    for (int c = 0; c < net->chunk_count; c++)
        total += evaluation.sums[c];
    return total / (double)truth->rows;
}

double host_net_evaluate_train(struct host_net *net)
{
    const struct train_data *data = net->job->data;
    const struct truth truth = {data->train_targets, data->train_offsets, data->train_rows};
    return evaluate(net, data->train_inputs, &truth);
}

double host_net_evaluate_test(struct host_net *net)
{
    const struct train_data *data = net->job->data;
    const struct truth truth = {data->test_targets, data->test_offsets, data->test_rows};
    return evaluate(net, data->test_inputs, &truth);
}
