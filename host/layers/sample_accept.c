/* From an attempt's config to a draw: shapes of networks, members that depend on one another, the
 * optimizer, the limits. */
#include "layers/sample.h"
#include "layers/sample_transform.h"

/* ---- what --set says ---- */

static bool range_holds(const struct sample_range *range, int32_t value)
{
    for (int i = 0; i < range->value_count; i++)
        if (range->values[i] == value)
            return true;
    return !range->value_count && value >= range->minimum && value <= range->maximum;
}

/* A form, and what a template or `settle` changed, may be outside of what --set names. */
static bool keeps_sets(const struct layer_config *config, const struct sample_domain *domain)
{
    const struct layer_descriptor *descriptor = layer_descriptors[domain->kind];
    for (int i = COMMON_FEATURE_COUNT; i < descriptor->feature_count; i++)
        if (domain->range[i].is_set &&
            !range_holds(&domain->range[i], layer_get(config, &descriptor->features[i])))
            return false;
    return true;
}

/* ---- shapes of networks ---- */

enum { JITTER_MINIMUM = 12, ALIGNED = 8 }; /* smaller: kernels, strides, colour channels */
enum { FORM_PERCENT = 40 };

/* The words of an attempt that choose a shape: those of an attempt that is never made. */
static uint32_t shape_word(const struct sample_attempt *at, int feature)
{
    return sample_retry_word(at->table, feature, at->index, SAMPLE_ATTEMPT_LIMIT + at->number);
}
enum { WORD_PICK, WORD_JITTER, WORD_FORM }; /* by features that no shape sets */

/* One of the domain's templates, or of the kind's forms; NULL: the draw stays as it is. */
static const struct layer_config *shape_of(const struct sample_attempt *at)
{
    const struct layer_descriptor *descriptor = layer_descriptors[at->domain->kind];
    const uint32_t pick = shape_word(at, WORD_PICK);
    if (at->domain->template_count > 0)
        return &at->domain->templates[transform_scaled(pick, (uint32_t)at->domain->template_count)];
    if (at->stratum != STRATUM_REALISTIC || descriptor->form_count == 0 || at->domain->is_first ||
        transform_scaled(shape_word(at, WORD_FORM), 100) >= FORM_PERCENT)
        return NULL;
    const struct layer_config *form =
        &descriptor->forms[transform_scaled(pick, (uint32_t)descriptor->form_count)];
    return keeps_sets(form, at->domain) ? form : NULL;
}

/* Log-uniform within a factor of 1.4; what was a multiple of 8 stays one. */
static int32_t jitter(int32_t value, uint32_t word)
{
    const int64_t step = value % ALIGNED ? 1 : ALIGNED;
    const int64_t low = ((int64_t)value * 5 + 7 * step - 1) / (7 * step);
    const int64_t high = (int64_t)value * 7 / (5 * step);
    return (int32_t)step * transform_log_uniform(word, (int32_t)low, (int32_t)high);
}

/* Gives the config the shape: as it is in every second draw, else jittered. Batch, pass, optimizer,
 * precision and what --set names stay as drawn. */
static void take_shape(struct layer_config *config, const struct layer_config *shape,
                       const struct sample_attempt *at)
{
    const struct layer_descriptor *descriptor = layer_descriptors[at->domain->kind];
    const bool is_jittered = shape_word(at, WORD_JITTER) >> 31;
    for (int i = COMMON_FEATURE_COUNT; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const int32_t value = layer_get(shape, feature);
        if (at->domain->range[i].is_set)
            continue;
        layer_set(config, feature,
                  is_jittered && !feature->choice && value >= JITTER_MINIMUM
                      ? jitter(value, shape_word(at, i))
                      : value);
    }
}

/* ---- acceptance ---- */

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

bool sample_accept(struct layer_config *config, const struct sample_attempt *at)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    const struct sample_domain *domain = at->domain;
    const struct layer_config *shape = shape_of(at);
    if (shape)
        take_shape(config, shape, at);
    if (descriptor->settle)
        descriptor->settle(config, shape);
    if (!settle_optimizer(config, domain) || !keeps_sets(config, domain) || !layer_is_valid(config))
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
