/* Which layers share parameters, in a layer CSV. */
#include "network/network_csv.h"

#include "base/hash.h"

#include <string.h>

/* Layer and place that have the tensor first; the empty slot where they belong. */
static int *find_holder(const struct network_csv *reader, const char *name)
{
    uint64_t slot = hash_mix(hash_bytes(HASH_SEED, name, strlen(name)));
    for (;; slot++) {
        int *holder = &reader->holders[slot & (reader->holder_count - 1)];
        if (*holder < 0)
            return holder;
        const struct network_layer *layer =
            &reader->network->layers[*holder / NETWORK_TENSOR_LIMIT];
        const int number = layer->tensors[*holder % NETWORK_TENSOR_LIMIT];
        if (strcmp(reader->network->tensors[number - 1], name) == 0)
            return holder;
    }
}

static enum status read_tensor(struct network_csv *reader, struct network_layer *layer, int place,
                               const char *name, struct error *error)
{
    const struct csv *csv = &reader->csv;
    struct network *network = reader->network;
    const double elements = network_tensor_elements(layer, place);
    int *holder = find_holder(reader, name), number;
    if (strlen(name) >= sizeof *network->tensors)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: tensor: '%.40s...' is longer than %zu bytes",
                    csv->path, csv->line, name, sizeof *network->tensors - 1);
    if (elements == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: tensor: '%s' is one too many for %s", csv->path,
                    csv->line, name, network_layer_kind(layer));
    if (*holder < 0) {
        TRY(network_tensor_add(network, name, &number, error));
        network_tensor_share(layer, place, number, false);
        *holder = network->layer_count * NETWORK_TENSOR_LIMIT + place;
        return STATUS_OK;
    }
    const struct network_layer *first = &network->layers[*holder / NETWORK_TENSOR_LIMIT];
    const int first_place = *holder % NETWORK_TENSOR_LIMIT;
    const double first_elements = network_tensor_elements(first, first_place);
    if (first_elements != elements)
        return FAIL(error, STATUS_BAD_FILE,
                    "%s:%d: tensor: '%s' has %.0f elements here, %.0f in layer '%s'", csv->path,
                    csv->line, name, elements, first_elements, first->name);
    network_tensor_share(layer, place, first->tensors[first_place], true);
    return STATUS_OK;
}

enum status network_csv_read_tensors(struct network_csv *reader, struct network_layer *layer,
                                     struct error *error)
{
    char name[sizeof *reader->network->tensors + 1];
    const char *next = network_csv_cell(reader, COLUMN_TENSOR);
    if (!*next)
        return STATUS_OK;
    if (network_layer_is_operator(layer))
        return network_csv_check_empty(reader, reader->field_of[COLUMN_TENSOR], "an operator",
                                       error);
    for (int place = 0; next; place++) {
        next = network_csv_next_name(name, sizeof name, next);
        if (*name && place == NETWORK_TENSOR_LIMIT)
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: tensor: more than %d", reader->csv.path,
                        reader->csv.line, NETWORK_TENSOR_LIMIT);
        if (*name)
            TRY(read_tensor(reader, layer, place, name, error));
    }
    return STATUS_OK;
}
