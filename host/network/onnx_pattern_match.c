/* Patterns as texts: whether one ends in a node. */
#include "network/onnx_pattern.h"

#include "network/onnx_operators.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts with a name ---- */

static const struct part {
    const char *name, *text;
} parts[] = {
    {"square", "Pow($1, 2)"},
    {"square", "Mul($1, $1)"},
    {"cube", "Pow($1, 3)"},
    {"cube", "Mul(square($1), $1)"},
    {"root", "Sqrt($1)"},
    {"root", "Pow($1, 0.5)"},
    {"by_root", "Reciprocal(root($1))"},
    {"by_root", "Div(1, root($1))"},
    {"by_root", "Pow($1, -0.5)"},
    {"product", "Mul(Mul($1, $2), $3)"},
    {"product", "Mul(Mul($1, $3), $2)"},
    {"product", "Mul(Mul($2, $3), $1)"},
    /* norms */
    {"centred", "Sub($1, ReduceMean($1))"},
    {"variance", "Add(ReduceMean(square(centred($1))), e)"},
    {"normalised", "Div(centred($1), root(variance($1)))"},
    {"normalised", "Mul(centred($1), by_root(variance($1)))"},
    {"deviation", "Mul(by_root(variance($1)), w)"},
    {"mean_square", "Add(ReduceMean(square($1)), e)"},
    {"by_rms", "Mul($1, by_root(mean_square($1)))"},
    {"by_rms", "Div($1, root(mean_square($1)))"},
    /* shapes */
    {"row_axis", "Unsqueeze($1, s)"},
    {"row_axis", "Unsqueeze($1)"}, /* an attribute before operator set 13 */
    /* activations */
    {"erf_gate", "Add(Erf(Div($1, 1.414214)), 1)"},
    {"erf_gate", "Add(Erf(Mul($1, 0.707107)), 1)"},
    {"tanh_gate", "Add(Tanh(Mul(cubic($1), 0.797885)), 1)"},
    {"tanh_gate", "Add(Tanh(product($1, 0.797885, Add(quadratic($1), 1))), 1)"},
    {"cubic", "Add($1, Mul(cube($1), 0.044715))"},
    {"cubic", "Add($1, Mul(quadratic($1), $1))"},
    {"quadratic", "product($1, $1, 0.044715)"},
    {"quadratic", "Mul(Pow($1, 2), 0.044715)"},
    {"relu6", "Clip($1, min=0, max=6)"},
    {"relu6", "Min(Relu($1), 6)"},
    {"hard_gate", "Div(relu6(Add($1, 3)), 6)"},
    {"hard_gate", "Mul(relu6(Add($1, 3)), 0.166667)"},
    {"hard_gate", "HardSigmoid($1, alpha=0.166667, beta=0.5?)"},
};

/* ---- reading a text ---- */

enum { ARGUMENT_LIMIT = 4 };

/* The arguments of a part, which are texts of the frame around it. */
struct frame {
    const char *arguments[ARGUMENT_LIMIT];
    const struct frame *outer;
};

static size_t word_length(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

/* Past a term: its comma, its bracket or the end. */
static const char *skip_term(const char *text)
{
    int depth = 0;
    for (; *text && (depth > 0 || (*text != ',' && *text != ')')); text++)
        depth += (*text == '(') - (*text == ')');
    return text;
}

/* The terms in the brackets that follow the word. */
static int read_arguments(const char *arguments[ARGUMENT_LIMIT], const char *text)
{
    int count = 0;
    text += word_length(text);
    while (*text == '(' || *text == ',') {
        text += 1 + strspn(text + 1, " ");
        if (count < ARGUMENT_LIMIT)
            arguments[count++] = text;
        text = skip_term(text);
    }
    return count;
}

/* ---- tensors ---- */

struct matching {
    struct onnx_graph *graph;
    struct onnx_found found;
    struct onnx_bound bound;
};

static bool match(struct matching *matching, int value, const char *text,
                  const struct frame *frame);

/* A constant number. */
static bool read_number(const struct onnx_graph *graph, int value, double *number)
{
    const struct onnx_value *tensor = value < 0 ? NULL : &graph->values[value];
    if (!tensor || !tensor->is_constant || !tensor->folded || tensor->count != 1)
        return false;
    *number = tensor->folded[0];
    return true;
}

/* To the digits that 16 bits hold. */
static bool is_close(double number, double wanted)
{
    return fabs(number - wanted) <= 1.5e-3 * fabs(wanted);
}

/* All of them are known, and this number. */
static bool is_filled(const struct onnx_value *tensor, double number)
{
    if (!tensor->is_constant || !tensor->folded)
        return false;
    for (int i = 0; i < (int)tensor->count; i++)
        if (tensor->folded[i] != number)
            return false;
    return true;
}

/* Whether a letter may stand for the tensor. */
static bool is_allowed(const struct onnx_graph *graph, char letter, int value)
{
    double number;
    if (letter == 'e')
        return read_number(graph, value, &number) && number > 0 && number <= 0.1;
    if (letter == 'w' || letter == 'b')
        return graph->values[value].is_constant;
    if (letter == 'o' || letter == 'z')
        return is_filled(&graph->values[value], letter == 'o');
    if (letter == 's' || letter == 't' || letter == 'u')
        return true;
    return !graph->values[value].is_constant;
}

static bool match_letter(struct matching *matching, int value, char letter)
{
    int *bound = &matching->bound.values[letter - 'a'];
    if (letter == 'e' || *bound < 0) {
        if (!is_allowed(matching->graph, letter, value))
            return false;
        *bound = value;
    }
    return *bound == value;
}

/* ---- nodes ---- */

static bool is_mean_of_last_axis(const struct onnx_call *call)
{
    bool is_reduced[ONNX_RANK_LIMIT];
    const struct onnx_value *input = onnx_input(call, 0);
    if (!input || input->rank < 1 || !onnx_integer(call, "keepdims", 1) ||
        onnx_reduced_axes(call, is_reduced) != STATUS_OK)
        return false;
    for (int axis = 0; axis < input->rank; axis++)
        if (is_reduced[axis] != (axis == input->rank - 1))
            return false;
    return true;
}

/* "alpha=0.5": of an attribute, or of input i. */
static bool match_attribute(const struct matching *matching, const struct onnx_call *call,
                            const char *text, int i)
{
    char name[16];
    char *end;
    const size_t length = word_length(text);
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    const double wanted = strtod(text + length + 1, &end);
    double number;
    if (onnx_has_attribute(call, name))
        return is_close(onnx_number(call, name, NAN), wanted);
    if (*end == '?')
        return true;
    return i < call->node->input_count &&
           read_number(matching->graph, matching->graph->links[call->node->first + i], &number) &&
           is_close(number, wanted);
}

static bool match_inputs(struct matching *matching, struct onnx_node *node,
                         const char *const *arguments, int count, bool is_turned,
                         const struct frame *frame)
{
    const struct onnx_call call = {matching->graph, node, NULL};
    for (int i = 0; i < count; i++) {
        const int place = is_turned ? count - 1 - i : i;
        const bool is_attribute = arguments[i][word_length(arguments[i])] == '=';
        if (is_attribute && !match_attribute(matching, &call, arguments[i], i))
            return false;
        if (is_attribute)
            continue;
        if (place >= node->input_count ||
            !match(matching, matching->graph->links[node->first + place], arguments[i], frame))
            return false;
    }
    return true;
}

static bool add_node(struct onnx_found *found, int node)
{
    for (int i = 0; i < found->node_count; i++)
        if (found->nodes[i] == node)
            return true;
    if (found->node_count == ONNX_FOUND_NODES)
        return false;
    found->nodes[found->node_count++] = node;
    return true;
}

/* In the order of the text, or, of sums and products, in the other one. */
static bool match_node(struct matching *matching, int index, const char *text,
                       const struct frame *frame)
{
    struct onnx_node *node = &matching->graph->nodes[index];
    const struct onnx_call call = {matching->graph, node, NULL};
    const size_t length = word_length(text);
    const char *arguments[ARGUMENT_LIMIT];
    const bool is_mean = slice_equals(node->op_type, "ReduceMean");
    if (!node->known || node->is_constant || node->pattern || node->domain.size > 0 ||
        node->op_type.size != length || memcmp(node->op_type.bytes, text, length) != 0)
        return false;
    const int count = read_arguments(arguments, text);
    if ((!is_mean && node->input_count > count) || (is_mean && !is_mean_of_last_axis(&call)) ||
        !add_node(&matching->found, index))
        return false;
    const struct matching before = *matching;
    if (match_inputs(matching, node, arguments, count, false, frame))
        return true;
    *matching = before;
    return (slice_equals(node->op_type, "Add") || slice_equals(node->op_type, "Mul")) &&
           match_inputs(matching, node, arguments, count, true, frame);
}

/* The node that gives a tensor, behind casts. */
static bool match_producer(struct matching *matching, int value, const char *text,
                           const struct frame *frame)
{
    const struct onnx_graph *graph = matching->graph;
    int producer = graph->values[value].producer;
    while (producer >= 0 && !graph->nodes[producer].is_constant &&
           graph->nodes[producer].input_count > 0 &&
           slice_equals(graph->nodes[producer].op_type, "Cast")) {
        if (!add_node(&matching->found, producer))
            return false;
        producer = graph->values[graph->links[graph->nodes[producer].first]].producer;
    }
    return producer >= 0 && match_node(matching, producer, text, frame);
}

/* ---- terms ---- */

static bool match_parts(struct matching *matching, int value, int node, const char *text,
                        const struct frame *frame);

/* Of a tensor, or where value is -1 of a node. */
static bool match_term(struct matching *matching, int value, int node, const char *text,
                       const struct frame *frame)
{
    if (islower((unsigned char)*text))
        return match_parts(matching, value, node, text, frame);
    return value < 0 ? match_node(matching, node, text, frame)
                     : match_producer(matching, value, text, frame);
}

static bool match_parts(struct matching *matching, int value, int node, const char *text,
                        const struct frame *frame)
{
    const size_t length = word_length(text);
    const struct matching before = *matching;
    struct frame inner = {.outer = frame};
    read_arguments(inner.arguments, text);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strlen(parts[i].name) != length || memcmp(parts[i].name, text, length) != 0)
            continue;
        if (match_term(matching, value, node, parts[i].text, &inner))
            return true;
        *matching = before;
    }
    return false;
}

static bool match(struct matching *matching, int value, const char *text, const struct frame *frame)
{
    double number;
    if (value < 0)
        return false;
    while (*text == '$') {
        text = frame->arguments[text[1] - '1'];
        frame = frame->outer;
    }
    if (isdigit((unsigned char)*text) || *text == '-')
        return read_number(matching->graph, value, &number) && is_close(number, strtod(text, NULL));
    if (islower((unsigned char)*text) && word_length(text) == 1)
        return match_letter(matching, value, *text);
    return match_term(matching, value, -1, text, frame);
}

bool onnx_pattern_match(struct onnx_found *found, struct onnx_bound *bound,
                        struct onnx_graph *graph, int node, const char *pattern)
{
    struct matching matching = {.graph = graph, .found = *found};
    memset(matching.bound.values, 0xff, sizeof matching.bound.values); /* all -1 */
    matching.found.node_count = 0;
    if (!match_term(&matching, -1, node, pattern, NULL))
        return false;
    *found = matching.found;
    *bound = matching.bound;
    return true;
}
