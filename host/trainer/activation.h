/* Activation of a hidden unit, applied to its sum z, and its derivative; shared by both trainer
 * engines and the forecast. Compiles as C and as CUDA.
 *   relu: max(z, 0);  silu: z / (1 + exp(-z)) (Elfwing, Uchibe, Doya 2018), smooth.
 */
#ifndef EPOCHCAST_TRAINER_ACTIVATION_H
#define EPOCHCAST_TRAINER_ACTIVATION_H

#include "base/philox.h"

#include <string.h>

/* exp(x), x cut to +-87, within 2 units of the last place: 2^n e^r with |r| <= ln(2) / 2, the
 * Taylor polynomial of degree 7 for e^r. No branches or tables, so that loops over it are
 * vectorised. NaN stays NaN. */
PHILOX_FUNCTION float activation_exp(float x)
{
    const float to_integer = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    x = x > 87.0f ? 87.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504f + to_integer, n = shifted - to_integer;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f; /* ln(2) in two parts */
    float sum = 1.0f / 5040;
    sum = sum * r + 1.0f / 720;
    sum = sum * r + 1.0f / 120;
    sum = sum * r + 1.0f / 24;
    sum = sum * r + 1.0f / 6;
    sum = sum * r + 0.5f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    uint32_t bits;
    float power; /* 2^n: n is in the low bits of `shifted` */
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3F800000u;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

struct silu {
    float value, slope; /* slope: d value / d z */
};

PHILOX_FUNCTION struct silu silu_of(float z)
{
    float gate = 1.0f / (1.0f + activation_exp(-z)), value = z * gate;
    struct silu silu = {value, gate + value * (1.0f - gate)};
    return silu;
}

#endif
