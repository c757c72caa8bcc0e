/* Concatenations of more parts than a reference reads, on the cpu: every element in its place,
 * there and back; and a block of DenseNet, where each joins what all before it have given. */
#include "onednn/cpu_plan.h"
#include "parsed_config.h"
#include "test.h"

#include <stdlib.h>

/* Plain elements of a tensor; the caller frees. */
static float *read_tensor(struct cpu_plan *plan, enum cpu_role role, int64_t count)
{
    float *values = malloc((size_t)count * sizeof *values);
    struct error error;
    assert_non_null(values);
    if (cpu_plan_read(values, plan, role, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return values;
}

/* Rows of the part are at `start` in those of the whole. */
static void assert_part(struct cpu_plan *plan, enum cpu_role part, int64_t width,
                        const float *whole, int64_t start, int64_t whole_width)
{
    const int64_t rows = (int64_t)plan->config.batch_size * plan->config.as.concat.outer;
    float *own = read_tensor(plan, part, rows * width);
    for (int64_t row = 0; row < rows; row++)
        assert_memory_equal(own + row * width, whole + row * whole_width + start,
                            (size_t)width * sizeof *own);
    free(own);
}

static void assert_parts(struct cpu_plan *plan, enum cpu_role whole, enum cpu_role parts)
{
    const struct concat *concat = &plan->config.as.concat;
    const int64_t count = layer_output_elements(&plan->config);
    const int64_t width = count / plan->config.batch_size / concat->outer;
    float *values = read_tensor(plan, whole, count);
    int64_t start = 0;
    for (int i = 0; i < concat->parts; start += concat_width(concat, i++))
        assert_part(plan, parts + i, concat_width(concat, i), values, start, width);
    assert_int_equal(start, width);
    free(values);
}

static void many_parts_are_joined_and_parted(void **state)
{
    (void)state;
    static const char *const layers[] = {
        "concat:batch_size=2,parts=13,outer=2,first=64,second=32,third=32,rest=32,pass=train",
        "concat:batch_size=3,parts=64,outer=1,first=5,second=1,third=9,rest=7,pass=train",
        "concat:batch_size=1,parts=6,outer=50,first=3,second=2,third=1,rest=4,pass=train"};
    const struct device_options options = {.thread_count = 2, .arena_bytes = 1 << 24, .seed = 1};
    struct device *device;
    struct error error;
    if (device_open(&device, "cpu", &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const struct layer_config config = parsed_config(layers[i]);
        enum outcome outcome;
        struct plan *plan;
        device->backend->reset(device);
        if (device->backend->bench[LAYER_CONCAT]->prepare(&plan, device, &config, NULL, &outcome,
                                                          &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_int_equal(plan->bench->enqueue(plan, phases_of(&config), &error), STATUS_OK);
        assert_parts((struct cpu_plan *)plan, CPU_OUTPUT, CPU_INPUT);
        assert_parts((struct cpu_plan *)plan, CPU_OUTPUT_GRADIENT, CPU_INPUT_GRADIENT);
        plan->bench->release(plan);
    }
    device_close(device);
}

enum { BLOCK_LAYERS = 49, BLOCK_ELEMENTS = 16 }; /* DenseNet-201's largest block */

static struct layer_config block_layer(int i)
{
    struct layer_config config = parsed_config(
        i < BLOCK_LAYERS ? "conv2d:batch_size=1,image_size=2,kernel_size=1,channels_in=4,"
                           "channels_out=4,pass=train"
                         : "concat:batch_size=1,parts=2,outer=1,first=16,second=16,pass=train");
    const int parts = i - BLOCK_LAYERS + 2;
    if (config.kind != LAYER_CONCAT)
        return config;
    config.as.concat.parts = parts;
    config.as.concat.third = parts > 2 ? BLOCK_ELEMENTS : 0;
    config.as.concat.rest = parts > 3 ? BLOCK_ELEMENTS : 0;
    return config;
}

/* plans (2 BLOCK_LAYERS - 1): convolutions, then the concatenations of the first 2, 3, ... */
static void prepare_block(struct plan **plans, struct device *device)
{
    for (int i = 0; i < 2 * BLOCK_LAYERS - 1; i++) {
        const struct layer_config config = block_layer(i);
        struct error error;
        enum outcome outcome;
        if (device->backend->bench[config.kind]->prepare(&plans[i], device, &config,
                                                         i < BLOCK_LAYERS ? NULL : plans, &outcome,
                                                         &error) != STATUS_OK)
            fail_msg("layer %d: %s", i, error.message);
    }
}

/* The gradient of what layer `i` gives: the sum over all that read it. */
static void assert_block_gradient(struct plan **plans, int i)
{
    float sums[BLOCK_ELEMENTS] = {0};
    float *found = read_tensor((struct cpu_plan *)plans[i], CPU_OUTPUT_GRADIENT, BLOCK_ELEMENTS);
    for (int parts = i < 2 ? 2 : i + 1; parts <= BLOCK_LAYERS; parts++) {
        struct cpu_plan *reader = (struct cpu_plan *)plans[BLOCK_LAYERS + parts - 2];
        float *gradient = read_tensor(reader, CPU_OUTPUT_GRADIENT, parts * BLOCK_ELEMENTS);
        for (int k = 0; k < BLOCK_ELEMENTS; k++)
            sums[k] += gradient[i * BLOCK_ELEMENTS + k];
        free(gradient);
    }
    for (int k = 0; k < BLOCK_ELEMENTS; k++)
        assert_float_equal(found[k], sums[k], 1e-4);
    free(found);
}

static void a_block_sums_the_gradients_of_all_readers(void **state)
{
    (void)state;
    const struct device_options options = {.thread_count = 1, .arena_bytes = 1 << 26, .seed = 1};
    struct plan *plans[2 * BLOCK_LAYERS - 1];
    const int count = sizeof plans / sizeof *plans;
    struct device *device;
    struct error error;
    if (device_open(&device, "cpu", &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    prepare_block(plans, device);
    for (int i = 0; i < count; i++)
        assert_int_equal(plans[i]->bench->enqueue(plans[i], PHASE_FORWARD, &error), STATUS_OK);
    for (int i = count; i-- > BLOCK_LAYERS;)
        assert_int_equal(plans[i]->bench->enqueue(plans[i], PHASE_BACKWARD, &error), STATUS_OK);
    assert_parts((struct cpu_plan *)plans[count - 1], CPU_OUTPUT, CPU_INPUT);
    for (int i = 0; i < BLOCK_LAYERS; i++)
        assert_block_gradient(plans, i);
    for (int i = 0; i < count; i++)
        plans[i]->bench->release(plans[i]);
    device_close(device);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_parts_are_joined_and_parted),
                                       cmocka_unit_test(a_block_sums_the_gradients_of_all_readers)};
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
