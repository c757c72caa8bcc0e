/* What the device reaches: copy, matrix product, launch. Medians of a few runs. */
#include "base/clock.h"
#include "cuda_check.h"
#include "cuda_device.h"

#include "base/stats.h"
#include "base/term.h"

#include <math.h>

enum { RUNS = 7, GEMM_SIZE = 4096, LAUNCHES = 1000 };

static const int64_t copy_bytes = INT64_C(256) << 20;

struct work {
    struct cuda_device *device;
    unsigned char *a, *b, *c; /* (copy_bytes) each, or (GEMM_SIZE, GEMM_SIZE) floats */
};

typedef enum status enqueue(const struct work *work, struct error *error);

static enum status enqueue_copy(const struct work *work, struct error *error)
{
    CUDA_TRY(error, cudaMemcpyAsync(work->b, work->a, (size_t)copy_bytes, cudaMemcpyDeviceToDevice,
                                    work->device->stream));
    return STATUS_OK;
}

static enum status enqueue_product(const struct work *work, struct error *error)
{
    const float one = 1, zero = 0;
    CUBLAS_TRY(error,
               cublasSgemm(work->device->cublas, CUBLAS_OP_N, CUBLAS_OP_N, GEMM_SIZE, GEMM_SIZE,
                           GEMM_SIZE, &one, (const float *)work->a, GEMM_SIZE,
                           (const float *)work->b, GEMM_SIZE, &zero, (float *)work->c, GEMM_SIZE));
    return STATUS_OK;
}

static enum status median_of(double *median_ms, enqueue *call, const struct work *work,
                             struct error *error)
{
    struct device *device = &work->device->base;
    double samples_ms[RUNS];
    TRY(call(work, error)); /* loads kernels */
    for (int i = 0; i < RUNS; i++) {
        TRY(device->backend->timer_start(device, error));
        TRY(call(work, error));
        TRY(device->backend->timer_stop(device, &samples_ms[i], error));
    }
    stats_sort(samples_ms, RUNS);
    *median_ms = stats_quantile(samples_ms, RUNS, 0.5);
    return STATUS_OK;
}

/* Host time per launch of a kernel that does nothing, the device kept waiting. */
static enum status launch_latency(double *latency_us, struct cuda_device *device,
                                  struct error *error)
{
    double samples_us[RUNS];
    for (int i = 0; i < RUNS; i++) {
        double started_s = monotonic_s();
        for (int j = 0; j < LAUNCHES; j++)
            CUDA_TRY(error, launch_empty(device->stream));
        CUDA_TRY(error, cudaStreamSynchronize(device->stream));
        samples_us[i] = 1e6 * (monotonic_s() - started_s) / LAUNCHES;
    }
    stats_sort(samples_us, RUNS);
    *latency_us = stats_quantile(samples_us, RUNS, 0.5);
    return STATUS_OK;
}

static enum status fill_work(struct work *work, struct cuda_device *device, struct error *error)
{
    unsigned char **arrays[] = {&work->a, &work->b, &work->c};
    work->device = device;
    for (uint32_t i = 0; i < 3; i++) {
        TRY(cuda_take((void **)arrays[i], device, copy_bytes, error));
        CUDA_TRY(error, launch_noise(*arrays[i], copy_bytes / (int64_t)sizeof(float), 1, i,
                                     device->seed, PRECISION_FP32, device->stream));
    }
    return STATUS_OK;
}

enum status cuda_measure_speed(struct device_info *info, struct cuda_device *device,
                               struct error *error)
{
    struct work work;
    double copy_ms, product_ms;
    device->base.backend->reset(&device->base);
    TRY(launch_latency(&info->measured_call_latency_us, device, error));
    if (cuda_workspace_limit(device) < 3 * copy_bytes) /* the others stay unknown */
        return STATUS_OK;
    TRY(fill_work(&work, device, error));
    TRY(median_of(&copy_ms, enqueue_copy, &work, error));
    TRY(median_of(&product_ms, enqueue_product, &work, error));
    info->measured_copy_gbps = 2 * (double)copy_bytes / copy_ms / 1e6; /* read and written */
    info->measured_sgemm_gflops = 2 * pow(GEMM_SIZE, 3) / product_ms / 1e6;
    device->base.backend->reset(&device->base);
    return STATUS_OK;
}
