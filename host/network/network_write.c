/* The writer of layer CSVs. */
#include "network/network.h"

#include "layers/describe.h"

#include <errno.h>
#include <string.h>

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

static bool has_second_input(const struct network_layer *layer)
{
    return !network_layer_is_operator(layer) &&
           layer_descriptors[layer->config.kind]->input_count > 1;
}

/* Which columns a network needs: those of operators stay away where it has none. */
struct columns {
    const struct feature *features[LAYER_KIND_COUNT * FEATURE_LIMIT];
    int feature_count;
    bool second_input, rows, operators;
};

static struct columns columns_of(const struct network *network)
{
    struct columns columns = {.rows = false};
    columns.feature_count = own_features(columns.features, LAYER_KIND_COUNT * FEATURE_LIMIT);
    for (int i = 0; i < network->layer_count; i++) {
        columns.operators |= network_layer_is_operator(&network->layers[i]);
        columns.second_input |= has_second_input(&network->layers[i]);
        columns.rows |= network->layers[i].config.batch_size > 1;
    }
    return columns;
}

static void write_header(const struct columns *columns, FILE *file)
{
    fprintf(file, "name,layer,input%s%s", columns->second_input ? ",second_input" : "",
            columns->rows ? ",rows" : "");
    for (int i = 0; i < columns->feature_count; i++)
        fprintf(file, ",%s", columns->features[i]->name);
    if (columns->operators) {
        fputs(",operator", file);
        for (int i = 0; i < OPERATOR_COLUMN_COUNT; i++)
            fprintf(file, ",%s", operator_columns[i].name);
    }
    fputc('\n', file);
}

static void write_features(const struct network_layer *layer, const struct columns *columns,
                           FILE *file)
{
    for (int i = 0; i < columns->feature_count; i++) {
        const struct feature *own = NULL;
        if (!network_layer_is_operator(layer))
            own = layer_feature_find(layer->config.kind, columns->features[i]->name);
        char value[64] = "";
        if (own)
            describe_value(value, sizeof value, own, layer_get(&layer->config, own));
        fprintf(file, ",%s", value);
    }
}

/* With the digits that read back to the same value; zeros stay empty. */
static void write_work(const struct network_layer *layer, FILE *file)
{
    struct operator_work work = layer->work;
    fputc(',', file);
    write_text(layer->operator_name, file);
    for (int i = 0; i < OPERATOR_COLUMN_COUNT; i++) {
        const double value = *operator_value(&work, &operator_columns[i]);
        if (value == 0)
            fputc(',', file);
        else
            fprintf(file, value < 1e15 && value == (double)(int64_t)value ? ",%.0f" : ",%.17g",
                    value);
    }
}

static void write_layer(const struct network *network, int index, const struct columns *columns,
                        FILE *file)
{
    const struct network_layer *layer = &network->layers[index];
    const bool is_operator = network_layer_is_operator(layer);
    write_text(layer->name, file);
    fprintf(file, ",%s,", is_operator ? "operator" : network_layer_kind(layer));
    write_text(input_name(network, index), file);
    if (columns->second_input)
        fputc(',', file);
    if (has_second_input(layer) && layer->second_input >= 0)
        write_text(network->layers[layer->second_input].name, file);
    if (columns->rows && !is_operator)
        fprintf(file, ",%d", layer->config.batch_size);
    else if (columns->rows)
        fputc(',', file);
    write_features(layer, columns, file);
    if (columns->operators)
        write_work(layer, file);
    fputc('\n', file);
}

enum status network_write_csv(const struct network *network, FILE *file, struct error *error)
{
    const struct columns columns = columns_of(network);
    errno = 0;
    write_header(&columns, file);
    for (int i = 0; i < network->layer_count; i++)
        write_layer(network, i, &columns, file);
    if (fflush(file) || ferror(file))
        return FAIL(error, STATUS_FAILED, "cannot write the network '%s': %s", network->name,
                    strerror(errno));
    return STATUS_OK;
}
