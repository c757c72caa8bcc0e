/* activation with oneDNN, in the layout that the producer writes. Out of place: a timed call that
 * wrote over its input would find another input the next time.
 */
#include "layers/function.h"
#include "onednn/cpu_plan.h"

/* Of two algorithms, the one whose backward pass reads what function.h says is kept. */
static const struct algorithm {
    dnnl_alg_kind_t name;
    float alpha, beta;
} algorithms[FUNCTION_COUNT] = {
    [FUNCTION_RELU] = {dnnl_eltwise_relu_use_dst_for_bwd, 0, 0},
    [FUNCTION_LEAKY_RELU] = {dnnl_eltwise_relu_use_dst_for_bwd, 0.01f, 0},
    [FUNCTION_RELU6] = {dnnl_eltwise_clip_v2_use_dst_for_bwd, 0, 6},
    [FUNCTION_GELU] = {dnnl_eltwise_gelu_erf, 0, 0},
    [FUNCTION_GELU_TANH] = {dnnl_eltwise_gelu_tanh, 0, 0},
    [FUNCTION_QUICK_GELU] = {dnnl_eltwise_swish, 1.702f, 0},
    [FUNCTION_SILU] = {dnnl_eltwise_swish, 1, 0},
    [FUNCTION_TANH] = {dnnl_eltwise_tanh_use_dst_for_bwd, 0, 0},
    [FUNCTION_SIGMOID] = {dnnl_eltwise_logistic_use_dst_for_bwd, 0, 0},
    [FUNCTION_EXP] = {dnnl_eltwise_exp_use_dst_for_bwd, 0, 0},
    [FUNCTION_HARD_SWISH] = {dnnl_eltwise_hardswish, 1.0f / 6, 0.5f},
    [FUNCTION_SOFTPLUS] = {dnnl_eltwise_soft_relu, 1, 0},
    [FUNCTION_ELU] = {dnnl_eltwise_elu_use_dst_for_bwd, 1, 0},
    [FUNCTION_MISH] = {dnnl_eltwise_mish, 0, 0},
};

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                             dnnl_prop_kind_t pass, const_dnnl_primitive_desc_t forward,
                             struct error *error)
{
    const struct algorithm *algorithm = &algorithms[plan->config.as.activation.function];
    const struct cpu_layout *layout = plan->tensor[CPU_INPUT].layout;
    const struct cpu_elementwise elementwise = {.pass = pass,
                                                .algorithm = algorithm->name,
                                                .alpha = algorithm->alpha,
                                                .beta = algorithm->beta,
                                                .output = layout,
                                                .gradient = layout};
    return cpu_check(plan,
                     cpu_elementwise_descriptor(pd, &plan->device->target, &elementwise, forward),
                     "elementwise", error);
}

static enum status add_forward(struct cpu_plan *plan, const_dnnl_primitive_desc_t forward,
                               struct error *error)
{
    struct cpu_tensor *tensor = plan->tensor;
    cpu_plan_name(plan, forward);
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, tensor[CPU_INPUT].layout, 0, error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]}};
    return cpu_step_add(plan, PHASE_FORWARD, forward, arguments, 2, error);
}

static enum status add_backward(struct cpu_plan *plan, const_dnnl_primitive_desc_t forward,
                                struct plan *const *inputs, struct error *error)
{
    const bool keeps_output = function_traits_of(plan->config.as.activation.function)->keeps_output;
    struct cpu_tensor gradient, *tensor = plan->tensor;
    dnnl_primitive_desc_t pd;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, tensor[CPU_INPUT].layout, error));
    TRY(create_pd(&pd, plan, dnnl_backward_data, forward, error));
    const struct cpu_argument arguments[] = {{keeps_output ? DNNL_ARG_DST : DNNL_ARG_SRC,
                                              &tensor[keeps_output ? CPU_OUTPUT : CPU_INPUT]},
                                             {DNNL_ARG_DIFF_DST, &gradient},
                                             {DNNL_ARG_DIFF_SRC, &tensor[CPU_INPUT_GRADIENT]}};
    enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    TRY(status);
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

enum status cpu_fill_activation(struct cpu_plan *plan, struct plan *const *inputs,
                                struct error *error)
{
    const struct cpu_layout *layout;
    dnnl_primitive_desc_t forward;
    TRY(cpu_stream_layout(&layout, plan, inputs, plan->config.as.activation.elements, error));
    TRY(cpu_input(plan, inputs, 0, layout, error));
    TRY(create_pd(&forward, plan, cpu_forward_kind(plan), NULL, error));
    enum status status = add_forward(plan, forward, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_backward(plan, forward, inputs, error);
    dnnl_primitive_desc_destroy(forward);
    return status;
}
