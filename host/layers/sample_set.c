/* The text form of a sampling domain: --set. */
#include "base/text.h"
#include "layers/describe.h"
#include "layers/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 256 };

static int compare_values(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static enum status set_choices(struct sample_range *range, const struct feature *feature,
                               const char *text, struct error *error)
{
    char copy[TEXT_LIMIT];
    snprintf(copy, sizeof copy, "%s", text); /* the caller bounded it */
    char *rest = copy;
    for (char *name; (name = strsep(&rest, ","));) {
        if (range->value_count == (int)(sizeof range->values / sizeof *range->values))
            return FAIL(error, STATUS_USAGE, "'%s' names too many values", text);
        TRY(describe_parse_value(&range->values[range->value_count++], feature, name, error));
    }
    return STATUS_OK;
}

static enum status set_numbers(struct sample_range *range, const struct feature *feature,
                               const char *text, struct error *error)
{
    bool is_range;
    int limit = (int)(sizeof range->values / sizeof *range->values);
    TRY(parse_int_list(range->values, limit, &range->value_count, false, &is_range, feature->name,
                       text, error));
    for (int i = 0; i < range->value_count; i++)
        if (range->values[i] < feature->minimum || range->values[i] > feature->maximum)
            return FAIL(error, STATUS_USAGE, "%s=%d is outside %d..%d", feature->name,
                        range->values[i], feature->minimum, feature->maximum);
    if (is_range) {
        range->minimum = range->values[0];
        range->maximum = range->values[1];
        range->value_count = 0;
    }
    return STATUS_OK;
}

static enum status set_stratum(struct sample_domain *domain, const char *text, struct error *error)
{
    int stratum = choice_find(&choice_stratum, text);
    if (stratum < 0 || stratum >= STRATUM_IMPORTED)
        return FAIL(error, STATUS_USAGE, "stratum=%s: use one of log_uniform, realistic, uniform",
                    text);
    domain->stratum = stratum;
    return STATUS_OK;
}

/* The hint of an unknown feature: the nearest name over all kinds. */
static enum status unknown_feature(const char *name, struct error *error)
{
    const char *names[LAYER_KIND_COUNT * FEATURE_LIMIT];
    int count = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = 0; i < layer_descriptors[kind]->feature_count; i++)
            names[count++] = layer_descriptors[kind]->features[i].name;
    FAIL(error, STATUS_USAGE, "no layer kind has a feature '%s'", name);
    const char *nearest = nearest_name(names, count, name);
    if (nearest)
        error_hint(error, "did you mean '%s'?", nearest);
    else
        error_hint(error, "'epochcast show layers' lists them");
    return STATUS_USAGE;
}

static bool any_kind_has(const char *name)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (layer_feature_find((enum layer_kind)kind, name))
            return true;
    return false;
}

/* Splits "conv2d.kernel_size"; *other_kind: another kind's feature is meant. */
static enum status strip_kind(const char **name, bool *other_kind, enum layer_kind kind,
                              struct error *error)
{
    const char *dot = strchr(*name, '.');
    *other_kind = false;
    if (!dot)
        return STATUS_OK;
    char kind_name[TEXT_LIMIT] = "";
    memcpy(kind_name, *name, (size_t)(dot - *name));
    int found = layer_kind_find(kind_name);
    if (found < 0)
        return FAIL(error, STATUS_USAGE, "unknown layer '%s'", kind_name);
    *other_kind = found != (int)kind;
    *name = dot + 1;
    return STATUS_OK;
}

enum status sample_domain_set(struct sample_domain *domain, const char *text, bool *applied,
                              struct error *error)
{
    *applied = false;
    char copy[TEXT_LIMIT];
    const int length = snprintf(copy, sizeof copy, "%s", text);
    char *equals = length < TEXT_LIMIT ? strchr(copy, '=') : NULL;
    if (!equals || !equals[1])
        return FAIL(error, STATUS_USAGE, "--set '%.80s' is not feature=values", text);
    *equals = '\0';
    const char *name = copy;
    bool other_kind;
    TRY(strip_kind(&name, &other_kind, domain->kind, error));
    if (strcmp(name, "stratum") == 0) {
        if (other_kind)
            return STATUS_OK;
        TRY(set_stratum(domain, equals + 1, error));
        *applied = true;
        return STATUS_OK;
    }
    if (!any_kind_has(name))
        return unknown_feature(name, error);
    const struct feature *feature = layer_feature_find(domain->kind, name);
    if (!feature || other_kind)
        return STATUS_OK;
    struct sample_range range = {.is_set = true};
    TRY(feature->choice ? set_choices(&range, feature, equals + 1, error)
                        : set_numbers(&range, feature, equals + 1, error));
    qsort(range.values, (size_t)range.value_count, sizeof *range.values, compare_values);
    domain->range[feature - layer_descriptors[domain->kind]->features] = range;
    *applied = true;
    return STATUS_OK;
}
