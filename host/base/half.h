/* Numbers of 16 bits as floats, exactly, and floats rounded to them, ties to even: IEEE binary16
 * (fp16), and the upper half of a float (bf16). */
#ifndef EPOCHCAST_BASE_HALF_H
#define EPOCHCAST_BASE_HALF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float float_of_fp16(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float size = exponent == 31  ? (fraction ? NAN : INFINITY)
                       : exponent == 0 ? ldexpf((float)fraction, -24)
                                       : ldexpf((float)(1024 + fraction), exponent - 25);
    return bits >> 15 ? -size : size;
}

static inline float float_of_bf16(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static inline uint16_t fp16_of_float(float value)
{
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    const float size = fabsf(value);
    int exponent;
    if (!(size < 65520)) /* halfway to what would be the next number */
        return sign | (isnan(value) ? 0x7E00 : 0x7C00);
    frexpf(size, &exponent);
    if (exponent < -13) /* below the smallest normal number: its steps */
        exponent = -13;
    return (uint16_t)(sign + ((exponent + 13) << 10) + (int)rintf(ldexpf(size, 11 - exponent)));
}

static inline uint16_t bf16_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

#endif
