/* The interface of epochcast_cuda.so: one symbol, `epochcast_cuda_module`. Program and module must
 * come from the same build: they share structs.
 */
#ifndef EPOCHCAST_BENCH_CUDA_MODULE_H
#define EPOCHCAST_BENCH_CUDA_MODULE_H

#include "bench/backend.h"

struct cuda_module {
    const char *version, *commit; /* of the build */
    const struct backend *backend;
};

#define CUDA_MODULE_FILE   "epochcast_cuda.so"
#define CUDA_MODULE_SYMBOL "epochcast_cuda_module"

/* Opens the module at `path`; NULL: EPOCHCAST_CUDA_MODULE of the environment, else next to the
 * program, else in ../lib/epochcast relative to it. It stays open. STATUS_NO_DEVICE: the driver,
 * the module or a library is missing, or the builds differ. */
enum status cuda_module_open(const struct cuda_module **module, const char *path,
                             struct error *error);

#endif
