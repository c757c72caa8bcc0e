/* Hardware features of a CUDA device, as nominal as the driver says them. */
#ifndef EPOCHCAST_CUDA_GPU_H
#define EPOCHCAST_CUDA_GPU_H

#include "bench/backend.h"
#include "nvml.h"

#include <stdint.h>

/* What runtime and driver say, in their units; 0: they do not say. */
struct gpu_attributes {
    char name[256];
    char connectivity[16];
    int major, minor; /* compute capability */
    int multiprocessor_count;
    int clock_khz, memory_clock_khz, memory_bus_bits;
    int64_t memory_bytes, cache_bytes;
    int64_t cuda_version, cudnn_version; /* 13000, 91900 */
};

/* Fills all of *info; works without a device. The measured members become NaN. */
void gpu_fill(struct device_info *info, const struct gpu_attributes *attributes);

/* The device `index` as the runtime counts. nvml: of the same device, or NULL. */
enum status gpu_describe(struct device_info *info, int index, const struct nvml *nvml,
                         struct error *error);

#endif
