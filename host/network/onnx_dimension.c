#include "network/onnx_dimension.h"

#include "network/onnx_operators.h"

#include <string.h>

enum { SHOWN_LIMIT = 80 };

static int shown(struct slice text)
{
    return (int)(text.size < SHOWN_LIMIT ? text.size : SHOWN_LIMIT);
}

/* ---- complaints ---- */

static enum status shape_error(const struct onnx_dimensions *dimensions,
                               const struct onnx_value *value, const char *what, int axis,
                               struct slice name)
{
    return FAIL(dimensions->error, STATUS_BAD_FILE,
                "%.200s: tensor '%.*s': dimension %d%s%.*s%s %s", dimensions->graph->source.path,
                shown(value->name), value->name.bytes, axis, name.size ? " ('" : "", shown(name),
                name.bytes, name.size ? "')" : "", what);
}

/* "sequence", or "input_ids:1" for one without a name. */
static size_t put_name(char *text, size_t size, struct slice name, struct slice input, int axis)
{
    const int length = name.size ? snprintf(text, size, "%.*s", shown(name), name.bytes)
                                 : snprintf(text, size, "%.*s:%d", shown(input), input.bytes, axis);
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
        char one[2 * SHOWN_LIMIT + 64];
        size_t length = put_name(one, sizeof one, open->name, input, open->axis);
        if (open->name.size)
            length += (size_t)snprintf(one + length, sizeof one - length, " (%.*s:%d%s)",
                                       shown(input), input.bytes, open->axis,
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

static enum status left_open(const struct onnx_dimensions *dimensions,
                             const struct onnx_value *value, int axis, struct slice name)
{
    char own[SHOWN_LIMIT + 32], all[DIMENSION_TEXT_SIZE] = "";
    put_name(own, sizeof own, name, value->name, axis);
    list_open(all, sizeof all, dimensions);
    shape_error(dimensions, value, "has no size", axis, name);
    return HINT(dimensions->error, STATUS_BAD_FILE,
                "set one: --dimension '%s=SIZE'; open dimensions: %s", own, all);
}

/* ---- open dimensions ---- */

/* The size given for a dimension, or NULL. */
static struct dimension_size *given_size(const struct onnx_graph *graph, struct slice name,
                                         const struct onnx_value *value, int axis)
{
    char own[SHOWN_LIMIT + 32];
    if (!graph->sizes)
        return NULL;
    if (name.size)
        return dimension_sizes_find(graph->sizes, name.bytes, name.size);
    return dimension_sizes_find(graph->sizes, own,
                                put_name(own, sizeof own, name, value->name, axis));
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

static enum status add_open(struct onnx_dimensions *dimensions, const struct onnx_value *input,
                            int rank, int axis, struct slice name)
{
    if (find_open(dimensions, name, input, axis))
        return STATUS_OK;
    if (dimensions->open_count == DIMENSION_LIMIT)
        return FAIL(dimensions->error, STATUS_BAD_FILE, "%.300s: more than %d dimensions are open",
                    dimensions->graph->source.path, DIMENSION_LIMIT);
    struct dimension_size *given = given_size(dimensions->graph, name, input, axis);
    dimensions->open[dimensions->open_count++] = (struct onnx_open){.name = name,
                                                                    .input = input,
                                                                    .axis = axis,
                                                                    .is_batch = axis == 0 &&
                                                                                rank > 1 && !given,
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

/* Where no first axis is: the only one left, if nothing but the batch can be meant. */
static void choose_batch(struct onnx_dimensions *dimensions)
{
    struct onnx_open *left = NULL;
    int left_count = 0;
    for (int i = 0; i < dimensions->open_count; i++) {
        struct onnx_open *open = &dimensions->open[i];
        if (open->is_batch)
            return;
        if (!open->given) {
            left_count++;
            left = open;
        }
    }
    if (left_count == 1 && (left->axis == 0 || has_recurrent(dimensions->graph)))
        left->is_batch = true;
}

/* ---- shapes ---- */

static enum status close_dimension(struct onnx_dimensions *dimensions, struct onnx_value *value,
                                   int axis, struct slice name)
{
    const struct onnx_open *open = find_open(dimensions, name, value, axis);
    struct dimension_size *given = open && open->given
                                       ? open->given
                                       : given_size(dimensions->graph, name, value, axis);
    if (given) {
        given->is_used = true;
        value->dims[axis] = given->size;
        return STATUS_OK;
    }
    if (open ? !open->is_batch : name.size || axis > 0)
        return left_open(dimensions, value, axis, name);
    dimensions->is_symbolic = true;
    value->dims[axis] = 1;
    return STATUS_OK;
}

enum status onnx_read_declared(struct onnx_dimensions *dimensions, struct onnx_value *value)
{
    struct slice names[ONNX_RANK_LIMIT];
    double count = 1;
    int rank;
    if (!onnx_type_read(&dimensions->graph->source, value->declared, &value->type, &rank,
                        value->dims, names)) {
        FAIL(dimensions->error, STATUS_BAD_FILE, "%.200s: tensor '%.*s' has no shape",
             dimensions->graph->source.path, shown(value->name), value->name.bytes);
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
    if (count > OPERATOR_COUNT_LIMIT)
        return shape_error(dimensions, value, "makes more than 2^42 elements", rank - 1,
                           names[rank - 1]);
    value->rank = rank;
    value->count = count;
    return STATUS_OK;
}

static bool is_read_input(const struct onnx_value *value)
{
    return value->producer < 0 && !value->is_constant && value->consumer_count > 0;
}

enum status onnx_read_inputs(struct onnx_dimensions *dimensions)
{
    struct onnx_graph *graph = dimensions->graph;
    for (int i = 0; i < graph->value_count; i++)
        if (is_read_input(&graph->values[i]))
            TRY(add_open_of(dimensions, &graph->values[i]));
    choose_batch(dimensions);
    if (graph->sizes)
        list_open(graph->sizes->open, sizeof graph->sizes->open, dimensions);
    for (int i = 0; i < graph->value_count; i++)
        if (is_read_input(&graph->values[i]))
            TRY(onnx_read_declared(dimensions, &graph->values[i]));
    return STATUS_OK;
}
