/* The Sobol words of the sampler: the one place that needs cuRAND. */
#ifndef EPOCHCAST_CUDA_SAMPLER_WORDS_H
#define EPOCHCAST_CUDA_SAMPLER_WORDS_H

#include "base/error.h"

#include <cuda_runtime.h>
#include <stdint.h>

/* words[dimension * count + i] = sobol32(first + i, dimension), in device memory. */
enum status sampler_words(uint32_t *words, int dimensions, uint32_t first, uint32_t count,
                          cudaStream_t stream, struct error *error);

#endif
