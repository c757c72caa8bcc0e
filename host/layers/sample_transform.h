/* Random word -> log-uniform integer, with IEEE double add and multiply and integer work alone (no
 * libm), so that host and GPU agree to the bit. Compiles as C and as CUDA; build without
 * contraction.
 */
#ifndef EPOCHCAST_LAYERS_SAMPLE_TRANSFORM_H
#define EPOCHCAST_LAYERS_SAMPLE_TRANSFORM_H

#include "base/philox.h"

/* log2 of a positive integer: exponent by shifts, mantissa m in [1, 2) by the series of
 * ln m = 2 atanh((m - 1) / (m + 1)); the quotient is at most 1/3, 12 terms leave 1e-13. */
PHILOX_FUNCTION double transform_log2(uint32_t value)
{
    int exponent = 0;
    for (uint32_t rest = value; rest > 1; rest >>= 1)
        exponent++;
    double mantissa = (double)value / (double)((uint64_t)1 << exponent);
    double quotient = (mantissa - 1) / (mantissa + 1), square = quotient * quotient, sum = 0;
    for (int term = 23; term >= 1; term -= 2)
        sum = sum * square + 1.0 / term;
    return exponent + 2 * 1.4426950408889634 * (quotient * sum);
}

/* 2^exponent for exponent in [0, 32): integer part by shifts, fraction by the Taylor series of e^x.
 */
PHILOX_FUNCTION double transform_exp2(double exponent)
{
    int whole = (int)exponent;
    double x = (exponent - whole) * 0.6931471805599453, sum = 1;
    for (int term = 16; term >= 1; term--)
        sum = 1 + sum * (x / term);
    return sum * (double)((uint64_t)1 << whole);
}

/* Integer of [minimum, maximum] whose logarithm is uniform: floor(2^(log2 a + u (log2 (b + 1) -
 * log2 a))). */
PHILOX_FUNCTION int32_t transform_log_uniform(uint32_t word, int32_t minimum, int32_t maximum)
{
    double u = ((double)word + 0.5) / 4294967296.0;
    double low = transform_log2((uint32_t)minimum), high = transform_log2((uint32_t)maximum + 1);
    int64_t value = (int64_t)transform_exp2(low + u * (high - low));
    return (int32_t)(value < minimum ? minimum : value > maximum ? maximum : value);
}

#endif
