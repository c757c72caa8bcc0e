/* The module's one symbol. */
#include "bench/cuda_module.h"

#include "cuda_device.h"
#include "version.h"

__attribute__((visibility("default"))) extern const struct cuda_module epochcast_cuda_module;
const struct cuda_module epochcast_cuda_module = {
    .version = EPOCHCAST_VERSION, .commit = EPOCHCAST_COMMIT, .backend = &backend_cuda_device};
