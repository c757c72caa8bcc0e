/* batch_norm with oneDNN: forward with given statistics (frameworks' inference), train with those
 * of the batch. A relu is part of the library's primitive where that can do it, any other
 * activation a step of its own. Running statistics, a few numbers per channel, are not kept.
 */
#include "onednn/cpu_plan.h"

static const float epsilon = 1e-5f;

struct primitives {
    const struct cpu_layout *image;
    bool has_relu; /* the primitives contain the activation */
    dnnl_primitive_desc_t forward, backward;
};

static void destroy(struct primitives *primitives)
{
    if (primitives->forward)
        dnnl_primitive_desc_destroy(primitives->forward);
    if (primitives->backward)
        dnnl_primitive_desc_destroy(primitives->backward);
    primitives->forward = primitives->backward = NULL;
}

static dnnl_status_t create(struct primitives *primitives, const struct cpu_plan *plan,
                            bool has_relu)
{
    const struct cpu_target *target = &plan->device->target;
    struct cpu_batch_normalization norm = {.pass = cpu_forward_kind(plan),
                                           .image = primitives->image,
                                           .epsilon = epsilon,
                                           .has_relu = has_relu,
                                           .has_given_statistics = plan->config.pass != PASS_TRAIN};
    primitives->has_relu = has_relu;
    dnnl_status_t status = cpu_batch_normalization_descriptor(&primitives->forward, target, &norm,
                                                              NULL);
    if (status != dnnl_success || plan->config.pass != PASS_TRAIN)
        return status;
    norm.pass = dnnl_backward;
    return cpu_batch_normalization_descriptor(&primitives->backward, target, &norm,
                                              primitives->forward);
}

static enum status choose(struct primitives *primitives, struct cpu_plan *plan,
                          struct plan *const *inputs, struct error *error)
{
    const struct batch_norm *norm = &plan->config.as.batch_norm;
    *primitives = (struct primitives){.has_relu = norm->activation == ACTIVATION_RELU};
    TRY(cpu_image_layout(&primitives->image, plan, cpu_producer(inputs, 0), norm->channels,
                         norm->image_size, error));
    dnnl_status_t status = create(primitives, plan, primitives->has_relu);
    if (status == dnnl_unimplemented && primitives->has_relu) {
        destroy(primitives);
        status = create(primitives, plan, false);
    }
    return cpu_check(plan, status, "batch normalization", error);
}

/* fp32 noise around `centre`: variances and scales must not change sign, nor images their size. */
static enum status add_channels(struct cpu_tensor *tensor, struct cpu_plan *plan, float centre,
                                float amplitude, struct error *error)
{
    const dnnl_dim_t channels = plan->config.as.batch_norm.channels;
    const struct cpu_layout *layout;
    TRY(cpu_plain_layout(&layout, plan, 1, &channels, dnnl_f32, error));
    TRY(cpu_tensor_create(tensor, plan, layout, amplitude, error));
    float *values = tensor->data;
    for (dnnl_dim_t i = 0; i < channels; i++)
        values[i] += centre;
    return STATUS_OK;
}

/* The workspace keeps which outputs a relu let pass. */
static enum status add_forward(struct cpu_tensor *workspace, struct cpu_plan *plan,
                               const struct primitives *primitives, struct plan *const *inputs,
                               struct error *error)
{
    struct cpu_tensor scales, shifts, *tensor = plan->tensor;
    const_dnnl_primitive_desc_t pd = primitives->forward;
    const struct cpu_layout *kept = cpu_layout_of(pd, dnnl_query_workspace_md, 0);
    cpu_plan_name(plan, pd);
    TRY(cpu_input(plan, inputs, 0, primitives->image, error));
    TRY(cpu_scales_shifts_add(plan, plan->config.as.batch_norm.channels, error));
    TRY(cpu_scales_shifts_view(&scales, &shifts, plan, &tensor[CPU_WEIGHTS], error));
    TRY(add_channels(&tensor[CPU_MEAN], plan, 0, 0.1f, error));
    TRY(add_channels(&tensor[CPU_VARIANCE], plan, 1, 0.5f, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, cpu_layout_of(pd, dnnl_query_dst_md, 0), 0,
                          error));
    if (cpu_layout_bytes(kept) > 0)
        TRY(cpu_tensor_create(workspace, plan, kept, 0, error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_SCALE, &scales},
                                             {DNNL_ARG_SHIFT, &shifts},
                                             {DNNL_ARG_MEAN, &tensor[CPU_MEAN]},
                                             {DNNL_ARG_VARIANCE, &tensor[CPU_VARIANCE]},
                                             {DNNL_ARG_WORKSPACE, workspace},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]}};
    return cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 7, error);
}

static enum status add_backward(struct cpu_plan *plan, const struct primitives *primitives,
                                const struct cpu_tensor *workspace,
                                const struct cpu_tensor *gradient, struct plan *const *inputs,
                                struct error *error)
{
    struct cpu_tensor scales, shifts, scales_gradient, shifts_gradient, *tensor = plan->tensor;
    TRY(cpu_input_gradient(plan, inputs, 0, primitives->image, error));
    TRY(cpu_scales_shifts_create(&tensor[CPU_WEIGHTS_GRADIENT], plan,
                                 plan->config.as.batch_norm.channels, 0, error));
    TRY(cpu_scales_shifts_view(&scales, &shifts, plan, &tensor[CPU_WEIGHTS], error));
    TRY(cpu_scales_shifts_view(&scales_gradient, &shifts_gradient, plan,
                               &tensor[CPU_WEIGHTS_GRADIENT], error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_SCALE, &scales},
                                             {cpu_backward_shift_argument, &shifts},
                                             {DNNL_ARG_MEAN, &tensor[CPU_MEAN]},
                                             {DNNL_ARG_VARIANCE, &tensor[CPU_VARIANCE]},
                                             {DNNL_ARG_WORKSPACE, workspace},
                                             {DNNL_ARG_DIFF_DST, gradient},
                                             {DNNL_ARG_DIFF_SRC, &tensor[CPU_INPUT_GRADIENT]},
                                             {DNNL_ARG_DIFF_SCALE, &scales_gradient},
                                             {DNNL_ARG_DIFF_SHIFT, &shifts_gradient}};
    TRY(cpu_step_add(plan, PHASE_BACKWARD, primitives->backward, arguments, 10, error));
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

static enum status add_steps(struct cpu_plan *plan, const struct primitives *primitives,
                             struct plan *const *inputs, struct error *error)
{
    const int32_t activation = primitives->has_relu ? ACTIVATION_NONE
                                                    : plan->config.as.batch_norm.activation;
    struct cpu_tensor gradient, workspace = {.memory = NULL};
    TRY(add_forward(&workspace, plan, primitives, inputs, error));
    TRY(cpu_activation_forward(plan, activation, error));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    TRY(cpu_activation_backward(&gradient, plan, activation, error));
    TRY(add_backward(plan, primitives, &workspace, &gradient, inputs, error));
    return cpu_updates_add(plan, error);
}

enum status cpu_fill_batch_norm(struct cpu_plan *plan, struct plan *const *inputs,
                                struct error *error)
{
    struct primitives primitives;
    enum status status = choose(&primitives, plan, inputs, error);
    if (status == STATUS_OK)
        status = add_steps(plan, &primitives, inputs, error);
    destroy(&primitives);
    return status;
}
