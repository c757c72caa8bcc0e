/* CUB's block reduction as our kernels use it: the same interface over the shim's barrier. */
#ifndef SHIM_CUB_CUH
#define SHIM_CUB_CUH

#include "cuda_runtime.h"

namespace cub
{
template <class T, int threads> class BlockReduce
{
  public:
    struct TempStorage {
        T values[threads];
    };
    explicit BlockReduce(TempStorage &storage) : storage_(storage)
    {
    }

    /* The sum in thread 0; undefined elsewhere. */
    T Sum(T value)
    {
        storage_.values[threadIdx.x] = value;
        __syncthreads();
        T sum = value;
        for (int i = 1; i < threads && threadIdx.x == 0; i++)
            sum += storage_.values[i];
        return sum;
    }

  private:
    TempStorage &storage_;
};
} // namespace cub
#endif
