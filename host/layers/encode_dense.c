#include "layers/encode_gemm.h"

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

void encode_physical_dense(struct columns *columns, const struct layer_config *config, double units)
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
