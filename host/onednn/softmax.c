/* softmax with oneDNN: rows of (batch x positions), over the last dimension. */
#include "onednn/cpu_plan.h"

struct primitives {
    const struct cpu_layout *rows;
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
    const struct softmax *of = &plan->config.as.softmax;
    const struct cpu_target *target = &plan->device->target;
    const dnnl_dim_t rows = (dnnl_dim_t)plan->config.batch_size * of->positions;
    TRY(cpu_plain_layout(&primitives->rows, plan, 2, (const dnnl_dim_t[]){rows, of->width},
                         cpu_storage(plan), error));
    struct cpu_softmax softmax = {.pass = cpu_forward_kind(plan), .rows = primitives->rows};
    DNNL_TRY(plan, error, cpu_softmax_descriptor(&primitives->forward, target, &softmax, NULL));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    softmax.pass = dnnl_backward_data;
    DNNL_TRY(plan, error,
             cpu_softmax_descriptor(&primitives->backward, target, &softmax, primitives->forward));
    return STATUS_OK;
}

static enum status add_forward(struct cpu_plan *plan, const struct primitives *primitives,
                               struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor *tensor = plan->tensor;
    cpu_plan_name(plan, primitives->forward);
    TRY(cpu_input(plan, inputs, 0, primitives->rows, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, primitives->rows, 0, error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]}};
    return cpu_step_add(plan, PHASE_FORWARD, primitives->forward, arguments, 2, error);
}

static enum status add_backward(struct cpu_plan *plan, const struct primitives *primitives,
                                struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor gradient, *tensor = plan->tensor;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, primitives->rows, error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_DST, &tensor[CPU_OUTPUT]},
                                             {DNNL_ARG_DIFF_DST, &gradient},
                                             {DNNL_ARG_DIFF_SRC, &tensor[CPU_INPUT_GRADIENT]}};
    TRY(cpu_step_add(plan, PHASE_BACKWARD, primitives->backward, arguments, 3, error));
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

enum status cpu_fill_softmax(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    struct primitives primitives = {.rows = NULL};
    enum status status = choose(&primitives, plan, error);
    if (status == STATUS_OK)
        status = add_forward(plan, &primitives, inputs, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_backward(plan, &primitives, inputs, error);
    destroy(&primitives);
    return status;
}
