#include "network/network.h"

#include "layers/describe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void network_free(struct network *network)
{
    free(network->layers);
    *network = (struct network){.layers = NULL};
}

struct layer_config network_config(const struct network_layer *layer, int32_t batch_size,
                                   int32_t pass, int32_t optimizer, int32_t precision)
{
    struct layer_config config = layer->config;
    const bool has_parameters = layer_cost(&config).parameter_count > 0;
    config.batch_size = batch_size;
    config.pass = pass;
    config.optimizer = pass == PASS_TRAIN && has_parameters ? optimizer : OPTIMIZER_NONE;
    config.precision = precision;
    return config;
}

/* The features of all kinds, each name once: the columns of a layer CSV. */
static int own_features(const struct feature **features, int limit)
{
    int count = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = COMMON_FEATURE_COUNT; i < layer_descriptors[kind]->feature_count; i++) {
            const struct feature *feature = &layer_descriptors[kind]->features[i];
            int seen = 0;
            while (seen < count && strcmp(features[seen]->name, feature->name) != 0)
                seen++;
            if (seen == count && count < limit)
                features[count++] = feature;
        }
    return count;
}

static void write_text(const char *text, FILE *file)
{
    if (!text[strcspn(text, ",\"")] && text[0] != '#') {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static const char *input_name(const struct network *network, int index)
{
    const int input = network->layers[index].input;
    if (input == index - 1)
        return ""; /* the layer above, or the network's input for the first */
    return input < 0 ? "input" : network->layers[input].name;
}

static void write_layer(const struct network *network, int index,
                        const struct feature *const *features, int feature_count, FILE *file)
{
    const struct network_layer *layer = &network->layers[index];
    write_text(layer->name, file);
    fprintf(file, ",%s,", layer_descriptors[layer->config.kind]->name);
    write_text(input_name(network, index), file);
    for (int i = 0; i < feature_count; i++) {
        const struct feature *own = layer_feature_find(layer->config.kind, features[i]->name);
        char value[64] = "";
        if (own)
            describe_value(value, sizeof value, own, layer_get(&layer->config, own));
        fprintf(file, ",%s", value);
    }
    fputc('\n', file);
}

enum status network_write_csv(const struct network *network, FILE *file, struct error *error)
{
    const struct feature *features[LAYER_KIND_COUNT * FEATURE_LIMIT];
    const int count = own_features(features, LAYER_KIND_COUNT * FEATURE_LIMIT);
    errno = 0;
    fputs("name,layer,input", file);
    for (int i = 0; i < count; i++)
        fprintf(file, ",%s", features[i]->name);
    fputc('\n', file);
    for (int i = 0; i < network->layer_count; i++)
        write_layer(network, i, features, count, file);
    if (fflush(file) || ferror(file))
        return FAIL(error, STATUS_FAILED, "cannot write the network '%s': %s", network->name,
                    strerror(errno));
    return STATUS_OK;
}
