/* Device memory of the CUDA trainer, and the data of its jobs there. */
#ifndef EPOCHCAST_CUDA_TRAINER_DATA_H
#define EPOCHCAST_CUDA_TRAINER_DATA_H

#include "trainer/trainer.h"

#include <cuda_runtime.h>

/* Takes `bytes` of an arena, aligned to 256; with memory == NULL it only counts them. */
void *arena_take(unsigned char *memory, size_t *used, size_t bytes);
/* STATUS_OUT_OF_MEMORY says how much was asked for, for `what`. */
enum status arena_allocate(void **memory, size_t bytes, const char *what, struct error *error);

struct cuda_train_data {
    const struct train_data *source; /* borrowed; NULL: nothing is uploaded */
    float *train_inputs, *train_targets, *test_inputs, *test_targets;
    float *train_offsets, *test_offsets; /* NULL: source has none */
    int32_t heads;                       /* of the offsets */
    void *memory;
};
/* Enqueues the copies in `stream`, which is to read them; source stays as it is until then. */
enum status cuda_train_data_create(struct cuda_train_data *data, const struct train_data *source,
                                   int32_t heads, cudaStream_t stream, struct error *error);
void cuda_train_data_free(struct cuda_train_data *data);

#endif
