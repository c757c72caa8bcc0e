/* Half precision conversions in software. */
#ifndef SHIM_CUDA_FP16_H
#define SHIM_CUDA_FP16_H

#include "cuda_bits.h"

#include <cmath>

struct __half {
    uint16_t bits;
};

static inline float __half2float(__half value)
{
    uint32_t sign = (uint32_t)(value.bits & 0x8000) << 16, exponent = value.bits >> 10 & 31,
             fraction = value.bits & 1023;
    if (exponent == 31)
        return bits_float(sign | 0x7F800000u | fraction << 13);
    if (exponent == 0) /* zero and subnormal */
        return bits_float(sign | float_bits(std::ldexp((float)fraction, -24)));
    return bits_float(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Round to nearest, ties to even: float arithmetic rounds at the subnormal and the normal step. */
static inline __half __float2half_rn(float value)
{
    uint16_t sign = (uint16_t)(float_bits(value) >> 16 & 0x8000);
    float size = std::fabs(value);
    if (size != size)
        return {0x7FFF};
    if (size >= 65520.0f)
        return {(uint16_t)(sign | 0x7C00)};
    if (size < std::ldexp(1.0f, -14))
        return {(uint16_t)(sign | (uint16_t)std::nearbyint(std::ldexp(size, 24)))};
    uint32_t bits = float_bits(size);
    bits += 0xFFF + ((bits >> 13) & 1);
    return {(uint16_t)(sign | ((bits >> 13) - (112 << 10)))};
}
#endif
