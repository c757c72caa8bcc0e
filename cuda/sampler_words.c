#include "sampler_words.h"

#include "cuda_check.h"

#include <curand.h>

static enum status curand_check(curandStatus_t code, const char *call, int line,
                                struct error *error)
{
    if (code == CURAND_STATUS_SUCCESS)
        return STATUS_OK;
    enum status status = code == CURAND_STATUS_ALLOCATION_FAILED ? STATUS_OUT_OF_MEMORY
                                                                 : STATUS_FAILED;
    return error_set(error, status, __FILE__, line, "cuRAND: curandStatus_t %d from %.160s",
                     (int)code, call);
}

#define CURAND_TRY(error, call) TRY(curand_check((call), #call, __LINE__, (error)))

static enum status generate(uint32_t *words, curandGenerator_t generator, int dimensions,
                            uint32_t first, uint32_t count, cudaStream_t stream,
                            struct error *error)
{
    CURAND_TRY(error, curandSetStream(generator, stream));
    CURAND_TRY(error, curandSetQuasiRandomGeneratorDimensions(generator, (unsigned int)dimensions));
    CURAND_TRY(error, curandSetGeneratorOffset(generator, first));
    CURAND_TRY(error, curandGenerate(generator, words, (size_t)count * (size_t)dimensions));
    CUDA_TRY(error, cudaStreamSynchronize(stream)); /* the generator goes away */
    return STATUS_OK;
}

enum status sampler_words(uint32_t *words, int dimensions, uint32_t first, uint32_t count,
                          cudaStream_t stream, struct error *error)
{
    curandGenerator_t generator;
    CURAND_TRY(error, curandCreateGenerator(&generator, CURAND_RNG_QUASI_SCRAMBLED_SOBOL32));
    enum status status = generate(words, generator, dimensions, first, count, stream, error);
    curandDestroyGenerator(generator);
    return status;
}
