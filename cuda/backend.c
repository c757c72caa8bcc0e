/* The cuda backend: one stream, one arena, a timer (timer.h) whose samples are replays. */
#include "cuda_check.h"
#include "cuda_device.h"
#include "cudnn_check.h"
#include "gpu.h"
#include "sampler.h"
#include "trainer_cuda.h"

#include <stdlib.h>

static const int64_t arena_limit_bytes = INT64_C(32) << 30, blas_workspace_bytes = 32 << 20;

/* ---- opening ---- */

static enum status device_count(int *count, struct error *error)
{
    cudaError_t code = cudaGetDeviceCount(count);
    if (code == cudaSuccess)
        return STATUS_OK;
    *count = 0;
    FAIL(error, STATUS_NO_DEVICE, "cuda: %s (%s from cudaGetDeviceCount)", cudaGetErrorString(code),
         cudaGetErrorName(code));
    if (code == cudaErrorInsufficientDriver)
        error_hint(error, "this build is for CUDA %d.%d: install a driver that supports it",
                   CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    else
        error_hint(error, "nvidia-smi shows whether the driver sees a GPU");
    return STATUS_NO_DEVICE;
}

static enum status create_handles(struct cuda_device *cuda, struct error *error)
{
    CUDA_TRY(error, cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking));
    TRY(cuda_timer_open(&cuda->timer, cuda->stream, error));
    CUDNN_TRY(error, cudnnCreate(&cuda->cudnn));
    CUDNN_TRY(error, cudnnSetStream(cuda->cudnn, cuda->stream));
    CUBLAS_TRY(error, cublasCreate(&cuda->cublas));
    CUBLAS_TRY(error, cublasSetStream(cuda->cublas, cuda->stream));
    CUDA_TRY(error, cudaMalloc(&cuda->blas_workspace, (size_t)blas_workspace_bytes));
    CUBLAS_TRY(error, cublasSetWorkspace(cuda->cublas, cuda->blas_workspace,
                                         (size_t)blas_workspace_bytes));
    return STATUS_OK;
}

/* A cold cache is one that twice its size was written through. */
static enum status allocate(struct cuda_device *cuda, int64_t wanted_bytes, struct error *error)
{
    int cache_bytes;
    size_t free_bytes, total_bytes;
    CUDA_TRY(error, cudaDeviceGetAttribute(&cache_bytes, cudaDevAttrL2CacheSize, cuda->index));
    cuda->cache_bytes = cache_bytes;
    cuda->flush_bytes = 2 * (int64_t)cache_bytes;
    CUDA_TRY(error, cudaMalloc(&cuda->flush, (size_t)cuda->flush_bytes + 1));
    CUDA_TRY(error,
             cudaMalloc((void **)&cuda->pick_places, CUDA_PICK_LIMIT * sizeof *cuda->pick_places));
    CUDA_TRY(error,
             cudaMalloc((void **)&cuda->pick_values, CUDA_PICK_LIMIT * sizeof *cuda->pick_values));
    CUDA_TRY(error, cudaMemGetInfo(&free_bytes, &total_bytes));
    int64_t bytes = wanted_bytes ? wanted_bytes : (int64_t)(free_bytes / 10 * 8);
    bytes = bytes < arena_limit_bytes || wanted_bytes ? bytes : arena_limit_bytes;
    cuda->arena_bytes = bytes / CUDA_ALIGNMENT_BYTES * CUDA_ALIGNMENT_BYTES;
    CUDA_TRY(error, cudaMalloc((void **)&cuda->arena, (size_t)cuda->arena_bytes));
    return STATUS_OK;
}

/* Without NVML clocks and temperature are unknown, and nothing else is. */
static void open_nvml(struct cuda_device *cuda)
{
    char bus_id[32];
    if (cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, cuda->index) == cudaSuccess)
        nvml_open(&cuda->nvml, bus_id, NULL, NULL);
}

static enum status fill_device(struct cuda_device *cuda, const struct device_options *options,
                               struct error *error)
{
    CUDA_TRY(error, cudaSetDevice(cuda->index));
    TRY(create_handles(cuda, error));
    open_nvml(cuda);
    TRY(allocate(cuda, options->arena_bytes, error));
    return cuda_timer_calibrate(&cuda->timer, error);
}

static void close_device(struct device *device)
{
    struct cuda_device *cuda = (struct cuda_device *)device;
    cuda_timer_close(&cuda->timer);
    if (cuda->cublas)
        cublasDestroy(cuda->cublas);
    if (cuda->cudnn)
        cudnnDestroy(cuda->cudnn);
    if (cuda->stream)
        cudaStreamDestroy(cuda->stream);
    cudaFree(cuda->arena);
    cudaFree(cuda->flush);
    cudaFree(cuda->pick_places);
    cudaFree(cuda->pick_values);
    cudaFree(cuda->blas_workspace);
    nvml_close(cuda->nvml);
    free(cuda);
}

static enum status open_device(struct device **device, int index,
                               const struct device_options *options, struct error *error)
{
    struct cuda_device *cuda;
    *device = NULL;
    TRY(ALLOCATE(&cuda, 1, "cuda device", error));
    cuda->base.backend = &backend_cuda_device;
    cuda->index = index;
    cuda->seed = options->seed;
    cuda->autotune = options->autotune;
    enum status status = fill_device(cuda, options, error);
    if (status == STATUS_OK)
        *device = &cuda->base;
    else
        close_device(&cuda->base);
    return status == STATUS_OUT_OF_MEMORY ? STATUS_FAILED : status;
}

static enum status describe(struct device *device, bool measure, struct device_info *info,
                            struct error *error)
{
    struct cuda_device *cuda = (struct cuda_device *)device;
    TRY(gpu_describe(info, cuda->index, cuda->nvml, error));
    return measure ? cuda_measure_speed(info, cuda, error) : STATUS_OK;
}

/* ---- timing ---- */

static struct cuda_timer *timer_of(struct device *device)
{
    return &((struct cuda_device *)device)->timer;
}

static enum status timer_start(struct device *device, struct error *error)
{
    return cuda_timer_start(timer_of(device), error);
}

static enum status timer_stop(struct device *device, double *elapsed_ms, struct error *error)
{
    return cuda_timer_stop(timer_of(device), elapsed_ms, error);
}

static void flush_cache(struct device *device)
{
    struct cuda_device *cuda = (struct cuda_device *)device;
    cudaMemsetAsync(cuda->flush, 1, (size_t)cuda->flush_bytes, cuda->stream);
}

static void room(struct device *device, struct operand_room *room)
{
    const struct cuda_device *cuda = (const struct cuda_device *)device;
    *room = (struct operand_room){.cache_bytes = cuda->cache_bytes,
                                  .free_bytes = cuda->arena_bytes - cuda->used_bytes -
                                                cuda->workspace_bytes};
}

static void reset(struct device *device)
{
    struct cuda_device *cuda = (struct cuda_device *)device;
    cuda_timer_forget(&cuda->timer);
    cuda->used_bytes = cuda->workspace_bytes = 0;
}

static enum status record_start(struct device *device, struct error *error)
{
    return cuda_timer_record_start(timer_of(device), error);
}

static enum status record_stop(struct device *device, struct error *error)
{
    return cuda_timer_record_stop(timer_of(device), error);
}

static enum status replay(struct device *device, struct error *error)
{
    return cuda_timer_replay(timer_of(device), error);
}

static void conditions(struct device *device, struct conditions *conditions)
{
    nvml_conditions(conditions, ((struct cuda_device *)device)->nvml);
}

/* ---- sampling, training ---- */

static enum status draw(struct device *device, struct layer_config *configs, enum stratum *strata,
                        const struct sample_domain *domain, uint64_t seed, uint32_t first,
                        uint32_t count, struct error *error)
{
    (void)device; /* it is the current one */
    return cuda_sample(configs, strata, domain, seed, first, count, error);
}

static enum status find_trainer(const struct trainer **trainer, int index, struct error *error)
{
    int count;
    *trainer = NULL;
    TRY(device_count(&count, error));
    if (index >= count)
        return FAIL(error, STATUS_NO_DEVICE, "cuda: no device %d; this machine has %d", index,
                    count);
    CUDA_TRY(error, cudaSetDevice(index));
    *trainer = &trainer_cuda;
    return STATUS_OK;
}

#define CUDA_BENCH(KIND, kind) [LAYER_##KIND] = &cuda_bench,
const struct backend backend_cuda_device = {
    .name = "cuda",
    .help = "an NVIDIA GPU, with cuDNN and cuBLAS",
    .timing = TIMING_EVENTS,
    .sample_floor_ms = 0.2, /* events resolve about 0.5 us */
    .pads_alike = true,     /* cuDNN's engines */
    .device_count = device_count,
    .open = open_device,
    .close = close_device,
    .describe = describe,
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .flush_cache = flush_cache,
    .room = room,
    .reset = reset,
    .record_start = record_start,
    .record_stop = record_stop,
    .replay = replay,
    .conditions = conditions,
    .draw = draw,
    .trainer = find_trainer,
    .bench = {LAYER_KINDS(CUDA_BENCH)},
};
