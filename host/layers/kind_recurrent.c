#include "layers/kind_internal.h"
#include "layers/recurrent.h"

/* The paper has recurrent layers' features, but measured none: its places have small layers, of
 * which most are within a sweep's FLOPs.
 *
 * Days and hours of forecasts, CTC-OCR's columns, words (Zaremba et al. 35, AWD-LSTM 70, GNMT 50),
 * frames of speech and spectrograms. */
static const struct sample_shapes position_shapes = {
    .values = {1,  7,  10, 14, 20,  24,  26,  28,  32,  35,  35,  48,  50,  50,  60,
               64, 70, 80, 96, 100, 128, 168, 200, 256, 300, 400, 512, 800, 1000},
    .paper_minimum = 1,
    .paper_maximum = 64,
};
/* Series, mel bands (Tacotron 80), OCR's columns (CRNN 512), words (Zaremba et al. 650 and 1500,
 * AWD-LSTM 400), GNMT 1024, DeepSpeech 2 1760 and 2560. */
static const struct sample_shapes input_shapes = {
    .values = {1,   4,   8,   16,  32,  40,  64,   80,   80,   100,  128,  200,  256,  256, 300,
               400, 400, 512, 512, 512, 650, 1024, 1024, 1024, 1150, 1500, 1760, 2048, 2560},
    .paper_minimum = 1,
    .paper_maximum = 1024,
};
/* Forecasting 32 to 256, CRNN 256, ELMo's and Tacotron's 512 and 1024, the rest as above. */
static const struct sample_shapes hidden_shapes = {
    .values = {32,  50,  64,  64,  100, 128, 128, 128, 200,  256,  256,  256,  256,  300,  320, 400,
               512, 512, 512, 512, 650, 650, 800, 896, 1024, 1024, 1024, 1150, 1500, 1760, 2560},
    .paper_minimum = 1,
    .paper_maximum = 1024,
};
static const struct sample_shapes layer_shapes = {
    .values = {1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 8},
    .paper_minimum = 1,
    .paper_maximum = 1,
};
static const struct sample_shapes cell_shapes = {
    .paper_minimum = INT32_MIN,
    .paper_maximum = INT32_MAX,
    .has_usual = true,
    .usual = CELL_LSTM,
};
static const struct sample_shapes direction_shapes = {
    .paper_minimum = INT32_MIN,
    .paper_maximum = INT32_MAX,
    .has_usual = true,
    .usual = SWITCH_NO,
};
static const struct sample_shapes bias_shapes = {
    .paper_minimum = INT32_MIN,
    .paper_maximum = INT32_MAX,
    .has_usual = true,
    .usual = SWITCH_YES,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(recurrent, positions), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .shapes = &position_shapes,
     .help = "steps of one sample: words, frames, hours"},
    {OWN(recurrent, inputs), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &input_shapes,
     .help = "inputs of one step"},
    {OWN(recurrent, hidden), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &hidden_shapes,
     .help = "neurons of one direction of one layer"},
    {OWN(recurrent, layers), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, RECURRENT_LAYER_LIMIT),
     .sample_minimum = 1, .sample_maximum = 4, .shapes = &layer_shapes,
     .help = "stacked layers, each of that many neurons"},
    {OWN(recurrent, cell), NAMED(choice_recurrent_cell, CELL_COUNT), .shapes = &cell_shapes,
     .help = "what keeps the state"},
    {OWN(recurrent, bidirectional), NAMED(choice_switch_, 2), .shapes = &direction_shapes,
     .help = "a second direction goes from the last step to the first"},
    {OWN(recurrent, use_bias), NAMED(choice_switch_, 2), .shapes = &bias_shapes,
     .help = "adds two biases to every gate"},
};
DESCRIBES_ALL(recurrent, features);

/* Of one neuron at one step, products and biases apart. A tanh counts 5 operations, a sigmoid 4, as
 * activations do; every gate adds its two products. Backward:
 *
 *   rnn   h = tanh(a)                          1 + 5          | da = (dy + dh)(1 - h h)         4
 *   lstm  i, f, o; g; f c + i g; o tanh(c)     4 + 3 4 + 2 5 + 4
 *         dh 1; do = dh t o (1 - o) 4; dc += dh o (1 - t t) 5; di, df, dg 4 each; dc f 1       23
 *   gru   u, r; n = tanh(a + r b); u h + (1 - u) n              3 + 2 4 + 5 + 1 + 4
 *         dh 1; du 5; dn 5; dr 4; dn r 1; dh u 1                                              17
 *
 * states: kept beside the gates: an LSTM's c, a GRU's product with the state. */
static const struct cell_work {
    int gates;
    double forward, backward, states;
} cell_works[CELL_COUNT] = {
    [CELL_RNN] = {1, 6, 4, 0},
    [CELL_LSTM] = {4, 30, 23, 1},
    [CELL_GRU] = {3, 21, 17, 1},
};

struct recurrent_sizes recurrent_sizes_of(const struct layer_config *config)
{
    const struct recurrent *of = &config->as.recurrent;
    const int64_t directions = of->bidirectional == SWITCH_YES ? 2 : 1;
    return (struct recurrent_sizes){.positions = of->positions,
                                    .batch = config->batch_size,
                                    .inputs = of->inputs,
                                    .hidden = of->hidden,
                                    .layers = of->layers,
                                    .directions = directions,
                                    .gates = cell_works[of->cell].gates,
                                    .width = directions * of->hidden,
                                    .has_bias = of->use_bias == SWITCH_YES};
}

/* Rows of weights of one layer: gates of all its neurons. */
static double gate_rows(const struct recurrent_sizes *sizes)
{
    return (double)(sizes->directions * sizes->gates) * (double)sizes->hidden;
}

static double parameters_of(const struct recurrent_sizes *sizes, enum recurrent_parameters what)
{
    const double layers = (double)sizes->layers;
    const double counts[RECURRENT_PARAMETER_COUNT] = {
        [RECURRENT_INPUT_WEIGHTS] = (double)sizes->inputs,
        [RECURRENT_STATE_WEIGHTS] = layers * (double)sizes->hidden,
        [RECURRENT_LATER_WEIGHTS] = (layers - 1) * (double)sizes->width,
        [RECURRENT_BIASES] = sizes->has_bias ? 2 * layers : 0,
    };
    return counts[what] * gate_rows(sizes);
}

int64_t recurrent_parameter_count(const struct recurrent_sizes *sizes,
                                  enum recurrent_parameters what)
{
    return (int64_t)parameters_of(sizes, what);
}

static void add_tensors(struct layer_work *work, const struct recurrent_sizes *sizes,
                        double cell_count, double states)
{
    static const char *const names[RECURRENT_PARAMETER_COUNT] = {
        "input weights", "recurrent weights", "input weights of later layers", "biases"};
    const double rows = (double)sizes->positions * (double)sizes->batch;
    const double between = (double)(sizes->layers - 1) * rows * (double)sizes->width;
    work_tensor(work, TENSOR_INPUT, "x", rows * (double)sizes->inputs);
    work_tensor(work, TENSOR_OUTPUT, "y", rows * (double)sizes->width);
    for (int i = 0; i < RECURRENT_PARAMETER_COUNT; i++)
        work_tensor(work, TENSOR_WEIGHTS, names[i],
                    parameters_of(sizes, (enum recurrent_parameters)i));
    work_tensor(work, TENSOR_KEPT, "gates and states",
                cell_count * ((double)sizes->gates + states) + between);
}

/* The inputs of all steps are known: one product per layer and direction. A state is known only
 * after the step before it: a product per step, each of which reads the state's weights again.
 * Layers after the first read the outputs of both directions: the depth of the input products is
 * the layers' mean, which has their FLOPs. Between products and cells lie the gates of all steps.
 */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct recurrent_sizes sizes = recurrent_sizes_of(config);
    const struct cell_work *cell = &cell_works[config->as.recurrent.cell];
    const double steps = (double)sizes.positions, rows = steps * (double)sizes.batch;
    const double layers = (double)sizes.layers, hidden = (double)sizes.hidden;
    const double stacks = layers * (double)sizes.directions, gates = (double)sizes.gates;
    const double depth = ((double)sizes.inputs + (layers - 1) * (double)sizes.width) / layers;
    const double cell_count = rows * stacks * hidden, gate_count = cell_count * gates;
    const double between = (layers - 1) * rows * (double)sizes.width;
    const double again = (steps - 1) * parameters_of(&sizes, RECURRENT_STATE_WEIGHTS);
    const double biases = sizes.has_bias ? gate_count : 0;
    add_tensors(work, &sizes, cell_count, cell->states);
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.rows = rows,
                                         .depth = depth,
                                         .columns = gates * hidden,
                                         .batch = stacks,
                                         .read = between,
                                         .written = gate_count});
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.rows = (double)sizes.batch,
                                         .depth = hidden,
                                         .columns = gates * hidden,
                                         .batch = steps * stacks,
                                         .read = again});
    work_stream(work, WORK_FORWARD,
                (struct work_operation){.flops = cell_count * cell->forward + 2 * biases,
                                        .read = gate_count,
                                        .written = between});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){.rows = rows,
                                         .depth = gates * hidden,
                                         .columns = depth,
                                         .batch = stacks,
                                         .read = gate_count,
                                         .written = between});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){.rows = (double)sizes.batch,
                                         .depth = gates * hidden,
                                         .columns = hidden,
                                         .batch = steps * stacks,
                                         .read = again});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){
                    .flops = cell_count * cell->backward, .read = between, .written = gate_count});
    work_product(work, WORK_BACKWARD_WEIGHTS,
                 (struct work_operation){.rows = depth,
                                         .depth = rows,
                                         .columns = gates * hidden,
                                         .batch = stacks,
                                         .read = gate_count});
    work_product(work, WORK_BACKWARD_WEIGHTS,
                 (struct work_operation){.rows = hidden,
                                         .depth = rows,
                                         .columns = gates * hidden,
                                         .batch = stacks,
                                         .read = gate_count});
    if (biases > 0)
        work_stream(work, WORK_BACKWARD_WEIGHTS, (struct work_operation){.flops = biases});
}

static const struct layer_case cases[] = {
    /* x 3*2*4 = 24, y 3*2*5 = 30, W 4*20 = 80, R 5*20 = 100, biases 2*20 = 40; 30 cells, 120 gates.
     * FLOPs 2*6*4*20 + 3 * 2*2*5*20 + 30*30 + 2*120 = 3300; reads 4(24 + 220), R 2 times again 800,
     * gates 480; writes 4*30 and gates 480; memory 4(24 + 30 + 220) */
    {"recurrent:batch_size=2,positions=3,inputs=4,hidden=5,layers=1,cell=lstm,bidirectional=no,"
     "use_bias=yes",
     {3300, 2256, 600, 220, 96, 120, 1096},
     UINT64_C(0x9a88f36649b99cc4)},
    /* x 2*3 = 6, y 2*4 = 8, W 3*12 = 36, R 2*2*12 = 48, W of the second layer 4*12 = 48, biases
     * 2*2*12 = 48: 180; 16 cells, 48 gates, between the layers 8; kept 16*4 + 8 = 72; mean
     * depth 3.5. FLOPs forward 2*2*3.5*6*4 = 336, 8 * 2*1*2*6 = 192, 16*21 = 336, 2*48: 960; data
     * 336, 192, 16*17: 800; weights 336, 4 * 2*2*2*6 = 192, 48: 576; sgd 2*180: 2696. Reads 4
     * times: forward 6 + 180, between 8, R again 48, gates 48: 290; data 8 + 180, gates 48, R again
     * 48, between 8: 292; weights 6 + 8, gates twice: 110; kept 72; sgd 360: 1124. Writes: 8, gates
     * 48, between 8; 6, between 8, gates 48; 180; kept 72; sgd 180: 558. Memory 2(6 + 8 + 180) + 72
     */
    {"recurrent:batch_size=1,positions=2,inputs=3,hidden=2,layers=2,cell=gru,bidirectional=yes,"
     "use_bias=yes,pass=train,optimizer=sgd",
     {2696, 4496, 2232, 180, 24, 320, 1840},
     UINT64_C(0x93b7680d8549e008)},
    {.text = NULL},
};

const struct layer_descriptor layer_recurrent = {
    .name = "recurrent",
    .help = "recurrent layers: simple (tanh), LSTM (Hochreiter, Schmidhuber 1997) or GRU (Cho et "
            "al., arXiv 1406.1078, linear before reset)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .cases = cases,
};
