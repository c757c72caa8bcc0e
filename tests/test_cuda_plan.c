/* What the cuda backend does before it calls the device: the arena's accounting. Against the
 * toolkit, without a GPU.
 */
#include "cuda_device.h"
#include "kinds/reference.h"
#include "test.h"

#include <string.h>

/* Memory that is never touched: only its size counts. */
static struct cuda_device device_of(int64_t arena_bytes)
{
    return (struct cuda_device){.base.backend = &backend_cuda_device,
                                .arena = (unsigned char *)4096,
                                .arena_bytes = arena_bytes};
}

static int64_t offset_of(const struct cuda_device *device, const void *memory)
{
    return (const unsigned char *)memory - device->arena;
}

static void tensors_fill_the_arena(void **state)
{
    (void)state;
    struct cuda_device device = device_of(1024);
    void *memory;
    assert_int_equal(cuda_take(&memory, &device, 1, NULL), STATUS_OK);
    assert_int_equal(offset_of(&device, memory), 0);
    assert_int_equal(cuda_take(&memory, &device, 257, NULL), STATUS_OK);
    assert_int_equal(offset_of(&device, memory), 256);
    assert_int_equal(cuda_take(&memory, &device, 256, NULL), STATUS_OK);
    assert_int_equal(offset_of(&device, memory), 768);
    assert_int_equal(cuda_take(&memory, &device, 0, NULL), STATUS_OK);
    struct error error = {0};
    assert_int_equal(cuda_take(&memory, &device, 1, &error), STATUS_OUT_OF_MEMORY);
    assert_null(memory);
    assert_non_null(strstr(error.message, "1024 bytes"));
    assert_int_equal(cuda_take(&memory, &device, -1, NULL), STATUS_OUT_OF_MEMORY);
    assert_int_equal(cuda_take(&memory, &device, INT64_MAX / 2, NULL), STATUS_OUT_OF_MEMORY);
}

/* Workspaces of several plans lie on top of each other; the largest counts. */
static void plans_share_one_workspace(void **state)
{
    (void)state;
    struct cuda_device device = device_of(9984);
    void *tensor, *small, *large;
    assert_int_equal(cuda_take(&tensor, &device, 2048, NULL), STATUS_OK);
    assert_int_equal(cuda_take_workspace(&small, &device, 100, NULL), STATUS_OK);
    assert_int_equal(cuda_take_workspace(&large, &device, 4000, NULL), STATUS_OK);
    assert_int_equal(offset_of(&device, small) % 256, 0);
    assert_int_equal(offset_of(&device, large) % 256, 0);
    assert_true(offset_of(&device, small) + 100 <= 9984);
    assert_true(offset_of(&device, large) + 4000 <= 9984);
    assert_true(offset_of(&device, large) >= 2048);
    int64_t before = device.workspace_bytes;
    assert_int_equal(cuda_take_workspace(&small, &device, 200, NULL), STATUS_OK);
    assert_int_equal(device.workspace_bytes, before);
    assert_int_equal(cuda_take(&tensor, &device, offset_of(&device, large) - 2048, NULL),
                     STATUS_OK); /* up to the workspace ... */
    assert_int_equal(cuda_take(&tensor, &device, 1, NULL), STATUS_OUT_OF_MEMORY);
    assert_int_equal(cuda_take_workspace(&large, &device, 5000, NULL), STATUS_OUT_OF_MEMORY);
}

static void no_workspace_needs_no_room(void **state)
{
    (void)state;
    struct cuda_device device = device_of(512);
    void *memory, *workspace;
    assert_int_equal(cuda_take(&memory, &device, 512, NULL), STATUS_OK);
    assert_int_equal(cuda_workspace_limit(&device), 0);
    assert_int_equal(cuda_take_workspace(&workspace, &device, 0, NULL), STATUS_OK);
    assert_int_equal(device.workspace_bytes, 0);
}

/* Larger than the arena: an outcome, before any call of CUDA (without a device each would fail with
 * another status). */
static void too_large_is_found_by_accounting(void **state)
{
    (void)state;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct layer_config config = reference_example((enum layer_kind)kind);
        config.batch_size = 4096;
        struct cuda_device device = device_of(1024);
        struct plan *plan = (struct plan *)1;
        enum outcome outcome = OUTCOME_OK;
        struct error error = {0};
        const struct bench *bench = backend_cuda_device.bench[kind];
        assert_int_equal(bench->prepare(&plan, &device.base, &config, NULL, &outcome, &error),
                         STATUS_OUT_OF_MEMORY);
        assert_null(plan);
        assert_non_null(strstr(error.message, "do not fit the arena"));
        assert_non_null(strstr(error.hint, "smaller batch"));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_fill_the_arena),
        cmocka_unit_test(plans_share_one_workspace),
        cmocka_unit_test(no_workspace_needs_no_room),
        cmocka_unit_test(too_large_is_found_by_accounting),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
