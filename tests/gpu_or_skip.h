/* What a test of a GPU asks first: without one it is skipped, and says why. */
#ifndef EPOCHCAST_TESTS_GPU_OR_SKIP_H
#define EPOCHCAST_TESTS_GPU_OR_SKIP_H

#include <cuda_runtime.h>

#include <stdbool.h>
#include <stdio.h>

enum { SKIPPED = 77 }; /* exit code */

static inline bool has_gpu(void)
{
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaSuccess && count > 0)
        return true;
    printf("skipped: no CUDA device (%s)\n", cudaGetErrorString(code));
    return false;
}

#endif
