#include "forecast/uncovered.h"

#include <string.h>

const char *uncovered_reason_text(enum uncovered_reason reason)
{
    static const char *const texts[UNCOVERED_REASON_COUNT] = {
        [UNCOVERED_KIND] = "of kinds that this model was not trained on",
        [UNCOVERED_SIZE] = "of layers with more rows or elements than benchmarks take",
        [UNCOVERED_DEVICE] = "of kinds that this model was not trained on for this device",
        [UNCOVERED_GROUPED] = "of grouped convolutions",
        [UNCOVERED_DILATED] = "of dilated convolutions",
        [UNCOVERED_NOT_SQUARE] = "of convolutions, pools and norms that are not square",
        [UNCOVERED_UNMEASURED] = "of operators that no benchmark covers",
        [UNCOVERED_UNKNOWN] = "of operators that the program does not know",
    };
    return texts[reason];
}

/* Operators whose name says more. */
static const struct {
    const char *name;
    enum uncovered_reason reason;
} operators[] = {
    {"conv_grouped", UNCOVERED_GROUPED},           {"conv_depthwise", UNCOVERED_GROUPED},
    {"conv_dilated", UNCOVERED_DILATED},           {"conv", UNCOVERED_NOT_SQUARE},
    {"fused_conv", UNCOVERED_NOT_SQUARE},          {"max_pool", UNCOVERED_NOT_SQUARE},
    {"average_pool", UNCOVERED_NOT_SQUARE},        {"global_max_pool", UNCOVERED_NOT_SQUARE},
    {"global_average_pool", UNCOVERED_NOT_SQUARE}, {"batch_normalization", UNCOVERED_NOT_SQUARE},
};

static enum uncovered_reason operator_reason(const struct network_layer *layer)
{
    if (network_layer_is_unknown(layer))
        return UNCOVERED_UNKNOWN;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].name, layer->operator_name) == 0)
            return operators[i].reason;
    return UNCOVERED_UNMEASURED;
}

enum uncovered_reason uncovered_reason_of(const struct network_layer *layer,
                                          const struct forecast *forecast,
                                          const struct predictor *predictor)
{
    if (network_layer_is_operator(layer))
        return operator_reason(layer);
    if (predictor->type->knows && !predictor->type->knows(predictor, layer->config.kind))
        return UNCOVERED_KIND;
    const struct layer_config config = network_config(layer, forecast->device_batch_size,
                                                      forecast->pass, forecast->optimizer,
                                                      forecast->precision);
    return layer_is_valid(&config) ? UNCOVERED_DEVICE : UNCOVERED_SIZE;
}

void uncovered_by_reason(double ms[UNCOVERED_REASON_COUNT], const struct forecast *forecast,
                         const struct network *network, const struct predictor *predictor)
{
    for (int i = 0; i < UNCOVERED_REASON_COUNT; i++)
        ms[i] = 0;
    for (int i = 0; i < network->layer_count; i++)
        if (!forecast->layers[i].covered)
            ms[uncovered_reason_of(&network->layers[i], forecast, predictor)] +=
                forecast->layers[i].median_ms;
}
