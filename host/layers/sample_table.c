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

static void fill_feature(struct sampled_feature *table, int32_t *values,
                         const struct feature *feature, const struct sample_range *range)
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
        fill_feature(feature, table->values + first, &descriptor->features[i], &domain->range[i]);
        feature->first_value = first;
        feature->mask =
            philox((uint32_t)i, (uint32_t)domain->kind, 0, PHILOX_SCRAMBLE, seed).word[0];
    }
}

static bool range_holds(const struct sample_range *range, int32_t value)
{
    for (int i = 0; i < range->value_count; i++)
        if (range->values[i] == value)
            return true;
    return !range->value_count && value >= range->minimum && value <= range->maximum;
}

/* A forward pass and a layer without parameters have no optimizer; a --set that forbids none
 * rejects forward passes, but never a kind without parameters. */
static bool settle_optimizer(struct layer_config *config, const struct sample_domain *domain)
{
    int32_t drawn = config->optimizer;
    config->optimizer = OPTIMIZER_NONE;
    if (layer_cost(config).parameter_count == 0)
        return true;
    if (config->pass == PASS_TRAIN)
        config->optimizer = drawn;
    return range_holds(&domain->range[COMMON_OPTIMIZER], config->optimizer);
}

bool sample_accept(struct layer_config *config, const struct sample_domain *domain)
{
    if (!settle_optimizer(config, domain) || !layer_is_valid(config))
        return false;
    struct cost cost = layer_cost(config);
    return (double)cost.memory_bytes <= domain->memory_limit_bytes &&
           cost.flops <= domain->flops_limit;
}

enum status sample_exhausted(const struct sample_domain *domain, struct error *error)
{
    FAIL(error, STATUS_USAGE, "%s: no valid config in %d draws",
         layer_descriptors[domain->kind]->name, SAMPLE_ATTEMPT_LIMIT);
    return HINT(error, STATUS_USAGE,
                "widen the ranges given with --set, or --max-flops and --max-memory");
}
