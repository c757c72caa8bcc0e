/* Plans of cuDNN's graph interface for devices that are absent: from their properties alone. */
#include "convolution_graph.h"
#include "test.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
enum { LIMIT = 10, DIRECTION_COUNT = CUDNN_BACKWARD_FILTER + 1 };
enum { TENSOR_CORE = 1 << 0, DOWN_CONVERT_INPUTS = 1 << 1 };

static const int64_t no_limit = INT64_MAX;

enum gpu { H100, A100, T4, GPU_COUNT };

/* From NVIDIA's data sheets and CUDA's table of compute capabilities. */
static const struct properties {
    const char *name;
    int compute_capability, processors, sm_khz, memory_khz;
    long long memory_bytes;
    int l2_bytes, shared_optin, blocks_per_sm, threads_per_sm;
} gpus[GPU_COUNT] = {
    [H100] = {"NVIDIA H100 80GB HBM3", 900, 132, 1980000, 2619000, 85017493504, 52428800, 232448,
              32, 2048},
    [A100] = {"NVIDIA A100-SXM4-40GB", 800, 108, 1410000, 1215000, 42297786368, 41943040, 166912,
              32, 2048},
    [T4] = {"Tesla T4", 750, 40, 1590000, 5001000, 15642329088, 4194304, 65536, 16, 1024},
};

/* The keys that cuDNN asks for; a missing one, or a boolean in place of 0 and 1, is an error. */
static void properties_json(char *text, size_t size, const struct properties *gpu)
{
    snprintf(text, size,
             "{\"deviceName\": \"%s\", \"deviceVer\": %d, \"driverVer\": 13000,"
             " \"cudaDeviceId\": 0, \"pciDeviceId\": 0, \"isTccDriver\": 0,"
             " \"supportCoopLaunch\": 1, \"multiProcessorCount\": %d, \"smClockRateKHz\": %d,"
             " \"memClockRateKHz\": %d, \"totalGlobalMem\": %lld, \"l2CacheSize\": %d,"
             " \"warpSize\": 32, \"regsPerBlock\": 65536, \"maxRegistersPerSM\": 65536,"
             " \"maxSharedMemoryPerBlock\": 49152, \"maxSharedMemoryPerBlockOptin\": %d,"
             " \"reservedSharedMemoryPerBlock\": 1024, \"maxCtasPerSM\": %d,"
             " \"maxThreadsPerBlock\": 1024, \"maxThreadsPerSM\": %d,"
             " \"maxGridSize\": [2147483647, 65535, 65535], \"maxBlockSize\": [1024, 1024, 64]}",
             gpu->name, gpu->compute_capability, gpu->processors, gpu->sm_khz, gpu->memory_khz,
             gpu->memory_bytes, gpu->l2_bytes, gpu->shared_optin, gpu->blocks_per_sm,
             gpu->threads_per_sm);
}

/* LeakSanitizer asks for it by this name. cuBLASLt, which cuDNN opens, keeps its handles. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libcublasLt\n";
}

/* Without a driver cuDNN loads and unloads NVRTC again and again, and each time some memory stays
 * behind, of nobody that a suppression could name: so keep it loaded. */
static void keep_nvrtc_loaded(void)
{
    char name[32];
    snprintf(name, sizeof name, "libnvrtc.so.%d", CUDART_VERSION / 1000);
    (void)dlopen(name, RTLD_LAZY);
}

static struct cudnn_target targets[GPU_COUNT];

static int load_targets(void **state)
{
    (void)state;
    keep_nvrtc_loaded();
    for (int gpu = 0; gpu < GPU_COUNT; gpu++) {
        struct error error = {0};
        char json[1024];
        properties_json(json, sizeof json, &gpus[gpu]);
        if (cudnn_device_properties_load(&targets[gpu].device_properties, json, &error))
            fail_msg("%s: %s", gpus[gpu].name, error.message);
    }
    return 0;
}

static int release_targets(void **state)
{
    (void)state;
    for (int gpu = 0; gpu < GPU_COUNT; gpu++)
        cudnn_device_properties_release(&targets[gpu].device_properties);
    return 0;
}

struct plans {
    struct cudnn_choice choices[LIMIT];
    int count;
};

static struct plans plans_of(const struct cudnn_convolution *convolution, enum gpu gpu, int limit,
                             int64_t workspace_limit_bytes)
{
    struct error error = {0};
    struct plans plans = {.count = -1};
    if (cudnn_convolution_plans(plans.choices, limit, &plans.count, convolution, &targets[gpu],
                                workspace_limit_bytes, &error))
        fail_msg("%s", error.message);
    assert_in_range(plans.count, 0, limit);
    return plans;
}

static void release(struct plans *plans)
{
    for (int i = 0; i < plans->count; i++)
        cudnn_choice_release(&plans->choices[i]);
}

struct shape {
    int32_t batch_size, image_size, kernel_size, channels_in, channels_out, stride, padding;
    int32_t image_width, kernel_width, groups, dilation;
};
#define SQUARE(...)                                                                                \
    {                                                                                              \
        __VA_ARGS__, .groups = 1, .dilation = 1                                                    \
    }

static struct cudnn_convolution convolution_of(const struct shape *shape, int32_t precision,
                                               enum cudnn_direction direction)
{
    const struct layer_config config = {.kind = LAYER_CONV2D,
                                        .batch_size = shape->batch_size,
                                        .pass = PASS_TRAIN,
                                        .optimizer = OPTIMIZER_SGD,
                                        .precision = precision,
                                        .as.conv2d = {.image_size = shape->image_size,
                                                      .kernel_size = shape->kernel_size,
                                                      .channels_in = shape->channels_in,
                                                      .channels_out = shape->channels_out,
                                                      .stride = shape->stride,
                                                      .padding = shape->padding,
                                                      .image_width = shape->image_width,
                                                      .kernel_width = shape->kernel_width,
                                                      .groups = shape->groups,
                                                      .dilation = shape->dilation}};
    struct error error = {0};
    if (layer_check(&config, &error))
        fail_msg("%s", error.message);
    return cudnn_convolution_of(&config, direction);
}

static const struct shape shapes[] = {
    SQUARE(64, 56, 1, 64, 256, 1, PADDING_SAME), SQUARE(64, 56, 3, 64, 64, 2, PADDING_SAME),
    SQUARE(1, 28, 3, 128, 128, 1, PADDING_SAME), SQUARE(1, 112, 7, 3, 64, 2, PADDING_SAME),
    SQUARE(64, 27, 5, 48, 96, 1, PADDING_VALID), SQUARE(8, 32, 2, 16, 33, 1, PADDING_SAME),
    SQUARE(8, 32, 4, 16, 32, 1, PADDING_SAME),   SQUARE(3, 13, 3, 7, 5, 1, PADDING_SAME),
};
/* Depthwise, grouped, thin, 1-D and dilated ones; images that are no squares. */
static const struct shape other_shapes[] = {
    {32, 112, 3, 32, 32, 1, PADDING_SAME, 0, 0, 32, 1},
    {8, 28, 5, 240, 240, 2, PADDING_SAME, 0, 0, 240, 1},
    {4, 14, 7, 384, 384, 1, PADDING_SAME, 0, 0, 384, 1},
    {16, 56, 3, 128, 128, 1, PADDING_SAME, 0, 0, 32, 1},
    {16, 28, 3, 512, 512, 2, PADDING_SAME, 0, 0, 32, 1},
    {8, 17, 1, 192, 192, 1, PADDING_SAME, 0, 7, 1, 1},
    {8, 17, 7, 160, 192, 1, PADDING_SAME, 0, 1, 1, 1},
    {4, 1, 1, 80, 384, 1, PADDING_SAME, 3000, 3, 1, 1},
    {4, 1, 1, 512, 512, 2, PADDING_VALID, 799, 3, 1, 1},
    {8, 33, 3, 256, 256, 1, PADDING_SAME, 0, 0, 1, 12},
    {2, 64, 3, 128, 128, 1, PADDING_SAME, 128, 0, 1, 1},
};
static const struct shape plain = SQUARE(32, 56, 3, 64, 64, 1, PADDING_SAME);

static void check_plans(const struct shape *shape, int32_t precision,
                        enum cudnn_direction direction, enum gpu gpu)
{
    const unsigned forbidden = precision == PRECISION_FP32 ? TENSOR_CORE | DOWN_CONVERT_INPUTS
                                                           : DOWN_CONVERT_INPUTS;
    const struct cudnn_convolution convolution = convolution_of(shape, precision, direction);
    struct plans plans = plans_of(&convolution, gpu, LIMIT, no_limit);
    assert_int_equal(plans.count > 0, gpu != T4 || precision != PRECISION_BF16);
    for (int i = 0; i < plans.count; i++) {
        assert_non_null(plans.choices[i].plan);
        assert_int_equal(plans.choices[i].notes & forbidden, 0);
        assert_true(plans.choices[i].workspace_bytes >= 0);
    }
    release(&plans);
}

/* The directions of a transposed convolution are those of the one from its output to its input. */
static void transposed_plans_exist(void **state)
{
    (void)state;
    static const struct conv_transpose2d layers[] = {
        {28, 2, 256, 128, 2, PADDING_VALID, 1, 0, 0, 0},
        {8, 4, 256, 128, 2, PADDING_SAME, 0, 0, 0, 0},
        {64, 3, 128, 64, 2, PADDING_SAME, 1, 0, 0, 0},
        {1, 4, 100, 512, 1, PADDING_VALID, 0, 0, 0, 0},
        {34, 16, 21, 21, 8, PADDING_SAME, 0, 0, 0, 0},
        {16, 4, 64, 32, 2, PADDING_SAME, 1, 0, 40, 0},
        {1, 1, 256, 128, 8, PADDING_SAME, 1, 0, 256, 16}};
    for (int i = 0; i < COUNT(layers); i++)
        for (int direction = 0; direction < DIRECTION_COUNT; direction++)
            for (int precision = 0; precision < PRECISION_COUNT; precision++) {
                const struct layer_config config = {.kind = LAYER_CONV_TRANSPOSE2D,
                                                    .batch_size = 4,
                                                    .pass = PASS_TRAIN,
                                                    .precision = precision,
                                                    .as.conv_transpose2d = layers[i]};
                assert_true(layer_is_valid(&config));
                const struct cudnn_convolution c = cudnn_convolution_of(
                    &config, (enum cudnn_direction)direction);
                assert_int_equal(c.channels_in, layers[i].channels_out);
                assert_int_equal(c.output[AXIS_HEIGHT], layers[i].image_size);
                struct plans plans = plans_of(&c, H100, 1, no_limit);
                assert_int_equal(plans.count, 1);
                release(&plans);
            }
}

static void check_everywhere(const struct shape *shape)
{
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int direction = 0; direction < DIRECTION_COUNT; direction++)
            for (int gpu = 0; gpu < GPU_COUNT; gpu++)
                check_plans(shape, precision, (enum cudnn_direction)direction, (enum gpu)gpu);
}

/* Every direction, precision, device and shape has a plan, the asymmetric shapes (kernel 2 and 4 at
 * stride 1) in strict fp32 too. bfloat16 came with the A100. */
static void plans_exist(void **state)
{
    (void)state;
    for (int shape = 0; shape < COUNT(shapes); shape++)
        check_everywhere(&shapes[shape]);
}

static void plans_exist_of_other_forms(void **state)
{
    (void)state;
    for (int shape = 0; shape < COUNT(other_shapes); shape++)
        check_everywhere(&other_shapes[shape]);
}

/* TF32 came with the A100 too: a T4 runs a tf32 convolution on its ordinary cores. */
static void precision_decides_on_tensor_cores(void **state)
{
    (void)state;
    static const bool is_tensor_core[GPU_COUNT][PRECISION_COUNT] = {
        [H100] = {false, true, true, true, true},
        [A100] = {false, true, true, true, true},
        [T4] = {false, false, true, false, true},
    };
    for (int gpu = 0; gpu < GPU_COUNT; gpu++)
        for (int precision = 0; precision < PRECISION_COUNT; precision++)
            for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
                const struct cudnn_convolution convolution = convolution_of(
                    &plain, precision, (enum cudnn_direction)direction);
                struct plans plans = plans_of(&convolution, (enum gpu)gpu, 1, no_limit);
                const bool is_first = plans.count && plans.choices[0].notes & TENSOR_CORE;
                assert_int_equal(is_first, is_tensor_core[gpu][precision]);
                release(&plans);
            }
}

/* The plan's whole content: graph, engine and knobs. */
static void read_json(char *json, size_t size, const struct cudnn_choice *choice)
{
    int64_t length = 0;
    assert_int_equal(cudnnBackendGetAttribute(choice->plan,
                                              CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                              CUDNN_TYPE_CHAR, (int64_t)size - 1, &length, json),
                     CUDNN_STATUS_SUCCESS);
    assert_in_range(length, 1, size - 1);
    json[length] = '\0';
}

static void check_distinct(const struct plans *plans)
{
    static char jsons[LIMIT][8192];
    for (int i = 0; i < plans->count; i++) {
        read_json(jsons[i], sizeof jsons[i], &plans->choices[i]);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(jsons[i], jsons[j]);
    }
}

static void candidates_are_distinct_and_the_first_is_the_default(void **state)
{
    (void)state;
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
            const struct cudnn_convolution convolution = convolution_of(
                &plain, precision, (enum cudnn_direction)direction);
            struct plans one = plans_of(&convolution, H100, 1, no_limit);
            struct plans all = plans_of(&convolution, H100, LIMIT, no_limit);
            char first[8192], again[8192];
            read_json(first, sizeof first, &one.choices[0]);
            read_json(again, sizeof again, &all.choices[0]);
            assert_string_equal(first, again);
            assert_int_equal(one.count, 1);
            assert_in_range(all.count, 2, LIMIT);
            check_distinct(&all);
            release(&one);
            release(&all);
        }
}

static void workspace_is_limited(void **state)
{
    (void)state;
    const struct cudnn_convolution convolution = convolution_of(&plain, PRECISION_TF32,
                                                                CUDNN_FORWARD);
    struct plans all = plans_of(&convolution, H100, 1, no_limit);
    const int64_t needed = all.choices[0].workspace_bytes;
    assert_true(needed > 0);
    struct plans enough = plans_of(&convolution, H100, 1, needed);
    struct plans less = plans_of(&convolution, H100, 1, needed - 1);
    struct plans none = plans_of(&convolution, H100, LIMIT, 0);
    assert_int_equal(enough.choices[0].engine, all.choices[0].engine);
    assert_int_equal(enough.choices[0].workspace_bytes, needed);
    assert_true(less.count == 1 && less.choices[0].workspace_bytes < needed);
    assert_true(none.count > 0);
    for (int i = 0; i < none.count; i++)
        assert_int_equal(none.choices[i].workspace_bytes, 0);
    struct plans *const plans[] = {&all, &enough, &less, &none};
    for (int i = 0; i < COUNT(plans); i++)
        release(plans[i]);
}

static void check_padding(const struct shape *shape, int64_t before, int64_t after)
{
    const struct cudnn_convolution c = convolution_of(shape, PRECISION_FP32, CUDNN_FORWARD);
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
        assert_int_equal(c.pad_before[axis], before);
        assert_int_equal(c.pad_after[axis], after);
    }
}

/* Each axis has its own zeros; a dilated kernel spans more. */
static void padding_is_of_an_axis(void **state)
{
    (void)state;
    const struct cudnn_convolution thin = convolution_of(
        &(struct shape){1, 17, 1, 8, 8, 1, PADDING_SAME, 0, 7, 4, 1}, PRECISION_FP32,
        CUDNN_FORWARD);
    assert_true(thin.pad_before[AXIS_HEIGHT] == 0 && thin.pad_after[AXIS_HEIGHT] == 0);
    assert_true(thin.pad_before[AXIS_WIDTH] == 3 && thin.pad_after[AXIS_WIDTH] == 3);
    assert_true(thin.kernel[AXIS_HEIGHT] == 1 && thin.kernel[AXIS_WIDTH] == 7);
    assert_true(thin.groups == 4 && thin.dilation == 1);
    const struct cudnn_convolution wide = convolution_of(
        &(struct shape){1, 20, 3, 8, 8, 1, PADDING_SAME, 33, 0, 1, 6}, PRECISION_FP32,
        CUDNN_FORWARD);
    assert_true(wide.image[AXIS_HEIGHT] == 20 && wide.image[AXIS_WIDTH] == 33);
    assert_true(wide.output[AXIS_HEIGHT] == 20 && wide.output[AXIS_WIDTH] == 33);
    assert_true(wide.pad_before[AXIS_WIDTH] == 6 && wide.pad_after[AXIS_HEIGHT] == 6);
}

static void padding_is_symmetric_where_it_can_be(void **state)
{
    (void)state;
    check_padding(&(struct shape)SQUARE(1, 56, 3, 1, 1, 2, PADDING_SAME), 1, 1);  /* 0, 1 */
    check_padding(&(struct shape)SQUARE(1, 224, 7, 1, 1, 2, PADDING_SAME), 3, 3); /* 2, 3 */
    check_padding(&(struct shape)SQUARE(1, 55, 3, 1, 1, 2, PADDING_SAME), 1, 1);  /* 1, 1 */
    check_padding(&(struct shape)SQUARE(1, 56, 3, 1, 1, 1, PADDING_SAME), 1, 1);  /* 1, 1 */
    check_padding(&(struct shape)SQUARE(1, 56, 4, 1, 1, 1, PADDING_SAME), 1, 2);  /* stays */
    check_padding(&(struct shape)SQUARE(1, 56, 2, 1, 1, 1, PADDING_SAME), 0, 1);  /* stays */
    check_padding(&(struct shape)SQUARE(1, 56, 1, 1, 1, 2, PADDING_SAME), 0, 0);  /* 0, 0 */
    check_padding(&(struct shape)SQUARE(1, 56, 7, 1, 1, 2, PADDING_VALID), 0, 0); /* 0, 0 */
}

/* cuDNN's formula gives the layer's output size in every valid geometry. */
static void padding_keeps_the_output_size(void **state)
{
    (void)state;
    for (int32_t image = 1; image <= 40; image++)
        for (int32_t kernel = 1; kernel <= 2 * image && kernel <= 12; kernel++)
            for (int32_t stride = 1; stride <= 4; stride++)
                for (int32_t padding = 0; padding < 2; padding++) {
                    if (padding == PADDING_VALID && kernel > image)
                        continue;
                    const struct cudnn_convolution c = convolution_of(
                        &(struct shape)SQUARE(1, image, kernel, 1, 1, stride, padding),
                        PRECISION_FP32, CUDNN_FORWARD);
                    const int64_t padded = image + c.pad_before[0] + c.pad_after[0];
                    assert_int_equal((padded - kernel) / stride + 1, c.output[0]);
                }
}

/* A T4 has no bfloat16, and no device has tensors of this size. */
static void what_is_not_supported_is_no_error(void **state)
{
    (void)state;
    for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
        const struct cudnn_convolution bf16 = convolution_of(&plain, PRECISION_BF16,
                                                             (enum cudnn_direction)direction);
        struct plans plans = plans_of(&bf16, T4, LIMIT, no_limit);
        assert_int_equal(plans.count, 0);
    }
    struct cudnn_convolution huge = convolution_of(&plain, PRECISION_FP32, CUDNN_FORWARD);
    huge.batch_size = INT64_C(1) << 40;
    struct plans plans = plans_of(&huge, H100, LIMIT, no_limit);
    assert_int_equal(plans.count, 0);
    release(&plans);
}

static void errors_name_the_call(void **state)
{
    (void)state;
    static const char *const jsons[] = {"{\"deviceVer\": 900}", "no json", ""};
    for (int i = 0; i < COUNT(jsons); i++) {
        struct error error = {0};
        cudnnBackendDescriptor_t properties;
        assert_int_equal(cudnn_device_properties_load(&properties, jsons[i], &error),
                         STATUS_FAILED);
        assert_null(properties);
        assert_non_null(strstr(error.message, "CUDNN_STATUS_"));
        assert_non_null(strstr(error.message, "DEVICEPROP"));
        assert_true(error.hint[0] != '\0');
    }
}

static void check_plans_fail(const struct cudnn_convolution *convolution,
                             const struct cudnn_target *target, const char *call)
{
    struct error error = {0};
    struct cudnn_choice choice;
    int count = -1;
    const cudnnStatus_t code = cudnn_convolution_plans(&choice, 1, &count, convolution, target,
                                                       no_limit, &error);
    assert_int_equal(cudnn_category_of(code), CUDNN_IS_BAD_PARAMETER);
    assert_int_equal(count, 0);
    assert_non_null(strstr(error.message, call));
    assert_int_equal(
        cudnn_convolution_plans(&choice, 1, &count, convolution, target, no_limit, NULL), code);
}

static void bad_requests_fail(void **state)
{
    (void)state;
    struct cudnn_convolution convolution = convolution_of(&plain, PRECISION_FP32, CUDNN_FORWARD);
    check_plans_fail(&convolution, &(struct cudnn_target){0}, "cudnn_convolution_plans");
    convolution.output[AXIS_WIDTH]++;
    check_plans_fail(&convolution, &targets[H100], "CONVOLUTION_FORWARD");
    convolution.channels_in = -1;
    check_plans_fail(&convolution, &targets[H100], "TENSOR");
}

static void notes_have_texts(void **state)
{
    (void)state;
    char text[64];
    cudnn_notes_text(text, sizeof text, 0);
    assert_string_equal(text, "");
    cudnn_notes_text(text, sizeof text,
                     1u << CUDNN_NUMERICAL_NOTE_TENSOR_CORE | 1u << CUDNN_NUMERICAL_NOTE_WINOGRAD);
    assert_string_equal(text, "tensor_core,winograd");
    cudnn_notes_text(text, 8, ~0u);
    assert_string_equal(text, "tensor_");
}

/* Codes within a category are as that category: cuDNN 9 says which part is not supported. */
static void codes_have_categories(void **state)
{
    (void)state;
    static const struct {
        cudnnStatus_t code;
        enum cudnn_category category;
    } cases[] = {
        {CUDNN_STATUS_NOT_INITIALIZED, CUDNN_IS_NOT_INITIALIZED},
        {CUDNN_STATUS_BAD_PARAM, CUDNN_IS_BAD_PARAMETER},
        {CUDNN_STATUS_BAD_PARAM_NULL_POINTER, CUDNN_IS_BAD_PARAMETER},
        {CUDNN_STATUS_NOT_SUPPORTED, CUDNN_IS_NOT_SUPPORTED},
        {CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, CUDNN_IS_NOT_SUPPORTED},
        {CUDNN_STATUS_NOT_SUPPORTED_SHAPE, CUDNN_IS_NOT_SUPPORTED},
        {CUDNN_STATUS_INTERNAL_ERROR, CUDNN_IS_INTERNAL_ERROR},
        {CUDNN_STATUS_EXECUTION_FAILED, CUDNN_IS_NOT_EXECUTED},
        {CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, CUDNN_IS_NOT_EXECUTED},
    };
    for (int i = 0; i < COUNT(cases); i++)
        assert_int_equal(cudnn_category_of(cases[i].code), cases[i].category);
}

/* Preparing needs no device; running would. */
static void operands_are_bound_without_a_device(void **state)
{
    (void)state;
    struct error error = {0};
    struct cudnn_execution execution;
    char memory[64];
    const struct cudnn_operands operands = {memory, memory + 16, memory + 32, NULL};
    const struct cudnn_convolution convolution = convolution_of(&plain, PRECISION_FP32,
                                                                CUDNN_FORWARD);
    struct plans plans = plans_of(&convolution, H100, 1, 0);
    if (cudnn_execution_prepare(&execution, NULL, &plans.choices[0], &operands, &error))
        fail_msg("%s", error.message);
    const cudnnStatus_t code = cudnn_execution_run(&execution);
    assert_int_not_equal(code, CUDNN_STATUS_SUCCESS);
    assert_int_equal(cudnn_check(code, "cudnn_execution_run", __FILE__, __LINE__, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "from cudnn_execution_run"));
    cudnn_execution_release(&execution);
    release(&plans);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_exist),
        cmocka_unit_test(plans_exist_of_other_forms),
        cmocka_unit_test(transposed_plans_exist),
        cmocka_unit_test(padding_is_of_an_axis),
        cmocka_unit_test(precision_decides_on_tensor_cores),
        cmocka_unit_test(candidates_are_distinct_and_the_first_is_the_default),
        cmocka_unit_test(workspace_is_limited),
        cmocka_unit_test(padding_is_symmetric_where_it_can_be),
        cmocka_unit_test(padding_keeps_the_output_size),
        cmocka_unit_test(what_is_not_supported_is_no_error),
        cmocka_unit_test(errors_name_the_call),
        cmocka_unit_test(bad_requests_fail),
        cmocka_unit_test(notes_have_texts),
        cmocka_unit_test(codes_have_categories),
        cmocka_unit_test(operands_are_bound_without_a_device),
    };
    return RUN_TESTS(argc, argv, tests, load_targets, release_targets);
}
