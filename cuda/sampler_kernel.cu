/* Attempts of draws: random words, transformed by the host sampler's own code. */
#include "layers/sample_transform.h"
#include "sampler_kernel.h"

enum { THREADS = 128 };

/* A thread an attempt. */
static __global__ void __launch_bounds__(THREADS) sampler_kernel(const struct sampler_job job)
{
    const uint32_t count = job.place_count * job.depth, i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= count)
        return;
    const struct sample_table *table = job.table;
    const uint32_t index = job.places[i / job.depth].index;
    const uint32_t attempt = job.places[i / job.depth].attempt + i % job.depth;
    for (int feature = 0; feature < table->feature_count; feature++) {
        uint32_t *word = job.words + (size_t)feature * count + i;
        *word = attempt ? sample_retry_word(table, feature, index, attempt)
                        : *word ^ table->feature[feature].mask;
    }
    const enum stratum stratum = sample_stratum(table, index);
    job.draws[i].stratum = stratum;
    sample_transform_attempt(&job.draws[i].config, stratum, table, job.words + i, count);
}

extern "C" cudaError_t launch_sampler(const struct sampler_job *job, cudaStream_t stream)
{
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3((job->place_count * job->depth + THREADS - 1) / THREADS);
    config.blockDim = dim3(THREADS);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, sampler_kernel, *job);
}
