/* Which layer feeds which, in a layer CSV. */
#include "network/network_csv.h"

#include <string.h>

static enum status find_input(int *input, const struct network_csv *reader, int column,
                              struct error *error)
{
    const struct csv *csv = &reader->csv;
    const char *name = network_csv_cell(reader, column);
    const bool is_networks = strcmp(name, "input") == 0;
    *input = is_networks ? -1 : *network_csv_slot(reader, name);
    if (*input >= 0 || is_networks)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "%s:%d: %s: no earlier layer is called '%.64s'", csv->path,
         csv->line, network_csv_column(column), name);
    error_hint(error, "the layer that feeds another must stand above it");
    return STATUS_BAD_FILE;
}

enum status network_csv_read_inputs(struct network_csv *reader, struct network_layer *layer,
                                    struct error *error)
{
    layer->input = reader->network->layer_count - 1;
    layer->second_input = -1;
    if (*network_csv_cell(reader, COLUMN_INPUT))
        TRY(find_input(&layer->input, reader, COLUMN_INPUT, error));
    if (!*network_csv_cell(reader, COLUMN_SECOND_INPUT))
        return STATUS_OK;
    if (network_layer_is_operator(layer) || layer_descriptors[layer->config.kind]->input_count < 2)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: second_input: %s has no second input",
                    reader->csv.path, reader->csv.line,
                    network_layer_is_operator(layer) ? "an operator" : network_layer_kind(layer));
    return find_input(&layer->second_input, reader, COLUMN_SECOND_INPUT, error);
}
