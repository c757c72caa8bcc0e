#include "network/onnx_dimension.h"

#include "network/onnx_batch.h"
#include "network/onnx_operators.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- complaints ---- */

static enum status shape_error(const struct onnx_dimensions *dimensions,
                               const struct onnx_value *value, const char *what, int axis,
                               struct slice name)
{
    return FAIL(dimensions->error, STATUS_BAD_FILE, "%s: tensor '%.*s': dimension %d%s%.*s%s %s",
                onnx_path(dimensions->graph->source.path).text, onnx_shown(value->name),
                value->name.bytes, axis, name.size ? " ('" : "", onnx_shown(name), name.bytes,
                name.size ? "')" : "", what);
}

/* "sequence", or "input_ids:1" for one without a name. */
static size_t put_name(char *text, size_t size, struct slice name, struct slice input, int axis)
{
    const int length = name.size
                           ? snprintf(text, size, "%.*s", onnx_shown(name), name.bytes)
                           : snprintf(text, size, "%.*s:%d", onnx_shown(input), input.bytes, axis);
    return (size_t)length;
}

/* "batch (input_ids:0, the batch), sequence (input_ids:1)"; ends in ", ..." where `size` bytes do
 * not hold all. */
static void list_open(char *text, size_t size, const struct onnx_dimensions *dimensions)
{
    size_t used = strlen(text);
    for (int i = 0; i < dimensions->open_count; i++) {
        const struct onnx_open *open = &dimensions->open[i];
        const struct slice input = open->input->name;
        char one[2 * ONNX_SHOWN_LIMIT + 64];
        size_t length = put_name(one, sizeof one, open->name, input, open->axis);
        if (open->name.size)
            length += (size_t)snprintf(one + length, sizeof one - length, " (%.*s:%d%s)",
                                       onnx_shown(input), input.bytes, open->axis,
                                       open->is_batch ? ", the batch" : "");
        else if (open->is_batch)
            length += (size_t)snprintf(one + length, sizeof one - length, " (the batch)");
        if (used + length + sizeof ", , ..." > size) {
            snprintf(text + used, size - used, ", ...");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", one);
    }
}

/* Adds "sequence=SIZE" to what stands there; nothing where it does not fit. */
static void put_missing(char *text, size_t size, struct slice name, struct slice input, int axis)
{
    const size_t used = strlen(text);
    char one[ONNX_SHOWN_LIMIT + 32];
    put_name(one, sizeof one, name, input, axis);
    if (used + strlen(one) + sizeof ",=SIZE" < size)
        snprintf(text + used, size - used, "%s%s=SIZE", used ? "," : "", one);
}

/* What --dimension has to give: "height=SIZE,width=SIZE". */
static void list_missing(char *text, size_t size, const struct onnx_dimensions *dimensions)
{
    for (int i = 0; i < dimensions->open_count; i++) {
        const struct onnx_open *open = &dimensions->open[i];
        if (!open->is_batch && !open->given)
            put_missing(text, size, open->name, open->input->name, open->axis);
    }
}

static enum status left_open(const struct onnx_dimensions *dimensions,
                             const struct onnx_value *value, int axis, struct slice name)
{
    char missing[DIMENSION_TEXT_SIZE / 2] = "", all[DIMENSION_TEXT_SIZE] = "";
    list_missing(missing, sizeof missing, dimensions);
    if (!missing[0])
        put_missing(missing, sizeof missing, name, value->name, axis);
    list_open(all, sizeof all, dimensions);
    shape_error(dimensions, value, "has no size", axis, name);
    return HINT(dimensions->error, STATUS_BAD_FILE, "set it: --dimension '%s'; open dimensions: %s",
                missing, all);
}

/* ---- open dimensions ---- */

/* The size given for a dimension, or NULL. */
static struct dimension_size *given_size(const struct onnx_graph *graph, struct slice name,
                                         const struct onnx_value *value, int axis)
{
    char own[ONNX_SHOWN_LIMIT + 32];
    if (!graph->sizes)
        return NULL;
    struct dimension_size *given = dimension_sizes_find(graph->sizes, name.bytes, name.size);
    if (given)
        return given;
    const struct slice none = {"", 0};
    return dimension_sizes_find(graph->sizes, own,
                                put_name(own, sizeof own, none, value->name, axis));
}

static struct onnx_open *find_open(struct onnx_dimensions *dimensions, struct slice name,
                                   const struct onnx_value *value, int axis)
{
    for (int i = 0; i < dimensions->open_count; i++) {
        struct onnx_open *open = &dimensions->open[i];
        if (name.size ? slices_equal(open->name, name) : open->input == value && open->axis == axis)
            return open;
    }
    return NULL;
}

/* A name that only a batch has, such as "batch_size". */
static bool names_batch(struct slice name)
{
    for (size_t i = 0; i + 5 <= name.size; i++)
        if (strncasecmp(name.bytes + i, "batch", 5) == 0)
            return true;
    return slice_equals(name, "bs");
}

/* A name that somebody chose, which tells what the axis is: "nodes", not "n" or "unk__12". */
static bool is_telling(struct slice name)
{
    for (size_t i = 0; i < name.size; i++)
        if (isdigit((unsigned char)name.bytes[i]))
            return false;
    return name.size > 1 && !names_batch(name);
}

static void meet_again(struct onnx_open *open, int axis)
{
    const bool is_other = axis > 0 && !names_batch(open->name);
    open->is_batch &= !is_other; /* nodes by nodes, a mask of steps by steps */
    open->is_met_again |= is_other;
}

static enum status add_open(struct onnx_dimensions *dimensions, const struct onnx_value *input,
                            int rank, int axis, struct slice name)
{
    struct onnx_open *known = find_open(dimensions, name, input, axis);
    if (known) {
        meet_again(known, axis);
        return STATUS_OK;
    }
    if (dimensions->open_count == DIMENSION_LIMIT)
        return FAIL(dimensions->error, STATUS_BAD_FILE, "%s: more than %d dimensions are open",
                    onnx_path(dimensions->graph->source.path).text, DIMENSION_LIMIT);
    struct dimension_size *given = given_size(dimensions->graph, name, input, axis);
    const bool is_first = axis == 0 && rank > 1 && !given;
    dimensions->open[dimensions->open_count++] = (struct onnx_open){.name = name,
                                                                    .input = input,
                                                                    .axis = axis,
                                                                    .is_batch = is_first ||
                                                                                names_batch(name),
                                                                    .given = given};
    return STATUS_OK;
}

/* A tensor without shape has none that is open: reading it complains. */
static enum status add_open_of(struct onnx_dimensions *dimensions, const struct onnx_value *input)
{
    struct slice names[ONNX_RANK_LIMIT];
    int64_t dims[ONNX_RANK_LIMIT];
    int rank, type;
    if (!onnx_type_read(&dimensions->graph->source, input->declared, &type, &rank, dims, names))
        return STATUS_OK;
    for (int axis = 0; axis < rank; axis++)
        if (dims[axis] == -1)
            TRY(add_open(dimensions, input, rank, axis, names[axis]));
    return STATUS_OK;
}

bool onnx_is_recurrent(const struct onnx_node *node)
{
    const struct onnx_operator *known = onnx_operator_find(node);
    return known && known->shape == onnx_shape_recurrent;
}

static bool has_recurrent(const struct onnx_graph *graph)
{
    for (int i = 0; i < graph->node_count; i++)
        if (onnx_is_recurrent(&graph->nodes[i]))
            return true;
    return false;
}

/* Where one is called a batch, a telling name on a first axis is none. */
static void prefer_named(struct onnx_dimensions *dimensions)
{
    bool is_named = false;
    for (int i = 0; i < dimensions->open_count; i++)
        is_named |= names_batch(dimensions->open[i].name);
    for (int i = 0; i < dimensions->open_count && is_named; i++)
        dimensions->open[i].is_batch &= !is_telling(dimensions->open[i].name);
}

/* Where no first axis is: the only one left, if nothing but the batch can be meant. */
static void choose_batch(struct onnx_dimensions *dimensions)
{
    struct onnx_open *left = NULL;
    int left_count = 0;
    prefer_named(dimensions);
    for (int i = 0; i < dimensions->open_count; i++) {
        struct onnx_open *open = &dimensions->open[i];
        if (open->is_batch)
            return;
        if (!open->given) {
            left_count++;
            left = open;
        }
    }
    if (left_count == 1 && (left->axis == 0 || has_recurrent(dimensions->graph)) &&
        !left->is_met_again)
        left->is_batch = true;
}

/* ---- --batch-axis ---- */

static enum status bad_axis(struct onnx_graph *graph, struct error *error)
{
    char all[DIMENSION_TEXT_SIZE] = "";
    size_t used = 0;
    for (int i = 0; i < graph->value_count && used + 100 < sizeof all; i++) {
        const struct onnx_value *value = &graph->values[i];
        if (onnx_is_read_input(value))
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%.*s", used ? ", " : "",
                                     onnx_shown(value->name), value->name.bytes);
    }
    FAIL(error, STATUS_BAD_FILE, "%s: no axis '%.100s' of an input",
         onnx_path(graph->source.path).text, graph->sizes->batch_axis);
    return HINT(error, STATUS_BAD_FILE, "INPUT:AXIS, axes count from 0; inputs: %s", all);
}

/* The axis that --batch-axis says, as an input and its axis. */
static enum status read_batch_axis(struct onnx_graph *graph, struct error *error)
{
    const char *text = graph->sizes->batch_axis, *colon = strrchr(text, ':');
    char *end = NULL;
    const long axis = colon ? strtol(colon + 1, &end, 10) : -1;
    if (axis < 0 || axis >= ONNX_RANK_LIMIT || end == colon + 1 || *end)
        return bad_axis(graph, error);
    const struct slice name = {text, (size_t)(colon - text)};
    for (int i = 0; i < graph->value_count; i++)
        if (onnx_is_read_input(&graph->values[i]) && slices_equal(graph->values[i].name, name)) {
            graph->batch_input = &graph->values[i];
            graph->batch_axis = (int)axis;
            return STATUS_OK;
        }
    return bad_axis(graph, error);
}

/* Of the open dimensions the one that stands there is the batch, no other. */
static void choose_axis(struct onnx_dimensions *dimensions)
{
    const struct onnx_graph *graph = dimensions->graph;
    struct slice names[ONNX_RANK_LIMIT];
    int64_t dims[ONNX_RANK_LIMIT];
    int rank, type;
    if (!onnx_type_read(&graph->source, graph->batch_input->declared, &type, &rank, dims, names) ||
        graph->batch_axis >= rank)
        return;
    const struct onnx_open *wanted = find_open(dimensions, names[graph->batch_axis],
                                               graph->batch_input, graph->batch_axis);
    for (int i = 0; i < dimensions->open_count; i++)
        dimensions->open[i].is_batch = &dimensions->open[i] == wanted;
}

static enum status decide_batch(struct onnx_dimensions *dimensions)
{
    struct onnx_graph *graph = dimensions->graph;
    if (graph->sizes)
        graph->sizes->is_batch_used = true;
    if (!graph->sizes || !graph->sizes->batch_axis) {
        choose_batch(dimensions);
        return STATUS_OK;
    }
    TRY(read_batch_axis(graph, dimensions->error));
    choose_axis(dimensions);
    return STATUS_OK;
}

/* ---- shapes ---- */

/* An input's axis that is the batch, or has a name that tells that it is none. */
static void note_batch(struct onnx_graph *graph, struct onnx_value *value, int axis,
                       const struct onnx_open *open)
{
    if (value->producer >= 0 || !open)
        return;
    if (!open->is_batch) {
        value->is_first_given |= axis == 0 && is_telling(open->name);
        return;
    }
    value->batch_axis = axis;
    if (graph->batch_input)
        return;
    graph->batch_input = value;
    graph->batch_axis = axis;
}

static enum status close_dimension(struct onnx_dimensions *dimensions, struct onnx_value *value,
                                   int axis, struct slice name)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_open *open = find_open(dimensions, name, value, axis);
    struct dimension_size *given = open && open->given ? open->given
                                                       : given_size(graph, name, value, axis);
    note_batch(graph, value, axis, open);
    if (given) {
        given->is_used = true;
        value->dims[axis] = given->size;
        return STATUS_OK;
    }
    if (open ? !open->is_batch : name.size || axis > 0)
        return left_open(dimensions, value, axis, name);
    dimensions->is_symbolic = graph->is_batch_open = true;
    value->dims[axis] = graph->sizes && graph->sizes->batch_in_file ? graph->sizes->batch_in_file
                                                                    : 1;
    return STATUS_OK;
}

enum status onnx_read_declared(struct onnx_dimensions *dimensions, struct onnx_value *value)
{
    struct slice names[ONNX_RANK_LIMIT];
    double count = 1;
    int rank;
    if (!onnx_type_read(&dimensions->graph->source, value->declared, &value->type, &rank,
                        value->dims, names)) {
        FAIL(dimensions->error, STATUS_BAD_FILE, "%s: tensor '%.*s' has no shape",
             onnx_path(dimensions->graph->source.path).text, onnx_shown(value->name),
             value->name.bytes);
        return HINT(dimensions->error, STATUS_BAD_FILE,
                    "onnx.shape_inference.infer_shapes may add it");
    }
    for (int axis = 0; axis < rank; axis++) {
        if (value->dims[axis] == -1)
            TRY(close_dimension(dimensions, value, axis, names[axis]));
        if (value->dims[axis] < 1 || value->dims[axis] > ONNX_DIMENSION_LIMIT)
            return shape_error(dimensions, value, "is zero, negative or too large", axis,
                               names[axis]);
        count *= (double)value->dims[axis];
    }
    if (count > ONNX_ELEMENT_LIMIT)
        return shape_error(dimensions, value, "makes more than 2^36 elements", rank - 1,
                           names[rank - 1]);
    value->rank = rank;
    value->count = count;
    return STATUS_OK;
}

/* A file's fixed size on the axis that --batch-axis says: of all inputs that have it there. */
static enum status mark_batch_axis(struct onnx_graph *graph, struct error *error)
{
    const struct onnx_value *said = graph->batch_input;
    const int axis = graph->batch_axis;
    if (!graph->sizes || !graph->sizes->batch_axis)
        return STATUS_OK;
    if (axis >= said->rank)
        return bad_axis(graph, error);
    for (int i = 0; i < graph->value_count; i++) {
        struct onnx_value *value = &graph->values[i];
        if (onnx_is_read_input(value) && value->rank > axis && value->batch_axis < 0 &&
            value->dims[axis] == said->dims[axis])
            value->batch_axis = axis;
    }
    return STATUS_OK;
}

enum status onnx_read_inputs(struct onnx_dimensions *dimensions)
{
    struct onnx_graph *graph = dimensions->graph;
    for (int i = 0; i < graph->value_count; i++)
        if (onnx_is_read_input(&graph->values[i]))
            TRY(add_open_of(dimensions, &graph->values[i]));
    TRY(decide_batch(dimensions));
    if (graph->sizes)
        list_open(graph->sizes->open, sizeof graph->sizes->open, dimensions);
    for (int i = 0; i < graph->value_count; i++)
        if (onnx_is_read_input(&graph->values[i]))
            TRY(onnx_read_declared(dimensions, &graph->values[i]));
    return mark_batch_axis(graph, dimensions->error);
}
