/* Products of the double of cuBLAS, by their definition. */
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

static float value_of(float value)
{
    return value;
}
static float value_of(__half value)
{
    return __half2float(value);
}
static float value_of(__nv_bfloat16 value)
{
    return __bfloat162float(value);
}
static void set(float *to, double value)
{
    *to = (float)value;
}
static void set(__half *to, double value)
{
    *to = __float2half_rn((float)value);
}
static void set(__nv_bfloat16 *to, double value)
{
    *to = __float2bfloat16_rn((float)value);
}

template <class T> static void multiply(const shim_products &p)
{
    for (int batch = 0; batch < p.batch_count; batch++) {
        const T *a = (const T *)p.a + batch * p.stride_a, *b = (const T *)p.b + batch * p.stride_b;
        T *c = (T *)p.c + batch * p.stride_c;
        for (int column = 0; column < p.n; column++)
            for (int row = 0; row < p.m; row++) {
                double sum = 0;
                for (int i = 0; i < p.k; i++)
                    sum += (double)value_of(p.turned_a ? a[i + (long long)row * p.lda]
                                                       : a[row + (long long)i * p.lda]) *
                           value_of(p.turned_b ? b[column + (long long)i * p.ldb]
                                               : b[i + (long long)column * p.ldb]);
                set(&c[row + (long long)column * p.ldc], p.alpha * sum);
            }
    }
}

extern "C" void shim_multiply(const void *products)
{
    const shim_products &p = *(const shim_products *)products;
    switch (p.type) {
    case CUDA_R_16F:
        return multiply<__half>(p);
    case CUDA_R_16BF:
        return multiply<__nv_bfloat16>(p);
    default:
        return multiply<float>(p);
    }
}
