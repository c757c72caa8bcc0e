/* Random words -> config, with IEEE double add, multiply and divide and integer work alone (no
 * libm), so that host and GPU agree to the bit. Compiles as C and as CUDA; build without
 * contraction.
 */
#ifndef EPOCHCAST_LAYERS_SAMPLE_TRANSFORM_H
#define EPOCHCAST_LAYERS_SAMPLE_TRANSFORM_H

#include "base/philox.h"
#include "layers/sample_table.h"

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

/* 0..count-1, uniform. */
PHILOX_FUNCTION uint32_t transform_scaled(uint32_t word, uint32_t count)
{
    return (uint32_t)(((uint64_t)word * count) >> 32);
}

PHILOX_FUNCTION int32_t transform_uniform(uint32_t word, int32_t minimum, int32_t maximum)
{
    return minimum + (int32_t)transform_scaled(word, (uint32_t)(maximum - minimum) + 1);
}

/* The paper's range where it meets the domain's. Channels end at 10000 / side. */
PHILOX_FUNCTION int32_t transform_paper(uint32_t word, const struct sampled_feature *feature,
                                        int32_t side)
{
    int32_t minimum = feature->minimum, maximum = feature->maximum;
    int32_t low = feature->paper_minimum, high = feature->paper_maximum;
    if (feature->is_per_side && side > 0)
        high = high / side;
    if (high >= minimum && low <= maximum) {
        minimum = minimum > low ? minimum : low;
        maximum = maximum < high ? maximum : high;
    }
    return transform_uniform(word, minimum, maximum);
}

/* `values` is the feature's list. */
PHILOX_FUNCTION int32_t transform_feature(uint32_t word, const struct sampled_feature *feature,
                                          const int32_t *values, enum stratum stratum, int32_t side)
{
    bool realistic = stratum == STRATUM_REALISTIC;
    if (feature->explicit_count)
        return values[transform_scaled(word, (uint32_t)feature->explicit_count)];
    if (feature->is_rare && (stratum != STRATUM_LOG_UNIFORM || word >= feature->rare_end))
        return feature->missing;
    if (feature->is_rare) /* again of all words */
        word = (uint32_t)(((uint64_t)word << 32) / feature->rare_end);
    if (feature->is_choice && feature->has_usual && realistic && word < UINT32_MAX / 4 * 3)
        return feature->usual;
    if (feature->is_choice)
        return transform_uniform(word, feature->minimum, feature->maximum);
    if (stratum == STRATUM_UNIFORM)
        return transform_paper(word, feature, side);
    if (realistic && feature->realistic_count)
        return values[transform_scaled(word, (uint32_t)feature->realistic_count)];
    if (feature->is_uniform)
        return transform_uniform(word, feature->minimum, feature->maximum);
    return transform_log_uniform(word, feature->minimum, feature->maximum);
}

/* The config that an attempt's words say, before sample_accept; feature i reads
 * words[i * stride]. */
PHILOX_FUNCTION void sample_transform_attempt(struct layer_config *config, enum stratum stratum,
                                              const struct sample_table *table,
                                              const uint32_t *words, size_t stride)
{
    for (size_t i = 0; i < sizeof *config / sizeof(int32_t); i++)
        ((int32_t *)config)[i] = 0;
    config->kind = table->kind;
    int32_t side = 0;
    for (int i = 0; i < table->feature_count; i++) {
        const struct sampled_feature *feature = &table->feature[i];
        int32_t value = transform_feature(words[(size_t)i * stride], feature,
                                          table->values + feature->first_value, stratum, side);
        if (feature->condition_offset >= 0 &&
            *(int32_t *)((char *)config + feature->condition_offset) < feature->condition_minimum)
            value = feature->otherwise;
        *(int32_t *)((char *)config + feature->offset) = value;
        side = feature->is_side ? value : side;
    }
}

/* The word of a feature in an attempt after the first, which takes the masked Sobol word. */
PHILOX_FUNCTION uint32_t sample_retry_word(const struct sample_table *table, int feature,
                                           uint32_t index, uint32_t attempt)
{
    return philox(index, attempt * FEATURE_LIMIT + (uint32_t)feature, (uint32_t)table->kind,
                  PHILOX_STRATUM, table->seed)
        .word[1];
}

PHILOX_FUNCTION enum stratum sample_stratum(const struct sample_table *table, uint32_t index)
{
    uint32_t word = philox(index, 0, (uint32_t)table->kind, PHILOX_STRATUM, table->seed).word[0];
    uint32_t percent = transform_scaled(word, 100);
    return percent < table->log_uniform_end ? STRATUM_LOG_UNIFORM
           : percent < table->realistic_end ? STRATUM_REALISTIC
                                            : STRATUM_UNIFORM;
}

#endif
