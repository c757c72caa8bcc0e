/* Numbers of 16 bits as floats, exactly: IEEE binary16 (fp16), and the upper half of a float
 * (bf16). */
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

#endif
