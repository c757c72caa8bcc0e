/* layer_norm with oneDNN: rows of (batch x positions), statistics over the last dimension. A
 * training step keeps them for its backward pass. Mean squares and groups: own loops.
 */
#include "onednn/norm_loops.h"

#include <stdio.h>

static const float epsilon = 1e-5f;

struct primitives {
    const struct cpu_layout *rows, *statistics;
    dnnl_primitive_desc_t forward, backward;
};

static void destroy(struct primitives *primitives)
{
    if (primitives->forward)
        dnnl_primitive_desc_destroy(primitives->forward);
    if (primitives->backward)
        dnnl_primitive_desc_destroy(primitives->backward);
}

static enum status choose(struct primitives *primitives, struct cpu_plan *plan, struct error *error)
{
    const struct layer_norm *of = &plan->config.as.layer_norm;
    const struct cpu_target *target = &plan->device->target;
    const dnnl_dim_t rows = (dnnl_dim_t)plan->config.batch_size * of->positions;
    *primitives = (struct primitives){.forward = NULL};
    TRY(cpu_plain_layout(&primitives->rows, plan, 2, (const dnnl_dim_t[]){rows, of->width},
                         cpu_storage(plan), error));
    TRY(cpu_plain_layout(&primitives->statistics, plan, 1, &rows, dnnl_f32, error));
    struct cpu_layer_normalization norm = {.pass = cpu_forward_kind(plan),
                                           .rows = primitives->rows,
                                           .statistics = primitives->statistics,
                                           .epsilon = epsilon};
    DNNL_TRY(plan, error,
             cpu_layer_normalization_descriptor(&primitives->forward, target, &norm, NULL));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    norm.pass = dnnl_backward;
    DNNL_TRY(plan, error,
             cpu_layer_normalization_descriptor(&primitives->backward, target, &norm,
                                                primitives->forward));
    return STATUS_OK;
}

static enum status add_forward(struct cpu_plan *plan, const struct primitives *primitives,
                               struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor scales, shifts, *tensor = plan->tensor;
    cpu_plan_name(plan, primitives->forward);
    TRY(cpu_input(plan, inputs, 0, primitives->rows, error));
    TRY(cpu_scales_shifts_add(plan, plan->config.as.layer_norm.width, error));
    TRY(cpu_scales_shifts_view(&scales, &shifts, plan, &tensor[CPU_WEIGHTS], error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, primitives->rows, 0, error));
    if (plan->config.pass == PASS_TRAIN) {
        TRY(cpu_tensor_create(&tensor[CPU_MEAN], plan, primitives->statistics, 0, error));
        TRY(cpu_tensor_create(&tensor[CPU_VARIANCE], plan, primitives->statistics, 0, error));
    }
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_SCALE, &scales},
                                             {DNNL_ARG_SHIFT, &shifts},
                                             {DNNL_ARG_MEAN, &tensor[CPU_MEAN]},
                                             {DNNL_ARG_VARIANCE, &tensor[CPU_VARIANCE]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]}};
    return cpu_step_add(plan, PHASE_FORWARD, primitives->forward, arguments, 6, error);
}

static enum status add_backward(struct cpu_plan *plan, const struct primitives *primitives,
                                struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor gradient, scales, shifts, scales_gradient, shifts_gradient;
    struct cpu_tensor *tensor = plan->tensor;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, primitives->rows, error));
    TRY(cpu_scales_shifts_create(&tensor[CPU_WEIGHTS_GRADIENT], plan,
                                 plan->config.as.layer_norm.width, 0, error));
    TRY(cpu_scales_shifts_view(&scales, &shifts, plan, &tensor[CPU_WEIGHTS], error));
    TRY(cpu_scales_shifts_view(&scales_gradient, &shifts_gradient, plan,
                               &tensor[CPU_WEIGHTS_GRADIENT], error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_SCALE, &scales},
                                             {DNNL_ARG_SHIFT, &shifts},
                                             {DNNL_ARG_MEAN, &tensor[CPU_MEAN]},
                                             {DNNL_ARG_VARIANCE, &tensor[CPU_VARIANCE]},
                                             {DNNL_ARG_DIFF_DST, &gradient},
                                             {DNNL_ARG_DIFF_SRC, &tensor[CPU_INPUT_GRADIENT]},
                                             {DNNL_ARG_DIFF_SCALE, &scales_gradient},
                                             {DNNL_ARG_DIFF_SHIFT, &shifts_gradient}};
    TRY(cpu_step_add(plan, PHASE_BACKWARD, primitives->backward, arguments, 9, error));
    TRY(cpu_input_gradient_deliver(plan, inputs, 0, error));
    return cpu_updates_add(plan, error);
}

static enum status fill_layer(struct cpu_plan *plan, struct plan *const *inputs,
                              struct error *error)
{
    struct primitives primitives;
    enum status status = choose(&primitives, plan, error);
    if (status == STATUS_OK)
        status = add_forward(plan, &primitives, inputs, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_backward(plan, &primitives, inputs, error);
    destroy(&primitives);
    return status;
}

/* ---- mean squares, groups ---- */

static struct norm_rows rows_of(const struct layer_config *config)
{
    const struct layer_norm *norm = &config->as.layer_norm;
    const bool has_groups = norm->statistics == STATISTICS_GROUP;
    return (struct norm_rows){.rows = (int64_t)config->batch_size * norm->positions,
                              .turns = has_groups ? norm->positions : 1,
                              .width = norm->width,
                              .pixels = norm->pixels,
                              .has_mean = norm->statistics != STATISTICS_RMS};
}

/* Scales and shifts, or scales alone, around 1. */
static enum status create_parameters(struct cpu_tensor *parameters, struct cpu_plan *plan,
                                     const struct norm_rows *rows, float amplitude,
                                     struct error *error)
{
    const dnnl_dim_t width = rows->turns * rows->width;
    const struct cpu_layout *layout;
    if (rows->has_mean)
        return cpu_scales_shifts_create(parameters, plan, (int32_t)width, amplitude, error);
    TRY(cpu_plain_layout(&layout, plan, 1, &width, dnnl_f32, error));
    return cpu_tensor_create(parameters, plan, layout, amplitude, error);
}

static enum status add_parameters(struct cpu_plan *plan, const struct norm_rows *rows,
                                  struct error *error)
{
    TRY(create_parameters(&plan->tensor[CPU_WEIGHTS], plan, rows, 0.1f, error));
    float *scales = plan->tensor[CPU_WEIGHTS].data;
    for (int64_t i = 0; i < rows->turns * rows->width; i++)
        scales[i] += 1;
    return STATUS_OK;
}

static enum status add_rows_backward(struct cpu_plan *plan, const struct norm_rows *rows,
                                     struct norm_tensors *tensors, struct plan *const *inputs,
                                     struct error *error)
{
    struct cpu_tensor gradient;
    struct cpu_tensor *tensor = plan->tensor;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, tensor[CPU_INPUT].layout, error));
    TRY(create_parameters(&tensor[CPU_WEIGHTS_GRADIENT], plan, rows, 0, error));
    tensors->y_gradient = &gradient;
    tensors->x_gradient = &tensor[CPU_INPUT_GRADIENT];
    tensors->parameters_gradient = &tensor[CPU_WEIGHTS_GRADIENT];
    TRY(norm_loop_backward(plan, rows, tensors, error));
    TRY(cpu_input_gradient_deliver(plan, inputs, 0, error));
    return cpu_updates_add(plan, error);
}

static enum status fill_rows(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    const struct norm_rows rows = rows_of(&plan->config);
    const dnnl_dim_t sizes[] = {rows.rows, rows.width * rows.pixels}, kept[] = {2, rows.rows};
    const struct cpu_layout *layout, *statistics_layout;
    struct cpu_tensor statistics, *tensor = plan->tensor;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "loop:rows");
    TRY(cpu_plain_layout(&layout, plan, 2, sizes, cpu_storage(plan), error));
    TRY(cpu_plain_layout(&statistics_layout, plan, 2, kept, dnnl_f32, error));
    TRY(cpu_input(plan, inputs, 0, layout, error));
    TRY(add_parameters(plan, &rows, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, layout, 0, error));
    TRY(cpu_tensor_create(&statistics, plan, statistics_layout, 0, error));
    struct norm_tensors tensors = {.x = &tensor[CPU_INPUT],
                                   .y = &tensor[CPU_OUTPUT],
                                   .parameters = &tensor[CPU_WEIGHTS],
                                   .statistics = &statistics};
    TRY(norm_loop_forward(plan, &rows, &tensors, error));
    return plan->config.pass == PASS_TRAIN ? add_rows_backward(plan, &rows, &tensors, inputs, error)
                                           : STATUS_OK;
}

/* ---- both ---- */

enum status cpu_fill_layer_norm(struct cpu_plan *plan, struct plan *const *inputs,
                                struct error *error)
{
    return plan->config.as.layer_norm.statistics == STATISTICS_LAYER
               ? fill_layer(plan, inputs, error)
               : fill_rows(plan, inputs, error);
}
