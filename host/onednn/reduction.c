/* reduction with loops of our own: oneDNN 2.6 reduces the last axes alone with vectors, and tells
 * nobody which element was the largest.
 */
#include "onednn/stream_loops.h"

#include <stdio.h>

static bool has_winners(const struct reduction *of)
{
    return of->reduce == REDUCE_MAX || of->reduce == REDUCE_MIN;
}

static enum status take_winners(struct cpu_tensor *winners, struct cpu_plan *plan,
                                struct error *error)
{
    const struct reduction *of = &plan->config.as.reduction;
    const dnnl_dim_t count = (dnnl_dim_t)plan->config.batch_size * of->outer * of->inner;
    const struct cpu_layout *layout;
    if (!has_winners(of) || plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    TRY(cpu_plain_layout(&layout, plan, 1, &count, dnnl_s32, error));
    return cpu_tensor_create(winners, plan, layout, 0, error);
}

static enum status add_forward(struct cpu_plan *plan, const struct cpu_tensor *winners,
                               struct error *error)
{
    static const enum cpu_reduce reduces[REDUCE_COUNT] = {[REDUCE_MEAN] = CPU_REDUCE_SUM,
                                                          [REDUCE_SUM] = CPU_REDUCE_SUM,
                                                          [REDUCE_MAX] = CPU_REDUCE_MAX,
                                                          [REDUCE_MIN] = CPU_REDUCE_MIN,
                                                          [REDUCE_NORM] = CPU_REDUCE_SQUARES};
    const struct reduction *of = &plan->config.as.reduction;
    struct cpu_tensor x, y, *output = &plan->tensor[CPU_OUTPUT];
    TRY(cpu_widen(&x, plan, PHASE_FORWARD, &plan->tensor[CPU_INPUT], error));
    TRY(cpu_widen_result(&y, plan, output, error));
    const struct cpu_reduction reduction = {
        .reduce = reduces[of->reduce],
        .outer = (int64_t)plan->config.batch_size * of->outer,
        .length = of->length,
        .inner = of->inner,
        .factor = of->reduce == REDUCE_MEAN ? 1.0f / (float)of->length : 1,
        .is_root = of->reduce == REDUCE_NORM,
        .y = y.data,
        .winners = winners->data,
        .x = x.data};
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "reduction_loop");
    TRY(cpu_reduction_add(plan, PHASE_FORWARD, &reduction, error));
    return cpu_narrow_result(plan, PHASE_FORWARD, &y, output, error);
}

/* The results' gradient, of a norm over the norm, for each element along the axis; a norm's times
 * the element. */
static enum status add_spread(struct cpu_plan *plan, float *to, const float *gradient,
                              struct error *error)
{
    const struct reduction *of = &plan->config.as.reduction;
    const int64_t outer = (int64_t)plan->config.batch_size * of->outer;
    const struct cpu_repeated results = {1, 1, outer * of->inner, .inner_step = 1};
    struct cpu_tensor x, norm, share;
    struct cpu_broadcast spread = {
        .map = CPU_MAP_SPREAD,
        .shape = {outer, of->length, of->inner, .outer_step = of->inner, .inner_step = 1},
        .factor = of->reduce == REDUCE_MEAN ? 1.0f / (float)of->length : 1,
        .y = to,
        .s = gradient};
    if (of->inner == 1) /* rows of one value */
        spread.shape = (struct cpu_repeated){1, outer, of->length, .middle_step = 1};
    if (of->reduce != REDUCE_NORM)
        return cpu_broadcast_add(plan, PHASE_BACKWARD, &spread, error);
    TRY(cpu_widen(&x, plan, PHASE_BACKWARD, &plan->tensor[CPU_INPUT], error));
    TRY(cpu_widen(&norm, plan, PHASE_BACKWARD, &plan->tensor[CPU_OUTPUT], error));
    TRY(cpu_tensor_create(&share, plan, norm.layout, 0, error));
    const struct cpu_broadcast quotient = {
        .map = CPU_MAP_DIVIDE, .shape = results, .y = share.data, .x = gradient, .s = norm.data};
    TRY(cpu_broadcast_add(plan, PHASE_BACKWARD, &quotient, error));
    spread.map = CPU_MAP_MULTIPLY;
    spread.x = x.data;
    spread.s = share.data;
    return cpu_broadcast_add(plan, PHASE_BACKWARD, &spread, error);
}

static enum status add_gradient(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                const struct cpu_tensor *winners, struct error *error)
{
    const struct reduction *of = &plan->config.as.reduction;
    struct cpu_tensor from, to, *input_gradient = &plan->tensor[CPU_INPUT_GRADIENT];
    TRY(cpu_widen(&from, plan, PHASE_BACKWARD, gradient, error));
    TRY(cpu_widen_result(&to, plan, input_gradient, error));
    const struct cpu_scatter scatter = {.outer = (int64_t)plan->config.batch_size * of->outer,
                                        .length = of->length,
                                        .inner = of->inner,
                                        .y = to.data,
                                        .s = from.data,
                                        .winners = winners->data};
    TRY(has_winners(of) ? cpu_scatter_add(plan, PHASE_BACKWARD, &scatter, error)
                        : add_spread(plan, to.data, from.data, error));
    return cpu_narrow_result(plan, PHASE_BACKWARD, &to, input_gradient, error);
}

enum status cpu_fill_reduction(struct cpu_plan *plan, struct plan *const *inputs,
                               struct error *error)
{
    const struct reduction *of = &plan->config.as.reduction;
    const dnnl_dim_t results = (dnnl_dim_t)of->outer * of->inner, rows = plan->config.batch_size;
    const struct cpu_layout *input, *output;
    struct cpu_tensor winners = {.data = NULL}, gradient;
    TRY(cpu_plain_layout(&input, plan, 2, (const dnnl_dim_t[]){rows, results * of->length},
                         cpu_storage(plan), error));
    TRY(cpu_plain_layout(&output, plan, 2, (const dnnl_dim_t[]){rows, results}, cpu_storage(plan),
                         error));
    TRY(cpu_input(plan, inputs, 0, input, error));
    TRY(cpu_tensor_create(&plan->tensor[CPU_OUTPUT], plan, output, 0, error));
    TRY(take_winners(&winners, plan, error));
    TRY(add_forward(plan, &winners, error));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, input, error));
    TRY(add_gradient(plan, &gradient, &winners, error));
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}
