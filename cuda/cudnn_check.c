#include "cudnn_check.h"

#include <string.h>

static bool is_out_of_memory(cudnnStatus_t code)
{
    return code == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
           code == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
}

bool cudnn_is_refusal(cudnnStatus_t code)
{
    return code != CUDNN_STATUS_SUCCESS && cudnn_category_of(code) != CUDNN_IS_NOT_INITIALIZED &&
           !is_out_of_memory(code);
}

enum status cudnn_status_of(cudnnStatus_t code)
{
    if (code == CUDNN_STATUS_SUCCESS)
        return STATUS_OK;
    return is_out_of_memory(code) ? STATUS_OUT_OF_MEMORY : STATUS_FAILED;
}

/* cuDNN collects messages, also of calls that did not fail: the last one is the cause. */
static const char *last_line(char *log, size_t size)
{
    memset(log, 0, size);
    cudnnGetLastErrorString(log, size);
    log[size - 1] = '\0';
    size_t length = strlen(log);
    while (length && log[length - 1] == '\n')
        log[--length] = '\0';
    const char *newline = strrchr(log, '\n');
    return newline ? newline + 1 : log;
}

enum status cudnn_check(cudnnStatus_t code, const char *call, const char *file, int line,
                        struct error *error)
{
    if (code == CUDNN_STATUS_SUCCESS)
        return STATUS_OK;
    char log[4096];
    const char *reason = last_line(log, sizeof log);
    cudaGetLastError(); /* an error that can be cleared must not fail the next call */
    error_set(error, cudnn_status_of(code), file, line, "cuDNN: %s from %.160s%s%.200s",
              cudnnGetErrorString(code), call, *reason ? ": " : "", reason);
    error_hint(error, is_out_of_memory(code)
                          ? "free memory on the device: nvidia-smi shows who holds it"
                          : "set CUDNN_LOGLEVEL_DBG=1 and CUDNN_LOGDEST_DBG=stderr for details");
    return cudnn_status_of(code);
}
