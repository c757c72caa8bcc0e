#include "gpu.h"

#include "cuda_check.h"

#include <cudnn.h>
#include <math.h>
#include <stdio.h>

/* By compute capability, newest first: the first of its major version that is not newer counts.
 * Cores are the fp32 lanes of a multiprocessor. */
static const struct architecture {
    int major, minor;
    const char *technology;
    int cores;
} architectures[] = {
    {12, 0, "Blackwell", 128}, {11, 0, "Blackwell", 128}, {10, 0, "Blackwell", 128},
    {9, 0, "Hopper", 128},     {8, 9, "Ada", 128},        {8, 6, "Ampere", 128},
    {8, 0, "Ampere", 64},      {7, 5, "Turing", 64},      {7, 0, "Volta", 64},
    {6, 1, "Pascal", 128},     {6, 0, "Pascal", 64},      {5, 0, "Maxwell", 128},
};

static const struct architecture *find_architecture(int major, int minor)
{
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (architectures[i].major == major && architectures[i].minor <= minor)
            return &architectures[i];
    return NULL;
}

static double known(double value)
{
    return value > 0 ? value : NAN;
}

static void fill_rates(struct device_info *info, const struct gpu_attributes *attributes, int cores)
{
    const double transfers_per_cycle = 2, flops_per_cycle = 2; /* double data rate; fused */
    info->clock_mhz = known(attributes->clock_khz / 1e3);
    info->core_count = known((double)cores * attributes->multiprocessor_count);
    info->peak_gflops = flops_per_cycle * info->core_count * info->clock_mhz / 1e3;
    info->bandwidth_gbps = known(transfers_per_cycle * attributes->memory_clock_khz / 1e6 *
                                 attributes->memory_bus_bits / 8);
    info->measured_copy_gbps = info->measured_sgemm_gflops = info->measured_call_latency_us = NAN;
}

/* cuDNN before 9 packs its version tighter: 8907. */
static void fill_library(struct device_info *info, const struct gpu_attributes *attributes)
{
    long cuda = attributes->cuda_version, cudnn = attributes->cudnn_version;
    long base = cudnn >= 90000 ? 10000 : 1000;
    snprintf(info->library, sizeof info->library, "CUDA %ld.%ld cuDNN %ld.%ld.%ld", cuda / 1000,
             cuda % 1000 / 10, cudnn / base, cudnn % base / 100, cudnn % 100);
}

void gpu_fill(struct device_info *info, const struct gpu_attributes *attributes)
{
    int major = attributes->major, minor = attributes->minor;
    const struct architecture *known_as = find_architecture(major, minor);
    *info = (struct device_info){.backend = "cuda",
                                 .device_count = 1,
                                 .thread_count = 1,
                                 .memory_bytes = attributes->memory_bytes,
                                 .cache_bytes = attributes->cache_bytes};
    snprintf(info->name, sizeof info->name, "%.63s", attributes->name);
    snprintf(info->connectivity, sizeof info->connectivity, "%s", attributes->connectivity);
    if (known_as)
        snprintf(info->technology, sizeof info->technology, "%s", known_as->technology);
    else
        snprintf(info->technology, sizeof info->technology, "sm_%d%d", major, minor);
    fill_rates(info, attributes, known_as ? known_as->cores : 0);
    fill_library(info, attributes);
}

static enum status read_numbers(struct gpu_attributes *out, int index, struct error *error)
{
    int cache_bytes = 0;
    const struct {
        int *value;
        enum cudaDeviceAttr attribute;
    } numbers[] = {
        {&out->major, cudaDevAttrComputeCapabilityMajor},
        {&out->minor, cudaDevAttrComputeCapabilityMinor},
        {&out->multiprocessor_count, cudaDevAttrMultiProcessorCount},
        {&out->clock_khz, cudaDevAttrClockRate},
        {&out->memory_clock_khz, cudaDevAttrMemoryClockRate},
        {&out->memory_bus_bits, cudaDevAttrGlobalMemoryBusWidth},
        {&cache_bytes, cudaDevAttrL2CacheSize},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CUDA_TRY(error, cudaDeviceGetAttribute(numbers[i].value, numbers[i].attribute, index));
    out->cache_bytes = cache_bytes;
    return STATUS_OK;
}

static enum status read_attributes(struct gpu_attributes *out, int index, struct error *error)
{
    struct cudaDeviceProp properties;
    int cuda_version = 0;
    *out = (struct gpu_attributes){0};
    TRY(read_numbers(out, index, error));
    CUDA_TRY(error, cudaGetDeviceProperties(&properties, index));
    snprintf(out->name, sizeof out->name, "%.255s", properties.name);
    out->memory_bytes = (int64_t)properties.totalGlobalMem;
    CUDA_TRY(error, cudaRuntimeGetVersion(&cuda_version));
    out->cuda_version = cuda_version;
    out->cudnn_version = (int64_t)cudnnGetVersion();
    return STATUS_OK;
}

enum status gpu_describe(struct device_info *info, int index, const struct nvml *nvml,
                         struct error *error)
{
    struct gpu_attributes attributes;
    TRY(read_attributes(&attributes, index, error));
    nvml_link(attributes.connectivity, nvml);
    gpu_fill(info, &attributes);
    return STATUS_OK;
}
