#include "network/network.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void network_free(struct network *network)
{
    free(network->layers);
    free(network->inputs);
    free(network->tensors);
    *network = (struct network){.layers = NULL};
}

void network_name(struct network *network, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    const size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    snprintf(network->name, sizeof network->name, "%.*s", (int)(length < 63 ? length : 63), base);
}

/* ---- one layer ---- */

const char *network_layer_kind(const struct network_layer *layer)
{
    return network_layer_is_operator(layer) ? layer->operator_name
                                            : layer_descriptors[layer->config.kind]->name;
}

bool network_layer_is_unknown(const struct network_layer *layer)
{
    return strncmp(layer->operator_name, "other_", strlen("other_")) == 0;
}

double network_layer_input_count(const struct network_layer *layer)
{
    return network_layer_is_operator(layer) ? layer->work.input_count
                                            : (double)layer_input_elements(&layer->config, 0);
}

double network_layer_output_count(const struct network_layer *layer)
{
    return network_layer_is_operator(layer) ? layer->work.output_count
                                            : (double)layer_output_elements(&layer->config);
}

struct layer_config network_config(const struct network_layer *layer, int32_t batch_size,
                                   int32_t pass, int32_t optimizer, int32_t precision)
{
    struct layer_config config = layer->config;
    const bool has_parameters = layer_cost(&config).parameter_count > 0;
    const int64_t rows = (int64_t)config.batch_size * batch_size;
    config.batch_size = rows > INT32_MAX ? INT32_MAX : (int32_t)rows;
    config.pass = pass;
    config.optimizer = pass == PASS_TRAIN && has_parameters ? optimizer : OPTIMIZER_NONE;
    config.precision = precision;
    return config;
}

void network_work(struct layer_work *work, const struct network_layer *layer, int32_t batch_size)
{
    if (network_layer_is_operator(layer)) {
        operator_layer_work(work, &layer->work, layer->operator_name, batch_size);
        return;
    }
    const struct layer_config config = network_config(layer, batch_size, PASS_FORWARD,
                                                      OPTIMIZER_NONE, PRECISION_FP32);
    layer_work(work, &config); /* the same for every pass */
}

struct cost network_cost(const struct network_layer *layer, int32_t batch_size, int32_t pass,
                         int32_t optimizer, int32_t precision)
{
    struct layer_work work;
    network_work(&work, layer, batch_size);
    struct cost cost = cost_of_work(&work, pass, pass == PASS_TRAIN ? optimizer : OPTIMIZER_NONE,
                                    precision);
    cost.parameter_count -= (int64_t)layer->shared_count;
    return cost;
}

/* ---- shared parameters ---- */

double network_tensor_elements(const struct network_layer *layer, int i)
{
    struct layer_work work;
    layer_work(&work, &layer->config);
    for (int k = 0; k < work.tensor_count; k++) {
        const struct layer_tensor *tensor = &work.tensors[k];
        const int parts = tensor->parts > 0 ? tensor->parts : 1;
        if (tensor->role != TENSOR_WEIGHTS && tensor->role != TENSOR_BIAS)
            continue;
        if (i < parts)
            return tensor->count / parts;
        i -= parts;
    }
    return 0;
}

enum status network_tensor_add(struct network *network, const char *name, int *number,
                               struct error *error)
{
    const size_t count = (size_t)network->tensor_count;
    if ((count & (count - 1)) == 0) { /* full: twice as many */
        const size_t room = count ? 2 * count : 1;
        void *grown = realloc(network->tensors, room * sizeof *network->tensors);
        if (!grown)
            return FAIL(error, STATUS_FAILED, "out of memory: names of %zu shared tensors", room);
        network->tensors = grown;
    }
    snprintf(network->tensors[count], sizeof *network->tensors, "%s", name);
    *number = ++network->tensor_count;
    return STATUS_OK;
}

void network_tensor_share(struct network_layer *layer, int i, int number, bool is_again)
{
    layer->tensors[i] = number;
    if (is_again)
        layer->shared_count += network_tensor_elements(layer, i);
}

/* ---- the batch ---- */

void network_batch_text(char *text, size_t size, const struct network *network)
{
    const struct network_batch *batch = &network->batch;
    const bool is_one = batch->samples == 1;
    size_t used = 0;
    text[0] = '\0';
    if (!batch->is_known)
        return;
    if (batch->input[0])
        used = (size_t)snprintf(text, size, "the batch is axis %d of input '%s', ", batch->axis,
                                batch->input);
    if (batch->is_open)
        snprintf(text + used, size - used, "open in the file");
    else if (batch->input[0] || !is_one)
        snprintf(text + used, size - used, "%lld sample%s in the file", (long long)batch->samples,
                 is_one ? "" : "s");
    else
        snprintf(text, size, "no axis is a batch, the file is one sample");
}

/* ---- the layers of kinds alone ---- */

static int place_of(const int *places, int input)
{
    return input < 0 ? -1 : places[input];
}

static void keep_inputs(struct network *covered, struct network_layer *kept, const int *places)
{
    int *inputs = covered->inputs + covered->input_count;
    for (int i = 0; i < kept->input_count; i++)
        inputs[i] = place_of(places, kept->inputs[i]);
    kept->inputs = inputs;
    covered->input_count += kept->input_count;
}

static void keep_layer(struct network *covered, int *places, const struct network *network, int i)
{
    const struct network_layer *layer = &network->layers[i];
    if (network_layer_is_operator(layer)) {
        places[i] = place_of(places, network_input(layer, 0));
        return;
    }
    places[i] = covered->layer_count;
    struct network_layer *kept = &covered->layers[covered->layer_count++];
    *kept = *layer;
    keep_inputs(covered, kept, places);
}

static enum status allocate_covered(struct network *covered, int **places,
                                    const struct network *network, struct error *error)
{
    unsigned long inputs = 0;
    const unsigned long count = (unsigned long)network->layer_count;
    for (int i = 0; i < network->layer_count; i++)
        inputs += (unsigned long)network->layers[i].input_count;
    TRY(ALLOCATE(&covered->layers, count, "layers of a network", error));
    TRY(ALLOCATE(&covered->inputs, inputs, "inputs of layers", error));
    TRY(ALLOCATE(&covered->tensors, (unsigned long)network->tensor_count, "shared tensors", error));
    return ALLOCATE(places, count, "layers", error);
}

enum status network_without_operators(struct network *covered, const struct network *network,
                                      struct error *error)
{
    int *places = NULL;
    *covered = (struct network){.layers = NULL};
    const enum status status = allocate_covered(covered, &places, network, error);
    if (status != STATUS_OK) {
        network_free(covered);
        return status;
    }
    memcpy(covered->name, network->name, sizeof covered->name);
    covered->batch = network->batch;
    covered->precision = network->precision;
    covered->is_quantised = network->is_quantised;
    if (network->tensor_count > 0)
        memcpy(covered->tensors, network->tensors,
               (size_t)network->tensor_count * sizeof *network->tensors);
    covered->tensor_count = network->tensor_count;
    for (int i = 0; i < network->layer_count; i++)
        keep_layer(covered, places, network, i);
    free(places);
    return STATUS_OK;
}

/* ---- how many of what ---- */

enum { KIND_LIMIT = 64 };

struct kind_counts {
    const char *names[KIND_LIMIT];
    int counts[KIND_LIMIT];
    int count;
};

static void count_kind(struct kind_counts *kinds, const char *name)
{
    int i = 0;
    while (i < kinds->count && strcmp(kinds->names[i], name) != 0)
        i++;
    if (i == KIND_LIMIT)
        return;
    kinds->names[i] = name;
    kinds->counts[i]++;
    kinds->count += i == kinds->count;
}

static int most_frequent(const struct kind_counts *kinds)
{
    int best = 0;
    for (int i = 1; i < kinds->count; i++)
        if (kinds->counts[i] > kinds->counts[best])
            best = i;
    return best;
}

void network_count_kinds(char *text, size_t size, const struct network *network,
                         const bool *is_wanted)
{
    struct kind_counts kinds = {.count = 0};
    for (int i = 0; i < network->layer_count; i++)
        if (is_wanted[i])
            count_kind(&kinds, network_layer_kind(&network->layers[i]));
    text[0] = '\0';
    for (int i = 0; i < kinds.count; i++) {
        const int best = most_frequent(&kinds);
        text_list_add(text, size, ", ", "%s x%d", kinds.names[best], kinds.counts[best]);
        kinds.counts[best] = 0;
    }
}
