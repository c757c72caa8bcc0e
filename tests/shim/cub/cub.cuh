/* CUB as our kernels use it: its block reduction over the shim's barrier, its sort as one thread.
 */
#ifndef SHIM_CUB_CUH
#define SHIM_CUB_CUH

#include "cuda_runtime.h"

#include <algorithm>
#include <utility>
#include <vector>

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

class DeviceRadixSort
{
  public:
    /* Stable, by bits [begin_bit, end_bit) of the keys. A workspace of NULL: sets `bytes` alone. */
    template <class Key, class Value>
    static cudaError_t SortPairs(void *workspace, size_t &bytes, const Key *keys, Key *sorted,
                                 const Value *values, Value *moved, int count, int begin_bit,
                                 int end_bit, cudaStream_t stream)
    {
        if (!workspace) {
            bytes = 256 + (size_t)count * sizeof(Key);
            return cudaSuccess;
        }
        return shim::launch(dim3(1), dim3(1), stream, false, [=] {
            const Key mask = (Key)(((uint64_t)1 << end_bit) - ((uint64_t)1 << begin_bit));
            std::vector<std::pair<Key, Value>> pairs;
            for (int i = 0; i < count; i++)
                pairs.emplace_back(keys[i], values[i]);
            std::stable_sort(pairs.begin(), pairs.end(), [=](const auto &a, const auto &b) {
                return (a.first & mask) < (b.first & mask);
            });
            for (int i = 0; i < count; i++) {
                sorted[i] = pairs[(size_t)i].first;
                moved[i] = pairs[(size_t)i].second;
            }
        });
    }
};
} // namespace cub
#endif
