#include "trainer/trainer_host.h"

#include "onednn/gemm.h"
#include "trainer/trainer_host_kernels.h"
#include "trainer/trainer_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT_FLOATS = 16 }; /* a cache line */

/* Takes `count` floats from the arena; with memory == NULL it only counts them. */
static float *take(float *memory, size_t *used, size_t count)
{
    float *taken = memory ? memory + *used : NULL;
    *used += (count + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
    return taken;
}

/* Places all arrays in memory and returns how many floats they need. */
static size_t place(struct host_net *net, float *memory)
{
    const struct mlp_shape *shape = &net->job->shape;
    size_t used = 0, rows = net->chunk_rows, widest = 1;
    float **flat[] = {&net->parameters, &net->transposed, &net->best, &net->m, &net->v, &net->mean};
    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++)
        *flat[i] = take(memory, &used, net->parameter_count);
    for (int i = 1; i <= shape->layer_count; i++)
        if ((size_t)shape->widths[i] > widest)
            widest = (size_t)shape->widths[i];
    for (int c = 0; c < net->chunk_count; c++) {
        struct host_chunk *chunk = &net->chunks[c];
        chunk->inputs = take(memory, &used, rows * (size_t)shape->widths[0]);
        chunk->targets = take(memory, &used, rows);
        for (int i = 0; i < shape->layer_count; i++)
            chunk->activations[i] = take(memory, &used, rows * (size_t)shape->widths[i + 1]);
        for (int i = 0; i < shape->layer_count - 1 && shape->activation == MLP_ACTIVATION_SILU; i++)
            chunk->slopes[i] = take(memory, &used, rows * (size_t)shape->widths[i + 1]);
        for (int i = 0; i < 2; i++)
            chunk->deltas[i] = take(memory, &used, rows * widest);
        chunk->gradient = take(memory, &used, net->parameter_count);
    }
    return used;
}

enum status host_net_create(struct host_net *net, const struct train_job *job, int threads,
                            struct error *error)
{
    size_t batch = (size_t)job->options.batch_size;
    if (batch > job->data->train_rows)
        batch = job->data->train_rows;
    size_t chunk_rows = (batch + CHUNK_LIMIT - 1) / CHUNK_LIMIT;
    if (chunk_rows < CHUNK_ROWS_MINIMUM)
        chunk_rows = CHUNK_ROWS_MINIMUM;
    *net = (struct host_net){
        .job = job,
        .parameter_count = mlp_parameter_count(&job->shape),
        .chunk_rows = chunk_rows,
        .chunk_count = (int)((batch + chunk_rows - 1) / chunk_rows),
        .epoch_steps = (job->data->train_rows + batch - 1) / batch,
    };
    size_t floats = place(net, NULL) + ALIGNMENT_FLOATS;
    TRY(error_allocate(&net->memory, floats, sizeof(float), "trainer", error));
    uintptr_t start = (uintptr_t)net->memory, line = ALIGNMENT_FLOATS * sizeof(float);
    place(net, (float *)net->memory + (line - start % line) % line / sizeof(float));
    crew_begin(&net->crew, threads < net->chunk_count ? threads : net->chunk_count);
    return STATUS_OK;
}

void host_net_free(struct host_net *net)
{
    if (!net->memory)
        return;
    crew_end(&net->crew);
    free(net->memory);
    *net = (struct host_net){0};
}

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

/* Copies rows first..first + rows - 1 of the epoch's order into the chunk. */
static void gather(struct host_chunk *chunk, const struct host_net *net, uint32_t epoch,
                   size_t first, size_t rows)
{
    const struct train_data *data = net->job->data;
    size_t inputs = (size_t)data->inputs;
    uint32_t count = (uint32_t)data->train_rows, key = permutation_key(net->job->seed, epoch);
    int half_bits = permutation_half_bits(count);
    for (size_t r = 0; r < rows; r++) {
        size_t row = permutation((uint32_t)(first + r), count, half_bits, key);
        memcpy(chunk->inputs + r * inputs, data->train_inputs + row * inputs,
               inputs * sizeof(float));
        chunk->targets[r] = data->train_targets[row];
    }
}

/* z (rows, columns) of hidden layer `layer` -> its output, in place; fills slopes in training. */
static void activate(struct host_chunk *chunk, const struct host_net *net, int layer, size_t rows,
                     bool is_training)
{
    const struct mlp_shape *shape = &net->job->shape;
    const float *bias = net->parameters + mlp_bias_offset(shape, layer);
    size_t columns = (size_t)shape->widths[layer + 1];
    float *z = chunk->activations[layer];
    if (shape->activation == MLP_ACTIVATION_SILU)
        kernel_bias_silu(z, is_training ? chunk->slopes[layer] : NULL, bias, rows, columns);
    else
        kernel_bias_relu(z, bias, rows, columns);
}

/* of the last hidden layer */
static void drop(struct host_chunk *chunk, const struct host_net *net, int layer, size_t rows,
                 const struct dropout *dropout)
{
    size_t columns = (size_t)net->job->shape.widths[layer + 1];
    kernel_dropout(chunk->activations[layer], rows, columns, dropout);
    if (net->job->shape.activation == MLP_ACTIVATION_SILU)
        kernel_dropout(chunk->slopes[layer], rows, columns, dropout);
}

/* Fills the chunk's activations; those of the output layer are z. dropout: NULL outside training.
 */
static void forward(struct host_chunk *chunk, const struct host_net *net, const float *inputs,
                    size_t rows, const struct dropout *dropout)
{
    const struct mlp_shape *shape = &net->job->shape;
    int last = shape->layer_count - 1;
    for (int layer = 0; layer <= last; layer++) {
        int inner = shape->widths[layer], columns = shape->widths[layer + 1];
        float *z = chunk->activations[layer];
        chunk->failures += 0 != sgemm_row_major(false, false, (int)rows, columns, inner, 1, inputs,
                                                inner,
                                                net->parameters + mlp_weight_offset(shape, layer),
                                                columns, 0, z, columns);
        if (layer == last)
            for (size_t r = 0; r < rows; r++)
                z[r] += net->parameters[mlp_bias_offset(shape, layer)];
        else
            activate(chunk, net, layer, rows, dropout != NULL);
        if (dropout && dropout->share > 0 && layer == last - 1)
            drop(chunk, net, layer, rows, dropout);
        inputs = z;
    }
}

/* Squared error and count of the rows; delta (rows), unless NULL: d loss / d z, with the loss's
 * mean over batch_rows rows. */
static void compare(struct host_chunk *chunk, const struct train_job *job, const float *targets,
                    size_t rows, float *delta, size_t batch_rows)
{
    const struct mlp_shape *shape = &job->shape;
    const float *z = chunk->activations[shape->layer_count - 1];
    bool relu = shape->output == MLP_OUTPUT_RELU;
    float scale = 2.0f / (float)batch_rows;
    chunk->squared_error = 0;
    chunk->positive = 0;
    for (size_t r = 0; r < rows; r++) {
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

/* From delta of layer `layer` (rows, outputs): its gradient, and, except for the first layer, the
 * delta of the previous layer into `before` (rows, inputs). */
static void backward_layer(struct host_chunk *chunk, const struct host_net *net, int layer,
                           size_t rows, const float *delta, float *before)
{
    const struct mlp_shape *shape = &net->job->shape;
    int inner = shape->widths[layer], columns = shape->widths[layer + 1];
    const float *weights = net->parameters + mlp_weight_offset(shape, layer);
    const float *inputs = layer ? chunk->activations[layer - 1] : chunk->inputs;
    bool last = layer == shape->layer_count - 1;
    chunk->failures += 0 != sgemm_row_major(true, false, inner, columns, (int)rows, 1, inputs,
                                            inner, delta, columns, 0,
                                            chunk->gradient + mlp_weight_offset(shape, layer),
                                            columns);
    if (!last || shape->output_bias)
        kernel_column_sums(chunk->gradient + mlp_bias_offset(shape, layer), delta, rows,
                           (size_t)columns);
    if (layer == 0)
        return;
    if (last)
        kernel_outer_product(before, delta, weights, rows, (size_t)inner);
    else
        chunk->failures += 0 != sgemm_row_major(false, false, (int)rows, inner, columns, 1, delta,
                                                columns,
                                                net->transposed + mlp_weight_offset(shape, layer),
                                                inner, 0, before, inner);
    if (shape->activation == MLP_ACTIVATION_SILU)
        kernel_multiply(before, chunk->slopes[layer - 1], rows * (size_t)inner);
    else
        kernel_relu_backward(before, inputs, rows * (size_t)inner,
                             last ? 1 / (1 - net->job->options.dropout) : 1);
}

struct chunk_work {
    struct host_net *net;
    const struct host_batch *batch;
};

/* Forward and backward over the rows that are chunk `index` of the batch. */
static void run_chunk(void *payload, int index)
{
    const struct chunk_work *work = payload;
    struct host_net *net = work->net;
    const struct host_batch *batch = work->batch;
    struct host_chunk *chunk = &net->chunks[index];
    const struct train_options *options = &net->job->options;
    size_t first = (size_t)index * net->chunk_rows, rows = batch->rows - first;
    if (rows > net->chunk_rows)
        rows = net->chunk_rows;
    struct dropout dropout = {.share = options->dropout,
                              .step = batch->step,
                              .first_row = (uint32_t)first,
                              .seed = net->job->seed};
    gather(chunk, net, batch->epoch, batch->first + first, rows);
    forward(chunk, net, chunk->inputs, rows, &dropout);
    int last = net->job->shape.layer_count - 1;
    compare(chunk, net->job, chunk->targets, rows, chunk->deltas[last % 2], batch->rows);
    for (int layer = last; layer >= 0; layer--)
        backward_layer(chunk, net, layer, rows, chunk->deltas[layer % 2],
                       chunk->deltas[(layer + 1) % 2]);
}

/* net->mean = sum of the chunks' gradients in order + L2 */
static void sum_gradients(struct host_net *net, int chunks)
{
    const struct mlp_shape *shape = &net->job->shape;
    if (chunks == 1)
        memcpy(net->mean, net->chunks[0].gradient, net->parameter_count * sizeof *net->mean);
    else
        kernel_sum(net->mean, net->chunks[0].gradient, net->chunks[1].gradient,
                   net->parameter_count);
    for (int c = 2; c < chunks; c++)
        kernel_sum(net->mean, net->mean, net->chunks[c].gradient, net->parameter_count);
    for (int layer = 0; layer < shape->layer_count && net->job->options.l2 > 0; layer++) {
        size_t offset = mlp_weight_offset(shape, layer);
        kernel_add_scaled(net->mean + offset, net->parameters + offset,
                          mlp_bias_offset(shape, layer) - offset, net->job->options.l2);
    }
}

/* of the hidden layers except the first: backward multiplies by them */
static void transpose_weights(struct host_net *net)
{
    const struct mlp_shape *shape = &net->job->shape;
    for (int layer = 1; layer < shape->layer_count - 1; layer++) {
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
        if (net->chunks[c].failures)
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
    const float *inputs, *targets;
    size_t rows;
    double sums[CHUNK_LIMIT]; /* squared errors */
};

/* Every chunk_count-th block of rows, from block `index` on. */
static void evaluate_blocks(void *payload, int index)
{
    struct evaluation *evaluation = payload;
    struct host_net *net = evaluation->net;
    struct host_chunk *chunk = &net->chunks[index];
    size_t width = (size_t)net->job->shape.widths[0], size = net->chunk_rows;
    size_t stride = (size_t)net->chunk_count * size;
    for (size_t first = (size_t)index * size; first < evaluation->rows; first += stride) {
        size_t left = evaluation->rows - first, count = left < size ? left : size;
        forward(chunk, net, evaluation->inputs + first * width, count, NULL);
        compare(chunk, net->job, evaluation->targets + first, count, NULL, count);
        evaluation->sums[index] += chunk->squared_error;
    }
}

double host_net_evaluate(struct host_net *net, const float *inputs, const float *targets,
                         size_t rows)
{
    struct evaluation evaluation = {net, inputs, targets, rows, {0}};
    crew_run(&net->crew, evaluate_blocks, &evaluation, net->chunk_count);
    double total = 0;
    for (int c = 0; c < net->chunk_count; c++)
        total += evaluation.sums[c];
    return total / (double)rows;
}
