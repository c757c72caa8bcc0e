/* matmul with oneDNN: products of plain matrices, a transposed operand by its strides. */
#include "onednn/batched_product.h"

struct shape {
    dnnl_dim_t matrices, rows, depth, columns;
    bool is_turned; /* the right operand is (columns, depth) */
};

static struct shape shape_of(const struct cpu_plan *plan)
{
    const struct matmul *of = &plan->config.as.matmul;
    return (struct shape){.matrices = (dnnl_dim_t)plan->config.batch_size * of->matrices,
                          .rows = of->left_rows,
                          .depth = of->depth,
                          .columns = of->right_columns,
                          .is_turned = of->is_right_transposed};
}

/* Layouts of left, right and output. */
static enum status make_layouts(const struct cpu_layout *layouts[3], struct cpu_plan *plan,
                                const struct shape *shape, struct error *error)
{
    const dnnl_dim_t sides[3][3] = {{shape->matrices, shape->rows, shape->depth},
                                    {shape->matrices,
                                     shape->is_turned ? shape->columns : shape->depth,
                                     shape->is_turned ? shape->depth : shape->columns},
                                    {shape->matrices, shape->rows, shape->columns}};
    for (int i = 0; i < 3; i++)
        TRY(cpu_plain_layout(&layouts[i], plan, 3, sides[i], cpu_storage(plan), error));
    return STATUS_OK;
}

static enum status add_forward(struct cpu_plan *plan, const struct shape *shape,
                               const struct cpu_layout *const layouts[3],
                               struct plan *const *inputs, struct error *error)
{
    const struct cpu_batched_product product = {.matrices = shape->matrices,
                                                .rows = shape->rows,
                                                .depth = shape->depth,
                                                .columns = shape->columns,
                                                .is_right_turned = shape->is_turned,
                                                .scale = 1};
    struct cpu_tensor *tensor = plan->tensor;
    for (int i = 0; i < 2; i++)
        TRY(cpu_input(plan, inputs, i, layouts[i], error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, layouts[2], 0, error));
    return cpu_batched_product_add(plan, PHASE_FORWARD, &product, &tensor[CPU_INPUT],
                                   &tensor[CPU_INPUT + 1], &tensor[CPU_OUTPUT], true, error);
}

/* a' = g b'. */
static enum status add_left_gradient(struct cpu_plan *plan, const struct shape *shape,
                                     const struct cpu_tensor *gradient, struct error *error)
{
    const struct cpu_batched_product product = {.matrices = shape->matrices,
                                                .rows = shape->rows,
                                                .depth = shape->columns,
                                                .columns = shape->depth,
                                                .is_right_turned = !shape->is_turned,
                                                .scale = 1};
    return cpu_batched_product_add(plan, PHASE_BACKWARD, &product, gradient,
                                   &plan->tensor[CPU_INPUT + 1], &plan->tensor[CPU_INPUT_GRADIENT],
                                   false, error);
}

/* b' = a' g, or g' a where b is the other way round. */
static enum status add_right_gradient(struct cpu_plan *plan, const struct shape *shape,
                                      const struct cpu_tensor *gradient, struct error *error)
{
    const struct cpu_tensor *a = &plan->tensor[CPU_INPUT];
    const struct cpu_batched_product product = {
        .matrices = shape->matrices,
        .rows = shape->is_turned ? shape->columns : shape->depth,
        .depth = shape->rows,
        .columns = shape->is_turned ? shape->depth : shape->columns,
        .is_left_turned = true,
        .scale = 1};
    return cpu_batched_product_add(plan, PHASE_BACKWARD, &product, shape->is_turned ? gradient : a,
                                   shape->is_turned ? a : gradient,
                                   &plan->tensor[CPU_INPUT_GRADIENT + 1], false, error);
}

static enum status add_backward(struct cpu_plan *plan, const struct shape *shape,
                                const struct cpu_layout *const layouts[3],
                                struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor gradient;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    for (int i = 0; i < 2; i++)
        TRY(cpu_input_gradient(plan, inputs, i, layouts[i], error));
    TRY(add_left_gradient(plan, shape, &gradient, error));
    TRY(add_right_gradient(plan, shape, &gradient, error));
    for (int i = 0; i < 2; i++)
        TRY(cpu_input_gradient_deliver(plan, inputs, i, error));
    return STATUS_OK;
}

enum status cpu_fill_matmul(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    const struct shape shape = shape_of(plan);
    const struct cpu_layout *layouts[3];
    TRY(make_layouts(layouts, plan, &shape, error));
    TRY(add_forward(plan, &shape, layouts, inputs, error));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    return add_backward(plan, &shape, layouts, inputs, error);
}
