/* The cuda backend's own code on the CPU: the shim in place of the runtime, doubles in place of
 * cuBLAS and cuDNN. What its times hold, and what becomes of algorithms that do not run.
 */
#include "base/half.h"
#include "bench/measure.h"
#include "shim_device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct device *open_cuda(bool autotune)
{
    return shim_device_open(1 << 20, autotune);
}

static int setup(void **state)
{
    unsetenv("SHIM_REFUSES");
    shim_set_times(NULL);
    *state = open_cuda(false);
    return 0;
}

/* ---- time ---- */

/* `kernels` empty kernels, recorded and replayed. */
static double replay_ms(struct device *device, int kernels)
{
    struct error error = {0};
    double elapsed_ms;
    assert_int_equal(backend->record_start(device, &error), STATUS_OK);
    for (int i = 0; i < kernels; i++)
        assert_int_equal(launch_empty(((struct cuda_device *)device)->stream), cudaSuccess);
    assert_int_equal(backend->record_stop(device, &error), STATUS_OK);
    assert_int_equal(backend->timer_start(device, &error), STATUS_OK);
    assert_int_equal(backend->replay(device, &error), STATUS_OK);
    assert_int_equal(backend->timer_stop(device, &elapsed_ms, &error), STATUS_OK);
    return elapsed_ms;
}

/* The host takes 6 us for the launch, the device waits meanwhile; none of it is the layer's. */
static void replays_last_as_long_as_their_kernels(void **state)
{
    struct cuda_device *cuda = *state;
    assert_false(cuda->timer.spins);
    assert_true(fabs(cuda->timer.inside_error_ms) < 1e-6);
    for (int kernels = 1; kernels <= 64; kernels *= 4)
        assert_true(fabs(replay_ms(*state, kernels) - 3e-3 * kernels) < 1e-6);
}

/* Recording again, with another number of calls, as often as one likes. */
static void recordings_are_replaced(void **state)
{
    assert_true(fabs(replay_ms(*state, 5) - 15e-3) < 1e-6);
    assert_true(fabs(replay_ms(*state, 2) - 6e-3) < 1e-6);
    assert_true(fabs(replay_ms(*state, 50) - 150e-3) < 1e-6);
}

/* Where events inside a graph take time of their own a kernel that spins hides the launch. */
static void slow_event_nodes_are_found_out(void **state)
{
    (void)state;
    const struct shim_times slow = {
        .kernel = 3, .graph_launch = 6, .kernel_launch = 2, .event_node = 20};
    shim_set_times(&slow);
    struct device *device = open_cuda(false);
    const struct cuda_timer *timer = &((struct cuda_device *)device)->timer;
    assert_true(fabs(timer->inside_error_ms - 20e-3) < 1e-6);
    assert_true(timer->spins);
    assert_true(fabs(timer->spin_error_ms) < 1e-6);
    assert_true(fabs(replay_ms(device, 10) - 30e-3) < 1e-6);
    backend->close(device);
    shim_set_times(NULL);
}

static void refused_event_nodes_are_done_without(void **state)
{
    (void)state;
    const struct shim_times none = {
        .kernel = 3, .graph_launch = 6, .kernel_launch = 2, .event_node = -1};
    shim_set_times(&none);
    struct device *device = open_cuda(false);
    assert_true(((struct cuda_device *)device)->timer.spins);
    assert_true(fabs(replay_ms(device, 10) - 30e-3) < 1e-6);
    backend->close(device);
    shim_set_times(NULL);
}

/* Without a replay between the marks the host's own pace counts. */
static void eager_calls_are_timed_by_their_marks(void **state)
{
    struct cuda_device *cuda = *state;
    struct error error = {0};
    double elapsed_ms;
    replay_ms(*state, 4);
    assert_int_equal(backend->timer_start(*state, &error), STATUS_OK);
    launch_empty(cuda->stream);
    launch_empty(cuda->stream);
    assert_int_equal(backend->timer_stop(*state, &elapsed_ms, &error), STATUS_OK);
    assert_true(fabs(elapsed_ms - 8e-3) < 1e-6); /* 2 us until the first, 3 each */
}

static void failed_recordings_are_survived(void **state)
{
    struct cuda_device *cuda = *state;
    struct error error = {0};
    assert_int_equal(backend->record_start(*state, &error), STATUS_OK);
    assert_int_not_equal(cudaStreamSynchronize(cuda->stream), cudaSuccess);
    assert_int_equal(backend->record_stop(*state, &error), STATUS_FAILED);
    assert_true(strlen(error.message) > 0);
    assert_true(fabs(replay_ms(*state, 4) - 12e-3) < 1e-6);
}

/* ---- algorithms that do not run ---- */

static const struct layer_config convolution = {.kind = LAYER_CONV2D,
                                                .batch_size = 2,
                                                .pass = PASS_TRAIN,
                                                .optimizer = OPTIMIZER_ADAM,
                                                .as.conv2d = {.image_size = 6,
                                                              .kernel_size = 3,
                                                              .channels_in = 3,
                                                              .channels_out = 4,
                                                              .stride = 1,
                                                              .padding = PADDING_SAME,
                                                              .use_bias = 1,
                                                              .activation = ACTIVATION_RELU,
                                                              .groups = 1,
                                                              .dilation = 1}},
                                 pooling = {.kind = LAYER_POOL2D,
                                            .batch_size = 2,
                                            .pass = PASS_TRAIN,
                                            .as.pool2d = {.image_size = 6,
                                                          .kernel_size = 2,
                                                          .channels = 3,
                                                          .stride = 2}},
                                 norm = {.kind = LAYER_BATCH_NORM,
                                         .batch_size = 2,
                                         .pass = PASS_TRAIN,
                                         .optimizer = OPTIMIZER_SGD,
                                         .as.batch_norm = {.image_size = 4, .channels = 5}},
                                 dense = {.kind = LAYER_DENSE,
                                          .batch_size = 3,
                                          .pass = PASS_TRAIN,
                                          .optimizer = OPTIMIZER_ADAM,
                                          .as.dense = {.inputs = 6, .outputs = 5, .use_bias = 1}},
                                 recurrent = {.kind = LAYER_RECURRENT,
                                              .batch_size = 3,
                                              .pass = PASS_TRAIN,
                                              .optimizer = OPTIMIZER_ADAM,
                                              .as.recurrent = {.positions = 4,
                                                               .inputs = 5,
                                                               .hidden = 6,
                                                               .layers = 2,
                                                               .cell = CELL_GRU,
                                                               .bidirectional = 1,
                                                               .use_bias = 1}};

/* The row of a config that can be measured or not, on a device that goes on. */
static struct measurement measure(struct device *device, const struct layer_config *config)
{
    struct measurement row;
    struct error error = {0};
    if (measure_config(&row, device, config, &measure_options_default, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return row;
}

static void every_kind_is_measured(void **state)
{
    const struct layer_config *const configs[] = {&convolution, &pooling, &norm, &dense,
                                                  &recurrent};
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        const struct measurement row = measure(*state, configs[i]);
        assert_true(measurement_is_timed(&row));
        assert_int_equal(row.timing, TIMING_GRAPH);
    }
}

static struct measurement measure_checked(struct check *check, struct device *device,
                                          const struct layer_config *config)
{
    struct measurement row;
    struct error error = {0};
    if (measure_and_check(&row, check, device, config, &measure_options_default, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    assert_true(check->is_checked);
    return row;
}

/* Kernels of our own compute in the shim; the doubles of the libraries do nothing, which is wrong.
 */
static void results_are_checked(void **state)
{
    struct check check;
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int pass = 0; pass < PASS_COUNT; pass++) {
            const struct layer_config right[] = {
                {.kind = LAYER_BINARY,
                 .batch_size = 3,
                 .pass = pass,
                 .precision = precision,
                 .as.binary = {.elements = 301, .activation = ACTIVATION_TANH, .repeats = 1}},
                {.kind = LAYER_LAYER_NORM,
                 .batch_size = 3,
                 .pass = pass,
                 .optimizer = pass == PASS_TRAIN ? OPTIMIZER_ADAM : OPTIMIZER_NONE,
                 .precision = precision,
                 .as.layer_norm = {.positions = 5, .width = 77, .pixels = 1}},
                {.kind = LAYER_SOFTMAX,
                 .batch_size = 3,
                 .pass = pass,
                 .precision = precision,
                 .as.softmax = {.positions = 5, .width = 77}},
                {.kind = LAYER_MATMUL,
                 .batch_size = 2,
                 .pass = pass,
                 .precision = precision,
                 .as.matmul = {.matrices = 3, .left_rows = 5, .depth = 7, .right_columns = 9}},
                {.kind = LAYER_MATMUL,
                 .batch_size = 2,
                 .pass = pass,
                 .precision = precision,
                 .as.matmul = {.matrices = 3,
                               .left_rows = 5,
                               .depth = 7,
                               .right_columns = 9,
                               .is_right_transposed = SWITCH_YES}},
                {.kind = LAYER_ATTENTION,
                 .batch_size = 2,
                 .pass = pass,
                 .precision = precision,
                 .as.attention = {.heads = 3,
                                  .key_value_heads = 3,
                                  .query_length = 6,
                                  .key_length = 4,
                                  .head_size = 8}},
                {.kind = LAYER_ATTENTION,
                 .batch_size = 2,
                 .pass = pass,
                 .precision = precision,
                 .as.attention = {.heads = 4,
                                  .key_value_heads = 2,
                                  .query_length = 3,
                                  .key_length = 5,
                                  .head_size = 8,
                                  .causal = SWITCH_YES}},
                {.kind = LAYER_EMBEDDING,
                 .batch_size = 3,
                 .pass = pass,
                 .optimizer = pass == PASS_TRAIN ? OPTIMIZER_ADAM : OPTIMIZER_NONE,
                 .precision = precision,
                 .as.embedding = {.positions = 9, .vocabulary = 40, .width = 24}},
                {.kind = LAYER_EMBEDDING,
                 .batch_size = 3,
                 .pass = pass,
                 .optimizer = pass == PASS_TRAIN ? OPTIMIZER_MOMENTUM : OPTIMIZER_NONE,
                 .precision = precision,
                 .as.embedding =
                     {.positions = 9, .vocabulary = 11, .width = 21, .gradient = GRADIENT_SPARSE}},
                {.kind = LAYER_LOSS,
                 .batch_size = 3,
                 .pass = pass,
                 .precision = precision,
                 .as.loss = {.positions = 7, .classes = 60}}};
            for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
                const struct measurement row = measure_checked(&check, *state, &right[i]);
                if (check.is_incorrect)
                    fail_msg("%s", check.finding);
                assert_true(measurement_is_timed(&row));
            }
        }
    const struct layer_config *const wrong[] = {&convolution, &pooling, &norm, &dense, &recurrent};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct measurement row = measure_checked(&check, *state, wrong[i]);
        assert_int_equal(row.outcome, OUTCOME_INCORRECT);
        assert_true(isnan(row.median_ms));
    }
}

/* Where the device keeps channels last, elements are found all the same. */
static void elements_are_read_in_plain_order(void **state)
{
    struct layer_config config = convolution;
    config.precision = PRECISION_FP16;
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    assert_int_equal(
        backend->bench[LAYER_CONV2D]->prepare(&plan, *state, &config, NULL, &outcome, &error),
        STATUS_OK);
    const struct cuda_plan *own = (const struct cuda_plan *)plan;
    const int64_t count = layer_value_count(&config, VALUE_INPUT);
    const uint16_t *stored = own->tensor[CUDA_INPUT];
    for (int64_t i = 0; i < count; i++) {
        float value;
        const int64_t pixel = i % 36, channel = i / 36 % 3, image = i / 108;
        assert_int_equal(plan->bench->read(&value, plan, VALUE_INPUT, &i, 1, &error), STATUS_OK);
        assert_true(value == float_of_fp16(stored[(image * 36 + pixel) * 3 + channel]));
    }
    plan->bench->release(plan);
}

/* ---- tensors with several readers ---- */

enum { READERS = 70 };

/* What the plan's kernel alone hands to its input: without the sums behind it. */
static void hand_alone(float *sum, struct plan *plan, int64_t count)
{
    struct cuda_plan *own = (struct cuda_plan *)plan;
    struct error error = {0};
    const int sum_count = own->sum_count;
    own->sum_count = 0;
    assert_int_equal(plan->bench->enqueue(plan, PHASE_BACKWARD, &error), STATUS_OK);
    own->sum_count = sum_count;
    for (int64_t i = 0; i < count; i++) {
        float value;
        assert_int_equal(plan->bench->read(&value, plan, VALUE_INPUT_GRADIENT, &i, 1, &error),
                         STATUS_OK);
        sum[i] += value;
    }
}

static struct plan *prepare_reader(struct device *device, struct plan *producer)
{
    const struct layer_config config = {.kind = LAYER_LAYER_NORM,
                                        .batch_size = 2,
                                        .pass = PASS_TRAIN,
                                        .as.layer_norm = {.positions = 3, .width = 8, .pixels = 1}};
    struct plan *const inputs[LAYER_INPUT_LIMIT] = {producer};
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    assert_int_equal(
        backend->bench[config.kind]->prepare(&plan, device, &config, inputs, &outcome, &error),
        STATUS_OK);
    return plan;
}

static void gradients_of_several_readers_are_summed(void **state)
{
    struct plan *producer = prepare_reader(*state, NULL), *readers[READERS];
    struct error error = {0};
    float wanted[48] = {0};
    const float *got = ((struct cuda_plan *)producer)->tensor[CUDA_OUTPUT_GRADIENT];
    for (int i = 0; i < READERS; i++)
        readers[i] = prepare_reader(*state, producer);
    assert_int_equal(producer->bench->enqueue(producer, PHASE_FORWARD, &error), STATUS_OK);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(readers[i]->bench->enqueue(readers[i], PHASE_FORWARD, &error), STATUS_OK);
        hand_alone(wanted, readers[i], 48);
    }
    for (int i = READERS; i-- > 0;)
        assert_int_equal(readers[i]->bench->enqueue(readers[i], PHASE_BACKWARD, &error), STATUS_OK);
    for (int i = 0; i < 48; i++)
        assert_true(fabsf(got[i] - wanted[i]) <= 1e-5f * (1 + fabsf(wanted[i])));
    for (int i = READERS; i-- > 0;)
        readers[i]->bench->release(readers[i]);
    producer->bench->release(producer);
}

/* A refusal in any category is the algorithm's: not supported with its sub-codes, a bad parameter,
 * a launch that failed. */
static void what_a_library_refuses_is_unsupported(void **state)
{
    static const struct {
        const char *refuses;
        const struct layer_config *config;
    } cases[] = {
        {"pooling=3000", &pooling},
        {"window=2000", &pooling},
        {"pooling=3002", &pooling},
        {"pooling-backward=2000", &pooling},
        {"norm=3014", &norm},
        {"norm-backward=3007", &norm},
        {"norm=5000", &norm},
        {"gemm=15", &dense},
        {"plans=2000", &convolution},
        {"plans=4000", &convolution},
        {"rnn-cell=2000", &recurrent},
        {"rnn-size=3000", &recurrent},
        {"rnn=3000", &recurrent},
        {"rnn-backward=5000", &recurrent},
        {"rnn-weights=2000", &recurrent},
        {"engine1=3000,engine2=3002,engine3=2000", &convolution},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("SHIM_REFUSES", cases[i].refuses, 1);
        assert_int_equal(measure(*state, cases[i].config).outcome, OUTCOME_UNSUPPORTED);
        unsetenv("SHIM_REFUSES");
        const struct measurement row = measure(*state, cases[i].config);
        assert_true(measurement_is_timed(&row));
    }
}

static void convolutions_take_the_first_engine_that_runs(void **state)
{
    assert_int_equal(measure(*state, &convolution).engine, 1);
    setenv("SHIM_REFUSES", "engine1=3002", 1);
    struct measurement row = measure(*state, &convolution);
    assert_int_equal(row.engine, 2);
    assert_string_equal(row.algorithm, "engine 2; 2; 2");
    assert_true(measurement_is_timed(&row));
    setenv("SHIM_REFUSES", "engine1=5000,engine2=2001", 1);
    row = measure(*state, &convolution);
    assert_string_equal(row.algorithm, "engine 3; 3; 3");
    assert_int_equal(row.workspace_bytes, 1000); /* engine 3's */
}

/* Where the library keeps weights on the chip, and what is left where it cannot. */
static void recurrent_layers_say_their_algorithm(void **state)
{
    struct layer_config config = recurrent;
    assert_string_equal(measure(*state, &config).algorithm, "cudnnRNN standard");
    config.batch_size = 8;
    config.precision = PRECISION_FP16;
    config.as.recurrent = (struct recurrent){
        .positions = 2, .inputs = 128, .hidden = 128, .layers = 1, .cell = CELL_RNN};
    struct measurement row = measure(*state, &config);
    assert_string_equal(row.algorithm, "cudnnRNN persist_static");
    assert_true(measurement_is_timed(&row));
    setenv("SHIM_REFUSES", "persist=3000", 1);
    row = measure(*state, &config);
    assert_string_equal(row.algorithm, "cudnnRNN standard");
    assert_true(measurement_is_timed(&row));
    config.batch_size = 7; /* not a multiple of 8 */
    unsetenv("SHIM_REFUSES");
    assert_string_equal(measure(*state, &config).algorithm, "cudnnRNN standard");
}

/* cuDNN has a matrix for each gate, (hidden, inputs), and all biases behind them: every parameter
 * is found, at a place of its own. */
static void check_places(struct device *device, const struct layer_config *config)
{
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    device->backend->reset(device);
    assert_int_equal(
        backend->bench[LAYER_RECURRENT]->prepare(&plan, device, config, NULL, &outcome, &error),
        STATUS_OK);
    const struct cuda_plan *own = (const struct cuda_plan *)plan;
    const int64_t count = own->count[CUDA_WEIGHTS];
    int *uses = calloc((size_t)count, sizeof *uses);
    int64_t found = 0;
    assert_non_null(uses);
    for (int which = 0; which < CUDA_WEIGHTS_LIMIT; which++)
        for (int64_t i = 0; i < layer_value_count(config, VALUE_WEIGHTS + which); i++, found++) {
            const int64_t place = own->kind->weights_place(own, which, i);
            float value;
            assert_in_range(place, 0, count - 1);
            assert_int_equal(uses[place]++, 0);
            assert_int_equal(plan->bench->read(&value, plan, VALUE_WEIGHTS + which, &i, 1, &error),
                             STATUS_OK);
            assert_true(value == ((const float *)own->tensor[CUDA_WEIGHTS])[place]);
        }
    assert_int_equal(found, layer_cost(config).parameter_count);
    free(uses);
    plan->bench->release(plan);
}

static void recurrent_parameters_are_found(void **state)
{
    struct layer_config config = recurrent;
    for (int cell = 0; cell < CELL_COUNT; cell++)
        for (int layers = 1; layers <= 3; layers++)
            for (int twice = 0; twice < 2; twice++)
                for (int bias = 0; bias < 2; bias++) {
                    config.as.recurrent = (struct recurrent){2, 5, 4, layers, cell, twice, bias};
                    check_places(*state, &config);
                }
    /* GRU: the first matrix of cuDNN is the reset's, which is our second gate */
    config.as.recurrent = (struct recurrent){2, 5, 4, 1, CELL_GRU, 0, 1};
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    assert_int_equal(
        backend->bench[LAYER_RECURRENT]->prepare(&plan, *state, &config, NULL, &outcome, &error),
        STATUS_OK);
    const struct cuda_plan *own = (const struct cuda_plan *)plan;
    const int64_t input = 3, gate = 1, neuron = 2;
    assert_int_equal(own->kind->weights_place(own, 0, (input * 3 + gate) * 4 + neuron),
                     neuron * 5 + input);
    plan->bench->release(plan);
}

static void autotune_skips_what_does_not_run(void **state)
{
    (void)state;
    struct device *device = open_cuda(true);
    setenv("SHIM_REFUSES", "engine1=3002", 1);
    assert_string_equal(measure(device, &convolution).algorithm, "engine 2; 2; 2");
    setenv("SHIM_REFUSES", "engine1=3002,engine2=5000,engine3=2000", 1);
    assert_int_equal(measure(device, &convolution).outcome, OUTCOME_UNSUPPORTED);
    unsetenv("SHIM_REFUSES");
    assert_string_equal(measure(device, &convolution).algorithm, "engine 1; 1; 1");
    backend->close(device);
}

/* Preparing runs the step: what an optimizer keeps starts at 0 all the same. */
static void states_start_at_zero(void **state)
{
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    assert_int_equal(
        backend->bench[LAYER_DENSE]->prepare(&plan, *state, &dense, NULL, &outcome, &error),
        STATUS_OK);
    const struct cuda_plan *own = (struct cuda_plan *)plan;
    assert_int_equal(own->update_count, 2);
    for (int i = 0; i < 2; i++)
        for (int64_t j = 0; j < own->updates[i].count; j++)
            assert_true(own->updates[i].state[0][j] == 0 && own->updates[i].state[1][j] == 0);
    plan->bench->release(plan);
}

static struct cuda_plan *prepare_amp(struct device *device, int32_t pass)
{
    struct layer_config config = dense;
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    config.precision = PRECISION_AMP;
    config.pass = pass;
    config.optimizer = pass == PASS_TRAIN ? OPTIMIZER_SGD : OPTIMIZER_NONE;
    assert_int_equal(
        backend->bench[LAYER_DENSE]->prepare(&plan, device, &config, NULL, &outcome, &error),
        STATUS_OK);
    return (struct cuda_plan *)plan;
}

static void enqueue_phase(struct cuda_plan *plan, int phase)
{
    struct error error = {0};
    assert_int_equal(plan->base.bench->enqueue(&plan->base, phase, &error), STATUS_OK);
}

/* They begin as what is cast. */
static void amp_has_fp32_weights(void **state)
{
    struct cuda_plan *plan = prepare_amp(*state, PASS_FORWARD);
    const float *masters[] = {plan->tensor[CUDA_MASTER], plan->tensor[CUDA_MASTER_END]};
    const uint16_t *casts[] = {plan->tensor[CUDA_WEIGHTS], plan->tensor[CUDA_BIAS]};
    for (int i = 0; i < 35; i++) {
        const int which = i / 30, at = i % 30;
        assert_true(masters[which][at] == float_of_fp16(casts[which][at]));
        assert_true(masters[which][at] != 0);
    }
    plan->base.bench->release(&plan->base);
}

/* The update changes fp32 weights by gradients of 16 bits; the next step casts them. */
static void amp_casts_fp32_weights(void **state)
{
    static const int roles[][3] = {{CUDA_MASTER, CUDA_WEIGHTS, CUDA_WEIGHTS_GRADIENT},
                                   {CUDA_MASTER_END, CUDA_BIAS, CUDA_BIAS_GRADIENT}};
    for (int which = 0; which < 2; which++) {
        struct cuda_plan *plan = prepare_amp(*state, PASS_TRAIN);
        float *master = plan->tensor[roles[which][0]];
        uint16_t *cast = plan->tensor[roles[which][1]], *gradient = plan->tensor[roles[which][2]];
        const int64_t count = plan->count[roles[which][1]];
        assert_int_equal(count, which ? 5 : 30);
        assert_int_equal(plan->updates[which].count, count);
        for (int64_t i = 0; i < count; i++) {
            master[i] = (float)(i + 2) * 1e-8f;
            gradient[i] = 0x3C00; /* 1 */
            cast[i] = 0x1234;
        }
        enqueue_phase(plan, PHASE_UPDATE);
        for (int64_t i = 0; i < count; i++) {
            assert_true(fabsf(master[i] - (float)(i + 1) * 1e-8f) < 1e-12f);
            assert_int_equal(cast[i], 0x1234);
            master[i] = 1 + (float)i / 3;
        }
        enqueue_phase(plan, PHASE_FORWARD);
        for (int64_t i = 0; i < count; i++)
            assert_int_equal(cast[i], fp16_of_float(master[i]));
        plan->base.bench->release(&plan->base);
    }
}

/* A missing library and exhausted memory are not faults of a layer. */
static void other_failures_stay_failures(void **state)
{
    struct measurement row;
    struct error error = {0};
    setenv("SHIM_REFUSES", "norm=1001", 1);
    assert_int_equal(measure_config(&row, *state, &norm, &measure_options_default, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "CUDNN_STATUS_1001"));
    setenv("SHIM_REFUSES", "plans=1001", 1);
    assert_int_equal(measure_config(&row, *state, &convolution, &measure_options_default, &error),
                     STATUS_FAILED);
    setenv("SHIM_REFUSES", "norm=4004", 1);
    assert_int_equal(measure(*state, &norm).outcome, OUTCOME_OUT_OF_MEMORY);
    unsetenv("SHIM_REFUSES");
}

/* The last test: the shim's device is not mended. */
static void a_broken_device_is_an_error(void **state)
{
    struct measurement row;
    struct error error = {0};
    setenv("SHIM_REFUSES", "engine1=broken", 1);
    assert_int_equal(measure_config(&row, *state, &convolution, &measure_options_default, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "cudaStreamSynchronize"));
    unsetenv("SHIM_REFUSES");
}

#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, setup, shim_device_close)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(replays_last_as_long_as_their_kernels),
        WITH_DEVICE(recordings_are_replaced),
        WITH_DEVICE(slow_event_nodes_are_found_out),
        WITH_DEVICE(refused_event_nodes_are_done_without),
        WITH_DEVICE(eager_calls_are_timed_by_their_marks),
        WITH_DEVICE(failed_recordings_are_survived),
        WITH_DEVICE(every_kind_is_measured),
        WITH_DEVICE(results_are_checked),
        WITH_DEVICE(elements_are_read_in_plain_order),
        WITH_DEVICE(gradients_of_several_readers_are_summed),
        WITH_DEVICE(what_a_library_refuses_is_unsupported),
        WITH_DEVICE(convolutions_take_the_first_engine_that_runs),
        WITH_DEVICE(recurrent_layers_say_their_algorithm),
        WITH_DEVICE(recurrent_parameters_are_found),
        WITH_DEVICE(autotune_skips_what_does_not_run),
        WITH_DEVICE(states_start_at_zero),
        WITH_DEVICE(amp_has_fp32_weights),
        WITH_DEVICE(amp_casts_fp32_weights),
        WITH_DEVICE(other_failures_stay_failures),
        WITH_DEVICE(a_broken_device_is_an_error),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
