/* concat with a kernel of our own: one launch, whatever the number of inputs. */
#include "cuda_check.h"
#include "cuda_device.h"
#include "join.h"

#include <stdio.h>

_Static_assert((int)JOIN_LIMIT >= (int)LAYER_INPUT_LIMIT, "a launch takes all inputs");

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "join_kernel");
    return STATUS_OK;
}

/* The whole and its parts: tensors, or their gradients. */
static struct joined_rows rows_of(const struct cuda_plan *plan, enum cuda_role whole,
                                  enum cuda_role parts)
{
    const struct concat *concat = &plan->config.as.concat;
    struct joined_rows joined = {.rows = (int64_t)plan->config.batch_size * concat->outer,
                                 .whole = plan->tensor[whole],
                                 .count = concat->parts};
    for (int i = 0; i < concat->parts; i++) {
        joined.parts[i] = plan->tensor[parts + i];
        joined.bytes[i] = (int64_t)concat_width(concat, i) *
                          precision_bytes(plan->config.precision);
    }
    return joined;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    cudaStream_t stream = plan->device->stream;
    if (direction == CUDA_FORWARD) {
        const struct joined_rows joined = rows_of(plan, CUDA_PRODUCT, CUDA_INPUT);
        CUDA_TRY(error, launch_join(&joined, stream));
    } else {
        const struct joined_rows joined = rows_of(plan, CUDA_PRODUCT_GRADIENT, CUDA_INPUT_GRADIENT);
        CUDA_TRY(error, launch_part(&joined, stream));
    }
    return STATUS_OK;
}

const struct cuda_kind cuda_concat = {
    .plan_bytes = sizeof(struct cuda_plan),
    .choose = choose,
    .run = run,
};
