/* What cuRAND gives on a device, from the host's Sobol; the shim's device memory is the host's.
 * "draws" in SHIM_REFUSES: it fails. */
#include "sampler_words.h"

#include "base/sobol.h"

#include <stdlib.h>
#include <string.h>

enum status sampler_words(uint32_t *words, int dimensions, uint32_t first, uint32_t count,
                          cudaStream_t stream, struct error *error)
{
    (void)stream;
    const char *refuses = getenv("SHIM_REFUSES");
    if (refuses && strstr(refuses, "draws"))
        return FAIL(error, STATUS_FAILED, "cuRAND: the shim refuses");
    for (int dimension = 0; dimension < dimensions; dimension++)
        for (uint32_t i = 0; i < count; i++)
            words[(size_t)dimension * count + i] = sobol32(first + i, dimension);
    return STATUS_OK;
}
