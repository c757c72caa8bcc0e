#include "layers/encode_gemm.h"
#include "layers/kind_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(dense, inputs), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 1000000),
     .sample_minimum = 1, .sample_maximum = 32768, .help = "inputs of one row"},
    {OWN(dense, outputs), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 1000000),
     .sample_minimum = 1, .sample_maximum = 32768, .help = "neurons"},
    {OWN(dense, use_bias), NAMED(choice_switch_, 2), .help = "adds a bias to every neuron"},
    {OWN(dense, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(dense, features);

static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct dense *dense = &config->as.dense;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    work_tensor(work, TENSOR_INPUT, "x", rows * inputs);
    work_tensor(work, TENSOR_OUTPUT, "y", rows * outputs);
    work_tensor(work, TENSOR_WEIGHTS, "weights", inputs * outputs);
    work_tensor(work, TENSOR_BIAS, "bias", dense->use_bias ? outputs : 0);
    work->activation = dense->activation;
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.rows = rows, .depth = inputs, .columns = outputs});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){.rows = rows, .depth = outputs, .columns = inputs});
    work_product(work, WORK_BACKWARD_WEIGHTS,
                 (struct work_operation){.rows = inputs, .depth = rows, .columns = outputs});
}

/* ---- columns for predictors ---- */

static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    const struct dense *dense = &config->as.dense;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "inputs", dense->inputs);
    emit(columns, "outputs", dense->outputs);
    emit_paper_choices(columns, config->optimizer, dense->activation);
}

static void emit_sizes(struct columns *columns, const struct layer_config *config)
{
    const struct dense *dense = &config->as.dense;
    const double is_train = config->pass == PASS_TRAIN;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    emit(columns, "use_bias=yes", dense->use_bias == SWITCH_YES);
    emit(columns, "log_batch_size", log_size(rows));
    emit(columns, "log_inputs", log_size(inputs));
    emit(columns, "log_outputs", log_size(outputs));
    emit(columns, "is_train*log_batch_size", is_train * log_size(rows));
    emit(columns, "is_train*log_inputs", is_train * log_size(inputs));
    emit(columns, "is_train*log_outputs", is_train * log_size(outputs));
    emit(columns, "log_inputs/outputs", log2(inputs / outputs));
    EMIT_RAMP("batch_size", rows, 8);
    EMIT_RAMP("batch_size", rows, 32);
    EMIT_RAMP("inputs", inputs, 8);
    EMIT_RAMP("inputs", inputs, 32);
    EMIT_RAMP("inputs", inputs, 256);
    EMIT_RAMP("outputs", outputs, 8);
    EMIT_RAMP("outputs", outputs, 32);
    EMIT_RAMP("outputs", outputs, 256);
}

static void emit_shapes(struct columns *columns, const struct layer_config *config)
{
    const struct dense *dense = &config->as.dense;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    emit(columns, "batch_size==1", config->batch_size == 1); /* a matrix-vector product */
    emit(columns, "batch_size<=4", config->batch_size <= 4);
    emit(columns, "batch_size<=16", config->batch_size <= 16);
    emit(columns, "outputs==1", dense->outputs == 1);
    EMIT_DIVISIBLE("batch_size", config->batch_size);
    EMIT_DIVISIBLE("inputs", dense->inputs);
    EMIT_DIVISIBLE("outputs", dense->outputs);
    EMIT_QUANTISED("batch_size", rows);
    EMIT_QUANTISED("inputs", inputs);
    EMIT_QUANTISED("outputs", outputs);
    EMIT_LAST_FILL("batch_size", rows);
    EMIT_LAST_FILL("inputs", inputs);
    EMIT_LAST_FILL("outputs", outputs);
}

static void emit_steps(struct columns *columns, const struct layer_config *config)
{
    const double rows = config->batch_size;
    const double inputs = config->as.dense.inputs, outputs = config->as.dense.outputs;
#define BATCH_STEP(from, to)   EMIT_STEP("batch_size", rows, from, to);
#define INPUTS_STEP(from, to)  EMIT_STEP("inputs", inputs, from, to);
#define OUTPUTS_STEP(from, to) EMIT_STEP("outputs", outputs, from, to);
    STEPS_OF_8(BATCH_STEP)
    STEPS_OF_128(INPUTS_STEP)
    STEPS_OF_128(OUTPUTS_STEP)
}

static void encode(struct columns *columns, const struct layer_config *config, double units)
{
    const struct dense *dense = &config->as.dense;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    emit_sizes(columns, config);
    emit_shapes(columns, config);
    emit_steps(columns, config);
    /* the long side of the output as rows: libraries transpose as they please */
    const struct gemm forward = {.rows = outputs, .depth = inputs, .columns = rows};
    const struct gemm data = {.rows = inputs, .depth = outputs, .columns = rows};
    const struct gemm weights = {.rows = inputs, .depth = rows, .columns = outputs};
    EMIT_GEMM("forward", &forward, units);
    EMIT_GEMM("backward_data", &data, units);
    EMIT_GEMM("backward_weights", &weights, units);
}

const struct layer_descriptor layer_dense = {
    .name = "dense",
    .help = "fully connected: y = activation(x W + b)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
};
