/* Which layer feeds which, in a layer CSV. */
#include "network/network_csv.h"

#include <string.h>

static enum status add_input(struct network_csv *reader, struct network_layer *layer, int input,
                             struct error *error)
{
    struct network *network = reader->network;
    if (layer->input_count == NETWORK_INPUT_LIMIT || network->input_count == reader->input_capacity)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: input: more than %d", reader->csv.path,
                    reader->csv.line, NETWORK_INPUT_LIMIT);
    network->inputs[network->input_count++] = input;
    layer->input_count++;
    return STATUS_OK;
}

/* False: no earlier layer has the name. */
static bool find_layer(int *layer, const struct network_csv *reader, const char *name)
{
    const bool is_networks = strcmp(name, "input") == 0;
    *layer = is_networks ? -1 : *network_csv_slot(reader, name);
    return is_networks || *layer >= 0;
}

static enum status unknown_layer(const struct network_csv *reader, int column, const char *name,
                                 struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "%s:%d: %s: no earlier layer is called '%.64s'", reader->csv.path,
         reader->csv.line, network_csv_column(column), name);
    return HINT(error, STATUS_BAD_FILE, "the layer that feeds another must stand above it");
}

const char *network_csv_next_name(char *name, size_t size, const char *list)
{
    size_t length = 0;
    for (; *list && *list != ';'; list++) {
        list += *list == '\\' && (list[1] == ';' || list[1] == '\\');
        if (length + 1 < size)
            name[length++] = *list;
    }
    name[length] = '\0';
    return *list ? list + 1 : NULL;
}

/* The names of a list; or one name, which holds ';' as it is. */
static enum status read_list(struct network_csv *reader, struct network_layer *layer,
                             const char *list, struct error *error)
{
    char name[sizeof layer->name + 1];
    int input;
    const int before = reader->network->input_count;
    for (const char *next = list; next;) {
        next = network_csv_next_name(name, sizeof name, next);
        if (find_layer(&input, reader, name)) {
            TRY(add_input(reader, layer, input, error));
            continue;
        }
        if (!find_layer(&input, reader, list))
            return unknown_layer(reader, COLUMN_INPUT, name, error);
        reader->network->input_count = before;
        layer->input_count = 0;
        return add_input(reader, layer, input, error);
    }
    return STATUS_OK;
}

static enum status read_second(struct network_csv *reader, struct network_layer *layer,
                               const char *name, struct error *error)
{
    int input;
    if (network_layer_is_operator(layer) || layer_input_count(&layer->config) < 2)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: second_input: %s has no second input",
                    reader->csv.path, reader->csv.line,
                    network_layer_is_operator(layer) ? "an operator" : network_layer_kind(layer));
    if (layer->input_count > 1)
        return FAIL(error, STATUS_BAD_FILE,
                    "%s:%d: second_input: column input names it already; leave it empty",
                    reader->csv.path, reader->csv.line);
    if (!find_layer(&input, reader, name))
        return unknown_layer(reader, COLUMN_SECOND_INPUT, name, error);
    return add_input(reader, layer, input, error);
}

/* A kind has as many as it takes: those that are not said are not known. */
static enum status fill_inputs(struct network_csv *reader, struct network_layer *layer,
                               struct error *error)
{
    const int wanted = layer_input_count(&layer->config);
    if (layer->input_count > wanted)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: input: %s has %d, not %d", reader->csv.path,
                    reader->csv.line, network_layer_kind(layer), wanted, layer->input_count);
    while (layer->input_count < wanted)
        TRY(add_input(reader, layer, -1, error));
    return STATUS_OK;
}

enum status network_csv_read_inputs(struct network_csv *reader, struct network_layer *layer,
                                    struct error *error)
{
    const char *list = network_csv_cell(reader, COLUMN_INPUT);
    const char *second = network_csv_cell(reader, COLUMN_SECOND_INPUT);
    layer->inputs = reader->network->inputs + reader->network->input_count;
    if (*list)
        TRY(read_list(reader, layer, list, error));
    else
        TRY(add_input(reader, layer, reader->network->layer_count - 1, error));
    if (*second)
        TRY(read_second(reader, layer, second, error));
    return network_layer_is_operator(layer) ? STATUS_OK : fill_inputs(reader, layer, error);
}
