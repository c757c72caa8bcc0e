#include "network/operator.h"

#include <math.h>
#include <string.h>

#define COLUMN(member) .name = #member, .offset = offsetof(struct operator_work, member)

const struct operator_column operator_columns[OPERATOR_COLUMN_COUNT] = {
    {COLUMN(input_count), .help = "activation elements read, of one sample"},
    {COLUMN(output_count), .help = "elements of the outputs, of one sample"},
    {COLUMN(kept_count),
     .help = "elements that the backward pass reads beside the output's gradient"},
    {COLUMN(parameter_count), .help = "trained elements"},
    {COLUMN(parameter_reads), .help = "parameter elements read per batch, as often as they are"},
    {COLUMN(forward_flops), .help = "floating-point operations of one sample"},
    {COLUMN(backward_flops), .help = "the same of the backward pass"},
};
_Static_assert(sizeof(struct operator_work) == OPERATOR_COLUMN_COUNT * sizeof(double),
               "a member of struct operator_work has no column");

double operator_limit(const struct operator_column *column)
{
    return strstr(column->name, "flops") ? OPERATOR_FLOPS_LIMIT : OPERATOR_COUNT_LIMIT;
}

/* ---- operators of which more is known than their counts ---- */

static const struct trait {
    const char *name;
    enum in_place in_place;
    bool keeps_inside; /* of kept_count, all beyond input and output is seen by nobody else */
    bool multiplies;   /* matrices, which its counts do not show */
} traits[] = {
    {"relu", .in_place = IN_PLACE_ALWAYS},
    {"clip", .in_place = IN_PLACE_ALWAYS},
    {"leaky_relu", .in_place = IN_PLACE_ALWAYS},
    {"add", .in_place = IN_PLACE_ALWAYS},
    {"sum", .in_place = IN_PLACE_ALWAYS},
    {"batch_normalization", .in_place = IN_PLACE_FORWARD},
    {"lstm", .keeps_inside = true, .multiplies = true}, /* gates and cells */
    {"gru", .keeps_inside = true, .multiplies = true},
    {"rnn", .keeps_inside = true, .multiplies = true},
    {"quantized_lstm", .keeps_inside = true, .multiplies = true},
    {"attention", .multiplies = true},
    {"quantized_attention", .multiplies = true},
    {"einsum", .multiplies = true},
};

static struct trait trait_of(const char *name)
{
    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++)
        if (strcmp(name, traits[i].name) == 0)
            return traits[i];
    return (struct trait){.name = name};
}

/* "conv_depthwise", "quantized_conv", but not "other_conv", of which nothing is known. */
static bool is_convolution(const char *name)
{
    static const char word[] = "conv";
    const size_t length = sizeof word - 1;
    const char *at = strncmp(name, "other_", strlen("other_")) == 0 ? NULL : strstr(name, word);
    for (; at; at = strstr(at + 1, word))
        if ((at == name || at[-1] == '_') && (at[length] == '_' || at[length] == '\0'))
            return true;
    return false;
}

/* ---- counts as a work ---- */

/* A product's backward pass is two products, each of which reads an operand of the first one and
 * the output's gradient: of all operators these alone keep just that. */
static bool is_product(const struct operator_work *counts)
{
    const double operands = counts->input_count + counts->output_count;
    return counts->backward_flops > 0 && fabs(counts->kept_count - operands) <= 1e-9 * operands;
}

/* The depth follows from the flops. One side is of parameters, or both are activations: the
 * outputs of the latter are then taken to be square, which leaves their number. */
static struct work_operation forward_product(const struct operator_work *counts, double rows)
{
    const double outputs = counts->output_count;
    const double depth = fmax(1, counts->backward_flops / (4 * outputs));
    const bool has_bias = counts->forward_flops > counts->backward_flops / 2;
    struct work_operation product = {.flops = rows * counts->forward_flops, .depth = depth};
    if (counts->parameter_reads > 0) {
        product.columns = fmax(1, counts->parameter_reads / (depth + has_bias));
        product.rows = fmax(1, rows * outputs / product.columns);
        return product;
    }
    const double side = 2 * depth * outputs / fmax(1, counts->input_count);
    product.rows = product.columns = fmax(1, fmin(side, sqrt(outputs)));
    product.batch = rows * outputs / (product.rows * product.columns);
    return product;
}

static void add_products(struct layer_work *work, const struct operator_work *counts, double rows)
{
    const struct work_operation forward = forward_product(counts, rows);
    struct work_operation data = forward, weights = forward;
    data.flops = weights.flops = rows * counts->backward_flops / 2;
    data.depth = weights.columns = forward.columns;
    data.columns = weights.rows = forward.depth;
    weights.depth = forward.rows;
    data.read = counts->parameter_reads - counts->parameter_count;
    work_product(work, WORK_FORWARD, forward);
    work_product(work, WORK_BACKWARD_DATA, data);
    work_product(work, WORK_BACKWARD_WEIGHTS, weights);
}

/* inside: kept elements, which are counted as read, not as written. */
static void add_streams(struct layer_work *work, const struct operator_work *counts, double rows,
                        double inside)
{
    const double reads = counts->parameter_reads - counts->parameter_count;
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = rows * counts->forward_flops});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = rows * counts->backward_flops,
                                        .read = rows * counts->kept_count - inside + reads,
                                        .written = counts->parameter_count - inside});
}

void operator_layer_work(struct layer_work *work, const struct operator_work *counts,
                         const char *name, int32_t batch_size)
{
    const struct trait trait = trait_of(name);
    const double rows = batch_size;
    const double inside = counts->kept_count - counts->input_count - counts->output_count;
    const double kept = trait.keeps_inside ? rows * fmax(0, inside) : 0;
    work_begin(work);
    work->in_place = trait.in_place;
    work->family = is_convolution(name) ? FAMILY_CONVOLUTION
                   : trait.multiplies   ? FAMILY_PRODUCT
                                        : FAMILY_STREAM;
    work_tensor(work, TENSOR_INPUT, "x", rows * counts->input_count);
    work_tensor(work, TENSOR_OUTPUT, "y", rows * counts->output_count);
    work_tensor(work, TENSOR_WEIGHTS, "parameters", counts->parameter_count);
    work_tensor(work, TENSOR_KEPT, "kept inside", kept);
    if (is_product(counts))
        add_products(work, counts, rows);
    else
        add_streams(work, counts, rows, kept);
    for (int i = 0; i < work->operation_count; i++) /* all tensors of parameters are not read */
        if (work->operations[i].phase == WORK_FORWARD)
            work->operations[i].read = counts->parameter_reads - counts->parameter_count;
}
