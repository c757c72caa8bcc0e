/* Einsum: "bnd,dhk->bnhk". A letter is an axis; '...' are the axes in front that broadcast. */
#include "network/onnx_product.h"

#include <ctype.h>
#include <string.h>

/* TERM: operands, and the result. LABEL: letters of both cases, then the axes of '...'. */
enum { TERM_LIMIT = 16, LETTER_COUNT = 52, LABEL_COUNT = LETTER_COUNT + ONNX_RANK_LIMIT };

struct equation {
    struct term {
        int labels[ONNX_RANK_LIMIT], rank;
    } terms[TERM_LIMIT + 1];
    int term_count; /* operands; the result stands behind them */
    int64_t size[LABEL_COUNT];
};

static int letter_label(char letter)
{
    return isupper((unsigned char)letter) ? letter - 'A' : letter - 'a' + 26;
}

/* One term; '...' stands for `open` axes, aligned at their end. False: not of that form. */
static bool read_term(struct term *term, struct slice text, int open)
{
    term->rank = 0;
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char byte = (unsigned char)text.bytes[i];
        const bool is_open = i + 2 < text.size && memcmp(text.bytes + i, "...", 3) == 0;
        const int added = is_open ? open : isalpha(byte) ? 1 : 0;
        if (byte == ' ')
            continue;
        if ((!is_open && !isalpha(byte)) || open < 0 || term->rank + added > ONNX_RANK_LIMIT)
            return false;
        for (int k = 0; k < added; k++)
            term->labels[term->rank++] = is_open ? LABEL_COUNT - added + k
                                                 : letter_label((char)byte);
        i += is_open ? 2 : 0;
    }
    return true;
}

static int letter_count(struct slice text)
{
    int count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += isalpha((unsigned char)text.bytes[i]) != 0;
    return count;
}

static enum status read_operand(struct equation *equation, const struct onnx_call *call,
                                struct slice text)
{
    struct onnx_value *input;
    if (equation->term_count == TERM_LIMIT)
        return onnx_fail(call, "its equation has more than %d operands", TERM_LIMIT);
    TRY(onnx_need_input(call, equation->term_count, &input));
    struct term *term = &equation->terms[equation->term_count++];
    if (!read_term(term, text, input->rank - letter_count(text)) || term->rank != input->rank)
        return onnx_fail(call, "operand %d of its equation does not have %d axes",
                         equation->term_count - 1, input->rank);
    for (int axis = 0; axis < term->rank; axis++) {
        int64_t *size = &equation->size[term->labels[axis]];
        const int64_t own = input->dims[axis];
        if (*size > 1 && own > 1 && *size != own)
            return onnx_fail(call, "shapes do not fit: %lld against %lld", (long long)*size,
                             (long long)own);
        *size = *size > 1 || own < 0 ? *size : own;
    }
    return STATUS_OK;
}

/* Without "->": the axes of '...', then the letters that stand once, in alphabetic order. */
static void imply_result(struct equation *equation)
{
    struct term *result = &equation->terms[equation->term_count];
    int seen[LABEL_COUNT] = {0};
    for (int i = 0; i < equation->term_count; i++)
        for (int axis = 0; axis < equation->terms[i].rank; axis++)
            seen[equation->terms[i].labels[axis]]++;
    result->rank = 0;
    for (int label = LETTER_COUNT; label < LABEL_COUNT; label++)
        if (seen[label] && result->rank < ONNX_RANK_LIMIT)
            result->labels[result->rank++] = label;
    for (int label = 0; label < LETTER_COUNT; label++)
        if (seen[label] == 1 && result->rank < ONNX_RANK_LIMIT)
            result->labels[result->rank++] = label;
}

static int open_axes(const struct equation *equation)
{
    int count = 0;
    for (int label = LETTER_COUNT; label < LABEL_COUNT; label++)
        count += equation->size[label] >= 0;
    return count;
}

static enum status read_equation(struct equation *equation, const struct onnx_call *call)
{
    const struct slice text = onnx_text(call, "equation");
    const char *arrow = memmem(text.bytes, text.size, "->", 2);
    const char *at = text.bytes, *end = arrow ? arrow : text.bytes + text.size;
    equation->term_count = 0;
    for (int label = 0; label < LABEL_COUNT; label++)
        equation->size[label] = -1; /* not there */
    while (at <= end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        TRY(read_operand(equation, call, (struct slice){at, (size_t)(stop - at)}));
        at = stop + 1;
    }
    if (!arrow) {
        imply_result(equation);
        return STATUS_OK;
    }
    const struct slice result = {arrow + 2, (size_t)(text.bytes + text.size - arrow - 2)};
    struct term *term = &equation->terms[equation->term_count];
    if (!read_term(term, result, open_axes(equation)))
        return onnx_fail(call, "its equation's result is not a list of axes");
    for (int axis = 0; axis < term->rank; axis++)
        if (equation->size[term->labels[axis]] < 0)
            return onnx_fail(call, "its result has an axis that no operand has");
    return STATUS_OK;
}

enum status onnx_shape_einsum(const struct onnx_call *call)
{
    struct equation equation;
    int64_t dims[ONNX_RANK_LIMIT];
    TRY(read_equation(&equation, call));
    const struct term *result = &equation.terms[equation.term_count];
    for (int axis = 0; axis < result->rank; axis++)
        dims[axis] = equation.size[result->labels[axis]];
    return onnx_set_output(call, 0, onnx_input(call, 0)->type, result->rank, dims);
}

int onnx_einsum_axis(const struct onnx_call *call, int input, int axis)
{
    struct equation equation;
    if (read_equation(&equation, call) != STATUS_OK || input >= equation.term_count ||
        axis >= equation.terms[input].rank)
        return ONNX_MIXED;
    const struct term *result = &equation.terms[equation.term_count];
    for (int i = 0; i < result->rank; i++)
        if (result->labels[i] == equation.terms[input].labels[axis])
            return i;
    return ONNX_MIXED;
}

/* ---- work ---- */

static uint64_t labels_of(const struct term *term)
{
    uint64_t labels = 0;
    for (int axis = 0; axis < term->rank; axis++)
        labels |= UINT64_C(1) << term->labels[axis];
    return labels;
}

static double product(const struct equation *equation, uint64_t labels)
{
    double count = 1;
    for (int label = 0; label < LABEL_COUNT; label++)
        if (labels >> label & 1)
            count *= (double)equation->size[label];
    return count;
}

/* Multiply-adds of one operand after the other; axes that nothing later has are summed up. */
static double multiply_adds(const struct equation *equation)
{
    uint64_t joined = labels_of(&equation->terms[0]);
    double count = 0;
    for (int i = 1; i < equation->term_count; i++) {
        uint64_t later = 0;
        for (int k = i + 1; k <= equation->term_count; k++)
            later |= labels_of(&equation->terms[k]);
        joined |= labels_of(&equation->terms[i]);
        count += product(equation, joined);
        joined &= later;
    }
    return count;
}

static bool has_repeats(const struct term *term)
{
    return __builtin_popcountll(labels_of(term)) != term->rank;
}

/* Axes of both operands are matrices where the result has them, else summed; each other axis is of
 * one operand and the result. The axes may stand in any order: a library moves them first. */
bool onnx_einsum_product(struct onnx_product *out, const struct onnx_call *call)
{
    struct equation equation;
    if (read_equation(&equation, call) != STATUS_OK || equation.term_count != 2)
        return false;
    const struct term *terms = equation.terms;
    const uint64_t left = labels_of(&terms[0]), right = labels_of(&terms[1]);
    const uint64_t result = labels_of(&terms[2]), shared = left & right;
    const int axis = onnx_output(call, 0)->batch_axis;
    const bool is_apart = call->graph->batch == 1 || axis == ONNX_UNBATCHED ||
                          (axis >= 0 && shared >> terms[2].labels[axis] & 1);
    if ((left ^ right) & ~result || !(shared & ~result) || !is_apart || has_repeats(&terms[0]) ||
        has_repeats(&terms[1]))
        return false;
    *out = (struct onnx_product){.matrices = product(&equation, shared & result),
                                 .rows = product(&equation, left & ~right),
                                 .depth = product(&equation, shared & ~result),
                                 .columns = product(&equation, right & ~left),
                                 .is_right_transposed = shared & ~result &
                                                        UINT64_C(1)
                                                            << terms[1].labels[terms[1].rank - 1]};
    return true;
}

/* One operand alone is moved or summed. */
enum status onnx_emit_einsum(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct equation equation;
    struct network_layer *layer;
    TRY(read_equation(&equation, call));
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    struct operator_work *work = &layer->work;
    work->forward_flops = equation.term_count == 1
                              ? work->input_count
                              : 2 * multiply_adds(&equation) /
                                    onnx_samples(call->graph, onnx_output(call, 0));
    work->backward_flops = 2 * work->forward_flops;
    work->kept_count = work->input_count;
    return STATUS_OK;
}
