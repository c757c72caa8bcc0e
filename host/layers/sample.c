#include "layers/sample.h"

#include "base/sobol.h"
#include "layers/sample_transform.h"

#include <string.h>

/* clang-format off */
/* The paper's ranges are those of Justus et al. 2018, section IV. */
static const struct sample_shapes shapes[] = {
    {"batch_size", 1, 64, {1, 2, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128}},
    {"inputs", 1, 4096,
     {64, 100, 128, 256, 400, 512, 784, 1024, 2048, 2048, 4096, 4096, 9216, 25088}},
    {"outputs", 1, 4096, {2, 10, 64, 84, 100, 128, 256, 512, 1000, 1000, 1024, 2048, 4096, 4096}},
    {"image_size", 1, 512,
     {7, 7, 8, 13, 14, 14, 16, 27, 28, 28, 32, 32, 55, 56, 56, 64, 112, 112, 128, 224, 224, 227}},
    {"kernel_size", 1, 7, {1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 5, 5, 7, 11}},
    {"channels_in", 1, 10000,
     {3, 3, 6, 16, 24, 32, 32, 48, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024}},
    {"channels_out", 1, 10000,
     {6, 16, 24, 32, 32, 48, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024}},
    {"channels", 1, 10000, {6, 16, 32, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024}},
    {"stride", 1, 4, {1, 1, 1, 1, 2, 2, 4}},
    /* Residuals of ResNets, MobileNetV2 and transformers; the paper has none: up to ResNet-50's. */
    {"elements", 1, 1000000,
     {768, 1280, 7840, 12544, 18816, 25088, 25088, 50176, 75264, 98304, 100352, 100352, 200704,
      200704, 401408, 786432, 802816}},
};
/* clang-format on */

static const struct sample_shapes *find_shapes(const char *name)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

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
        domain->shapes[i] = find_shapes(feature->name);
    }
}

void sample_domain_relink(struct sample_domain *domain)
{
    const struct layer_descriptor *descriptor = layer_descriptors[domain->kind];
    for (int i = 0; i < descriptor->feature_count; i++)
        domain->shapes[i] = find_shapes(descriptor->features[i].name);
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
static void take_template(struct layer_config *config, const struct sample_plan *plan,
                          const struct sample_domain *domain, uint32_t index, uint32_t attempt)
{
    const struct layer_descriptor *descriptor = layer_descriptors[domain->kind];
    const uint32_t attempt_of_shape = SAMPLE_ATTEMPT_LIMIT + attempt;
    const uint32_t pick = sample_retry_word(plan, 0, index, attempt_of_shape);
    const bool is_jittered = sample_retry_word(plan, 1, index, attempt_of_shape) >> 31;
    const struct layer_config *shape =
        &domain->templates[transform_scaled(pick, (uint32_t)domain->template_count)];
    for (int i = COMMON_FEATURE_COUNT; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const int32_t value = layer_get(shape, feature);
        const uint32_t word = sample_retry_word(plan, i, index, attempt_of_shape);
        if (domain->range[i].is_set)
            continue;
        layer_set(config, feature,
                  is_jittered && !feature->choice && value >= JITTER_MINIMUM ? jitter(value, word)
                                                                             : value);
    }
}

/* First attempt: the Sobol point; later ones: Philox. */
static bool draw_attempt(struct layer_config *config, enum stratum stratum,
                         const struct sample_plan *plan, const struct sample_domain *domain,
                         uint32_t index, uint32_t attempt)
{
    uint32_t words[FEATURE_LIMIT];
    for (int i = 0; i < plan->feature_count; i++)
        words[i] = attempt ? sample_retry_word(plan, i, index, attempt)
                           : sobol32(index, i) ^ plan->feature[i].mask;
    sample_transform_attempt(config, stratum, plan, words, 1);
    if (domain->template_count > 0)
        take_template(config, plan, domain, index, attempt);
    return sample_accept(config, domain);
}

enum status sample_draw(struct layer_config *config, enum stratum *stratum,
                        const struct sample_domain *domain, uint64_t seed, uint32_t index,
                        struct error *error)
{
    struct sample_plan plan;
    sample_plan_make(&plan, domain, seed);
    *stratum = sample_stratum(&plan, index);
    for (uint32_t attempt = 0; attempt < SAMPLE_ATTEMPT_LIMIT; attempt++) {
        if (!draw_attempt(config, *stratum, &plan, domain, index, attempt))
            continue;
        if (domain->template_count > 0)
            *stratum = STRATUM_NETWORK;
        return STATUS_OK;
    }
    return sample_exhausted(domain, error);
}
