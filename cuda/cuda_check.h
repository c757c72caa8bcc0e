/* Checks of the CUDA runtime: the error says which call failed, with what, and where. */
#ifndef EPOCHCAST_CUDA_CHECK_H
#define EPOCHCAST_CUDA_CHECK_H

#include "base/error.h"

#include <cuda_runtime.h>

/* STATUS_OUT_OF_MEMORY for cudaErrorMemoryAllocation, else STATUS_FAILED; a hint says what to do.
 */
enum status cuda_check(cudaError_t code, const char *call, const char *file, int line,
                       struct error *error);

#define CUDA_TRY(error, call) TRY(cuda_check((call), #call, __FILE__, __LINE__, (error)))

#endif
