/* Sets of operands of the cuda backend, on the CPU: where they lie, and recordings that take turns
 * on them.
 */
#include "bench/measure.h"
#include "bench/operand_sets.h"
#include "shim_device.h"

#include <string.h>

enum { SETS = 4 };

static const struct layer_config
    addition = {.kind = LAYER_BINARY,
                .batch_size = 3,
                .pass = PASS_TRAIN,
                .as.binary = {.elements = 70, .activation = ACTIVATION_RELU, .repeats = 1}},
    norm = {.kind = LAYER_LAYER_NORM,
            .batch_size = 2,
            .pass = PASS_TRAIN,
            .optimizer = OPTIMIZER_ADAM,
            .as.layer_norm = {.positions = 3, .width = 20, .pixels = 1}},
    softmax = {.kind = LAYER_SOFTMAX,
               .batch_size = 2,
               .pass = PASS_TRAIN,
               .as.softmax = {.positions = 3, .width = 20}},
    matmul = {.kind = LAYER_MATMUL,
              .batch_size = 2,
              .pass = PASS_TRAIN,
              .as.matmul = {.matrices = 2, .left_rows = 3, .depth = 4, .right_columns = 5}},
    attention = {.kind = LAYER_ATTENTION,
                 .batch_size = 2,
                 .pass = PASS_TRAIN,
                 .as.attention = {.heads = 4,
                                  .key_value_heads = 2,
                                  .query_length = 3,
                                  .key_length = 5,
                                  .head_size = 4,
                                  .causal = SWITCH_YES}},
    dense = {.kind = LAYER_DENSE,
             .batch_size = 3,
             .pass = PASS_TRAIN,
             .optimizer = OPTIMIZER_ADAM,
             .as.dense = {.inputs = 6, .outputs = 5, .use_bias = 1}},
    convolution = {.kind = LAYER_CONV2D,
                   .batch_size = 2,
                   .pass = PASS_TRAIN,
                   .optimizer = OPTIMIZER_SGD,
                   .as.conv2d = {.image_size = 6,
                                 .kernel_size = 3,
                                 .channels_in = 3,
                                 .channels_out = 4,
                                 .stride = 1,
                                 .padding = PADDING_SAME,
                                 .groups = 1,
                                 .dilation = 1}},
    batch_norm = {.kind = LAYER_BATCH_NORM,
                  .batch_size = 2,
                  .pass = PASS_FORWARD,
                  .as.batch_norm = {.image_size = 4, .channels = 5}},
    pooling = {.kind = LAYER_POOL2D,
               .batch_size = 2,
               .pass = PASS_TRAIN,
               .as.pool2d = {.image_size = 6, .kernel_size = 2, .channels = 3, .stride = 2}};
static const struct layer_config *const kinds[] = {
    &addition, &norm, &softmax, &matmul, &attention, &dense, &convolution, &batch_norm, &pooling};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static int setup(void **state)
{
    *state = shim_device_open(1 << 20, false);
    return 0;
}

static struct cuda_plan *prepare(struct device *device, const struct layer_config *config)
{
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    backend->reset(device);
    if (cuda_bench.prepare(&plan, device, config, NULL, &outcome, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return (struct cuda_plan *)plan;
}

static struct cuda_plan *prepare_sets(struct device *device, const struct layer_config *config)
{
    struct error error = {0};
    struct cuda_plan *plan = prepare(device, config);
    if (cuda_bench.replicate(&plan->base, SETS, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return plan;
}

static void enqueue(struct cuda_plan *plan, int set)
{
    struct error error = {0};
    plan->base.set = set;
    if (cuda_bench.enqueue(&plan->base, phases_of(&plan->config), &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static unsigned char *set_of(const struct cuda_plan *plan, int set)
{
    return plan->device->arena + plan->operand_start + set * plan->base.operand_bytes;
}

/* All pointers of a set lie in it, each where the first set has it, and come back. */
static void tensors_move_with_the_set(void **state)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        struct cuda_plan *plan = prepare_sets(*state, kinds[i]);
        void *first[CUDA_ROLE_COUNT];
        const struct optimizer_update update = plan->updates[0];
        memcpy(first, plan->tensor, sizeof first);
        for (int set = SETS; set-- > 0;) {
            const int64_t distance = set * plan->base.operand_bytes;
            enqueue(plan, set);
            for (int role = 0; role < CUDA_ROLE_COUNT; role++)
                assert_ptr_equal(plan->tensor[role],
                                 first[role] ? (char *)first[role] + distance : NULL);
            if (plan->update_count > 0)
                assert_ptr_equal(plan->updates[0].parameters, (char *)update.parameters + distance);
            if (plan->update_count > 0 && update.state[1])
                assert_ptr_equal(plan->updates[0].state[1], (char *)update.state[1] + distance);
        }
        cuda_bench.release(&plan->base);
    }
}

static void sets_are_copies(void **state)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        struct cuda_plan *plan = prepare_sets(*state, kinds[i]);
        for (int set = 1; set < SETS; set++)
            assert_memory_equal(set_of(plan, set), set_of(plan, 0),
                                (size_t)plan->base.operand_bytes);
        cuda_bench.release(&plan->base);
    }
}

/* A recording of calls in turn works on every set: kernels of our own compute here. */
static void a_recording_holds_every_set(void **state)
{
    struct layer_config still = norm; /* an update would change the output */
    still.optimizer = OPTIMIZER_NONE;
    const struct layer_config *const computed[] = {&addition, &still};
    struct device *device = *state;
    struct error error = {0};
    for (int i = 0; i < 2; i++) {
        struct cuda_plan *plan = prepare_sets(device, computed[i]);
        const int64_t bytes = plan->count[CUDA_OUTPUT] * (int64_t)sizeof(float);
        const int64_t offset = (unsigned char *)plan->tensor[CUDA_OUTPUT] - set_of(plan, 0);
        assert_int_equal(backend->record_start(device, &error), STATUS_OK);
        for (int set = 0; set < SETS; set++)
            enqueue(plan, set);
        assert_int_equal(backend->record_stop(device, &error), STATUS_OK);
        unsigned char wanted[4096];
        assert_true((size_t)bytes <= sizeof wanted);
        memcpy(wanted, set_of(plan, 1) + offset, (size_t)bytes);
        for (int set = 0; set < SETS; set++)
            memset(set_of(plan, set) + offset, 0xA5, (size_t)bytes);
        assert_int_equal(backend->replay(device, &error), STATUS_OK);
        assert_int_equal(cudaStreamSynchronize(plan->device->stream), cudaSuccess);
        for (int set = 0; set < SETS; set++)
            assert_memory_equal(set_of(plan, set) + offset, wanted, (size_t)bytes);
        cuda_bench.release(&plan->base);
    }
}

static void sets_count_in_the_arena(void **state)
{
    struct operand_room before, after;
    struct error error = {0};
    struct cuda_plan *plan = prepare(*state, &dense);
    backend->room(*state, &before);
    assert_true(before.cache_bytes > 0);
    assert_int_equal(cuda_bench.replicate(&plan->base, SETS, &error), STATUS_OK);
    backend->room(*state, &after);
    assert_int_equal(before.free_bytes - after.free_bytes, (SETS - 1) * plan->base.operand_bytes);
    cuda_bench.release(&plan->base);
    plan = prepare(*state, &dense);
    assert_int_equal(cuda_bench.replicate(&plan->base, 1 << 20, &error), STATUS_OUT_OF_MEMORY);
    enqueue(plan, 0);
    cuda_bench.release(&plan->base);
}

/* A sample is a replay of whole cycles. */
static void recordings_repeat_whole_cycles(void **state)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        struct error error = {0};
        struct measure_options options = measure_options_default;
        struct measurement row;
        struct operand_room room;
        struct cuda_plan *plan = prepare(*state, kinds[i]);
        backend->room(*state, &room);
        const int count = operand_set_count(plan->base.operand_bytes, &room);
        cuda_bench.release(&plan->base);
        options.cache = CACHE_STEP;
        if (measure_config(&row, *state, kinds[i], &options, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_true(measurement_is_timed(&row));
        assert_int_equal(row.timing, TIMING_GRAPH);
        assert_true(count > 1 && row.repeats_per_sample >= count);
        assert_int_equal(row.repeats_per_sample % count, 0);
    }
}

#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, setup, shim_device_close)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(tensors_move_with_the_set),      WITH_DEVICE(sets_are_copies),
        WITH_DEVICE(a_recording_holds_every_set),    WITH_DEVICE(sets_count_in_the_arena),
        WITH_DEVICE(recordings_repeat_whole_cycles),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
