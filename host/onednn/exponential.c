#include "onednn/exponential.h"

#include <features.h>

/* The header offers the vector forms to -ffast-math alone; clang does not look for them. */
#if defined __x86_64__ && defined __GLIBC__ && !defined __clang__
#pragma omp declare simd notinbranch
float expf(float x);
#define VECTORS_OF_8   __attribute__((target("avx2")))
#define VECTORS_OF_16  __attribute__((target("avx512f")))
#define BY_VECTORS     _Pragma("omp simd")
#define SUM_BY_VECTORS _Pragma("omp simd reduction(+ : sum)")
#else
#define VECTORS_OF_8
#define VECTORS_OF_16
#define BY_VECTORS
#define SUM_BY_VECTORS
#endif

#include <math.h>

/* clang-format off */
#define DEFINE(vector, ATTRIBUTE)                                                                  \
    ATTRIBUTE static float sum_of_##vector(const float *x, int64_t count, float shift)             \
    {                                                                                              \
        float sum = 0;                                                                             \
        SUM_BY_VECTORS                                                                             \
        for (int64_t i = 0; i < count; i++)                                                        \
            sum += expf(x[i] - shift);                                                             \
        return sum;                                                                                \
    }                                                                                              \
    ATTRIBUTE static void map_of_##vector(float *to, const float *x, int64_t count, float shift,   \
                                          float scale)                                             \
    {                                                                                              \
        BY_VECTORS                                                                                 \
        for (int64_t i = 0; i < count; i++)                                                        \
            to[i] = scale * expf(x[i] - shift);                                                    \
    }
/* clang-format on */

DEFINE(4, )
DEFINE(8, VECTORS_OF_8)
DEFINE(16, VECTORS_OF_16)

float exponential_sum(const float *x, int64_t count, float shift, int64_t vector_floats)
{
    if (vector_floats >= 16)
        return sum_of_16(x, count, shift);
    return vector_floats >= 8 ? sum_of_8(x, count, shift) : sum_of_4(x, count, shift);
}

void exponentials(float *to, const float *x, int64_t count, float shift, float scale,
                  int64_t vector_floats)
{
    if (vector_floats >= 16)
        map_of_16(to, x, count, shift, scale);
    else if (vector_floats >= 8)
        map_of_8(to, x, count, shift, scale);
    else
        map_of_4(to, x, count, shift, scale);
}
