/* matmul with cuBLAS: one strided batch of products per operand. */
#include "batched_product.h"

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    batched_product_name(plan, "cublasGemmStridedBatchedEx");
    return STATUS_OK;
}

/* a' = g b'; b' = a' g, or g' a where b is the other way round. */
static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    const struct matmul *of = &plan->config.as.matmul;
    const bool is_turned = of->is_right_transposed;
    void *const *tensor = plan->tensor;
    void *a = tensor[CUDA_INPUT], *b = tensor[CUDA_INPUT + 1], *g = tensor[CUDA_PRODUCT_GRADIENT];
    struct batched_product product = {.matrices = plan->config.batch_size * of->matrices,
                                      .rows = of->left_rows,
                                      .depth = of->depth,
                                      .columns = of->right_columns,
                                      .is_right_turned = is_turned,
                                      .scale = 1};
    if (direction == CUDA_FORWARD)
        return batched_product_run(plan, &product, tensor[CUDA_PRODUCT], a, b, error);
    product.depth = of->right_columns;
    product.columns = of->depth;
    product.is_right_turned = !is_turned;
    TRY(batched_product_run(plan, &product, tensor[CUDA_INPUT_GRADIENT], g, b, error));
    product.rows = is_turned ? of->right_columns : of->depth;
    product.depth = of->left_rows;
    product.columns = is_turned ? of->depth : of->right_columns;
    product.is_left_turned = true;
    product.is_right_turned = false;
    return batched_product_run(plan, &product, tensor[CUDA_INPUT_GRADIENT + 1], is_turned ? g : a,
                               is_turned ? a : g, error);
}

const struct cuda_kind cuda_matmul = {
    .plan_bytes = sizeof(struct cuda_plan),
    .choose = choose,
    .run = run,
};
