/* The reader of layer CSVs. Files come from strangers: every name, number and reference is checked,
 * and every complaint names file, line and column.
 */
#include "network/network_csv.h"

#include "base/hash.h"
#include "base/text.h"
#include "layers/describe.h"

#include <stdlib.h>
#include <string.h>

const char *network_csv_column(int i)
{
    static const char *const names[COLUMN_WORK] = {"name", "layer",  "input",        "second_input",
                                                   "rows", "tensor", "stored_bytes", "operator"};
    return i < COLUMN_WORK ? names[i] : operator_columns[i - COLUMN_WORK].name;
}

enum { KNOWN_LIMIT = FIXED_COLUMN_COUNT + LAYER_KIND_COUNT * FEATURE_LIMIT };

/* Puts file and line before what a parser of single values said, and keeps its hint. */
static enum status at_line(const struct network_csv *reader, struct error *error)
{
    if (!error)
        return STATUS_BAD_FILE;
    const struct error cause = *error;
    FAIL(error, STATUS_BAD_FILE, "%.150s:%d: %.300s", reader->csv.path, reader->csv.line,
         cause.message);
    memcpy(error->hint, cause.hint, sizeof error->hint);
    return STATUS_BAD_FILE;
}

int *network_csv_slot(const struct network_csv *reader, const char *name)
{
    uint64_t slot = hash_mix(hash_bytes(HASH_SEED, name, strlen(name)));
    for (;; slot++) {
        int *index = &reader->slots[slot & (reader->slot_count - 1)];
        if (*index < 0 || strcmp(reader->network->layers[*index].name, name) == 0)
            return index;
    }
}

const char *network_csv_cell(const struct network_csv *reader, int column)
{
    const int field = reader->field_of[column];
    return field < 0 ? "" : reader->csv.field[field];
}

bool network_csv_is_fixed(const struct network_csv *reader, int field)
{
    for (int i = 0; i < FIXED_COLUMN_COUNT; i++)
        if (reader->field_of[i] == field)
            return true;
    return false;
}

/* A feature of a kind in an operator's line is a mistake, as is a count in a kind's. */
enum status network_csv_check_empty(const struct network_csv *reader, int field, const char *what,
                                    struct error *error)
{
    if (!*reader->csv.field[field])
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: %s: %s has no such column; leave it empty",
                reader->csv.path, reader->csv.line, reader->columns[field], what);
}

/* ---- header line ---- */

static int known_columns(const char **names)
{
    int count = 0;
    for (int i = 0; i < FIXED_COLUMN_COUNT; i++)
        names[count++] = network_csv_column(i);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = COMMON_FEATURE_COUNT; i < layer_descriptors[kind]->feature_count; i++)
            names[count++] = layer_descriptors[kind]->features[i].name;
    return count;
}

static bool is_common_feature(const char *name)
{
    for (int i = 0; i < COMMON_FEATURE_COUNT; i++)
        if (strcmp(layer_descriptors[0]->features[i].name, name) == 0)
            return true;
    return false;
}

static enum status unknown_column(const struct network_csv *reader, const char *name,
                                  const char *const *known, int known_count, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "%s:%d: unknown column '%.64s'", reader->csv.path,
         reader->csv.line, name);
    const char *nearest = nearest_name(known, known_count, name);
    if (is_common_feature(name))
        error_hint(error, "%s is asked when a forecast is made; leave the column out", name);
    else if (nearest)
        error_hint(error, "did you mean '%s'?", nearest);
    else
        error_hint(error, "columns are name, layer, input, rows, tensor, stored_bytes, the "
                          "features of the layer kinds, "
                          "operator and the counts of its work");
    return STATUS_BAD_FILE;
}

static enum status read_column(struct network_csv *reader, int field, struct error *error)
{
    const char *known[KNOWN_LIMIT], *name = reader->csv.field[field];
    const int known_count = known_columns(known);
    int i = 0;
    while (i < known_count && strcmp(known[i], name) != 0)
        i++;
    if (i == known_count)
        return unknown_column(reader, name, known, known_count, error);
    for (int other = 0; other < field; other++)
        if (strcmp(reader->columns[other], name) == 0)
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: two columns '%s'", reader->csv.path,
                        reader->csv.line, name);
    snprintf(reader->columns[field], sizeof reader->columns[field], "%s", name);
    if (i < FIXED_COLUMN_COUNT)
        reader->field_of[i] = field;
    return STATUS_OK;
}

static enum status read_header(struct network_csv *reader, struct error *error)
{
    bool more;
    TRY(csv_next(&reader->csv, &more, error));
    if (!more)
        return FAIL(error, STATUS_BAD_FILE, "%s: empty, not a layer CSV", reader->csv.path);
    reader->column_count = reader->csv.field_count;
    for (int i = 0; i < FIXED_COLUMN_COUNT; i++)
        reader->field_of[i] = -1;
    for (int i = 0; i < reader->column_count; i++)
        TRY(read_column(reader, i, error));
    for (int i = COLUMN_NAME; i <= COLUMN_LAYER; i++)
        if (reader->field_of[i] < 0)
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: no column '%s'", reader->csv.path,
                        reader->csv.line, network_csv_column(i));
    return STATUS_OK;
}

/* ---- layer lines ---- */

static enum status read_name(struct network_csv *reader, struct network_layer *layer,
                             struct error *error)
{
    const struct csv *csv = &reader->csv;
    const char *name = csv->field[reader->field_of[COLUMN_NAME]];
    if (!*name)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: name: missing", csv->path, csv->line);
    if (strlen(name) >= sizeof layer->name)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: name: '%.40s...' is longer than %zu bytes",
                    csv->path, csv->line, name, sizeof layer->name - 1);
    for (const unsigned char *byte = (const unsigned char *)name; *byte; byte++)
        if (*byte < ' ' || *byte == 0x7f)
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: name: has a control character", csv->path,
                        csv->line);
    if (strcmp(name, "input") == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: name: 'input' means the network's own input",
                    csv->path, csv->line);
    if (*network_csv_slot(reader, name) >= 0)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: name: '%s' is the name of an earlier layer",
                    csv->path, csv->line, name);
    snprintf(layer->name, sizeof layer->name, "%s", name);
    return STATUS_OK;
}

static enum status read_kind(struct network_csv *reader, struct network_layer *layer,
                             struct error *error)
{
    const struct csv *csv = &reader->csv;
    const char *name = csv->field[reader->field_of[COLUMN_LAYER]];
    const int kind = layer_kind_find(name);
    layer->config.batch_size = 1;
    if (strcmp(name, "operator") == 0)
        return network_csv_read_operator_name(reader, layer, error);
    if (kind >= 0) {
        layer_begin(&layer->config, (enum layer_kind)kind); /* forward, none, fp32 */
        layer->config.batch_size = 1;
        return STATUS_OK;
    }
    const char *names[LAYER_KIND_COUNT + 1] = {[LAYER_KIND_COUNT] = "operator"};
    for (int i = 0; i < LAYER_KIND_COUNT; i++)
        names[i] = layer_descriptors[i]->name;
    FAIL(error, STATUS_BAD_FILE, "%s:%d: layer: unknown kind '%.64s'", csv->path, csv->line, name);
    const char *nearest = nearest_name(names, LAYER_KIND_COUNT + 1, name);
    if (nearest)
        error_hint(error, "did you mean '%s'?", nearest);
    else
        error_hint(error, "`epochcast sweep --help` lists the layer kinds");
    return STATUS_BAD_FILE;
}

static enum status read_feature(struct network_csv *reader, struct network_layer *layer, int field,
                                bool *given, struct error *error)
{
    const char *column = reader->columns[field], *text = reader->csv.field[field];
    const struct layer_descriptor *descriptor = layer_descriptors[layer->config.kind];
    if (!*text)
        return STATUS_OK;
    const struct feature *feature = layer_feature_find(layer->config.kind, column);
    if (!feature)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %s: %s has no such feature; leave it empty",
                    reader->csv.path, reader->csv.line, column, descriptor->name);
    int32_t value;
    if (describe_parse_value(&value, feature, text, error) != STATUS_OK)
        return at_line(reader, error);
    layer_set(&layer->config, feature, value);
    given[feature - descriptor->features] = true;
    return STATUS_OK;
}

static enum status read_features(struct network_csv *reader, struct network_layer *layer,
                                 struct error *error)
{
    const struct layer_descriptor *descriptor = layer_descriptors[layer->config.kind];
    bool given[FEATURE_LIMIT] = {false};
    for (int field = 0; field < reader->column_count; field++) {
        if (!network_csv_is_fixed(reader, field))
            TRY(read_feature(reader, layer, field, given, error));
    }
    for (int i = COMMON_FEATURE_COUNT; i < descriptor->feature_count; i++)
        if (!given[i] && !descriptor->features[i].choice &&
            !feature_is_optional(&descriptor->features[i]))
            return FAIL(error, STATUS_BAD_FILE, "%s:%d: %s: missing; %s needs it", reader->csv.path,
                        reader->csv.line, descriptor->features[i].name, descriptor->name);
    return layer_check(&layer->config, error) == STATUS_OK ? STATUS_OK : at_line(reader, error);
}

static enum status read_rows(struct network_csv *reader, struct network_layer *layer,
                             struct error *error)
{
    const struct feature *feature = layer_feature_find(layer->config.kind, "batch_size");
    const char *text = network_csv_cell(reader, COLUMN_ROWS);
    int rows;
    for (int i = COLUMN_OPERATOR; i < FIXED_COLUMN_COUNT; i++)
        if (reader->field_of[i] >= 0)
            TRY(network_csv_check_empty(reader, reader->field_of[i], network_layer_kind(layer),
                                        error));
    if (!*text)
        return STATUS_OK;
    TRY(csv_integer(&reader->csv, reader->field_of[COLUMN_ROWS], "rows", &rows, error));
    if (rows < 1 || rows > feature->maximum)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: rows: %d is outside 1..%d", reader->csv.path,
                    reader->csv.line, rows, feature->maximum);
    layer->config.batch_size = rows;
    return STATUS_OK;
}

static enum status read_stored(struct network_csv *reader, struct network_layer *layer,
                               struct error *error)
{
    const int field = reader->field_of[COLUMN_STORED];
    if (!*network_csv_cell(reader, COLUMN_STORED))
        return STATUS_OK;
    TRY(csv_number(&reader->csv, field, "stored_bytes", &layer->stored_bytes, error));
    if (layer->stored_bytes >= 0 && layer->stored_bytes <= 8 * OPERATOR_COUNT_LIMIT)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: stored_bytes: %s is outside 0..%g",
                reader->csv.path, reader->csv.line, reader->csv.field[field],
                8 * OPERATOR_COUNT_LIMIT);
}

static enum status read_layer(struct network_csv *reader, struct error *error)
{
    struct network *network = reader->network;
    const struct csv *csv = &reader->csv;
    if (csv->field_count != reader->column_count)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: %d fields where the header has %d", csv->path,
                    csv->line, csv->field_count, reader->column_count);
    if (network->layer_count == reader->capacity)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: more than %d layers", csv->path, csv->line,
                    NETWORK_LAYER_LIMIT);
    struct network_layer *layer = &network->layers[network->layer_count];
    TRY(read_name(reader, layer, error));
    TRY(read_kind(reader, layer, error));
    if (network_layer_is_operator(layer)) {
        TRY(network_csv_read_operator(reader, layer, error));
    } else {
        TRY(read_rows(reader, layer, error));
        TRY(read_features(reader, layer, error));
    }
    TRY(network_csv_read_tensors(reader, layer, error));
    TRY(read_stored(reader, layer, error));
    TRY(network_csv_read_inputs(reader, layer, error)); /* a config says how many it takes */
    *network_csv_slot(reader, layer->name) = network->layer_count++;
    return STATUS_OK;
}

/* ---- whole file ---- */

static enum status allocate(struct network_csv *reader, const char *bytes, size_t size,
                            struct error *error)
{
    size_t lines = 1, semicolons = 0;
    for (size_t i = 0; i < size; i++) {
        lines += bytes[i] == '\n';
        semicolons += bytes[i] == ';';
    }
    reader->capacity = lines < NETWORK_LAYER_LIMIT ? (int)lines : NETWORK_LAYER_LIMIT;
    const size_t inputs = (size_t)reader->capacity * LAYER_INPUT_LIMIT + semicolons;
    const size_t most = (size_t)reader->capacity * NETWORK_INPUT_LIMIT;
    reader->input_capacity = (int)(inputs < most ? inputs : most);
    reader->slot_count = 16;
    while (reader->slot_count < 2 * (size_t)reader->capacity)
        reader->slot_count *= 2;
    TRY(ALLOCATE(&reader->network->layers, (unsigned long)reader->capacity, "layers of a network",
                 error));
    TRY(ALLOCATE(&reader->network->inputs, (unsigned long)reader->input_capacity,
                 "inputs of layers", error));
    TRY(ALLOCATE(&reader->slots, reader->slot_count, "names of layers", error));
    memset(reader->slots, 0xff, reader->slot_count * sizeof *reader->slots); /* all -1 */
    reader->holder_count = 2 * reader->slot_count;                           /* at most half full */
    TRY(ALLOCATE(&reader->holders, reader->holder_count, "names of tensors", error));
    memset(reader->holders, 0xff, reader->holder_count * sizeof *reader->holders);
    return STATUS_OK;
}

static enum status read_all(struct network_csv *reader, const char *bytes, size_t size,
                            struct error *error)
{
    TRY(allocate(reader, bytes, size, error));
    TRY(read_header(reader, error));
    for (;;) {
        bool more;
        TRY(csv_next(&reader->csv, &more, error));
        if (!more)
            break;
        TRY(read_layer(reader, error));
    }
    if (reader->network->layer_count == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s: has no layers", reader->csv.path);
    return STATUS_OK;
}

enum status network_parse(struct network *network, const char *path, const char *bytes, size_t size,
                          struct error *error)
{
    struct network_csv reader = {.network = network};
    *network = (struct network){.layers = NULL};
    network_name(network, path);
    csv_begin(&reader.csv, path, bytes, size);
    const enum status status = read_all(&reader, bytes, size, error);
    free(reader.slots);
    free(reader.holders);
    if (status != STATUS_OK)
        network_free(network);
    return status;
}
