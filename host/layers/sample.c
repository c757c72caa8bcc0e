#include "layers/sample.h"

#include "base/sobol.h"
#include "layers/sample_transform.h"

#include <string.h>

void sample_domain_default(struct sample_domain *domain, enum layer_kind kind)
{
    *domain = (struct sample_domain){.kind = kind,
                                     .memory_limit_bytes = 1024.0 * 1024 * 1024,
                                     .flops_limit = 2e10,
                                     .stratum = -1};
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        bool whole = feature->sample_maximum == 0 && feature->sample_minimum == 0;
        domain->range[i].minimum = whole ? feature->minimum : feature->sample_minimum;
        domain->range[i].maximum = whole ? feature->maximum : feature->sample_maximum;
        if (feature->is_fixed)
            domain->range[i].maximum = domain->range[i].minimum;
    }
}

/* ---- layers of networks ---- */

enum { JITTER_MINIMUM = 12, ALIGNED = 8 }; /* smaller: kernels, strides, colour channels */

/* Log-uniform within a factor of 1.4; what was a multiple of 8 stays one. */
static int32_t jitter(int32_t value, uint32_t word)
{
    const int64_t step = value % ALIGNED ? 1 : ALIGNED;
    const int64_t low = ((int64_t)value * 5 + 7 * step - 1) / (7 * step);
    const int64_t high = (int64_t)value * 7 / (5 * step);
    return (int32_t)step * transform_log_uniform(word, (int32_t)low, (int32_t)high);
}

/* Gives the config the shape of one of the templates: as it is in every second draw, else jittered.
 * Batch, pass, optimizer, precision and what --set names stay as drawn. */
static void take_template(struct layer_config *config, const struct sample_table *table,
                          const struct sample_domain *domain, uint32_t index, uint32_t attempt)
{
    const struct layer_descriptor *descriptor = layer_descriptors[domain->kind];
    const uint32_t attempt_of_shape = SAMPLE_ATTEMPT_LIMIT + attempt;
    const uint32_t pick = sample_retry_word(table, 0, index, attempt_of_shape);
    const bool is_jittered = sample_retry_word(table, 1, index, attempt_of_shape) >> 31;
    const struct layer_config *shape =
        &domain->templates[transform_scaled(pick, (uint32_t)domain->template_count)];
    for (int i = COMMON_FEATURE_COUNT; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const int32_t value = layer_get(shape, feature);
        const uint32_t word = sample_retry_word(table, i, index, attempt_of_shape);
        if (domain->range[i].is_set)
            continue;
        layer_set(config, feature,
                  is_jittered && !feature->choice && value >= JITTER_MINIMUM ? jitter(value, word)
                                                                             : value);
    }
}

/* First attempt: the Sobol point; later ones: Philox. */
static bool draw_attempt(struct layer_config *config, enum stratum stratum,
                         const struct sample_table *table, const struct sample_domain *domain,
                         uint32_t index, uint32_t attempt)
{
    uint32_t words[FEATURE_LIMIT];
    for (int i = 0; i < table->feature_count; i++)
        words[i] = attempt ? sample_retry_word(table, i, index, attempt)
                           : sobol32(index, i) ^ table->feature[i].mask;
    sample_transform_attempt(config, stratum, table, words, 1);
    if (domain->template_count > 0)
        take_template(config, table, domain, index, attempt);
    return sample_accept(config, domain);
}

enum status sample_draw(struct layer_config *config, enum stratum *stratum,
                        const struct sample_domain *domain, uint64_t seed, uint32_t index,
                        struct error *error)
{
    struct sample_table table;
    sample_table_make(&table, domain, seed);
    *stratum = sample_stratum(&table, index);
    for (uint32_t attempt = 0; attempt < SAMPLE_ATTEMPT_LIMIT; attempt++) {
        if (!draw_attempt(config, *stratum, &table, domain, index, attempt))
            continue;
        if (domain->template_count > 0)
            *stratum = STRATUM_NETWORK;
        return STATUS_OK;
    }
    return sample_exhausted(domain, error);
}
