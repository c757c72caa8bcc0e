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
    const struct sample_attempt at = {table, domain, stratum, index, attempt};
    return sample_accept(config, &at);
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
