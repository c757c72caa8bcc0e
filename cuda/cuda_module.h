/* What the parts of the module offer each other. */
#ifndef EPOCHCAST_CUDA_MODULE_H
#define EPOCHCAST_CUDA_MODULE_H

#include "bench/backend.h"
#include "model/trainer.h"

extern const struct backend backend_cuda_device;
extern const struct trainer trainer_cuda;

#endif
