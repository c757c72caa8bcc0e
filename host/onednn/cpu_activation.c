/* The activation behind a layer: a step of its own on the layer's output, in place. */
#include "onednn/cpu_plan.h"

static const dnnl_alg_kind_t algorithms[ACTIVATION_COUNT] = {
    [ACTIVATION_RELU] = dnnl_eltwise_relu_use_dst_for_bwd,
    [ACTIVATION_TANH] = dnnl_eltwise_tanh_use_dst_for_bwd,
    [ACTIVATION_SIGMOID] = dnnl_eltwise_logistic_use_dst_for_bwd,
};

static enum status forward_descriptor(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                                      int32_t activation, struct error *error)
{
    const struct cpu_elementwise forward = {.pass = dnnl_forward_training,
                                            .algorithm = algorithms[activation],
                                            .output = plan->tensor[CPU_OUTPUT].layout};
    return cpu_check(plan, cpu_elementwise_descriptor(pd, &plan->device->target, &forward, NULL),
                     "activation forward", error);
}

enum status cpu_activation_forward(struct cpu_plan *plan, int32_t activation, struct error *error)
{
    if (activation == ACTIVATION_NONE)
        return STATUS_OK;
    dnnl_primitive_desc_t pd;
    TRY(forward_descriptor(&pd, plan, activation, error));
    const struct cpu_tensor *output = &plan->tensor[CPU_OUTPUT];
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, output}, {DNNL_ARG_DST, output}};
    enum status status = cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 2, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static enum status add_backward(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                int32_t activation, const_dnnl_primitive_desc_t forward,
                                struct error *error)
{
    const struct cpu_tensor *output = &plan->tensor[CPU_OUTPUT];
    const struct cpu_elementwise backward = {.pass = dnnl_backward_data,
                                             .algorithm = algorithms[activation],
                                             .output = output->layout,
                                             .gradient = gradient->layout};
    dnnl_primitive_desc_t pd;
    TRY(cpu_check(plan, cpu_elementwise_descriptor(&pd, &plan->device->target, &backward, forward),
                  "activation backward", error));
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_DST, output},
        {DNNL_ARG_DIFF_DST, &plan->tensor[CPU_OUTPUT_GRADIENT]},
        {DNNL_ARG_DIFF_SRC, gradient}};
    enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

enum status cpu_activation_backward(struct cpu_tensor *gradient, struct cpu_plan *plan,
                                    int32_t activation, struct error *error)
{
    const struct cpu_layout *layout = plan->tensor[CPU_OUTPUT].layout;
    struct cpu_tensor *output_gradient = &plan->tensor[CPU_OUTPUT_GRADIENT];
    TRY(cpu_operand_create(output_gradient, plan, layout, error));
    if (activation == ACTIVATION_NONE) {
        *gradient = *output_gradient;
        return STATUS_OK;
    }
    TRY(cpu_tensor_create(gradient, plan, layout, 0, error));
    return cpu_activation_backward_into(plan, gradient, activation, error);
}

enum status cpu_activation_backward_into(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                         int32_t activation, struct error *error)
{
    dnnl_primitive_desc_t forward;
    TRY(forward_descriptor(&forward, plan, activation, error));
    enum status status = add_backward(plan, gradient, activation, forward, error);
    dnnl_primitive_desc_destroy(forward);
    return status;
}
