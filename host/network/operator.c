#include "network/operator.h"

#define COLUMN(member) .name = #member, .offset = offsetof(struct operator_work, member)

const struct operator_column operator_columns[OPERATOR_COLUMN_COUNT] = {
    {COLUMN(input_count), .help = "activation elements read, of one sample"},
    {COLUMN(output_count), .help = "elements of the outputs, of one sample"},
    {COLUMN(kept_count),
     .help = "elements that the backward pass reads beside the output's gradient"},
    {COLUMN(parameter_count), .help = "trained elements"},
    {COLUMN(parameter_reads), .help = "parameter elements read, once a batch"},
    {COLUMN(forward_flops), .help = "floating-point operations of one sample"},
    {COLUMN(backward_flops), .help = "the same of the backward pass"},
};
_Static_assert(sizeof(struct operator_work) == OPERATOR_COLUMN_COUNT * sizeof(double),
               "a member of struct operator_work has no column");

static void add_backward(struct cost *cost, const struct operator_work *work, double rows,
                         double element_bytes)
{
    cost->flops += rows * work->backward_flops;
    cost->bytes_read += element_bytes *
                        (rows * (work->output_count + work->kept_count) + work->parameter_reads);
    cost->bytes_written += element_bytes * (rows * work->input_count + work->parameter_count);
}

struct cost operator_cost(const struct operator_work *work, int32_t batch_size, int32_t pass,
                          int32_t optimizer, int32_t precision)
{
    const double rows = batch_size, element_bytes = precision_bytes(precision);
    const double tensors = rows * (work->input_count + work->output_count);
    struct cost cost = {
        .flops = rows * work->forward_flops,
        .bytes_read = element_bytes * (rows * work->input_count + work->parameter_reads),
        .bytes_written = element_bytes * rows * work->output_count,
        .parameter_count = (int64_t)work->parameter_count,
        .input_bytes = (int64_t)(element_bytes * rows * work->input_count),
        .activation_bytes = (int64_t)(element_bytes * rows * work->output_count),
        .memory_bytes = (int64_t)(element_bytes * (tensors + work->parameter_count)),
    };
    if (pass != PASS_TRAIN)
        return cost;
    add_backward(&cost, work, rows, element_bytes);
    cost_add_update(&cost, work->parameter_count, optimizer, element_bytes);
    cost.memory_bytes *= 2; /* every tensor has its gradient beside it */
    cost.memory_bytes += (int64_t)(4.0 * optimizer_state_count(optimizer) * work->parameter_count);
    return cost;
}
