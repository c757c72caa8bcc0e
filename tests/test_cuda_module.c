/* Opening the cuda module: what is missing is said; the real module loads without a GPU and says
 * so; a module whose GPU is the shim runs the whole program.
 */
#include "bench/cuda_module.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void missing_module_is_named(void **state)
{
    (void)state;
    const struct cuda_module *module;
    struct error error = {0};
    assert_int_equal(cuda_module_open(&module, "/nowhere/epochcast_cuda.so", &error),
                     STATUS_NO_DEVICE);
    assert_null(module);
    assert_non_null(strstr(error.message, "/nowhere/epochcast_cuda.so"));
    assert_non_null(strstr(error.hint, "LD_LIBRARY_PATH"));
}

static void library_that_is_no_module_is_refused(void **state)
{
    (void)state;
    const struct cuda_module *module;
    struct error error = {0};
    assert_int_equal(cuda_module_open(&module, "libm.so.6", &error), STATUS_NO_DEVICE);
    assert_non_null(strstr(error.message, CUDA_MODULE_SYMBOL));
}

static void module_of_another_build_is_refused(void **state)
{
    (void)state;
    const struct cuda_module *module;
    struct error error = {0};
    assert_int_equal(cuda_module_open(&module, STALE_MODULE, &error), STATUS_NO_DEVICE);
    assert_non_null(strstr(error.message, "another build"));
    assert_non_null(strstr(error.hint, "build program and module together"));
}

/* Without driver or GPU the module's own count fails, with what to do. */
static void real_module_loads_and_says_what_is_missing(void **state)
{
    (void)state;
    const struct cuda_module *module;
    struct error error = {0};
    int count = -1;
    if (access(CUDA_MODULE, R_OK) != 0) {
        print_message("skipped: no CUDA toolkit, no %s\n", CUDA_MODULE_FILE);
        skip();
    }
    if (cuda_module_open(&module, CUDA_MODULE, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(module->backend->name, "cuda");
    if (module->backend->device_count(&count, &error) == STATUS_OK) {
        assert_true(count > 0);
        return;
    }
    assert_int_equal(error.status, STATUS_NO_DEVICE);
    assert_int_equal(count, 0);
    assert_non_null(strstr(error.message, "cudaGetDeviceCount"));
    assert_true(strlen(error.hint) > 0);
}

/* ---- the program on the shim ---- */

static char folder[64];

static void run_program(const char *arguments, int expected)
{
    char line[1024];
    snprintf(line, sizeof line, "cd %s && %s %s >out.txt 2>&1", folder, PROGRAM, arguments);
    int code = system(line);
    if (!WIFEXITED(code) || WEXITSTATUS(code) != expected) {
        snprintf(line, sizeof line, "cat %s/out.txt >&2", folder);
        if (system(line) != 0)
            print_error("no output\n");
        fail_msg("epochcast %s: status %d", arguments, code);
    }
}

static bool output_has(const char *text)
{
    char path[128], content[8192] = "";
    snprintf(path, sizeof path, "%s/out.txt", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    return strstr(content, text) != NULL;
}

static int make_folder(void **state)
{
    (void)state;
    setenv("EPOCHCAST_CUDA_MODULE", SHIM_MODULE, 1);
    snprintf(folder, sizeof folder, "/tmp/epochcast-module-XXXXXX");
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
    (void)state;
    char line[128];
    unsetenv("EPOCHCAST_CUDA_MODULE");
    unsetenv("SHIM_REFUSES");
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line);
}

/* The GPU draws, times and trains; every other command then needs no module. */
static void gpu_samples_measures_and_trains(void **state)
{
    (void)state;
    run_program("devices --no-measure -o csv", 0);
    assert_true(output_has("cuda,shim GPU"));
    run_program("sweep --device cuda -l dense,pool2d -n 120 --max-flops 2e10 --max-memory 1GiB -q "
                "-O gpu.h5",
                0);
    run_program("sweep --device fake -l dense,pool2d -n 120 -q -O fake.h5", 0);
    run_program("export gpu.h5 -l dense -o csv | cut -d, -f1-9 | tee gpu.csv", 0);
    run_program("export fake.h5 -l dense -o csv | cut -d, -f1-9 | cmp - gpu.csv", 0);
    run_program("train gpu.h5 --hidden 8 -e 2 -o csv -q -O auto.h5", 0); /* auto: measured here */
    assert_true(output_has(",cuda,"));
    run_program("train fake.h5 --hidden 8 -e 2 -o csv -q -O host.h5", 0);
    assert_true(output_has(",host,"));
    run_program("train fake.h5 --hidden 8 -e 2 -o csv -q --engine cuda -O asked.h5", 0);
    assert_true(output_has(",cuda,"));
    run_program("train gpu.h5 --hidden 8 -e 2 -o csv -q --engine host -O other.h5", 0);
    assert_true(output_has(",host,"));
    unsetenv("EPOCHCAST_CUDA_MODULE");
    run_program("evaluate auto.h5 gpu.h5 -q", 0);
    run_program("predict lenet5 --model auto.h5 -q", 0);
    run_program("predict lenet5 --model auto.h5 --precision fp16 -q", 2); /* no rows of it */
    run_program("train gpu.h5 --hidden 8 -e 2 -o csv -q -O fallback.h5", 0);
    if (access("/dev/nvidiactl", F_OK) != 0)
        assert_true(output_has(",host,"));
    setenv("EPOCHCAST_CUDA_MODULE", SHIM_MODULE, 1);
}

/* ---- the real backend on the shim ---- */

#define KINDS "dense,conv2d,pool2d,batch_norm,addition"
#define SMALL                                                                                      \
    "--set batch_size=1..4 --set image_size=4..8 --set channels=1..4 --set channels_in=1..4 "      \
    "--set channels_out=1..4 --set inputs=1..40 --set outputs=1..40 --set elements=1..40 "         \
    "--set repeats=1..4"

static int use_backend(void **state)
{
    setenv("SHIM_REFUSES", "", 1);
    const int code = make_folder(state);
    setenv("EPOCHCAST_CUDA_MODULE", BACKEND_MODULE, 1);
    return code;
}

/* An engine that does not run costs its layers and not the sweep: no worker dies of it. */
static void sweeps_go_on_where_engines_fail(void **state)
{
    (void)state;
    setenv("SHIM_REFUSES", "pooling=3002,engine1=5000,norm-backward=2000", 1);
    run_program("sweep --device cuda --rounds 1 -l " KINDS " -n 60 " SMALL " -O gpu.h5", 0);
    assert_false(output_has("the worker failed"));
    run_program("export gpu.h5 -l pool2d -o csv | grep -c unsupported", 0);
    assert_true(output_has("12\n"));
    run_program("export gpu.h5 -l conv2d -o csv | grep -c 'engine 2'", 0);
    assert_true(output_has("12\n"));
    run_program("export gpu.h5 -l dense -o csv | grep -c cublasGemmEx", 0);
    assert_true(output_has("12\n"));
    setenv("SHIM_REFUSES", "gemm=broken", 1); /* one that takes the device with it costs a worker */
    run_program("sweep --device cuda --rounds 1 -l " KINDS " -n 5 " SMALL " -O broken.h5", 0);
    assert_true(output_has("the worker failed"));
}

/* Draws are the same wherever they come from: only a word is lost. */
static void draws_fall_back_to_the_host(void **state)
{
    (void)state;
    run_program("sweep --device cuda --rounds 1 -l " KINDS " -n 20 " SMALL " -q -O gpu.h5", 0);
    assert_false(output_has("drawn on the host"));
    setenv("SHIM_REFUSES", "draws", 1);
    run_program("sweep --device cuda --rounds 1 -l " KINDS " -n 20 " SMALL " -q -O host.h5", 0);
    assert_true(output_has("note: configs are drawn on the host from here on: cuRAND: the shim"));
    run_program("export gpu.h5 -l dense -o csv | cut -d, -f1-9 | tee gpu.csv", 0);
    run_program("export host.h5 -l dense -o csv | cut -d, -f1-9 | cmp - gpu.csv", 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_module_is_named),
        cmocka_unit_test(library_that_is_no_module_is_refused),
        cmocka_unit_test(module_of_another_build_is_refused),
        cmocka_unit_test(real_module_loads_and_says_what_is_missing),
        cmocka_unit_test_setup_teardown(gpu_samples_measures_and_trains, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(sweeps_go_on_where_engines_fail, use_backend,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(draws_fall_back_to_the_host, use_backend, remove_folder),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
