/* recurrent with cuDNN's RNN (version 8 of that interface): all layers and directions in one call.
 * Its parameters lie in one array, in an order that it is asked for; it decides, too, how much it
 * keeps for the backward pass. States begin at zero and are not handed out.
 */
#include "layers/recurrent.h"
#include "cuda_check.h"
#include "cuda_device.h"
#include "cudnn_check.h"
#include "precision.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { GATE_LIMIT = 4, SIDE_COUNT = 2, STACK_LIMIT = 2 * RECURRENT_LAYER_LIMIT };

struct recurrent_plan {
    struct cuda_plan base;
    struct recurrent_sizes sizes;
    cudnnRNNDescriptor_t rnn;
    cudnnDropoutDescriptor_t dropout; /* none */
    cudnnRNNDataDescriptor_t input, output;
    cudnnTensorDescriptor_t state;
    cudnnRNNAlgo_t algorithm;
    size_t weights_bytes, workspace_bytes, kept_bytes;
    void *workspace;
    /* Of each layer and direction, of the inputs and the state: element of a gate's matrix,
     * (hidden, inputs), and of its bias. */
    int64_t matrices[STACK_LIMIT][SIDE_COUNT][GATE_LIMIT],
        biases[STACK_LIMIT][SIDE_COUNT][GATE_LIMIT];
};

/* What a cell is to cuDNN; numbers[g] is its name of gate g. */
static const struct cell {
    cudnnRNNMode_t mode;
    int numbers[GATE_LIMIT];
} cells[CELL_COUNT] = {
    [CELL_RNN] = {CUDNN_RNN_TANH, {0}},
    [CELL_LSTM] = {CUDNN_LSTM, {0, 1, 2, 3}},
    [CELL_GRU] = {CUDNN_GRU, {1, 0, 2}}, /* update, reset, new: cuDNN begins with the reset */
};

static const struct cell *cell_of(const struct recurrent_plan *plan)
{
    return &cells[plan->base.config.as.recurrent.cell];
}

static cudnnForwardMode_t forward_mode(const struct recurrent_plan *plan)
{
    return plan->base.config.pass == PASS_TRAIN ? CUDNN_FWD_MODE_TRAINING
                                                : CUDNN_FWD_MODE_INFERENCE;
}

/* ---- descriptors ---- */

/* fp32 is strict. */
static cudnnMathType_t math_of(int32_t precision)
{
    static const cudnnMathType_t types[PRECISION_COUNT] = {
        [PRECISION_FP32] = CUDNN_FMA_MATH,       [PRECISION_TF32] = CUDNN_DEFAULT_MATH,
        [PRECISION_FP16] = CUDNN_TENSOR_OP_MATH, [PRECISION_BF16] = CUDNN_TENSOR_OP_MATH,
        [PRECISION_AMP] = CUDNN_TENSOR_OP_MATH,
    };
    return types[precision];
}

/* As PyTorch chooses: weights stay on the chip in fp16 where one layer of one direction is small
 * and its sizes are round. */
static cudnnRNNAlgo_t first_algorithm(const struct recurrent_plan *plan)
{
    const struct recurrent_sizes *sizes = &plan->sizes;
    const int32_t precision = plan->base.config.precision;
    const bool stays = (precision == PRECISION_FP16 || precision == PRECISION_AMP) &&
                       plan->base.config.as.recurrent.cell != CELL_GRU && sizes->layers == 1 &&
                       sizes->directions == 1 && sizes->hidden <= 1024 &&
                       sizes->hidden % 128 == 0 && sizes->inputs % 128 == 0 &&
                       sizes->batch % 8 == 0 && sizes->batch <= 128;
    return stays ? CUDNN_RNN_ALGO_PERSIST_STATIC : CUDNN_RNN_ALGO_STANDARD;
}

static enum status describe_rnn(struct recurrent_plan *plan, struct error *error)
{
    struct cuda_plan *base = &plan->base;
    const struct recurrent_sizes *sizes = &plan->sizes;
    const int32_t precision = base->config.precision;
    CUDNN_RUN(base, error,
              cudnnSetRNNDescriptor_v8(
                  plan->rnn, plan->algorithm, cell_of(plan)->mode,
                  sizes->has_bias ? CUDNN_RNN_DOUBLE_BIAS : CUDNN_RNN_NO_BIAS,
                  sizes->directions > 1 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL,
                  CUDNN_LINEAR_INPUT, cuda_precisions[precision].dnn_type, CUDNN_DATA_FLOAT,
                  math_of(precision), (int32_t)sizes->inputs, (int32_t)sizes->hidden,
                  (int32_t)sizes->hidden, (int32_t)sizes->layers, plan->dropout,
                  CUDNN_RNN_PADDED_IO_DISABLED));
    return STATUS_OK;
}

/* (positions, batch, width); every sample has all positions. */
static enum status describe_rows(cudnnRNNDataDescriptor_t *rows, struct recurrent_plan *plan,
                                 int64_t width, const int *lengths, struct error *error)
{
    struct cuda_plan *base = &plan->base;
    CUDNN_RUN(base, error, cudnnCreateRNNDataDescriptor(rows));
    CUDNN_RUN(base, error,
              cudnnSetRNNDataDescriptor(*rows, cuda_precisions[base->config.precision].dnn_type,
                                        CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED,
                                        (int)plan->sizes.positions, (int)plan->sizes.batch,
                                        (int)width, lengths, NULL));
    return STATUS_OK;
}

static enum status describe_data(struct recurrent_plan *plan, struct error *error)
{
    const int64_t batch = plan->sizes.batch;
    int *lengths;
    TRY(ALLOCATE(&lengths, (size_t)batch, "lengths of sequences", error));
    for (int64_t i = 0; i < batch; i++)
        lengths[i] = (int)plan->sizes.positions;
    enum status status = describe_rows(&plan->input, plan, plan->sizes.inputs, lengths, error);
    if (status == STATUS_OK)
        status = describe_rows(&plan->output, plan, plan->sizes.width, lengths, error);
    free(lengths);
    return status;
}

/* (layers x directions, batch, hidden) */
static enum status describe_state(struct recurrent_plan *plan, struct error *error)
{
    const struct recurrent_sizes *sizes = &plan->sizes;
    const int stacks = (int)(sizes->layers * sizes->directions);
    const int hidden = (int)sizes->hidden, batch = (int)sizes->batch;
    const int dimensions[] = {stacks, batch, hidden}, strides[] = {batch * hidden, hidden, 1};
    struct cuda_plan *base = &plan->base;
    CUDNN_RUN(base, error, cudnnCreateTensorDescriptor(&plan->state));
    CUDNN_RUN(base, error,
              cudnnSetTensorNdDescriptor(plan->state,
                                         cuda_precisions[base->config.precision].dnn_type, 3,
                                         dimensions, strides));
    return STATUS_OK;
}

static enum status describe(struct recurrent_plan *plan, struct error *error)
{
    struct cuda_plan *base = &plan->base;
    CUDNN_RUN(base, error, cudnnCreateRNNDescriptor(&plan->rnn));
    CUDNN_RUN(base, error, cudnnCreateDropoutDescriptor(&plan->dropout));
    CUDNN_RUN(base, error,
              cudnnSetDropoutDescriptor(plan->dropout, base->device->cudnn, 0, NULL, 0, 0));
    TRY(describe_rnn(plan, error));
    TRY(describe_data(plan, error));
    return describe_state(plan, error);
}

/* ---- sizes ---- */

static enum status ask_sizes(struct recurrent_plan *plan, struct error *error)
{
    struct cuda_plan *base = &plan->base;
    cudnnHandle_t handle = base->device->cudnn;
    CUDNN_RUN(base, error, cudnnGetRNNWeightSpaceSize(handle, plan->rnn, &plan->weights_bytes));
    CUDNN_RUN(base, error,
              cudnnGetRNNTempSpaceSizes(handle, plan->rnn, forward_mode(plan), plan->input,
                                        &plan->workspace_bytes, &plan->kept_bytes));
    return STATUS_OK;
}

static void join_weights(struct cuda_plan *base, int64_t count)
{
    for (int i = 0; i < CUDA_WEIGHTS_LIMIT; i++)
        base->count[CUDA_WEIGHTS + i] = base->count[CUDA_WEIGHTS_GRADIENT + i] = 0;
    base->count[CUDA_WEIGHTS] = base->count[CUDA_WEIGHTS_GRADIENT] = count;
}

/* Noise of the size that frameworks begin with: states neither saturate nor grow. */
static enum status count(struct cuda_plan *base, struct error *error)
{
    struct recurrent_plan *plan = (struct recurrent_plan *)base;
    plan->sizes = recurrent_sizes_of(&base->config);
    plan->algorithm = first_algorithm(plan);
    TRY(describe(plan, error));
    TRY(ask_sizes(plan, error));
    join_weights(base, (int64_t)plan->weights_bytes / precision_bytes(base->config.precision));
    base->count[CUDA_KEPT] = ((int64_t)plan->kept_bytes + FLOAT_BYTES - 1) / FLOAT_BYTES;
    base->storage[CUDA_KEPT] = STORAGE_FP32;
    base->weights_amplitude = (float)(1 / sqrt((double)plan->sizes.hidden));
    return STATUS_OK;
}

/* ---- where parameters lie ---- */

static int64_t element_of(const struct recurrent_plan *plan, const void *address)
{
    const unsigned char *first = plan->base.tensor[CUDA_WEIGHTS];
    return ((const unsigned char *)address - first) / precision_bytes(plan->base.config.precision);
}

static enum status find_gate(struct recurrent_plan *plan, int stack, int side, int gate,
                             cudnnTensorDescriptor_t matrix, cudnnTensorDescriptor_t bias,
                             struct error *error)
{
    struct cuda_plan *base = &plan->base;
    const int number = cell_of(plan)->numbers[gate] + side * (int)plan->sizes.gates;
    void *matrix_address = NULL, *bias_address = NULL;
    CUDNN_RUN(base, error,
              cudnnGetRNNWeightParams(base->device->cudnn, plan->rnn, stack, plan->weights_bytes,
                                      base->tensor[CUDA_WEIGHTS], number, matrix, &matrix_address,
                                      bias, &bias_address));
    plan->matrices[stack][side][gate] = element_of(plan, matrix_address);
    plan->biases[stack][side][gate] = bias_address ? element_of(plan, bias_address) : 0;
    return STATUS_OK;
}

static enum status find_gates(struct recurrent_plan *plan, cudnnTensorDescriptor_t matrix,
                              cudnnTensorDescriptor_t bias, struct error *error)
{
    const int stacks = (int)(plan->sizes.layers * plan->sizes.directions);
    for (int stack = 0; stack < stacks; stack++)
        for (int side = 0; side < SIDE_COUNT; side++)
            for (int gate = 0; gate < plan->sizes.gates; gate++)
                TRY(find_gate(plan, stack, side, gate, matrix, bias, error));
    return STATUS_OK;
}

static enum status find_parameters(struct recurrent_plan *plan, struct error *error)
{
    cudnnTensorDescriptor_t matrix = NULL, bias = NULL;
    struct cuda_plan *base = &plan->base;
    CUDNN_RUN(base, error, cudnnCreateTensorDescriptor(&matrix));
    cudnnStatus_t code = cudnnCreateTensorDescriptor(&bias);
    enum status status = code == CUDNN_STATUS_SUCCESS
                             ? find_gates(plan, matrix, bias, error)
                             : cudnn_check(code, "bias", __FILE__, __LINE__, error);
    cudnnDestroyTensorDescriptor(matrix);
    if (bias)
        cudnnDestroyTensorDescriptor(bias);
    return status;
}

/* Parameters are (layers, directions, rows, gates, hidden); cuDNN has a matrix for each gate. */
static int64_t weights_place(const struct cuda_plan *base, int which, int64_t index)
{
    const struct recurrent_plan *plan = (const struct recurrent_plan *)base;
    const struct recurrent_sizes *sizes = &plan->sizes;
    const int64_t neuron = index % sizes->hidden, row = index / sizes->hidden / sizes->gates;
    const int64_t gate = index / sizes->hidden % sizes->gates;
    if (which == recurrent_biases_place(sizes))
        return plan->biases[row / 2][row % 2][gate] + neuron;
    const int64_t depths[] = {sizes->inputs, sizes->hidden, sizes->width};
    const int64_t depth = depths[which];
    const int64_t first = which == RECURRENT_LATER_WEIGHTS ? sizes->directions : 0;
    const int side = which == RECURRENT_STATE_WEIGHTS;
    return plan->matrices[first + row / depth][side][gate] + neuron * depth + row % depth;
}

/* ---- plan ---- */

static enum status take_workspace(struct recurrent_plan *plan, struct error *error)
{
    static const char *const names[] = {
        [CUDNN_RNN_ALGO_STANDARD] = "standard", [CUDNN_RNN_ALGO_PERSIST_STATIC] = "persist_static"};
    struct plan *base = &plan->base.base;
    base->workspace_bytes = (int64_t)plan->workspace_bytes;
    snprintf(base->algorithm, sizeof base->algorithm, "cudnnRNN %s", names[plan->algorithm]);
    return cuda_take_workspace(&plan->workspace, plan->base.device, base->workspace_bytes, error);
}

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct recurrent_plan *plan = (struct recurrent_plan *)base;
    TRY(find_parameters(plan, error));
    return take_workspace(plan, error);
}

/* What stays on the chip may not run here; the standard algorithm does, if it needs no more memory
 * than there is. */
static enum status choose_next(bool *found, struct cuda_plan *base, enum cuda_direction direction,
                               struct error *error)
{
    struct recurrent_plan *plan = (struct recurrent_plan *)base;
    const size_t weights_bytes = plan->weights_bytes, kept_bytes = plan->kept_bytes;
    (void)direction;
    *found = plan->algorithm != CUDNN_RNN_ALGO_STANDARD;
    if (!*found)
        return STATUS_OK;
    plan->algorithm = CUDNN_RNN_ALGO_STANDARD;
    TRY(describe_rnn(plan, error));
    TRY(ask_sizes(plan, error));
    *found = plan->weights_bytes == weights_bytes && plan->kept_bytes <= kept_bytes;
    return *found ? choose(base, error) : STATUS_OK;
}

static cudnnStatus_t run_forward(const struct recurrent_plan *plan)
{
    void *const *tensor = plan->base.tensor;
    return cudnnRNNForward(plan->base.device->cudnn, plan->rnn, forward_mode(plan), NULL,
                           plan->input, tensor[CUDA_INPUT], plan->output, tensor[CUDA_PRODUCT],
                           plan->state, NULL, NULL, plan->state, NULL, NULL, plan->weights_bytes,
                           tensor[CUDA_WEIGHTS], plan->workspace_bytes, plan->workspace,
                           plan->kept_bytes, tensor[CUDA_KEPT]);
}

static cudnnStatus_t run_backward_data(const struct recurrent_plan *plan)
{
    void *const *tensor = plan->base.tensor;
    return cudnnRNNBackwardData_v8(
        plan->base.device->cudnn, plan->rnn, NULL, plan->output, tensor[CUDA_PRODUCT],
        tensor[CUDA_PRODUCT_GRADIENT], plan->input, tensor[CUDA_INPUT_GRADIENT], plan->state, NULL,
        NULL, NULL, plan->state, NULL, NULL, NULL, plan->weights_bytes, tensor[CUDA_WEIGHTS],
        plan->workspace_bytes, plan->workspace, plan->kept_bytes, tensor[CUDA_KEPT]);
}

static cudnnStatus_t run_backward_weights(const struct recurrent_plan *plan)
{
    void *const *tensor = plan->base.tensor;
    return cudnnRNNBackwardWeights_v8(plan->base.device->cudnn, plan->rnn, CUDNN_WGRAD_MODE_ADD,
                                      NULL, plan->input, tensor[CUDA_INPUT], plan->state, NULL,
                                      plan->output, tensor[CUDA_PRODUCT], plan->weights_bytes,
                                      tensor[CUDA_WEIGHTS_GRADIENT], plan->workspace_bytes,
                                      plan->workspace, plan->kept_bytes, tensor[CUDA_KEPT]);
}

/* cuDNN adds to the gradient of the weights. */
static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    const struct recurrent_plan *plan = (const struct recurrent_plan *)base;
    if (direction == CUDA_FORWARD)
        CUDNN_RUN(base, error, run_forward(plan));
    if (direction == CUDA_BACKWARD_DATA)
        CUDNN_RUN(base, error, run_backward_data(plan));
    if (direction == CUDA_BACKWARD_WEIGHTS) {
        CUDA_TRY(error, cudaMemsetAsync(base->tensor[CUDA_WEIGHTS_GRADIENT], 0, plan->weights_bytes,
                                        base->device->stream));
        CUDNN_RUN(base, error, run_backward_weights(plan));
    }
    return STATUS_OK;
}

static void release(struct cuda_plan *base)
{
    struct recurrent_plan *plan = (struct recurrent_plan *)base;
    if (plan->rnn)
        cudnnDestroyRNNDescriptor(plan->rnn);
    if (plan->dropout)
        cudnnDestroyDropoutDescriptor(plan->dropout);
    if (plan->input)
        cudnnDestroyRNNDataDescriptor(plan->input);
    if (plan->output)
        cudnnDestroyRNNDataDescriptor(plan->output);
    if (plan->state)
        cudnnDestroyTensorDescriptor(plan->state);
}

const struct cuda_kind cuda_recurrent = {
    .plan_bytes = sizeof(struct recurrent_plan),
    .count = count,
    .choose = choose,
    .choose_next = choose_next,
    .weights_place = weights_place,
    .run = run,
    .release = release,
};
