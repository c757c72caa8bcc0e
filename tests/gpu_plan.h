/* Plans of the cuda backend on a GPU, for test_backend_gpu.c: failures are said and counted, and
 * the test goes on. Numbers as the device stores them. */
#ifndef EPOCHCAST_TESTS_GPU_PLAN_H
#define EPOCHCAST_TESTS_GPU_PLAN_H

#include "base/half.h"
#include "bench/measure.h"
#include "cuda_device.h"
#include "kinds/reference.h"
#include "layer_configs.h"
#include "layers/describe.h"
#include "precision.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN = PHASE_FORWARD | PHASE_BACKWARD };
enum { SEED = 7 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct backend *const backend = &backend_cuda_device;

/* ---- failures ---- */

static int failure_count;

static void note_failure(const struct layer_config *config, const char *what)
{
    char text[512];
    describe_config(text, sizeof text, config);
    print_error("%s: %s\n", text, what);
    failure_count++;
}

static void assert_no_failures(void)
{
    int count = failure_count;
    failure_count = 0;
    assert_int_equal(count, 0);
}

/* ---- device and plans ---- */

static struct device *open_cuda(int64_t arena_bytes, bool autotune)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {
        .arena_bytes = arena_bytes, .seed = SEED, .autotune = autotune};
    if (backend->open(&device, 0, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return device;
}

static int setup(void **state)
{
    *state = open_cuda(INT64_C(1) << 30, false);
    return 0;
}

static int teardown(void **state)
{
    backend->close(*state);
    return 0;
}

/* NULL where cuDNN has nothing for it, which only 16-bit layers may be. */
static struct cuda_plan *prepare_pair(struct device *device, const struct layer_config *config,
                                      struct cuda_plan *first, struct cuda_plan *second)
{
    struct plan *const inputs[] = {first ? &first->base : NULL, second ? &second->base : NULL};
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    if (layer_check(config, &error) != STATUS_OK)
        fail_msg("bad config in test: %s", error.message);
    if (backend->bench[config->kind]->prepare(&plan, device, config, inputs, &outcome, &error) !=
        STATUS_OK) {
        note_failure(config, error.message);
        failure_count -= outcome == OUTCOME_UNSUPPORTED && precision_bytes(config->precision) < 4;
        assert_null(plan);
        return NULL;
    }
    if (strlen(plan->algorithm) == 0)
        note_failure(config, "no algorithm is named");
    if (config->precision == PRECISION_FP32 && strstr(plan->numerical_notes, "tensor_core"))
        note_failure(config, "tensor cores in fp32");
    return (struct cuda_plan *)plan;
}

static struct cuda_plan *prepare(struct device *device, const struct layer_config *config,
                                 struct cuda_plan *input)
{
    return prepare_pair(device, config, input, NULL);
}

static void release(struct cuda_plan *plan)
{
    plan->base.bench->release(&plan->base);
}

static void enqueue(struct cuda_plan *plan, int phases)
{
    struct error error = {0};
    if (plan->base.bench->enqueue(&plan->base, phases, &error) != STATUS_OK)
        note_failure(&plan->config, error.message);
}

/* The device's stream does not wait for the null stream, nor that for it. */
static void synchronise(const struct cuda_plan *plan)
{
    cudaError_t code = cudaStreamSynchronize(plan->device->stream);
    if (code != cudaSuccess)
        fail_msg("%s", cudaGetErrorString(code));
}

static void copy_in(struct cuda_plan *plan, void *to, const void *from, size_t bytes)
{
    assert_int_equal(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, plan->device->stream),
                     cudaSuccess);
    synchronise(plan);
}

static void copy_out(const struct cuda_plan *plan, void *to, const void *from, size_t bytes)
{
    synchronise(plan);
    assert_int_equal(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
}

static void fill_bytes(struct cuda_plan *plan, void *memory, int byte, size_t bytes)
{
    assert_int_equal(cudaMemsetAsync(memory, byte, bytes, plan->device->stream), cudaSuccess);
    synchronise(plan);
}

/* ---- numbers ---- */

/* Of a number that is one: normal, with 11 bits at most, or 0. */
static uint16_t to_half(float value)
{
    int exponent;
    int fraction = (int)ldexpf(frexpf(fabsf(value), &exponent), 11);
    if (value == 0)
        return 0;
    return (uint16_t)((value < 0) << 15 | (exponent + 14) << 10 | (fraction - 1024));
}

static float load_number(const void *raw, size_t i, int32_t precision)
{
    if (precision_bytes(precision) == sizeof(float))
        return ((const float *)raw)[i];
    const uint16_t bits = ((const uint16_t *)raw)[i];
    return precision == PRECISION_BF16 ? float_of_bf16(bits) : float_of_fp16(bits);
}

/* Of a number that the storage has. */
static void store_number(void *raw, size_t i, float value, int32_t precision)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (precision_bytes(precision) == sizeof value)
        ((float *)raw)[i] = value;
    else
        ((uint16_t *)raw)[i] = precision == PRECISION_BF16 ? (uint16_t)(bits >> 16)
                                                           : to_half(value);
}

#endif
