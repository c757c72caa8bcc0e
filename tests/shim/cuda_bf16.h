/* bfloat16 conversions in software. */
#ifndef SHIM_CUDA_BF16_H
#define SHIM_CUDA_BF16_H

#include "cuda_bits.h"

struct __nv_bfloat16 {
    uint16_t bits;
};

static inline float __bfloat162float(__nv_bfloat16 value)
{
    return bits_float((uint32_t)value.bits << 16);
}

/* Round to nearest, ties to even; NaN stays NaN. */
static inline __nv_bfloat16 __float2bfloat16_rn(float value)
{
    uint32_t bits = float_bits(value);
    if (value != value)
        return {0x7FFF};
    return {(uint16_t)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
}
#endif
