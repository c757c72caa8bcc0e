#include "layers/describe.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIMIT = 128 };

void describe_value(char *text, size_t size, const struct feature *feature, int32_t value)
{
    if (feature->choice)
        snprintf(text, size, "%s", choice_name(feature->choice, value));
    else
        snprintf(text, size, "%d", value);
}

size_t describe_config(char *text, size_t size, const struct layer_config *config)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    size_t length = (size_t)snprintf(text, size, "%s", descriptor->name);
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        char value[TOKEN_LIMIT];
        if (feature->since > 1 && layer_get(config, feature) == feature->missing)
            continue;
        describe_value(value, sizeof value, feature, layer_get(config, feature));
        char *rest = length < size ? text + length : NULL;
        length += (size_t)snprintf(rest, rest ? size - length : 0, "%c%s=%s", i ? ',' : ':',
                                   feature->name, value);
    }
    return length;
}

/* " (did you mean 'x'?)" into the hint, or all the names when none is near. */
static enum status hint_names(struct error *error, const char *const *names, int count,
                              const char *text)
{
    if (!error)
        return STATUS_USAGE;
    const char *nearest = nearest_name(names, count, text);
    if (nearest) {
        error_hint(error, "did you mean '%s'?", nearest);
        return error->status;
    }
    char all[sizeof error->hint - 16] = "";
    for (int i = 0; i < count; i++)
        text_list_add(all, sizeof all, ", ", "%s", names[i]);
    error_hint(error, "known: %s", all);
    return error->status;
}

static enum status parse_choice(int32_t *value, const struct feature *feature, const char *text,
                                struct error *error)
{
    *value = choice_find(feature->choice, text);
    if (*value >= 0)
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "%s: unknown value '%s'", feature->name, text);
    return hint_names(error, feature->choice->names, feature->choice->count, text);
}

enum status describe_parse_value(int32_t *value, const struct feature *feature, const char *text,
                                 struct error *error)
{
    if (feature->choice)
        return parse_choice(value, feature, text, error);
    char *end;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (end == text || *end || text[strspn(text, "+-0123456789")])
        return FAIL(error, STATUS_USAGE, "%s: '%s' is not a whole number", feature->name, text);
    if (errno || number < feature->minimum || number > feature->maximum)
        return FAIL(error, STATUS_USAGE, "%s: %s is outside %d..%d", feature->name, text,
                    feature->minimum, feature->maximum);
    *value = (int32_t)number;
    return STATUS_OK;
}

static enum status unknown_feature(enum layer_kind kind, const char *name, struct error *error)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    const char *names[FEATURE_LIMIT];
    for (int i = 0; i < descriptor->feature_count; i++)
        names[i] = descriptor->features[i].name;
    FAIL(error, STATUS_USAGE, "%s has no feature '%s'", descriptor->name, name);
    return hint_names(error, names, descriptor->feature_count, name);
}

static enum status parse_kind(struct layer_config *config, const char *name, struct error *error)
{
    const int kind = layer_kind_find(name);
    if (kind < 0) {
        const char *names[LAYER_KIND_COUNT];
        for (int i = 0; i < LAYER_KIND_COUNT; i++)
            names[i] = layer_descriptors[i]->name;
        FAIL(error, STATUS_USAGE, "unknown layer kind '%s'", name);
        return hint_names(error, names, LAYER_KIND_COUNT, name);
    }
    layer_begin(config, (enum layer_kind)kind);
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < descriptor->feature_count; i++)
        if (!feature_is_optional(&descriptor->features[i]))
            layer_set(config, &descriptor->features[i], descriptor->features[i].minimum);
    return STATUS_OK;
}

/* The text up to one of `ends` into token; *text then points at that end. */
static enum status take(char token[TOKEN_LIMIT], const char **text, const char *ends,
                        struct error *error)
{
    const size_t length = strcspn(*text, ends);
    if (length >= TOKEN_LIMIT)
        return FAIL(error, STATUS_USAGE, "word too long in layer text: '%.40s...'", *text);
    memcpy(token, *text, length);
    token[length] = '\0';
    *text += length;
    return STATUS_OK;
}

static enum status parse_pair(struct layer_config *config, bool *given, const char **text,
                              struct error *error)
{
    char name[TOKEN_LIMIT], value[TOKEN_LIMIT];
    TRY(take(name, text, "=,", error));
    const struct feature *feature = layer_feature_find(config->kind, name);
    if (!feature)
        return unknown_feature(config->kind, name, error);
    if (**text != '=')
        return FAIL(error, STATUS_USAGE, "%s: no value; write %s=VALUE", name, name);
    ++*text;
    TRY(take(value, text, ",", error));
    bool *is_given = &given[feature - layer_descriptors[config->kind]->features];
    if (*is_given)
        return FAIL(error, STATUS_USAGE, "%s is given twice", name);
    *is_given = true;
    int32_t number;
    TRY(describe_parse_value(&number, feature, value, error));
    layer_set(config, feature, number);
    return STATUS_OK;
}

enum status describe_parse(struct layer_config *config, const char *text, struct error *error)
{
    char name[TOKEN_LIMIT];
    bool given[FEATURE_LIMIT] = {false};
    TRY(take(name, &text, ":", error));
    TRY(parse_kind(config, name, error));
    if (*text == ':' && text[1])
        do {
            text++;
            TRY(parse_pair(config, given, &text, error));
        } while (*text == ',');
    return layer_check(config, error);
}
