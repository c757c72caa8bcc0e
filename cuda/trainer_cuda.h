/* The engine that trains on the current CUDA device (cudaSetDevice). */
#ifndef EPOCHCAST_CUDA_TRAINER_CUDA_H
#define EPOCHCAST_CUDA_TRAINER_CUDA_H

#include "trainer/trainer.h"

extern const struct trainer trainer_cuda;

#endif
