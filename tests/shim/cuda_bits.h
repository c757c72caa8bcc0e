/* Bits of a float, for the shim's 16-bit types. */
#ifndef SHIM_CUDA_BITS_H
#define SHIM_CUDA_BITS_H

#include <cstdint>
#include <cstring>

static inline uint32_t float_bits(float value)
{
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline float bits_float(uint32_t bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
#endif
