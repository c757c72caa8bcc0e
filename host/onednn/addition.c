/* addition with oneDNN: the sum takes shape and layout of the first tensor, the second one is
 * reordered where it has another. The gradient of the sum is that of both inputs: the activation's
 * gradient goes straight to the first producer, without an activation that is where the consumer
 * writes it to. The second producer reads noise of its own (bench/backend.h).
 */
#include "onednn/cpu_plan.h"

static enum status add_sum(struct cpu_plan *plan, const struct cpu_layout *layout,
                           struct error *error)
{
    dnnl_primitive_desc_t pd;
    struct cpu_tensor *tensor = plan->tensor;
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, layout, 0, error));
    DNNL_TRY(plan, error, cpu_sum_descriptor(&pd, &plan->device->target, layout));
    cpu_plan_name(plan, pd);
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC_0, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_SRC_1, &tensor[CPU_INPUT + 1]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]}};
    enum status status = cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* Without an activation the output's gradient is the input's, the same memory. */
static enum status add_gradient(struct cpu_plan *plan, struct plan *const *inputs,
                                struct error *error)
{
    const int32_t activation = plan->config.as.addition.activation;
    const struct cpu_layout *layout = plan->tensor[CPU_OUTPUT].layout;
    struct cpu_tensor *output_gradient = &plan->tensor[CPU_OUTPUT_GRADIENT];
    struct cpu_tensor *gradient = &plan->tensor[CPU_INPUT_GRADIENT];
    TRY(cpu_input_gradient(plan, inputs, 0, layout, error));
    if (activation == ACTIVATION_NONE)
        return cpu_tensor_view(output_gradient, plan, layout, gradient->data, error);
    TRY(cpu_operand_create(output_gradient, plan, layout, error));
    return cpu_activation_backward_into(plan, gradient, activation, error);
}

static enum status fill_plan(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    const struct cpu_layout *layout;
    TRY(cpu_stream_layout(&layout, plan, inputs, plan->config.as.addition.elements, error));
    TRY(cpu_input(plan, inputs, 0, layout, error));
    TRY(cpu_input(plan, inputs, 1, layout, error));
    TRY(add_sum(plan, layout, error));
    TRY(cpu_activation_forward(plan, plan->config.as.addition.activation, error));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    TRY(add_gradient(plan, inputs, error));
    TRY(cpu_input_gradient_deliver(plan, inputs, 0, error));
    return cpu_shared_gradient_deliver(plan, inputs, 1, error);
}

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    struct cpu_plan *plan;
    *out = NULL;
    TRY(cpu_plan_create(&plan, device, config, outcome, error));
    return cpu_plan_finish(out, plan, fill_plan(plan, inputs, error));
}

const struct bench cpu_bench_addition = {
    .prepare = prepare,
    .enqueue = cpu_plan_enqueue,
    .replicate = cpu_plan_replicate,
    .release = cpu_plan_release,
    .read = cpu_plan_read_elements,
};
