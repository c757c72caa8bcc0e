#include "onednn/batched_product.h"

/* The tensor's memory as matrices; a turned one has its rows in the last dimension in memory. */
static enum status view(struct cpu_tensor *matrices, struct cpu_plan *plan,
                        const struct cpu_tensor *tensor, dnnl_dim_t count, dnnl_dim_t rows,
                        dnnl_dim_t columns, bool is_turned, struct error *error)
{
    const struct cpu_layout *layout;
    const dnnl_dim_t dimensions[] = {count, rows, columns};
    TRY((is_turned ? cpu_turned_layout : cpu_plain_layout)(&layout, plan, 3, dimensions,
                                                           cpu_layout_type(tensor->layout), error));
    return cpu_tensor_view(matrices, plan, layout, tensor->data, error);
}

enum status cpu_batched_product_add(struct cpu_plan *plan, int phase,
                                    const struct cpu_batched_product *of,
                                    const struct cpu_tensor *left, const struct cpu_tensor *right,
                                    const struct cpu_tensor *output, bool names_plan,
                                    struct error *error)
{
    struct cpu_tensor a, b, y;
    dnnl_primitive_desc_t pd;
    TRY(view(&a, plan, left, of->matrices, of->rows, of->depth, of->is_left_turned, error));
    TRY(view(&b, plan, right, of->matrices, of->depth, of->columns, of->is_right_turned, error));
    TRY(view(&y, plan, output, of->matrices, of->rows, of->columns, false, error));
    const struct cpu_matmul matmul = {
        .left = a.layout, .right = b.layout, .output = y.layout, .scale = of->scale};
    DNNL_TRY(plan, error, cpu_matmul_descriptor(&pd, &plan->device->target, &matmul));
    if (names_plan)
        cpu_plan_name(plan, pd);
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_SRC, &a}, {DNNL_ARG_WEIGHTS, &b}, {DNNL_ARG_DST, &y}};
    const enum status status = cpu_step_add(plan, phase, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}
