/* Whether the layers of a network fit together. */
#include "network/network.h"

#include <math.h>
#include <string.h>

/* A layer may take a part of what another gives, through a view: one position of a sequence, the
 * queries of what one dense layer gives; images are whole. */
static bool fits(const struct network_layer *layer, double taken, double given)
{
    const bool is_image = layer_feature_find(layer->config.kind, "image_size") != NULL;
    return given == taken || (!is_image && taken > 0 && fmod(given, taken) == 0);
}

static double taken_by(const struct network_layer *layer, int input)
{
    return (double)layer_input_elements(&layer->config, input);
}

/* Only between layers of kinds: shapes of operators are not known. */
static const struct network_layer *misfit(const struct network_layer *layer, int input,
                                          const struct network *network)
{
    const int from = network_input(layer, input);
    if (from < 0 || network_layer_is_operator(layer))
        return NULL;
    const struct network_layer *before = &network->layers[from];
    if (network_layer_is_operator(before) ||
        fits(layer, taken_by(layer, input), network_layer_output_count(before)))
        return NULL;
    return before;
}

int network_misfits(char *text, size_t size, const struct network *network)
{
    int count = 0;
    text[0] = '\0';
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        for (int input = 0; input < layer->input_count; input++) {
            const struct network_layer *before = misfit(layer, input, network);
            if (before && count++ == 0)
                snprintf(text, size, "'%s' takes %.0f values, '%s' gives %.0f", layer->name,
                         taken_by(layer, input), before->name, network_layer_output_count(before));
        }
    }
    return count;
}
