/* pool2d with oneDNN. */
#include "onednn/cpu_plan.h"

static enum status describe(struct cpu_pooling *pooling, struct cpu_plan *plan,
                            struct plan *const *inputs, struct error *error)
{
    const struct layer_config *config = &plan->config;
    const struct pool2d *p = &config->as.pool2d;
    const struct window window = window_of(p->image_size, p->kernel_size, p->stride, p->padding);
    const dnnl_dim_t output[] = {config->batch_size, p->channels, window.output_size,
                                 window.output_size};
    *pooling = (struct cpu_pooling){
        .pass = cpu_forward_kind(plan),
        .algorithm = p->pooling == POOLING_MAX ? dnnl_pooling_max
                                               : dnnl_pooling_avg_exclude_padding,
        .strides = {p->stride, p->stride},
        .kernel = {p->kernel_size, p->kernel_size},
        .pad_before = {window.pad_before, window.pad_before},
        .pad_after = {window.pad_after, window.pad_after},
    };
    TRY(cpu_any_layout(&pooling->output, plan, 4, output, cpu_storage(plan), error));
    return cpu_image_layout(&pooling->input, plan, cpu_producer(inputs, 0), p->channels,
                            p->image_size, error);
}

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                             const struct cpu_pooling *pooling, const_dnnl_primitive_desc_t forward,
                             struct error *error)
{
    return cpu_check(plan, cpu_pooling_descriptor(pd, &plan->device->target, pooling, forward),
                     "pooling", error);
}

/* Max pooling keeps which cell won in a workspace. */
static enum status add_forward(struct cpu_tensor *workspace, struct cpu_plan *plan,
                               const_dnnl_primitive_desc_t pd, struct plan *const *inputs,
                               struct error *error)
{
    struct cpu_tensor *tensor = plan->tensor;
    cpu_plan_name(plan, pd);
    TRY(cpu_input(plan, inputs, 0, cpu_layout_of(pd, dnnl_query_src_md, 0), error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, cpu_layout_of(pd, dnnl_query_dst_md, 0), 0,
                          error));
    const struct cpu_layout *kept = cpu_layout_of(pd, dnnl_query_workspace_md, 0);
    if (cpu_layout_bytes(kept) > 0)
        TRY(cpu_tensor_create(workspace, plan, kept, 0, error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]},
                                             {DNNL_ARG_WORKSPACE, workspace}};
    return cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 3, error);
}

/* In the layouts that the forward pass has. */
static enum status add_training(struct cpu_plan *plan, const struct cpu_pooling *forward_pooling,
                                const_dnnl_primitive_desc_t forward,
                                const struct cpu_tensor *workspace, struct plan *const *inputs,
                                struct error *error)
{
    struct cpu_tensor gradient;
    struct cpu_pooling backward = *forward_pooling;
    dnnl_primitive_desc_t pd;
    backward.pass = dnnl_backward_data;
    backward.input = plan->tensor[CPU_INPUT].layout;
    backward.output = plan->tensor[CPU_OUTPUT].layout;
    TRY(cpu_activation_backward(&gradient, plan, plan->config.as.pool2d.activation, error));
    TRY(cpu_input_gradient(plan, inputs, 0, backward.input, error));
    TRY(create_pd(&pd, plan, &backward, forward, error));
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_DIFF_DST, &gradient},
        {DNNL_ARG_WORKSPACE, workspace},
        {DNNL_ARG_DIFF_SRC, &plan->tensor[CPU_INPUT_GRADIENT]}};
    enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    TRY(status);
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

enum status cpu_fill_pool2d(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    struct cpu_pooling pooling;
    struct cpu_tensor workspace = {0};
    dnnl_primitive_desc_t forward;
    TRY(describe(&pooling, plan, inputs, error));
    TRY(create_pd(&forward, plan, &pooling, NULL, error));
    enum status status = add_forward(&workspace, plan, forward, inputs, error);
    if (status == STATUS_OK)
        status = cpu_activation_forward(plan, plan->config.as.pool2d.activation, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_training(plan, &pooling, forward, &workspace, inputs, error);
    dnnl_primitive_desc_destroy(forward);
    return status;
}
