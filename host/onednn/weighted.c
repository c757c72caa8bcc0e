/* Layers with weights: one order of work for dense and conv2d. Weights live in the layout that the
 * forward primitive chose; where a backward primitive wants another, a reorder runs each step, as
 * it would in a framework that uses this library.
 */
#include "onednn/cpu_plan.h"

#include <math.h>

enum { GROUPED_RANK = 5 }; /* groups come first */

/* He et al. 2015: keeps activations of the same size from layer to layer, so that a deep network
 * neither overflows nor sinks into denormals. Uniform noise in (-a, a) has variance a^2 / 3. */
static float weights_amplitude(const struct cpu_layout *weights)
{
    const dnnl_dim_t *dimensions = cpu_layout_dimensions(weights);
    const int rank = cpu_layout_rank(weights);
    double inputs = 1;
    for (int i = rank == GROUPED_RANK ? 2 : 1; i < rank; i++)
        inputs *= (double)dimensions[i];
    return (float)sqrt(6 / inputs);
}

/* The weights of a single layer that nobody updates need no tuned size, and no filling. */
static enum status create_weights(struct cpu_plan *plan, const struct cpu_layout *layout,
                                  bool is_linked, struct error *error)
{
    struct cpu_tensor *weights = &plan->tensor[CPU_WEIGHTS];
    if (!is_linked && plan->config.optimizer == OPTIMIZER_NONE)
        return cpu_operand_create(weights, plan, layout, error);
    return cpu_tensor_create(weights, plan, layout, weights_amplitude(layout), error);
}

static enum status add_forward(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd, bool use_bias,
                               struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor *tensor = plan->tensor;
    const struct cpu_layout *weights = cpu_layout_of(pd, dnnl_query_weights_md, 0);
    cpu_plan_name(plan, pd);
    TRY(cpu_input(plan, inputs, 0, cpu_layout_of(pd, dnnl_query_src_md, 0), error));
    TRY(create_weights(plan, weights, producer_of(inputs, 0) != NULL, error));
    if (use_bias)
        TRY(cpu_tensor_create(&tensor[CPU_BIAS], plan, cpu_layout_of(pd, dnnl_query_weights_md, 1),
                              0.1f, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, cpu_layout_of(pd, dnnl_query_dst_md, 0), 0,
                          error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_WEIGHTS, &tensor[CPU_WEIGHTS]},
                                             {DNNL_ARG_BIAS, &tensor[CPU_BIAS]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]}};
    return cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 4, error);
}

static enum status add_backward_data(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd,
                                     const struct cpu_tensor *gradient, struct plan *const *inputs,
                                     struct error *error)
{
    struct cpu_tensor weights, output_gradient;
    TRY(cpu_adapt(&weights, plan, PHASE_BACKWARD, &plan->tensor[CPU_WEIGHTS],
                  cpu_layout_of(pd, dnnl_query_weights_md, 0), error));
    TRY(cpu_adapt(&output_gradient, plan, PHASE_BACKWARD, gradient,
                  cpu_layout_of(pd, dnnl_query_diff_dst_md, 0), error));
    TRY(cpu_input_gradient(plan, inputs, 0, cpu_layout_of(pd, dnnl_query_diff_src_md, 0), error));
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_DIFF_DST, &output_gradient},
        {DNNL_ARG_WEIGHTS, &weights},
        {DNNL_ARG_DIFF_SRC, &plan->tensor[CPU_INPUT_GRADIENT]}};
    TRY(cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error));
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

/* The weights' gradient ends in the layout of what the update changes: that of fp32 weights, or its
 * own, which the master copy of 16-bit weights takes. */
static enum status settle_weights_gradient(struct cpu_plan *plan, const struct cpu_tensor *raw,
                                           struct error *error)
{
    const struct cpu_layout *weights = plan->tensor[CPU_WEIGHTS].layout;
    const bool is_narrow = cpu_layout_type(weights) != dnnl_f32;
    return cpu_adapt(&plan->tensor[CPU_WEIGHTS_GRADIENT], plan, PHASE_BACKWARD, raw,
                     is_narrow ? raw->layout : weights, error);
}

static enum status add_backward_weights(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd,
                                        const struct cpu_tensor *gradient,
                                        struct plan *const *inputs, struct error *error)
{
    (void)inputs;
    struct cpu_tensor source, output_gradient, raw;
    struct cpu_tensor *bias_gradient = &plan->tensor[CPU_BIAS_GRADIENT];
    TRY(cpu_adapt(&source, plan, PHASE_BACKWARD, &plan->tensor[CPU_INPUT],
                  cpu_layout_of(pd, dnnl_query_src_md, 0), error));
    TRY(cpu_adapt(&output_gradient, plan, PHASE_BACKWARD, gradient,
                  cpu_layout_of(pd, dnnl_query_diff_dst_md, 0), error));
    TRY(cpu_tensor_create(&raw, plan, cpu_layout_of(pd, dnnl_query_diff_weights_md, 0), 0, error));
    if (plan->tensor[CPU_BIAS].memory)
        TRY(cpu_tensor_create(bias_gradient, plan, cpu_layout_of(pd, dnnl_query_diff_weights_md, 1),
                              0, error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &source},
                                             {DNNL_ARG_DIFF_DST, &output_gradient},
                                             {DNNL_ARG_DIFF_WEIGHTS, &raw},
                                             {DNNL_ARG_DIFF_BIAS, bias_gradient}};
    TRY(cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 4, error));
    return settle_weights_gradient(plan, &raw, error);
}

typedef enum status add_pass(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd,
                             const struct cpu_tensor *gradient, struct plan *const *inputs,
                             struct error *error);

static enum status add_backward(struct cpu_plan *plan, dnnl_prop_kind_t pass,
                                cpu_create_pd *create_pd, add_pass *add,
                                const_dnnl_primitive_desc_t forward,
                                const struct cpu_tensor *gradient, struct plan *const *inputs,
                                struct error *error)
{
    dnnl_primitive_desc_t pd;
    TRY(create_pd(&pd, plan, pass, forward, error));
    enum status status = add(plan, pd, gradient, inputs, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static enum status add_training(struct cpu_plan *plan, cpu_create_pd *create_pd,
                                const_dnnl_primitive_desc_t forward, int32_t activation,
                                struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor gradient;
    TRY(cpu_activation_backward(&gradient, plan, activation, error));
    TRY(add_backward(plan, dnnl_backward_data, create_pd, add_backward_data, forward, &gradient,
                     inputs, error));
    TRY(add_backward(plan, dnnl_backward_weights, create_pd, add_backward_weights, forward,
                     &gradient, inputs, error));
    return cpu_updates_add(plan, error);
}

enum status cpu_weighted_fill(struct cpu_plan *plan, int32_t activation, bool use_bias,
                              cpu_create_pd *create_pd, struct plan *const *inputs,
                              struct error *error)
{
    dnnl_primitive_desc_t forward = NULL;
    enum status status = create_pd(&forward, plan, cpu_forward_kind(plan), NULL, error);
    if (status == STATUS_OK)
        status = add_forward(plan, forward, use_bias, inputs, error);
    if (status == STATUS_OK)
        status = cpu_activation_forward(plan, activation, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_training(plan, create_pd, forward, activation, inputs, error);
    if (forward)
        dnnl_primitive_desc_destroy(forward);
    return status;
}
