/* What cuRAND gives on a device, from the host's Sobol; the shim's device memory is the host's. */
#include "sampler_words.h"

#include "base/sobol.h"

enum status sampler_words(uint32_t *words, int dimensions, uint32_t first, uint32_t count,
                          cudaStream_t stream, struct error *error)
{
    (void)stream;
    (void)error;
    for (int dimension = 0; dimension < dimensions; dimension++)
        for (uint32_t i = 0; i < count; i++)
            words[(size_t)dimension * count + i] = sobol32(first + i, dimension);
    return STATUS_OK;
}
