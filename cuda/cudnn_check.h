/* Checks of cuDNN's calls, and what a code is about. */
#ifndef EPOCHCAST_CUDA_CUDNN_CHECK_H
#define EPOCHCAST_CUDA_CUDNN_CHECK_H

#include "base/error.h"

#include <cudnn.h>
#include <stdbool.h>

/* The error names the call that failed; STATUS_OUT_OF_MEMORY where cuDNN could not allocate. */
enum status cudnn_check(cudnnStatus_t code, const char *call, const char *file, int line,
                        struct error *error);

/* Codes come in categories of a thousand, with codes of their own in each. */
enum cudnn_category {
    CUDNN_IS_NOT_INITIALIZED = 1,
    CUDNN_IS_BAD_PARAMETER,
    CUDNN_IS_NOT_SUPPORTED,
    CUDNN_IS_INTERNAL_ERROR,
    CUDNN_IS_NOT_EXECUTED
};
static inline enum cudnn_category cudnn_category_of(cudnnStatus_t code)
{
    return (enum cudnn_category)(code / 1000);
}

#define CUDNN_TRY(error, call) TRY(cudnn_check((call), #call, __FILE__, __LINE__, (error)))

/* An error of the call alone, not of the library or of memory: another algorithm may do. */
bool cudnn_is_refusal(cudnnStatus_t code);
enum status cudnn_status_of(cudnnStatus_t code);

#endif
