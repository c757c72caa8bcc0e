/* The kernel of the sampler. */
#ifndef EPOCHCAST_CUDA_SAMPLER_KERNEL_H
#define EPOCHCAST_CUDA_SAMPLER_KERNEL_H

#include "layers/sample_table.h"

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A draw that is not settled, and its next attempt. */
struct sampler_place {
    uint32_t index, attempt;
};

struct sampler_draw {
    struct layer_config config;
    enum stratum stratum;
};

/* `depth` attempts of every place: draws[place * depth + i]. All pointers are in device memory. */
struct sampler_job {
    const struct sample_table *table;
    const struct sampler_place *places; /* (place_count) */
    uint32_t place_count, depth;
    uint32_t *words; /* (features, place_count * depth): Sobol words of attempts 0; overwritten */
    struct sampler_draw *draws; /* (place_count * depth) */
};
cudaError_t launch_sampler(const struct sampler_job *job, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
