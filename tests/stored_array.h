/* Arrays in the storage type of a precision, in the memory of the shim, and their values. Static:
 * each test program has its own. */
#ifndef EPOCHCAST_TESTS_STORED_ARRAY_H
#define EPOCHCAST_TESTS_STORED_ARRAY_H

#include "elementwise.h"
#include "layers/layer.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rounding of one stored value, relative. */
static const double rounding[] = {[PRECISION_FP32] = 1e-6,
                                  [PRECISION_TF32] = 1e-6,
                                  [PRECISION_FP16] = 1.0 / 2048,
                                  [PRECISION_BF16] = 1.0 / 256,
                                  [PRECISION_AMP] = 1.0 / 2048};

/* ---- storage types, read independently of the kernels ---- */

static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    double size = exponent ? ldexp(1024 + (bits & 1023), exponent - 25) : ldexp(bits & 1023, -24);
    return bits & 0x8000 ? -size : size;
}

static double brain_value(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return (double)value;
}

static double value_at(const void *values, size_t i, int32_t precision)
{
    if (precision == PRECISION_FP16 || precision == PRECISION_AMP)
        return half_value(((const uint16_t *)values)[i]);
    if (precision == PRECISION_BF16)
        return brain_value(((const uint16_t *)values)[i]);
    return (double)((const float *)values)[i];
}

struct array {
    void *data;
    int32_t precision;
    size_t count;
};

static struct array make_array(size_t count, uint32_t stream_id, int32_t precision)
{
    struct array array = {.precision = precision, .count = count};
    assert_int_equal(cudaMalloc(&array.data, count * (size_t)precision_bytes(precision)),
                     cudaSuccess);
    assert_int_equal(launch_noise(array.data, (int64_t)count, 1, stream_id, 5, precision, NULL),
                     cudaSuccess);
    return array;
}

static double at(const struct array *array, size_t i)
{
    return value_at(array->data, i, array->precision);
}

#endif
