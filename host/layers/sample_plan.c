#include "layers/sample_plan.h"

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

static void plan_shapes(struct feature_plan *plan, int32_t *values,
                        const struct sample_shapes *shapes, const struct feature *feature)
{
    plan->paper_minimum = shapes->paper_minimum;
    plan->paper_maximum = shapes->paper_maximum;
    plan->realistic_count = copy_inside(values, shapes, plan->minimum, plan->maximum);
    plan->is_channels = feature->unit == UNIT_CHANNELS;
}

static void plan_feature(struct feature_plan *plan, int32_t *values,
                         const struct sample_domain *domain, int row)
{
    const struct feature *feature = &layer_descriptors[domain->kind]->features[row];
    const struct sample_range *range = &domain->range[row];
    *plan = (struct feature_plan){
        .offset = (int32_t)feature->offset,
        .minimum = range->minimum,
        .maximum = range->maximum,
        .paper_minimum = INT32_MIN,
        .paper_maximum = INT32_MAX,
        .explicit_count = range->value_count,
        .is_choice = feature->choice,
        .is_uniform = feature->distribution == DISTRIBUTION_UNIFORM,
        .is_mostly_same = feature->choice == &choice_padding && range->maximum == PADDING_SAME,
    };
    if (domain->shapes[row])
        plan_shapes(plan, values, domain->shapes[row], feature);
    if (range->value_count)
        memcpy(values, range->values, (size_t)range->value_count * sizeof *values);
}

void sample_plan_make(struct sample_plan *plan, const struct sample_domain *domain, uint64_t seed)
{
    const uint32_t *ends = stratum_ends[domain->stratum < 0 ? STRATUM_IMPORTED : domain->stratum];
    plan->kind = domain->kind;
    plan->feature_count = layer_descriptors[domain->kind]->feature_count;
    plan->seed = seed;
    plan->log_uniform_end = ends[0];
    plan->realistic_end = ends[1];
    const struct feature *image_size = layer_feature_find(domain->kind, "image_size");
    for (int i = 0; i < plan->feature_count; i++) {
        struct feature_plan *feature = &plan->feature[i];
        int32_t first = i * SAMPLE_VALUE_LIMIT;
        plan_feature(feature, plan->values + first, domain, i);
        feature->first_value = first;
        feature->is_image_size = image_size == &layer_descriptors[domain->kind]->features[i];
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
    const struct feature *feature = layer_feature_find(config->kind, "optimizer");
    int row = (int)(feature - layer_descriptors[config->kind]->features);
    int32_t drawn = config->optimizer;
    config->optimizer = OPTIMIZER_NONE;
    if (layer_cost(config).parameter_count == 0)
        return true;
    if (config->pass == PASS_TRAIN)
        config->optimizer = drawn;
    return range_holds(&domain->range[row], config->optimizer);
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
    error_hint(error, "widen the ranges given with --set, or the memory and FLOP limits");
    return STATUS_USAGE;
}
