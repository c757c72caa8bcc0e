#include "predictors/ranges.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ln(1 + x); intensity: FLOPs per byte. Older files have only the first. */
static const char *const work_names[RANGE_WORK_COUNT] = {"log_flops", "log_bytes", "log_parameters",
                                                         "log_intensity"};
static const char *const hardware_names[RANGE_HARDWARE_COUNT] = {"bandwidth_gbps", "core_count",
                                                                 "clock_mhz", "peak_gflops"};

/* Unknown (NaN, 0 or less) is 0. */
static void hardware_values(double *values, const struct encode_hardware *hardware)
{
    const double known[RANGE_HARDWARE_COUNT] = {hardware->bandwidth_gbps, hardware->core_count,
                                                hardware->clock_mhz, hardware->peak_gflops};
    for (int i = 0; i < RANGE_HARDWARE_COUNT; i++)
        values[i] = known[i] > 0 ? known[i] : 0;
}

static void work_values(double *values, const struct layer_config *config)
{
    const struct cost cost = layer_cost(config);
    values[0] = log1p(cost.flops);
    values[1] = log1p(cost.bytes_read + cost.bytes_written);
    values[2] = log1p((double)cost.parameter_count);
    values[3] = values[0] - values[1];
}

/* Values in the order of the ranges. */
static int values_of(double *values, const struct layer_config *config,
                     const struct encode_hardware *hardware)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    int count = 0;
    for (; count < descriptor->feature_count; count++)
        values[count] = layer_get(config, &descriptor->features[count]);
    work_values(values + count, config);
    hardware_values(values + count + RANGE_WORK_COUNT, hardware);
    return count + RANGE_WORK_COUNT + RANGE_HARDWARE_COUNT;
}

int ranges_count(enum layer_kind kind)
{
    return layer_descriptors[kind]->feature_count + RANGE_WORK_COUNT + RANGE_HARDWARE_COUNT;
}

static const char *name_of(enum layer_kind kind, int index)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    if (index < descriptor->feature_count)
        return descriptor->features[index].name;
    index -= descriptor->feature_count;
    return index < RANGE_WORK_COUNT ? work_names[index] : hardware_names[index - RANGE_WORK_COUNT];
}

void ranges_begin(struct range *ranges, enum layer_kind kind)
{
    for (int i = 0; i < ranges_count(kind); i++) {
        ranges[i] = (struct range){.low = INFINITY, .high = -INFINITY};
        snprintf(ranges[i].name, sizeof ranges[i].name, "%s", name_of(kind, i));
    }
}

static bool is_choice(enum layer_kind kind, int index)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    return index < descriptor->feature_count && descriptor->features[index].choice != NULL;
}

static uint64_t bit_of(double value)
{
    return value >= 0 && value < 64 ? UINT64_C(1) << (int)value : 0;
}

void ranges_add(struct range *ranges, const struct layer_config *config,
                const struct encode_hardware *hardware)
{
    double values[RANGE_LIMIT];
    const int count = values_of(values, config, hardware);
    for (int i = 0; i < count; i++) {
        ranges[i].low = fmin(ranges[i].low, values[i]);
        ranges[i].high = fmax(ranges[i].high, values[i]);
        if (is_choice(config->kind, i))
            ranges[i].seen |= bit_of(values[i]);
    }
}

/* A feature, a property of the work (`later`: not in older files) or of the hardware. */
static struct range range_of_missing(const struct feature *feature, bool later)
{
    if (later)
        return (struct range){.low = -INFINITY, .high = INFINITY};
    if (!feature || feature->since <= 1)
        return (struct range){.low = NAN, .high = NAN};
    const double missing = feature->missing;
    return (struct range){
        .low = missing, .high = missing, .seen = feature->choice ? bit_of(missing) : 0};
}

void ranges_begin_stored(struct range *ranges, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < ranges_count(kind); i++) {
        const int work = i - descriptor->feature_count;
        ranges[i] = range_of_missing(work < 0 ? &descriptor->features[i] : NULL,
                                     work > 0 && work < RANGE_WORK_COUNT);
        snprintf(ranges[i].name, sizeof ranges[i].name, "%s", name_of(kind, i));
    }
}

int ranges_find(enum layer_kind kind, const char *name)
{
    for (int i = 0; i < ranges_count(kind); i++)
        if (strcmp(name_of(kind, i), name) == 0)
            return i;
    return -1;
}

uint64_t range_choices(int feature, uint64_t seen)
{
    static const uint64_t both = UINT64_C(1) << OPTIMIZER_ADAM | UINT64_C(1) << OPTIMIZER_ADAMW;
    return feature == COMMON_OPTIMIZER && seen & both ? seen | both : seen;
}

static bool range_holds(const struct range *range, enum layer_kind kind, int index, double value)
{
    if (is_choice(kind, index))
        return (range_choices(index, range->seen) & bit_of(value)) != 0;
    return value >= range->low && value <= range->high;
}

bool ranges_hold(const struct range *ranges, const struct layer_config *config,
                 const struct encode_hardware *hardware)
{
    double values[RANGE_LIMIT];
    const int count = values_of(values, config, hardware);
    for (int i = 0; i < count; i++)
        if (!range_holds(&ranges[i], config->kind, i, values[i]))
            return false;
    return true;
}

bool ranges_hardware_known(const struct range *ranges, enum layer_kind kind,
                           const struct encode_hardware *hardware)
{
    double values[RANGE_HARDWARE_COUNT];
    hardware_values(values, hardware);
    const struct range *known = ranges + ranges_count(kind) - RANGE_HARDWARE_COUNT;
    for (int i = 0; i < RANGE_HARDWARE_COUNT; i++)
        if (known[i].low > 0 && values[i] == 0)
            return false;
    return true;
}
