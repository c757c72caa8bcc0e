#include "layers/sample_table.h"

#include "base/philox.h"
#include "layers/sample.h"

#include <string.h>

/* Percent of the draws below which they are log-uniform, realistic; by enum stratum, then the
 * mixture. */
static const uint32_t stratum_ends[][2] = {
    [STRATUM_LOG_UNIFORM] = {100, 100},
    [STRATUM_REALISTIC] = {0, 100},
    [STRATUM_UNIFORM] = {0, 0},
    [STRATUM_IMPORTED] = {50, 80}, /* never drawn alone: the mixture's place */
};

/* The shapes inside the range, at `values`; returns how many. */
static int32_t copy_inside(int32_t *values, const struct sample_shapes *shapes, int32_t minimum,
                           int32_t maximum)
{
    int32_t count = 0;
    for (int i = 0; i < SAMPLE_SHAPE_LIMIT && shapes->values[i]; i++) {
        values[count] = shapes->values[i];
        count += shapes->values[i] >= minimum && shapes->values[i] <= maximum;
    }
    return count;
}

static void fill_shapes(struct sampled_feature *table, int32_t *values,
                        const struct sample_shapes *shapes)
{
    table->paper_minimum = shapes->paper_minimum;
    table->paper_maximum = shapes->paper_maximum;
    table->realistic_count = copy_inside(values, shapes, table->minimum, table->maximum);
    table->is_side = shapes->is_side;
    table->is_per_side = shapes->is_per_side;
    table->usual = shapes->usual;
    table->has_usual = shapes->has_usual && shapes->usual >= table->minimum &&
                       shapes->usual <= table->maximum;
}

static void fill_rarity(struct sampled_feature *table, const struct feature *feature,
                        const struct sample_domain *domain)
{
    const int32_t percent = domain->is_first ? 0 : feature->shapes->rare_percent;
    table->is_rare = true;
    table->missing = feature->missing;
    table->rare_end = (uint32_t)((uint64_t)UINT32_MAX * (uint64_t)percent / 100);
}

/* Zero has no logarithm: it is drawn where nothing else is in the range. */
static void leave_zero_out(struct sampled_feature *table, int32_t *values)
{
    if (table->maximum < 1 && !table->explicit_count) {
        table->explicit_count = 1;
        *values = table->maximum;
    }
    table->minimum = 1;
}

static void fill_feature(struct sampled_feature *table, int32_t *values,
                         const struct feature *feature, const struct sample_range *range,
                         const struct sample_domain *domain)
{
    *table = (struct sampled_feature){
        .offset = (int32_t)feature->offset,
        .minimum = range->minimum,
        .maximum = range->maximum,
        .paper_minimum = INT32_MIN,
        .paper_maximum = INT32_MAX,
        .explicit_count = range->value_count,
        .is_choice = feature->choice,
        .is_uniform = feature->distribution == DISTRIBUTION_UNIFORM,
        .condition_offset = -1,
    };
    if (feature->condition) {
        table->condition_offset = (int32_t)feature->condition->offset;
        table->condition_minimum = feature->condition->minimum;
        table->otherwise = feature->missing;
    }
    if (feature->shapes)
        fill_shapes(table, values, feature->shapes);
    if (range->value_count)
        memcpy(values, range->values, (size_t)range->value_count * sizeof *values);
    if (feature->shapes && feature->shapes->rare_percent && !range->is_set)
        fill_rarity(table, feature, domain);
    if (feature->distribution == DISTRIBUTION_LOG_UNIFORM && table->minimum < 1)
        leave_zero_out(table, values);
}

void sample_table_make(struct sample_table *table, const struct sample_domain *domain,
                       uint64_t seed)
{
    const uint32_t *ends = stratum_ends[domain->stratum < 0 ? STRATUM_IMPORTED : domain->stratum];
    const struct layer_descriptor *descriptor = layer_descriptors[domain->kind];
    table->kind = domain->kind;
    table->feature_count = descriptor->feature_count;
    table->seed = seed;
    table->log_uniform_end = ends[0];
    table->realistic_end = ends[1];
    for (int i = 0; i < table->feature_count; i++) {
        struct sampled_feature *feature = &table->feature[i];
        int32_t first = i * SAMPLE_VALUE_LIMIT;
        fill_feature(feature, table->values + first, &descriptor->features[i], &domain->range[i],
                     domain);
        feature->first_value = first;
        feature->mask =
            philox((uint32_t)i, (uint32_t)domain->kind, 0, PHILOX_SCRAMBLE, seed).word[0];
    }
}
