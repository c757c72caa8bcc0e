#include "layers/encode_gemm.h"
#include "layers/kind_internal.h"

static const struct sample_shapes input_shapes = {
    .values = {64, 100, 128, 256, 400, 512, 784, 1024, 2048, 2048, 4096, 4096, 9216, 25088},
    .paper_minimum = 1,
    .paper_maximum = 4096,
};
static const struct sample_shapes output_shapes = {
    .values = {2, 10, 64, 84, 100, 128, 256, 512, 1000, 1000, 1024, 2048, 4096, 4096},
    .paper_minimum = 1,
    .paper_maximum = 4096,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(dense, inputs), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 1000000),
     .sample_minimum = 1, .sample_maximum = 32768, .shapes = &input_shapes,
     .help = "inputs of one row"},
    {OWN(dense, outputs), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 1000000),
     .sample_minimum = 1, .sample_maximum = 32768, .shapes = &output_shapes, .help = "neurons"},
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

static void emit_ramps(struct columns *columns, const struct layer_config *config)
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

#define BATCH_STEP_ABOVE(size)   {size, "batch_size>" #size},
#define INPUTS_STEP_ABOVE(size)  {size, "inputs>" #size},
#define OUTPUTS_STEP_ABOVE(size) {size, "outputs>" #size},
static const struct size_limit batch_steps[] = {MULTIPLES_OF_4(BATCH_STEP_ABOVE)};
static const struct size_limit inputs_steps[] = {MULTIPLES_OF_16(INPUTS_STEP_ABOVE)};
static const struct size_limit outputs_steps[] = {MULTIPLES_OF_16(OUTPUTS_STEP_ABOVE)};

static void emit_steps(struct columns *columns, const struct layer_config *config)
{
    EMIT_LIMITS(emit_above, config->batch_size, batch_steps);
    EMIT_LIMITS(emit_above, config->as.dense.inputs, inputs_steps);
    EMIT_LIMITS(emit_above, config->as.dense.outputs, outputs_steps);
}

static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    const struct dense *dense = &config->as.dense;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    emit_sizes(columns, config);
    emit_shapes(columns, config);
    if (columns->with_steps)
        emit_steps(columns, config);
    else
        emit_ramps(columns, config);
    /* the long side of the output as rows: libraries transpose as they please */
    const struct work_operation forward = {
        .rows = outputs, .depth = inputs, .columns = rows, .batch = 1};
    const struct work_operation data = {
        .rows = inputs, .depth = outputs, .columns = rows, .batch = 1};
    const struct work_operation weights = {
        .rows = inputs, .depth = rows, .columns = outputs, .batch = 1};
    (void)work;
    emit_product(columns, WORK_FORWARD, 0, &forward, units);
    emit_product(columns, WORK_BACKWARD_DATA, 0, &data, units);
    emit_product(columns, WORK_BACKWARD_WEIGHTS, 0, &weights, units);
}

static const struct layer_case cases[] = {
    /* x 2x3, W 3x5, y 2x5. 2*2*3*5 = 60 FLOPs; reads 4(6 + 15) = 84; writes 4*10 = 40;
     * memory 4(6 + 15 + 10) = 124 */
    {"dense:batch_size=2,inputs=3,outputs=5",
     {60, 84, 40, 15, 24, 40, 124},
     UINT64_C(0xa330212ef5d89005)},
    /* + bias 10, relu 10: 80; reads 84 + 4*5 + 4*10 = 144; writes 40 + 40 = 80;
     * memory 4(6 + 15 + 5 + 10) = 144 */
    {"dense:batch_size=2,inputs=3,outputs=5,use_bias=yes,activation=relu",
     {80, 144, 80, 20, 24, 40, 144},
     UINT64_C(0x04b64833fa0580d8)},
    /* train without update: 3 * 60; reads 84 + 100 + 64 = 248; writes 40 + 24 + 60 = 124 */
    {"dense:batch_size=2,inputs=3,outputs=5,pass=train",
     {180, 248, 124, 15, 24, 40, 248},
     UINT64_C(0x7653dc1c48c7a282)},
    /* forward 80, 144, 80; relu backward 10, 80, 40; data 60, 4(10 + 15) = 100, 24;
     * weights 60, 4(6 + 10) = 64, 60; bias 10, 40, 20; adam 20 * 12 = 240, 4*4*20 = 320,
     * 4*3*20 = 240. FLOPs 460; reads 748; writes 464; memory 2 * 144 + 4*2*20 = 448 */
    {"dense:batch_size=2,inputs=3,outputs=5,use_bias=yes,activation=relu,pass=train,optimizer=adam",
     {460, 748, 464, 20, 24, 40, 448},
     UINT64_C(0x589076c12b7247e4)},
    {.text = NULL},
};

const struct layer_descriptor layer_dense = {
    .name = "dense",
    .help = "fully connected: y = activation(x W + b)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
