/* pool2d with oneDNN. */
#include "onednn/cpu_plan.h"

struct geometry {
    dnnl_memory_desc_t input, output;
    dnnl_dims_t strides, kernel, pad_before, pad_after;
    dnnl_alg_kind_t algorithm;
};

static enum status geometry_of(struct geometry *geometry, struct cpu_plan *plan,
                               const struct cpu_plan *input, struct error *error)
{
    const struct layer_config *config = &plan->config;
    const struct pool2d *p = &config->as.pool2d;
    struct window window = window_of(p->image_size, p->kernel_size, p->stride, p->padding);
    const dnnl_dim_t output[] = {config->batch_size, p->channels, window.output_size,
                                 window.output_size};
    *geometry = (struct geometry){
        .output = cpu_desc(4, output, true),
        .strides = {p->stride, p->stride},
        .kernel = {p->kernel_size, p->kernel_size},
        .pad_before = {window.pad_before, window.pad_before},
        .pad_after = {window.pad_after, window.pad_after},
        .algorithm = p->pooling == POOLING_MAX ? dnnl_pooling_max
                                               : dnnl_pooling_avg_exclude_padding,
    };
    return cpu_image_desc(&geometry->input, plan, input, p->channels, p->image_size, error);
}

static enum status forward_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                              const struct geometry *g, struct error *error)
{
    dnnl_prop_kind_t kind = plan->config.pass == PASS_TRAIN ? dnnl_forward_training
                                                            : dnnl_forward_inference;
    dnnl_pooling_desc_t desc;
    DNNL_TRY(plan, error,
             dnnl_pooling_forward_desc_init(&desc, kind, g->algorithm, &g->input, &g->output,
                                            g->strides, g->kernel, g->pad_before, g->pad_after));
    return cpu_check(
        plan,
        dnnl_primitive_desc_create(pd, &desc, plan->device->attributes, plan->device->engine, NULL),
        "pooling forward", error);
}

/* Max pooling keeps which cell won in a workspace. */
static enum status add_forward(struct cpu_tensor *workspace, struct cpu_plan *plan,
                               const_dnnl_primitive_desc_t pd, struct cpu_plan *input,
                               struct error *error)
{
    struct cpu_tensor *tensor = plan->tensor;
    cpu_plan_name(plan, pd);
    TRY(cpu_input(plan, input, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0), error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan,
                          dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0), 0, error));
    const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(pd, dnnl_query_workspace_md, 0);
    if (desc && dnnl_memory_desc_get_size(desc))
        TRY(cpu_tensor_create(workspace, plan, desc, 0, error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]},
                                             {DNNL_ARG_WORKSPACE, workspace}};
    return cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 3, error);
}

static enum status backward_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                               const struct geometry *g, const_dnnl_primitive_desc_t forward,
                               struct error *error)
{
    dnnl_pooling_desc_t desc;
    DNNL_TRY(plan, error,
             dnnl_pooling_backward_desc_init(&desc, g->algorithm, &plan->tensor[CPU_INPUT].desc,
                                             &plan->tensor[CPU_OUTPUT].desc, g->strides, g->kernel,
                                             g->pad_before, g->pad_after));
    return cpu_check(plan,
                     dnnl_primitive_desc_create(pd, &desc, plan->device->attributes,
                                                plan->device->engine, forward),
                     "pooling backward", error);
}

static enum status add_training(struct cpu_plan *plan, const struct geometry *geometry,
                                const_dnnl_primitive_desc_t forward,
                                const struct cpu_tensor *workspace, struct cpu_plan *input,
                                struct error *error)
{
    struct cpu_tensor gradient;
    dnnl_primitive_desc_t pd;
    TRY(cpu_activation_backward(&gradient, plan, plan->config.as.pool2d.activation, error));
    TRY(cpu_input_gradient(plan, input, &plan->tensor[CPU_INPUT].desc, error));
    TRY(backward_pd(&pd, plan, geometry, forward, error));
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_DIFF_DST, &gradient},
        {DNNL_ARG_WORKSPACE, workspace},
        {DNNL_ARG_DIFF_SRC, &plan->tensor[CPU_INPUT_GRADIENT]}};
    enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    TRY(status);
    return cpu_input_gradient_deliver(plan, input, error);
}

static enum status fill_plan(struct cpu_plan *plan, struct cpu_plan *input, struct error *error)
{
    struct geometry geometry;
    struct cpu_tensor workspace = {0};
    dnnl_primitive_desc_t forward;
    TRY(geometry_of(&geometry, plan, input, error));
    TRY(forward_pd(&forward, plan, &geometry, error));
    enum status status = add_forward(&workspace, plan, forward, input, error);
    if (status == STATUS_OK)
        status = cpu_activation_forward(plan, plan->config.as.pool2d.activation, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_training(plan, &geometry, forward, &workspace, input, error);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    struct cpu_plan *plan;
    *out = NULL;
    TRY(cpu_plan_create(&plan, device, config, outcome, error));
    return cpu_plan_finish(out, plan,
                           fill_plan(plan, (struct cpu_plan *)producer_of(inputs, 0), error));
}

const struct bench cpu_bench_pool2d = {
    .prepare = prepare, .enqueue = cpu_plan_enqueue, .release = cpu_plan_release};
