/* Which tensors a layer of the cuda backend has, and where: from its work alone, for works that no
 * kind of today has.
 */
#include "shim_device.h"

static const struct cuda_kind plain = {.plan_bytes = sizeof(struct cuda_plan)},
                              keeping = {.plan_bytes = sizeof(struct cuda_plan),
                                         .takes_kept = true,
                                         .has_float_parameters = true};

static int setup(void **state)
{
    *state = shim_device_open(1 << 20, false);
    return 0;
}

/* Two inputs and indices, two matrices of weights, something kept. */
static struct layer_work mixed_work(void)
{
    struct layer_work work;
    work_begin(&work);
    work_tensor(&work, TENSOR_INPUT, "query", 600);
    work_tensor(&work, TENSOR_INPUT, "key", 40);
    work_add_tensor(
        &work, (struct layer_tensor){
                   .name = "indices", .role = TENSOR_INPUT, .storage = STORAGE_INT32, .count = 7});
    work_tensor(&work, TENSOR_OUTPUT, "y", 90);
    work_tensor(&work, TENSOR_WEIGHTS, "first", 21);
    work_tensor(&work, TENSOR_WEIGHTS, "second", 33);
    work_tensor(&work, TENSOR_BIAS, "bias", 3);
    work_add_tensor(
        &work, (struct layer_tensor){
                   .name = "maxima", .role = TENSOR_KEPT, .storage = STORAGE_FP32, .count = 11});
    work_product(&work, WORK_FORWARD,
                 (struct work_operation){.rows = 30, .depth = 6, .columns = 3});
    work.activation = ACTIVATION_TANH;
    return work;
}

static struct cuda_plan plan_of(struct device *device, const struct cuda_kind *kind, int32_t pass)
{
    return (struct cuda_plan){
        .device = (struct cuda_device *)device,
        .kind = kind,
        .config = {.kind = LAYER_DENSE,
                   .batch_size = 30,
                   .pass = pass,
                   .optimizer = pass == PASS_TRAIN ? OPTIMIZER_ADAM : OPTIMIZER_NONE,
                   .precision = PRECISION_FP16}};
}

static void counts_and_storages_are_the_works(void **state)
{
    const struct layer_work work = mixed_work();
    struct cuda_plan plan = plan_of(*state, &plain, PASS_TRAIN);
    cuda_read_work(&plan, &work);
    static const struct {
        int role;
        int64_t count;
    } wanted[] = {
        {CUDA_INPUT, 600},
        {CUDA_INPUT + 1, 40},
        {CUDA_INPUT + 2, 7},
        {CUDA_INPUT + 3, 0},
        {CUDA_INPUT_GRADIENT, 600},
        {CUDA_INPUT_GRADIENT + 1, 40},
        {CUDA_WEIGHTS, 21},
        {CUDA_WEIGHTS + 1, 33},
        {CUDA_WEIGHTS_GRADIENT + 1, 33},
        {CUDA_BIAS, 3},
        {CUDA_BIAS_GRADIENT, 3},
        {CUDA_OUTPUT, 90},
        {CUDA_OUTPUT_GRADIENT, 90},
        {CUDA_PRODUCT_GRADIENT, 90},
        {CUDA_KEPT, 0},
        {CUDA_PRODUCT, 90},
        {CUDA_INPUT_GRADIENT + 2, 0}, /* indices have none */
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(plan.count[wanted[i].role], wanted[i].count);
    assert_int_equal(plan.input_count, 3);
    assert_int_equal(plan.storage[CUDA_INPUT + 2], STORAGE_INT32);
    assert_int_equal(plan.activation, ACTIVATION_TANH);
    assert_float_equal(plan.weights_amplitude, 1, 0); /* sqrt(6 / 6) */
    assert_int_equal(plan.layout.count, 90);
    assert_int_equal(plan.layout.channels, 3);
    assert_int_equal(plan.layout.inner, 1);
}

static void kinds_may_keep_and_be_float(void **state)
{
    const struct layer_work work = mixed_work();
    struct cuda_plan plan = plan_of(*state, &keeping, PASS_TRAIN);
    cuda_read_work(&plan, &work);
    assert_int_equal(plan.count[CUDA_KEPT], 11);
    assert_int_equal(cuda_role_precision(&plan, CUDA_WEIGHTS + 1), PRECISION_FP32);
    assert_int_equal(cuda_role_precision(&plan, CUDA_WEIGHTS_GRADIENT), PRECISION_FP32);
    assert_int_equal(cuda_role_precision(&plan, CUDA_INPUT), PRECISION_FP16);
}

/* Images of a channel lie together where the layout is NCHW. */
static void planes_are_a_matter_of_precision(void **state)
{
    static const struct cuda_kind images = {.plan_bytes = sizeof(struct cuda_plan),
                                            .has_planes = true};
    struct layer_work work;
    work_begin(&work);
    work_tensor(&work, TENSOR_INPUT, "x", 30);
    work_tensor(&work, TENSOR_OUTPUT, "y", 30 * 4 * 25);
    work_tensor(&work, TENSOR_BIAS, "bias", 4);
    for (int precision = 0; precision < PRECISION_COUNT; precision++) {
        struct cuda_plan plan = plan_of(*state, &images, PASS_FORWARD);
        plan.config.precision = precision;
        cuda_read_work(&plan, &work);
        assert_int_equal(plan.layout.inner, precision_bytes(precision) == 4 ? 25 : 1);
    }
}

static void tensors_lie_apart(void **state)
{
    const struct layer_work work = mixed_work();
    struct error error = {0};
    struct cuda_plan plan = plan_of(*state, &keeping, PASS_TRAIN);
    backend->reset(*state);
    cuda_read_work(&plan, &work);
    assert_int_equal(cuda_add_tensors(&plan, NULL, &error), STATUS_OK);
    assert_int_equal(plan.update_count, 3);
    assert_ptr_equal(plan.updates[1].parameters, plan.tensor[CUDA_WEIGHTS + 1]);
    assert_int_equal(plan.updates[2].count, 3);
    for (int role = 0; role < CUDA_ROLE_COUNT; role++)
        for (int other = 0; other < role; other++)
            if (plan.tensor[role] && other != CUDA_PRODUCT)
                assert_ptr_not_equal(plan.tensor[role], plan.tensor[other]);
    for (int i = 0; i < 7; i++)
        assert_int_equal(((const int32_t *)plan.tensor[CUDA_INPUT + 2])[i], 0);
    const float *weights = plan.tensor[CUDA_WEIGHTS];
    assert_true(weights[0] != 0 && weights[20] != 0);
}

/* Each input is its producer's output, each gradient its producer's; sizes are checked one by one.
 */
static void inputs_are_linked_one_by_one(void **state)
{
    const struct layer_work work = mixed_work();
    struct error error = {0};
    char memory[4];
    struct cuda_plan plan = plan_of(*state, &plain, PASS_TRAIN);
    struct cuda_plan key = {.tensor = {[CUDA_OUTPUT] = memory, [CUDA_OUTPUT_GRADIENT] = memory + 1},
                            .count = {[CUDA_OUTPUT] = 40}};
    struct plan *inputs[LAYER_INPUT_LIMIT] = {NULL, &key.base};
    backend->reset(*state);
    cuda_read_work(&plan, &work);
    assert_int_equal(cuda_add_tensors(&plan, inputs, &error), STATUS_OK);
    assert_ptr_equal(plan.tensor[CUDA_INPUT + 1], memory);
    assert_ptr_equal(plan.tensor[CUDA_INPUT_GRADIENT + 1], memory + 1);
    assert_non_null(plan.tensor[CUDA_INPUT]);
    assert_ptr_not_equal(plan.tensor[CUDA_INPUT_GRADIENT], memory + 1);
    inputs[0] = &key.base; /* of another size */
    assert_int_equal(cuda_add_tensors(&plan, inputs, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "another size"));
}

/* All inputs whose gradient is the output's have one, and no other input has it. */
static void shared_gradients_are_one(void **state)
{
    struct error error = {0};
    struct layer_work work;
    for (int activation = 0; activation < 2; activation++) {
        struct cuda_plan plan = plan_of(*state, &plain, PASS_TRAIN);
        work_begin(&work);
        for (int i = 0; i < 4; i++)
            work_add_tensor(&work, (struct layer_tensor){.name = "x",
                                                         .role = TENSOR_INPUT,
                                                         .count = 50,
                                                         .shares_gradient = i != 1});
        work_tensor(&work, TENSOR_OUTPUT, "y", 50);
        work.activation = activation ? ACTIVATION_RELU : ACTIVATION_NONE;
        backend->reset(*state);
        cuda_read_work(&plan, &work);
        assert_int_equal(cuda_add_tensors(&plan, NULL, &error), STATUS_OK);
        void *const *gradients = &plan.tensor[CUDA_INPUT_GRADIENT];
        assert_ptr_equal(gradients[0], plan.tensor[CUDA_PRODUCT_GRADIENT]);
        assert_true(gradients[2] == gradients[0] && gradients[3] == gradients[0]);
        assert_true(gradients[1] && gradients[1] != gradients[0]);
        assert_int_equal(plan.tensor[CUDA_OUTPUT_GRADIENT] != gradients[0], activation);
    }
}

#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, setup, shim_device_close)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(counts_and_storages_are_the_works), WITH_DEVICE(kinds_may_keep_and_be_float),
        WITH_DEVICE(planes_are_a_matter_of_precision),  WITH_DEVICE(tensors_lie_apart),
        WITH_DEVICE(inputs_are_linked_one_by_one),      WITH_DEVICE(shared_gradients_are_one),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
