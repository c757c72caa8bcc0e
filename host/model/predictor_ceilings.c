/* The `ceilings` predictor: for devices that no row came from. A network that sees a device's
 * clock, cores and bandwidth learns to recognise the few devices of its training set and guesses
 * between them; this one sees the layer alone, and the device enters as the time that its ceilings
 * allow:
 *
 *   ln t = ln sum over heads h of exp(ln ceiling_h(layer, device) + head_h(layer))
 *
 * Heads: compute and memory traffic of the forward pass, of the backward pass, traffic of the
 * update, and a fixed cost of either pass. A sum of such terms follows a layer from one ceiling to
 * another when the device's balance changes (the roofline of Williams et al. 2009, CACM, with
 * learnt shares, and smooth).
 *
 * What a generation of GPUs reaches of its peak goes with how hard its cores are to feed. Half of
 * the nets see one measure of that beside the layer's physical encoding, half the other:
 *   dual issue   log2 max(1, cores / (32 schedulers)): cores beyond one warp's lanes a scheduler
 *                get work only from two independent instructions of one warp (Kepler);
 *   in flight    log2 of cores / (32 schedulers) * latency: the instructions that a scheduler must
 *                have in flight to keep its cores busy (Little 1961).
 * Trained by AdamW on (ln t - ln t')^2; NETS networks a kind for all devices, from other weights
 * and in another order of rows each; the forecast is the geometric mean of theirs.
 *
 * The measures were chosen without the GPU that is forecast: published convolutions, for every
 * held-out GPU the mean error of the five others, each forecast by the remaining four (one net a
 * measure, three epochs). The mean over held-out GPUs: nothing of the device 31.7 %, cores of a
 * unit 19.0, dual issue 16.5, in flight 18.3, cores and in flight averaged 16.4, all three 14.7,
 * dual issue and in flight averaged 14.0.
 */
#include "model/baseline.h"
#include "model/mlp.h"
#include "model/predictor_roofline.h"
#include "model/scaler.h"
#include "model/trainer_host_kernels.h"
#include "model/trainer_math.h"
#include "onednn/gemm.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum head {
    HEAD_FORWARD_COMPUTE,
    HEAD_FORWARD_MEMORY,
    HEAD_BACKWARD_COMPUTE,
    HEAD_BACKWARD_MEMORY,
    HEAD_UPDATE_MEMORY,
    HEAD_FORWARD_FIXED,
    HEAD_TRAIN_FIXED,
    HEAD_COUNT
};
enum { NETS = 4, LAYERS = 3, WIDTH = 128, BATCH_ROWS = 256, EPOCHS = 10, STEPS_MINIMUM = 300 };
static const double fixed_ms = 0.05; /* where the fixed heads start: a few kernel launches */
static const double no_ceiling = -30;

/* Of the published rows; other values near them change little. */
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

struct ceilings_state {
    struct mlp_shape shape; /* HEAD_COUNT outputs */
    struct scaler scaler;
    float *parameters; /* (NETS, mlp_parameter_count(shape)) */
};

static float *parameters_of(const struct ceilings_state *state, int net)
{
    return state->parameters + (size_t)net * mlp_parameter_count(&state->shape);
}

/* ---- a layer and a device as numbers ---- */

static double log_ms(double amount, double per_ms)
{
    return amount > 0 ? log(amount / per_ms) : no_ceiling;
}

/* ln of every head's ceiling, in ms. False: the device's rates are unknown. */
static bool set_ceilings(float *ceilings, const struct layer_config *config,
                         const struct device_info *device)
{
    struct layer_config forward = *config, backward = *config;
    forward.pass = PASS_FORWARD;
    forward.optimizer = backward.optimizer = OPTIMIZER_NONE;
    const struct cost of_all = layer_cost(config), of_forward = layer_cost(&forward);
    const struct cost of_both = layer_cost(&backward);
    const double all_bytes = of_all.bytes_read + of_all.bytes_written;
    const double forward_bytes = of_forward.bytes_read + of_forward.bytes_written;
    const double both_bytes = of_both.bytes_read + of_both.bytes_written;
    const struct device_rates rates = device_rates_of(device);
    const double flops_per_ms = rates.gflops * 1e6, bytes_per_ms = rates.gbps * 1e6;
    const double values[HEAD_COUNT] = {
        [HEAD_FORWARD_COMPUTE] = log_ms(of_forward.flops, flops_per_ms),
        [HEAD_FORWARD_MEMORY] = log_ms(forward_bytes, bytes_per_ms),
        [HEAD_BACKWARD_COMPUTE] = log_ms(of_both.flops - of_forward.flops, flops_per_ms),
        [HEAD_BACKWARD_MEMORY] = log_ms(both_bytes - forward_bytes, bytes_per_ms),
        [HEAD_UPDATE_MEMORY] = log_ms(all_bytes - both_bytes, bytes_per_ms),
        [HEAD_FORWARD_FIXED] = log(fixed_ms),
        [HEAD_TRAIN_FIXED] = config->pass == PASS_TRAIN ? log(fixed_ms) : no_ceiling,
    };
    for (int i = 0; i < HEAD_COUNT; i++)
        ceilings[i] = (float)values[i];
    return !isnan(rates.gflops) && !isnan(rates.gbps);
}

/* The inputs' last columns. */
enum measure { MEASURE_DUAL_ISSUE, MEASURE_IN_FLIGHT, MEASURE_COUNT };
enum { INPUT_LIMIT = ENCODE_COLUMN_LIMIT + MEASURE_COUNT };

static int column_count(enum layer_kind kind)
{
    return encode_column_count(ENCODING_PHYSICAL, kind, false) + MEASURE_COUNT;
}

static void set_inputs(float *inputs, const struct layer_config *config,
                       const struct device_info *device)
{
    encode_row(inputs, ENCODING_PHYSICAL, config, false, NULL);
    const struct device_unit unit = device_unit_of(device);
    const double warps = unit.cores / (32 * unit.schedulers); /* that a scheduler feeds a cycle */
    float *measures = inputs + column_count(config->kind) - MEASURE_COUNT;
    measures[MEASURE_DUAL_ISSUE] = (float)log2(fmax(1, warps));
    measures[MEASURE_IN_FLIGHT] = (float)log2(warps * unit.latency_cycles);
}

/* Leaves net `index` the measure that is its own. inputs: scaled, so that 0 is the mean. */
static void hide_measure(float *inputs, size_t columns, int index)
{
    inputs[columns - MEASURE_COUNT + (size_t)((index + 1) % MEASURE_COUNT)] = 0;
}

/* ---- the network ---- */

/* Arrays for BATCH_ROWS rows. */
struct net {
    const struct mlp_shape *shape;
    float *parameters, *gradient, *m, *v; /* (parameter_count) */
    float *inputs;                        /* (BATCH_ROWS, widths[0]) */
    float *outputs[LAYERS], *deltas[LAYERS];
    float *ceilings, *targets; /* (BATCH_ROWS, HEAD_COUNT), (BATCH_ROWS) */
    int failures;              /* products that failed */
    int index;                 /* of NETS */
    void *memory;
};

static enum status net_create(struct net *net, const struct mlp_shape *shape, float *parameters,
                              struct error *error)
{
    const size_t count = mlp_parameter_count(shape), columns = (size_t)shape->widths[0];
    *net = (struct net){.shape = shape, .parameters = parameters};
    TRY(error_allocate(&net->memory,
                       3 * count + BATCH_ROWS * (columns + 4 * WIDTH + 3 * HEAD_COUNT + 1),
                       sizeof(float), "training", error));
    float *next = net->memory;
    net->gradient = next;
    net->m = next += count;
    net->v = next += count;
    net->inputs = next += count;
    net->ceilings = next += BATCH_ROWS * columns;
    net->targets = next += BATCH_ROWS * HEAD_COUNT;
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
static double log_sum(float *shares, const float *ceilings, const float *heads)
{
    double highest = -INFINITY, sum = 0;
    for (int i = 0; i < HEAD_COUNT; i++)
        highest = fmax(highest, (double)ceilings[i] + (double)heads[i]);
    for (int i = 0; i < HEAD_COUNT; i++)
        sum += exp((double)ceilings[i] + (double)heads[i] - highest);
    for (int i = 0; i < HEAD_COUNT && shares; i++)
        shares[i] = (float)(exp((double)ceilings[i] + (double)heads[i] - highest) / sum);
    return highest + log(sum);
}

/* gradient of the batch's mean squared error. */
static void backward(struct net *net, int rows)
{
    const struct mlp_shape *shape = net->shape;
    float *delta = net->deltas[LAYERS - 1];
    for (int row = 0; row < rows; row++) {
        float *shares = delta + row * HEAD_COUNT;
        const double error = log_sum(shares, net->ceilings + row * HEAD_COUNT,
                                     net->outputs[LAYERS - 1] + row * HEAD_COUNT) -
                             (double)net->targets[row];
        for (int i = 0; i < HEAD_COUNT; i++)
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

/* ---- fitting ---- */

/* Training rows as numbers. */
struct table {
    float *inputs, *ceilings, *targets; /* (count, columns), (count, HEAD_COUNT), (count) */
    size_t count, columns;
    void *memory;
};

static enum status table_fill(struct table *table, const struct baseline_row *rows, size_t count,
                              struct error *error)
{
    table->columns = (size_t)column_count(rows[0].config->kind);
    TRY(error_allocate(&table->memory, count, (table->columns + HEAD_COUNT + 1) * sizeof(float),
                       "inputs", error));
    table->inputs = table->memory;
    table->ceilings = table->inputs + count * table->columns;
    table->targets = table->ceilings + count * HEAD_COUNT;
    for (size_t i = 0; i < count; i++) {
        if (!set_ceilings(table->ceilings + table->count * HEAD_COUNT, rows[i].config,
                          rows[i].device))
            continue;
        set_inputs(table->inputs + table->count * table->columns, rows[i].config, rows[i].device);
        table->targets[table->count++] = (float)log(rows[i].measured_ms);
    }
    return STATUS_OK;
}

/* Batch `step`, in the order of its epoch; returns its rows. */
static int gather(struct net *net, const struct table *table, uint32_t step, uint32_t epoch_steps)
{
    const uint32_t count = (uint32_t)table->count, first = step % epoch_steps * BATCH_ROWS;
    const uint32_t key = permutation_key((uint64_t)net->index + 1, step / epoch_steps);
    const int half_bits = permutation_half_bits(count);
    const uint32_t rows = count - first < BATCH_ROWS ? count - first : BATCH_ROWS;
    for (uint32_t r = 0; r < rows; r++) {
        const size_t row = permutation(first + r, count, half_bits, key);
        memcpy(net->inputs + r * table->columns, table->inputs + row * table->columns,
               table->columns * sizeof(float));
        hide_measure(net->inputs + r * table->columns, table->columns, net->index);
        memcpy(net->ceilings + (size_t)r * HEAD_COUNT, table->ceilings + row * HEAD_COUNT,
               HEAD_COUNT * sizeof(float));
        net->targets[r] = table->targets[row];
    }
    return (int)rows;
}

static void learn(struct net *net, const struct table *table)
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

static enum status create_parameters(struct ceilings_state *state, struct error *error)
{
    void *memory;
    const struct mlp_shape *shape = &state->shape;
    TRY(error_allocate(&memory, NETS * mlp_parameter_count(shape), sizeof(float), "parameters",
                       error));
    state->parameters = memory;
    for (int net = 0; net < NETS; net++) {
        float *parameters = parameters_of(state, net);
        mlp_initialise(parameters, shape, (uint64_t)net + 1);
        const size_t end = mlp_bias_offset(shape, LAYERS - 1);
        for (size_t i = mlp_weight_offset(shape, LAYERS - 1); i < end; i++)
            parameters[i] *= 0.1f; /* start near the ceilings themselves */
    }
    return STATUS_OK;
}

static enum status fit_net(const struct ceilings_state *state, int index, const struct table *table,
                           struct error *error)
{
    struct net net;
    TRY(net_create(&net, &state->shape, parameters_of(state, index), error));
    net.index = index;
    learn(&net, table);
    const int failures = net.failures;
    free(net.memory);
    if (failures > 0)
        return FAIL(error, STATUS_FAILED, "oneDNN's sgemm failed: out of memory?");
    return STATUS_OK;
}

static enum status fit_table(struct ceilings_state *state, const struct table *table,
                             struct error *error)
{
    state->shape = (struct mlp_shape){
        .layer_count = LAYERS, .widths = {(int32_t)table->columns, WIDTH, WIDTH, HEAD_COUNT}};
    scaler_fit(&state->scaler, table->inputs, table->count, (int)table->columns, 0);
    scaler_apply(&state->scaler, table->inputs, table->count);
    TRY(create_parameters(state, error));
    for (int net = 0; net < NETS; net++)
        TRY(fit_net(state, net, table, error));
    return STATUS_OK;
}

static enum status fit(void *state, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error)
{
    struct table table = {.count = 0};
    enum status status = table_fill(&table, rows, count, error);
    if (status == STATUS_OK && table.count > 0)
        status = fit_table(state, &table, error);
    *fitted = status == STATUS_OK && table.count > 0;
    free(table.memory);
    return status;
}

/* out (columns) = inputs W + bias of layer `layer`; relu but for the last. */
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

static double net_log_ms(const float *scaled, const float *ceilings,
                         const struct ceilings_state *state, int index)
{
    const struct mlp_shape *shape = &state->shape;
    const float *parameters = parameters_of(state, index);
    const size_t columns = (size_t)shape->widths[0];
    float inputs[INPUT_LIMIT], first[WIDTH], second[WIDTH], heads[HEAD_COUNT];
    memcpy(inputs, scaled, columns * sizeof *inputs);
    hide_measure(inputs, columns, index);
    apply_layer(first, inputs, shape, parameters, 0);
    apply_layer(second, first, shape, parameters, 1);
    apply_layer(heads, second, shape, parameters, 2);
    return log_sum(NULL, ceilings, heads);
}

static double forecast_ms(const void *state, const struct layer_config *config,
                          const struct device_info *device)
{
    const struct ceilings_state *ceilings = state;
    float inputs[INPUT_LIMIT], ceiling[HEAD_COUNT];
    if (!set_ceilings(ceiling, config, device))
        return NAN;
    set_inputs(inputs, config, device);
    scaler_apply(&ceilings->scaler, inputs, 1);
    double sum = 0;
    for (int net = 0; net < NETS; net++)
        sum += net_log_ms(inputs, ceiling, ceilings, net);
    return exp(fmin(sum / NETS, 60));
}

static void release(void *state)
{
    free(((struct ceilings_state *)state)->parameters);
}

static const struct baseline_law law = {
    .type = &predictor_ceilings,
    .state_size = sizeof(struct ceilings_state),
    .shares_devices = true,
    .fit = fit,
    .forecast_ms = forecast_ms,
    .release = release,
};
BASELINE_PREDICTOR(ceilings, law, "learnt shares of the device's ceilings, for unseen devices");
