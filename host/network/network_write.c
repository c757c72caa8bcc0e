/* The writer of layer CSVs. */
#include "network/network.h"

#include "base/csv.h"
#include "layers/describe.h"

#include <errno.h>
#include <string.h>

static const char *input_name(const struct network *network, int input)
{
    return input < 0 ? "input" : network->layers[input].name;
}

/* A name in a list. */
static void write_listed(const char *name, FILE *file)
{
    for (; *name; name++) {
        if (*name == ';' || *name == '\\')
            fputc('\\', file);
        if (*name == '"')
            fputc('"', file);
        fputc(*name, file);
    }
}

/* Nothing where the layer above, or for the first the network's input, is the only one. */
static void write_inputs(const struct network *network, int index, FILE *file)
{
    const struct network_layer *layer = &network->layers[index];
    const int count = layer->input_count > 1 ? layer->input_count : 1;
    bool is_quoted = false;
    if (count == 1 && network_input(layer, 0) == index - 1)
        return;
    for (int i = 0; i < count; i++)
        is_quoted |= csv_needs_quotes(input_name(network, network_input(layer, i)));
    if (is_quoted)
        fputc('"', file);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            fputc(';', file);
        write_listed(input_name(network, network_input(layer, i)), file);
    }
    if (is_quoted)
        fputc('"', file);
}

/* "W;b", "W" or ";b": of those that are its own, nothing. */
static void write_tensors(const struct network *network, const struct network_layer *layer,
                          FILE *file)
{
    const char *names[NETWORK_TENSOR_LIMIT];
    bool is_quoted = false;
    int count = 0;
    for (int i = 0; i < NETWORK_TENSOR_LIMIT; i++) {
        names[i] = layer->tensors[i] ? network->tensors[layer->tensors[i] - 1] : "";
        is_quoted |= csv_needs_quotes(names[i]);
        if (*names[i])
            count = i + 1;
    }
    fputs(is_quoted ? ",\"" : ",", file);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            fputc(';', file);
        write_listed(names[i], file);
    }
    if (is_quoted)
        fputc('"', file);
}

/* The columns that a network needs: those of kinds and operators that it does not have stay away,
 * and later features that are `missing` everywhere. */
struct columns {
    const struct feature *features[LAYER_KIND_COUNT * FEATURE_LIMIT];
    int feature_count;
    bool rows, tensors, stored, operators;
};

/* Whether a layer of the network has another value of a later feature than files without it. */
static bool is_needed(const struct feature *feature, enum layer_kind kind,
                      const struct network *network)
{
    if (feature->since <= 1)
        return true;
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        if (!network_layer_is_operator(layer) && layer->config.kind == kind &&
            layer_get(&layer->config, feature) != feature->missing)
            return true;
    }
    return false;
}

/* The kind's own features; a name that another kind has, too, is one column. */
static void add_features(struct columns *columns, enum layer_kind which,
                         const struct network *network)
{
    const struct layer_descriptor *kind = layer_descriptors[which];
    for (int i = COMMON_FEATURE_COUNT; i < kind->feature_count; i++) {
        int seen = 0;
        if (!is_needed(&kind->features[i], which, network))
            continue;
        while (seen < columns->feature_count &&
               strcmp(columns->features[seen]->name, kind->features[i].name) != 0)
            seen++;
        columns->features[seen] = &kind->features[i];
        columns->feature_count += seen == columns->feature_count;
    }
}

static struct columns columns_of(const struct network *network)
{
    struct columns columns = {.feature_count = 0};
    bool has_kind[LAYER_KIND_COUNT] = {false};
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        columns.rows |= layer->config.batch_size > 1;
        columns.stored |= layer->stored_bytes > 0;
        columns.tensors |= layer->tensors[0] > 0 || layer->tensors[1] > 0;
        columns.operators |= network_layer_is_operator(layer);
        has_kind[layer->config.kind] |= !network_layer_is_operator(layer);
    }
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (has_kind[kind])
            add_features(&columns, (enum layer_kind)kind, network);
    return columns;
}

static void write_header(const struct columns *columns, FILE *file)
{
    fprintf(file, "name,layer,input%s%s%s", columns->rows ? ",rows" : "",
            columns->tensors ? ",tensor" : "", columns->stored ? ",stored_bytes" : "");
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
    csv_write_text(file, layer->operator_name);
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
    csv_write_text(file, layer->name);
    fprintf(file, ",%s,", is_operator ? "operator" : network_layer_kind(layer));
    write_inputs(network, index, file);
    if (columns->rows && !is_operator)
        fprintf(file, ",%d", layer->config.batch_size);
    else if (columns->rows)
        fputc(',', file);
    if (columns->tensors)
        write_tensors(network, layer, file);
    if (columns->stored && layer->stored_bytes > 0)
        fprintf(file, ",%.17g", layer->stored_bytes);
    else if (columns->stored)
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
