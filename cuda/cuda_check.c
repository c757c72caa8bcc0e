#include "cuda_check.h"

enum status cuda_check(cudaError_t code, const char *call, const char *file, int line,
                       struct error *error)
{
    if (code == cudaSuccess)
        return STATUS_OK;
    cudaGetLastError(); /* an error that can be cleared must not fail the next call */
    enum status status = code == cudaErrorMemoryAllocation ? STATUS_OUT_OF_MEMORY : STATUS_FAILED;
    error_set(error, status, file, line, "CUDA: %s (%s) from %.160s", cudaGetErrorString(code),
              cudaGetErrorName(code), call);
    if (status == STATUS_OUT_OF_MEMORY)
        error_hint(error, "free memory on the device: nvidia-smi shows who holds it");
    else
        error_hint(error,
                   "try again; if the error persists, run under compute-sanitizer and report it");
    return status;
}
