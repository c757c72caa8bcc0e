#include "forecast/choices.h"

#include "base/text.h"
#include "predictors/training_facts.h"

#include <math.h>

static bool is_seen(const struct predictor *predictor, const struct layer_config *config, int index)
{
    const struct feature *feature = &layer_descriptors[config->kind]->features[index];
    return !feature->choice ||
           training_seen(predictor, config->kind, index) >> layer_get(config, feature) & 1;
}

static void mark(struct prediction *layer, const struct predictor *predictor,
                 const struct layer_config *config)
{
    for (int i = 0; i < layer_descriptors[config->kind]->feature_count; i++)
        layer->is_unseen |= !is_seen(predictor, config, i);
    if (layer->is_unseen)
        layer->low_ms = layer->high_ms = NAN;
}

/* ---- what was asked for ---- */

static void list_values(char *text, size_t size, const struct choice *choice, uint64_t seen)
{
    text[0] = '\0';
    for (int value = 0; value < choice->count; value++)
        if (seen >> value & 1)
            text_list_add(text, size, ", ", "%s", choice_name(choice, value));
    if (!seen)
        snprintf(text, size, "nothing");
}

void choices_seen(char *text, size_t size, const struct network *network,
                  const struct prediction *layers, const struct predictor *predictor, int feature)
{
    uint64_t seen = 0;
    for (int i = 0; i < network->layer_count; i++)
        if (layers[i].covered && !network_layer_is_operator(&network->layers[i]))
            seen |= training_seen(predictor, network->layers[i].config.kind, feature);
    list_values(text, size, layer_descriptors[0]->features[feature].choice, seen);
}

static enum status refuse(int index, int32_t value, uint64_t seen, struct error *error)
{
    char known[200];
    const struct feature *feature = &layer_descriptors[0]->features[index];
    const char *name = choice_name(feature->choice, value);
    list_values(known, sizeof known, feature->choice, seen);
    FAIL(error, STATUS_USAGE, "the model has no training row of %s %s", feature->name, name);
    return HINT(error, STATUS_USAGE,
                "it has %s; to measure others: epochcast sweep --set %s=%s, then train", known,
                feature->name, name);
}

/* The layers that have the value which was asked for: kinds without parameters have no optimizer.
 */
static enum status check_asked(const struct prediction *layers, int layer_count,
                               const struct questions *questions, const struct predictor *predictor,
                               int index, int32_t value, struct error *error)
{
    bool is_asked = false;
    uint64_t seen = 0;
    for (int i = 0; i < layer_count; i++) {
        const struct layer_config *config = &questions->configs[i];
        if (!questions->has_config[i] || !layers[i].covered ||
            layer_get(config, &layer_descriptors[config->kind]->features[index]) != value)
            continue;
        is_asked = true;
        seen |= training_seen(predictor, config->kind, index);
    }
    return is_asked && !(seen >> value & 1) ? refuse(index, value, seen, error) : STATUS_OK;
}

enum status choices_check(struct prediction *layers, int layer_count,
                          const struct questions *questions, const struct predictor *predictor,
                          const struct forecast_options *options, struct error *error)
{
    const int32_t asked[COMMON_FEATURE_COUNT] = {[COMMON_PASS] = options->pass,
                                                 [COMMON_OPTIMIZER] = options->optimizer,
                                                 [COMMON_PRECISION] = options->precision};
    for (int i = COMMON_PASS; !options->takes_unseen && i < COMMON_FEATURE_COUNT; i++)
        TRY(check_asked(layers, layer_count, questions, predictor, i, asked[i], error));
    for (int i = 0; i < layer_count; i++)
        if (questions->has_config[i] && layers[i].covered)
            mark(&layers[i], predictor, &questions->configs[i]);
    return STATUS_OK;
}
