/* binary: two tensors of one shape with oneDNN, a repeated second operand with loops of our own
 * (oneDNN 2.6 takes most of these shapes element by element). Equal shapes take the layout of the
 * first tensor, the second one is reordered where it has another. The gradient of a sum is that of
 * its first operand, and of the second one of the same shape: the activation's gradient goes
 * straight to the first producer, without an activation that is where the consumer writes it to.
 */
#include "onednn/stream_loops.h"

#include <stdio.h>

static const struct operation {
    dnnl_alg_kind_t algorithm;
    enum cpu_map map;
} operations[BINARY_COUNT] = {
    [BINARY_ADD] = {dnnl_binary_add, CPU_MAP_ADD},
    [BINARY_MULTIPLY] = {dnnl_binary_mul, CPU_MAP_MULTIPLY},
    [BINARY_SUBTRACT] = {dnnl_binary_sub, CPU_MAP_SUBTRACT},
    [BINARY_DIVIDE] = {dnnl_binary_div, CPU_MAP_DIVIDE},
};

static bool is_sum(const struct cpu_plan *plan)
{
    const int32_t operation = plan->config.as.binary.operation;
    return operation == BINARY_ADD || operation == BINARY_SUBTRACT;
}

static bool is_repeated(const struct cpu_plan *plan)
{
    const struct binary *of = &plan->config.as.binary;
    return of->repeats > 1 || of->second != SECOND_INPUT;
}

static const struct cpu_tensor *second_operand(const struct cpu_plan *plan)
{
    const bool is_weights = plan->config.as.binary.second == SECOND_WEIGHTS;
    return &plan->tensor[is_weights ? CPU_WEIGHTS : CPU_INPUT + 1];
}

/* ---- one shape ---- */

static enum status add_primitive(struct cpu_plan *plan, int phase, const struct cpu_tensor *to,
                                 const struct cpu_tensor *a, const struct cpu_tensor *b,
                                 struct error *error)
{
    const dnnl_alg_kind_t algorithm = operations[plan->config.as.binary.operation].algorithm;
    dnnl_primitive_desc_t pd;
    DNNL_TRY(plan, error, cpu_binary_descriptor(&pd, &plan->device->target, algorithm, to->layout));
    if (phase == PHASE_FORWARD)
        cpu_plan_name(plan, pd);
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, to}};
    const enum status status = cpu_step_add(plan, phase, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static enum status add_negation(struct cpu_plan *plan, const struct cpu_tensor *to,
                                const struct cpu_tensor *from, struct error *error)
{
    const struct cpu_elementwise negation = {.pass = dnnl_forward_inference,
                                             .algorithm = dnnl_eltwise_linear,
                                             .alpha = -1,
                                             .output = to->layout};
    dnnl_primitive_desc_t pd;
    DNNL_TRY(plan, error, cpu_elementwise_descriptor(&pd, &plan->device->target, &negation, NULL));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}};
    const enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 2, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* ---- a repeated operand ---- */

/* The first operand's elements, and where the second's are. */
static struct cpu_repeated shape_of(const struct cpu_plan *plan)
{
    const struct binary *of = &plan->config.as.binary;
    const int64_t rows = plan->config.batch_size;
    const int64_t row_step = of->second == SECOND_INPUT ? of->elements : 0;
    if (of->broadcast == BROADCAST_INNER || of->elements == 1)
        return (struct cpu_repeated){.outer = rows,
                                     .middle = of->elements,
                                     .inner = of->repeats,
                                     .outer_step = row_step,
                                     .middle_step = 1};
    return (struct cpu_repeated){.outer = rows,
                                 .middle = of->repeats,
                                 .inner = of->elements,
                                 .outer_step = row_step,
                                 .inner_step = 1};
}

/* to = a with the second operand: forward, and the first operand's gradient. */
static enum status add_loop(struct cpu_plan *plan, int phase, const struct cpu_tensor *to,
                            const struct cpu_tensor *a, struct error *error)
{
    struct cpu_tensor wide, first, second;
    TRY(cpu_widen(&first, plan, phase, a, error));
    TRY(cpu_widen(&second, plan, phase, second_operand(plan), error));
    TRY(cpu_widen_result(&wide, plan, to, error));
    const struct cpu_broadcast broadcast = {.map = operations[plan->config.as.binary.operation].map,
                                            .shape = shape_of(plan),
                                            .y = wide.data,
                                            .x = first.data,
                                            .s = second.data};
    TRY(cpu_broadcast_add(plan, phase, &broadcast, error));
    return cpu_narrow_result(plan, phase, &wide, to, error);
}

/* Sums over the repetitions, (rows, elements) where the rows have operands of their own. */
static enum status add_sums(struct cpu_plan *plan, float *to, const float *gradient,
                            const float *first, struct error *error)
{
    const struct binary *of = &plan->config.as.binary;
    const bool is_shared = of->second != SECOND_INPUT;
    const bool is_inner = of->broadcast == BROADCAST_INNER || of->elements == 1;
    const int64_t rows = plan->config.batch_size, elements = of->elements;
    struct cpu_reduction sum = {.reduce = is_sum(plan) ? CPU_REDUCE_SUM : CPU_REDUCE_PRODUCTS,
                                .outer = is_inner    ? rows * elements
                                         : is_shared ? 1
                                                     : rows,
                                .length = !is_inner && is_shared ? rows * of->repeats : of->repeats,
                                .inner = is_inner ? 1 : elements,
                                .factor = of->operation == BINARY_SUBTRACT ? -1 : 1,
                                .y = to,
                                .x = gradient,
                                .by = is_sum(plan) ? NULL : first};
    if (!is_inner || !is_shared || rows == 1)
        return cpu_reduction_add(plan, PHASE_BACKWARD, &sum, error);
    const dnnl_dim_t count = rows * elements;
    const struct cpu_layout *layout;
    struct cpu_tensor of_rows;
    TRY(cpu_plain_layout(&layout, plan, 1, &count, dnnl_f32, error));
    TRY(cpu_tensor_create(&of_rows, plan, layout, 0, error));
    sum.y = of_rows.data;
    TRY(cpu_reduction_add(plan, PHASE_BACKWARD, &sum, error));
    const struct cpu_reduction over_rows = {.reduce = CPU_REDUCE_SUM,
                                            .outer = 1,
                                            .length = rows,
                                            .inner = elements,
                                            .factor = 1,
                                            .y = to,
                                            .x = of_rows.data};
    return cpu_reduction_add(plan, PHASE_BACKWARD, &over_rows, error);
}

/* ---- gradients ---- */

/* A divisor's: of one shape from both operands, else from what add_sums left. */
static enum status add_divisor_gradient(struct cpu_plan *plan, const struct cpu_tensor *to,
                                        const struct cpu_tensor *gradient, struct error *error)
{
    struct cpu_tensor wide, x, a, b;
    TRY(cpu_widen(&b, plan, PHASE_BACKWARD, second_operand(plan), error));
    TRY(cpu_widen(&a, plan, PHASE_BACKWARD, &plan->tensor[CPU_INPUT], error));
    TRY(cpu_widen(&x, plan, PHASE_BACKWARD, gradient, error));
    TRY(cpu_widen_result(&wide, plan, to, error));
    const int64_t count = (int64_t)(cpu_layout_bytes(wide.layout) / sizeof(float));
    if (is_repeated(plan)) {
        TRY(add_sums(plan, wide.data, x.data, a.data, error));
        TRY(cpu_quotient_gradient_add(plan, PHASE_BACKWARD, wide.data, wide.data, NULL, b.data,
                                      count, error));
    } else {
        TRY(cpu_quotient_gradient_add(plan, PHASE_BACKWARD, wide.data, x.data, a.data, b.data,
                                      count, error));
    }
    return cpu_narrow_result(plan, PHASE_BACKWARD, &wide, to, error);
}

static enum status add_second_sums(struct cpu_plan *plan, const struct cpu_tensor *to,
                                   const struct cpu_tensor *gradient, struct error *error)
{
    struct cpu_tensor wide, x, a = {.data = NULL};
    TRY(cpu_widen(&x, plan, PHASE_BACKWARD, gradient, error));
    if (!is_sum(plan))
        TRY(cpu_widen(&a, plan, PHASE_BACKWARD, &plan->tensor[CPU_INPUT], error));
    TRY(cpu_widen_result(&wide, plan, to, error));
    TRY(add_sums(plan, wide.data, x.data, a.data, error));
    return cpu_narrow_result(plan, PHASE_BACKWARD, &wide, to, error);
}

static enum status add_second_gradient(struct cpu_plan *plan, const struct cpu_tensor *to,
                                       const struct cpu_tensor *gradient, struct error *error)
{
    const int32_t operation = plan->config.as.binary.operation;
    if (operation == BINARY_DIVIDE)
        return add_divisor_gradient(plan, to, gradient, error);
    if (is_repeated(plan))
        return add_second_sums(plan, to, gradient, error);
    if (operation == BINARY_SUBTRACT)
        return add_negation(plan, to, gradient, error);
    return add_primitive(plan, PHASE_BACKWARD, to, gradient, &plan->tensor[CPU_INPUT], error);
}

/* Of a sum: without an activation the output's gradient is the input's, the same memory. */
static enum status add_sum_gradient(struct cpu_tensor *gradient, struct cpu_plan *plan,
                                    struct plan *const *inputs, struct error *error)
{
    const int32_t activation = plan->config.as.binary.activation;
    const struct cpu_layout *layout = plan->tensor[CPU_OUTPUT].layout;
    struct cpu_tensor *output_gradient = &plan->tensor[CPU_OUTPUT_GRADIENT];
    TRY(cpu_input_gradient(plan, inputs, 0, layout, error));
    *gradient = plan->tensor[CPU_INPUT_GRADIENT];
    if (activation == ACTIVATION_NONE)
        return cpu_tensor_view(output_gradient, plan, layout, gradient->data, error);
    TRY(cpu_operand_create(output_gradient, plan, layout, error));
    return cpu_activation_backward_into(plan, gradient, activation, error);
}

static enum status add_product_gradient(struct cpu_tensor *gradient, struct cpu_plan *plan,
                                        struct plan *const *inputs, struct error *error)
{
    const struct cpu_tensor *to = &plan->tensor[CPU_INPUT_GRADIENT];
    TRY(cpu_activation_backward(gradient, plan, plan->config.as.binary.activation, error));
    TRY(cpu_input_gradient(plan, inputs, 0, plan->tensor[CPU_OUTPUT].layout, error));
    return is_repeated(plan)
               ? add_loop(plan, PHASE_BACKWARD, to, gradient, error)
               : add_primitive(plan, PHASE_BACKWARD, to, gradient, second_operand(plan), error);
}

static enum status add_weights_gradient(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                        struct error *error)
{
    const dnnl_dim_t elements = plan->config.as.binary.elements;
    const struct cpu_layout *layout;
    TRY(cpu_plain_layout(&layout, plan, 1, &elements, dnnl_f32, error));
    TRY(cpu_tensor_create(&plan->tensor[CPU_WEIGHTS_GRADIENT], plan, layout, 0, error));
    TRY(add_second_gradient(plan, &plan->tensor[CPU_WEIGHTS_GRADIENT], gradient, error));
    return cpu_updates_add(plan, error);
}

static enum status add_backward(struct cpu_plan *plan, struct plan *const *inputs,
                                struct error *error)
{
    const struct binary *of = &plan->config.as.binary;
    const bool is_shared_gradient = of->operation == BINARY_ADD && !is_repeated(plan);
    struct cpu_tensor gradient;
    TRY(is_sum(plan) ? add_sum_gradient(&gradient, plan, inputs, error)
                     : add_product_gradient(&gradient, plan, inputs, error));
    if (of->second == SECOND_INPUT && !is_shared_gradient) {
        TRY(cpu_input_gradient(plan, inputs, 1, plan->tensor[CPU_INPUT + 1].layout, error));
        TRY(add_second_gradient(plan, &plan->tensor[CPU_INPUT_GRADIENT + 1], &gradient, error));
    }
    TRY(cpu_input_gradient_deliver(plan, inputs, 0, error));
    if (of->second == SECOND_WEIGHTS)
        return add_weights_gradient(plan, &gradient, error);
    if (of->second == SECOND_CONSTANT)
        return STATUS_OK;
    return is_shared_gradient ? cpu_shared_gradient_deliver(plan, inputs, 1, error)
                              : cpu_input_gradient_deliver(plan, inputs, 1, error);
}

/* ---- plans ---- */

static enum status add_repeated_operands(struct cpu_plan *plan, struct plan *const *inputs,
                                         struct error *error)
{
    const struct binary *of = &plan->config.as.binary;
    const dnnl_dim_t first[] = {plan->config.batch_size, (dnnl_dim_t)of->elements * of->repeats};
    const dnnl_dim_t second[] = {plan->config.batch_size, of->elements}, shared = of->elements;
    const struct cpu_layout *layout;
    TRY(cpu_plain_layout(&layout, plan, 2, first, cpu_storage(plan), error));
    TRY(cpu_input(plan, inputs, 0, layout, error));
    if (of->second == SECOND_INPUT)
        TRY(cpu_plain_layout(&layout, plan, 2, second, cpu_storage(plan), error));
    else
        TRY(cpu_plain_layout(&layout, plan, 1, &shared, cpu_storage(plan), error));
    return of->second == SECOND_WEIGHTS
               ? cpu_tensor_create(&plan->tensor[CPU_WEIGHTS], plan, layout, 1, error)
               : cpu_input(plan, inputs, 1, layout, error);
}

/* Padding of a blocked layout is zero: a quotient there would not be. */
static enum status add_equal_operands(struct cpu_plan *plan, struct plan *const *inputs,
                                      struct error *error)
{
    const struct binary *of = &plan->config.as.binary;
    const dnnl_dim_t plain[] = {plan->config.batch_size, of->elements};
    const struct cpu_layout *layout;
    if (of->operation == BINARY_DIVIDE)
        TRY(cpu_plain_layout(&layout, plan, 2, plain, cpu_storage(plan), error));
    else
        TRY(cpu_stream_layout(&layout, plan, inputs, of->elements, error));
    TRY(cpu_input(plan, inputs, 0, layout, error));
    return cpu_input(plan, inputs, 1, layout, error);
}

static enum status add_forward(struct cpu_plan *plan, struct plan *const *inputs,
                               struct error *error)
{
    struct cpu_tensor *output = &plan->tensor[CPU_OUTPUT], *input = &plan->tensor[CPU_INPUT];
    TRY(is_repeated(plan) ? add_repeated_operands(plan, inputs, error)
                          : add_equal_operands(plan, inputs, error));
    TRY(cpu_tensor_create(output, plan, input->layout, 0, error));
    if (!is_repeated(plan))
        return add_primitive(plan, PHASE_FORWARD, output, input, second_operand(plan), error);
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "broadcast_loop");
    return add_loop(plan, PHASE_FORWARD, output, input, error);
}

enum status cpu_fill_binary(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    TRY(add_forward(plan, inputs, error));
    TRY(cpu_activation_forward(plan, plan->config.as.binary.activation, error));
    return plan->config.pass == PASS_TRAIN ? add_backward(plan, inputs, error) : STATUS_OK;
}
