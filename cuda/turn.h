/* Transposition of matrices of blocks: (outer, rows, columns) becomes (outer, columns, rows).
 * Single elements go through tiles in shared memory, larger blocks are copied up to 16 bytes at a
 * time.
 *
 * Both tensors are 16-byte aligned and apart; sizes >= 1, less than 2^31 elements. Enqueues on
 * `stream` and returns the launch's error.
 */
#ifndef EPOCHCAST_CUDA_TURN_H
#define EPOCHCAST_CUDA_TURN_H

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct turned_matrices {
    int64_t outer, rows, columns;
    int64_t block_bytes; /* a multiple of 2 */
};
cudaError_t launch_turn(void *to, const void *from, const struct turned_matrices *matrices,
                        cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
