/* Rows of several tensors, one behind the other in one tensor, and the way back. All are 16-byte
 * aligned; sizes >= 1, the whole has less than 2^31 elements. Enqueues on `stream` and returns the
 * launch's error.
 */
#ifndef EPOCHCAST_CUDA_JOIN_H
#define EPOCHCAST_CUDA_JOIN_H

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { JOIN_LIMIT = 64 };

struct joined_rows {
    int64_t rows;
    void *whole;
    int count;
    void *parts[JOIN_LIMIT];
    int64_t bytes[JOIN_LIMIT]; /* of a row of each part, multiples of 2 */
};
/* whole = parts */
cudaError_t launch_join(const struct joined_rows *joined, cudaStream_t stream);
/* parts = whole */
cudaError_t launch_part(const struct joined_rows *joined, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
