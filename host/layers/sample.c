#include "layers/sample.h"

#include "base/philox.h"
#include "base/sobol.h"
#include "layers/sample_transform.h"

#include <string.h>

enum { ATTEMPT_LIMIT = 10000, LIST_LIMIT = 32 };

/* Shapes of real networks, by feature name; a value that is more usual stands more often. */
struct realistic {
    const char *name;
    int32_t values[LIST_LIMIT]; /* ended by 0 */
};
static const struct realistic realistic[] = {
    {"batch_size", {1, 2, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128}},
    {"inputs", {64, 100, 128, 256, 400, 512, 784, 1024, 2048, 2048, 4096, 4096, 9216, 25088}},
    {"outputs", {2, 10, 64, 84, 100, 128, 256, 512, 1000, 1000, 1024, 2048, 4096, 4096}},
    {"image_size",
     {7, 7, 8, 13, 14, 14, 16, 27, 28, 28, 32, 32, 55, 56, 56, 64, 112, 112, 128, 224, 224, 227}},
    {"kernel_size", {1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 5, 5, 7, 11}},
    {"channels_in",
     {3, 3, 6, 16, 24, 32, 32, 48, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024}},
    {"channels_out",
     {6, 16, 24, 32, 32, 48, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024}},
    {"channels", {6, 16, 32, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024}},
    {"stride", {1, 1, 1, 1, 2, 2, 4}},
};

/* The paper's uniform ranges (Justus et al. 2018, section IV); those it leaves out are the
 * domain's. */
struct uniform {
    const char *name;
    int32_t minimum, maximum;
};
static const struct uniform uniform[] = {
    {"batch_size", 1, 64},      {"inputs", 1, 4096},    {"outputs", 1, 4096},
    {"image_size", 1, 512},     {"kernel_size", 1, 7},  {"channels_in", 1, 10000},
    {"channels_out", 1, 10000}, {"channels", 1, 10000}, {"stride", 1, 4},
};

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

/* 0..count-1, uniform. */
static uint32_t scaled(uint32_t word, uint32_t count)
{
    return (uint32_t)(((uint64_t)word * count) >> 32);
}

static int32_t draw_uniform(uint32_t word, int32_t minimum, int32_t maximum)
{
    return minimum + (int32_t)scaled(word, (uint32_t)(maximum - minimum) + 1);
}

/* One of the list's values inside [minimum, maximum], or 0 when there is none. */
static int32_t draw_realistic(uint32_t word, const char *name, int32_t minimum, int32_t maximum)
{
    int32_t inside[LIST_LIMIT];
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof realistic / sizeof *realistic; i++) {
        if (strcmp(realistic[i].name, name) != 0)
            continue;
        for (const int32_t *value = realistic[i].values; *value; value++)
            if (*value >= minimum && *value <= maximum)
                inside[count++] = *value;
    }
    return count ? inside[scaled(word, count)] : 0;
}

/* The paper's range where it meets the domain's. Channels end at 10000 / image_size. */
static int32_t draw_paper(uint32_t word, const struct feature *feature,
                          const struct sample_range *range, int32_t image_size)
{
    int32_t minimum = range->minimum, maximum = range->maximum;
    for (size_t i = 0; i < sizeof uniform / sizeof *uniform; i++) {
        if (strcmp(uniform[i].name, feature->name) != 0)
            continue;
        int32_t limit = uniform[i].maximum;
        if (feature->unit == UNIT_CHANNELS && image_size > 0)
            limit = limit / image_size;
        if (limit >= minimum && uniform[i].minimum <= maximum) {
            minimum = minimum > uniform[i].minimum ? minimum : uniform[i].minimum;
            maximum = maximum < limit ? maximum : limit;
        }
    }
    return draw_uniform(word, minimum, maximum);
}

/* Padding of real networks is mostly `same`. */
static int32_t draw_choice(uint32_t word, const struct feature *feature,
                           const struct sample_range *range, enum stratum stratum)
{
    bool mostly_same = stratum == STRATUM_REALISTIC && feature->choice == &choice_padding &&
                       range->maximum == PADDING_SAME;
    if (mostly_same && word < UINT32_MAX / 4 * 3)
        return PADDING_SAME;
    return draw_uniform(word, range->minimum, range->maximum);
}

static int32_t draw_feature(uint32_t word, const struct feature *feature,
                            const struct sample_range *range, enum stratum stratum,
                            int32_t image_size)
{
    if (range->value_count)
        return range->values[scaled(word, (uint32_t)range->value_count)];
    if (feature->choice)
        return draw_choice(word, feature, range, stratum);
    if (stratum == STRATUM_UNIFORM)
        return draw_paper(word, feature, range, image_size);
    if (stratum == STRATUM_REALISTIC) {
        int32_t value = draw_realistic(word, feature->name, range->minimum, range->maximum);
        if (value)
            return value;
    }
    if (feature->distribution == DISTRIBUTION_UNIFORM)
        return draw_uniform(word, range->minimum, range->maximum);
    return transform_log_uniform(word, range->minimum, range->maximum);
}

static bool range_holds(const struct sample_range *range, int32_t value)
{
    for (int i = 0; i < range->value_count; i++)
        if (range->values[i] == value)
            return true;
    return !range->value_count && value >= range->minimum && value <= range->maximum;
}

/* First attempt: the Sobol point; later ones: Philox. */
static uint32_t draw_word(enum layer_kind kind, int feature, uint64_t seed, uint32_t index,
                          uint32_t attempt)
{
    if (attempt)
        return philox(index, attempt * FEATURE_LIMIT + (uint32_t)feature, (uint32_t)kind,
                      PHILOX_STRATUM, seed)
            .word[1];
    uint32_t mask = philox((uint32_t)feature, (uint32_t)kind, 0, PHILOX_SCRAMBLE, seed).word[0];
    return sobol32(index, feature) ^ mask;
}

static enum stratum draw_stratum(const struct sample_domain *domain, uint64_t seed, uint32_t index)
{
    if (domain->stratum >= 0)
        return (enum stratum)domain->stratum;
    uint32_t percent = scaled(
        philox(index, 0, (uint32_t)domain->kind, PHILOX_STRATUM, seed).word[0], 100);
    return percent < 50 ? STRATUM_LOG_UNIFORM : percent < 80 ? STRATUM_REALISTIC : STRATUM_UNIFORM;
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

static bool draw_attempt(struct layer_config *config, enum stratum stratum,
                         const struct sample_domain *domain, uint64_t seed, uint32_t index,
                         uint32_t attempt)
{
    memset(config, 0, sizeof *config);
    config->kind = domain->kind;
    const struct layer_descriptor *descriptor = layer_descriptors[domain->kind];
    int32_t image_size = 0;
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        uint32_t word = draw_word(domain->kind, i, seed, index, attempt);
        int32_t value = draw_feature(word, feature, &domain->range[i], stratum, image_size);
        layer_set(config, feature, value);
        if (strcmp(feature->name, "image_size") == 0)
            image_size = value;
    }
    if (!settle_optimizer(config, domain) || !layer_is_valid(config))
        return false;
    struct cost cost = layer_cost(config);
    return (double)cost.memory_bytes <= domain->memory_limit_bytes &&
           cost.flops <= domain->flops_limit;
}

enum status sample_draw(struct layer_config *config, enum stratum *stratum,
                        const struct sample_domain *domain, uint64_t seed, uint32_t index,
                        struct error *error)
{
    *stratum = draw_stratum(domain, seed, index);
    for (uint32_t attempt = 0; attempt < ATTEMPT_LIMIT; attempt++)
        if (draw_attempt(config, *stratum, domain, seed, index, attempt))
            return STATUS_OK;
    FAIL(error, STATUS_USAGE, "%s: no valid config in %d draws",
         layer_descriptors[domain->kind]->name, ATTEMPT_LIMIT);
    error_hint(error, "widen the ranges given with --set, or the memory and FLOP limits");
    return STATUS_USAGE;
}
