/* transpose with kernels of our own. */
#include "cuda_check.h"
#include "cuda_device.h"
#include "turn.h"

#include <stdio.h>

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm,
             plan->config.as.transpose.inner == 1 ? "turn_tiles_kernel" : "turn_blocks_kernel");
    return STATUS_OK;
}

static enum status turn(struct cuda_plan *plan, enum cuda_role to, enum cuda_role from,
                        int32_t rows, int32_t columns, struct error *error)
{
    const struct transpose *of = &plan->config.as.transpose;
    const struct turned_matrices matrices = {
        .outer = (int64_t)plan->config.batch_size * of->outer,
        .rows = rows,
        .columns = columns,
        .block_bytes = (int64_t)of->inner * precision_bytes(plan->config.precision)};
    CUDA_TRY(error,
             launch_turn(plan->tensor[to], plan->tensor[from], &matrices, plan->device->stream));
    return STATUS_OK;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    const struct transpose *of = &plan->config.as.transpose;
    if (direction == CUDA_FORWARD)
        return turn(plan, CUDA_PRODUCT, CUDA_INPUT, of->matrix_rows, of->matrix_columns, error);
    return turn(plan, CUDA_INPUT_GRADIENT, CUDA_PRODUCT_GRADIENT, of->matrix_columns,
                of->matrix_rows, error);
}

const struct cuda_kind cuda_transpose = {
    .plan_bytes = sizeof(struct cuda_plan),
    .choose = choose,
    .run = run,
};
