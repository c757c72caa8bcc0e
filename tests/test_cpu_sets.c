/* Sets of operands of the cpu backend: every set computes what the first one does. */
#include "layers/describe.h"
#include "onednn/cpu_plan.h"
#include "test.h"

#include <string.h>

enum { SETS = 4 };

static struct device *open_cpu(void)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {.arena_bytes = INT64_C(256) << 20, .seed = 3};
    if (device_open(&device, "cpu", &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return device;
}

static struct cpu_plan *prepare(struct device *device, const struct layer_config *config)
{
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    device->backend->reset(device);
    if (device->backend->bench[config->kind]->prepare(&plan, device, config, NULL, &outcome,
                                                      &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return (struct cpu_plan *)plan;
}

static void replicate(struct cpu_plan *plan, int count)
{
    struct error error = {0};
    if (plan->base.bench->replicate(&plan->base, count, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void run(struct cpu_plan *plan, int set)
{
    struct error error = {0};
    plan->base.set = set;
    if (plan->base.bench->enqueue(&plan->base, phases_of(&plan->config), &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

/* Where the tensors that a plan writes begin, of a set. */
static unsigned char *written(const struct cpu_plan *plan, int set)
{
    const struct cpu_device *device = plan->device;
    return device->arena + device->arena_bytes - plan->written_start -
           (size_t)(set + 1) * plan->written_bytes;
}

/* The same numbers in what is only read, and garbage in what the steps write first. */
static void make_alike(struct cpu_plan *plan, int set)
{
    unsigned char *read = plan->device->arena + plan->read_start;
    memcpy(read + (size_t)set * plan->read_bytes, read, plan->read_bytes);
}

static void expect_alike(const struct cpu_plan *plan, int set)
{
    static const enum cpu_role roles[] = {
        CPU_OUTPUT, CPU_INPUT_GRADIENT, CPU_WEIGHTS_GRADIENT, CPU_BIAS_GRADIENT, CPU_WEIGHTS,
        CPU_BIAS,   CPU_MEAN,           CPU_VARIANCE};
    const unsigned char *first = written(plan, 0), *other = written(plan, set);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const struct cpu_tensor *tensor = &plan->tensor[roles[i]];
        const unsigned char *data = tensor->data;
        char text[256];
        if (!tensor->memory || data < first)
            continue;
        describe_config(text, sizeof text, &plan->config);
        if (memcmp(data, other + (data - first), cpu_layout_bytes(tensor->layout)) != 0)
            fail_msg("%s: role %d of set %d differs", text, (int)roles[i], set);
    }
}

static void expect_sets_alike(struct device *device, const struct layer_config *config)
{
    struct cpu_plan *plan = prepare(device, config);
    memset(written(plan, 1), 0xFF, plan->written_bytes); /* not-a-numbers of an earlier layer */
    replicate(plan, SETS);
    for (int set = 1; set < SETS; set++)
        make_alike(plan, set);
    for (int set = 0; set < SETS; set++)
        run(plan, set);
    for (int set = 1; set < SETS; set++)
        expect_alike(plan, set);
    plan->base.bench->release(&plan->base);
}

static void every_set_computes_the_same(void **state)
{
    struct device *device = *state;
    struct layer_config configs[] = {
        {.kind = LAYER_DENSE,
         .batch_size = 5,
         .as.dense = {.inputs = 33, .outputs = 17, .use_bias = 1, .activation = ACTIVATION_RELU}},
        {.kind = LAYER_CONV2D,
         .batch_size = 2,
         .as.conv2d = {.image_size = 9,
                       .kernel_size = 3,
                       .channels_in = 5,
                       .channels_out = 19,
                       .stride = 2,
                       .padding = PADDING_SAME,
                       .use_bias = 1,
                       .activation = ACTIVATION_TANH,
                       .groups = 1,
                       .dilation = 1}},
        {.kind = LAYER_POOL2D,
         .batch_size = 2,
         .as.pool2d = {.image_size = 8, .channels = 20, .kernel_size = 2, .stride = 2}},
        {.kind = LAYER_BATCH_NORM,
         .batch_size = 3,
         .as.batch_norm = {.image_size = 6, .channels = 17, .activation = ACTIVATION_RELU}},
        {.kind = LAYER_BINARY,
         .batch_size = 3,
         .as.binary = {.elements = 77, .activation = ACTIVATION_RELU, .repeats = 1}},
        {.kind = LAYER_LAYER_NORM,
         .batch_size = 3,
         .as.layer_norm = {.positions = 5, .width = 31, .pixels = 1}},
        {.kind = LAYER_SOFTMAX, .batch_size = 3, .as.softmax = {.positions = 5, .width = 31}},
        {.kind = LAYER_MATMUL,
         .batch_size = 3,
         .as.matmul = {.matrices = 2, .left_rows = 9, .depth = 17, .right_columns = 11}},
        {.kind = LAYER_ATTENTION,
         .batch_size = 3,
         .as.attention = {.heads = 4,
                          .key_value_heads = 2,
                          .query_length = 7,
                          .key_length = 9,
                          .head_size = 8,
                          .causal = SWITCH_YES}},
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
        for (int32_t optimizer = OPTIMIZER_NONE; optimizer < OPTIMIZER_COUNT; optimizer++) {
            struct error error = {0};
            configs[i].pass = optimizer == OPTIMIZER_NONE ? PASS_FORWARD : PASS_TRAIN;
            configs[i].optimizer = optimizer;
            if (layer_cost(&configs[i]).parameter_count == 0)
                configs[i].optimizer = OPTIMIZER_NONE;
            if (layer_check(&configs[i], &error) != STATUS_OK)
                fail_msg("%s", error.message);
            expect_sets_alike(device, &configs[i]);
        }
}

/* A set is as large as what prepare took, and the arena's account knows it. */
static void sets_are_taken_from_the_arena(void **state)
{
    struct device *device = *state;
    struct operand_room before, after;
    const struct layer_config config = {.kind = LAYER_DENSE,
                                        .batch_size = 4,
                                        .pass = PASS_TRAIN,
                                        .optimizer = OPTIMIZER_ADAM,
                                        .as.dense = {.inputs = 64, .outputs = 64}};
    struct cpu_plan *plan = prepare(device, &config);
    device->backend->room(device, &before);
    assert_int_equal(before.free_bytes, (INT64_C(256) << 20) - plan->base.operand_bytes);
    assert_true(plan->base.operand_bytes >= layer_cost(&config).memory_bytes);
    replicate(plan, SETS);
    device->backend->room(device, &after);
    assert_int_equal(before.free_bytes - after.free_bytes, (SETS - 1) * plan->base.operand_bytes);
    plan->base.bench->release(&plan->base);
}

static void too_many_sets_are_found_by_accounting(void **state)
{
    struct device *device = *state;
    struct error error = {0};
    const struct layer_config config = {
        .kind = LAYER_DENSE, .batch_size = 4, .as.dense = {.inputs = 4096, .outputs = 4096}};
    struct cpu_plan *plan = prepare(device, &config);
    assert_int_equal(plan->base.bench->replicate(&plan->base, 5, &error), STATUS_OUT_OF_MEMORY);
    run(plan, 0);
    plan->base.bench->release(&plan->base);
}

static int setup(void **state)
{
    *state = open_cpu();
    return 0;
}

static int teardown(void **state)
{
    device_close(*state);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set_computes_the_same),
        cmocka_unit_test(sets_are_taken_from_the_arena),
        cmocka_unit_test(too_many_sets_are_found_by_accounting),
    };
    return RUN_TESTS(argc, argv, tests, setup, teardown);
}
