/* addition with a kernel of our own. The gradient of the sum is that of both inputs: the
 * activation's gradient goes straight to the first producer, without an activation that is where
 * the consumer writes it to. The second producer reads noise of its own (bench/backend.h).
 */
#include "cuda_check.h"
#include "cuda_device.h"

#include <stdio.h>

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "sum_kernel");
    return STATUS_OK;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    if (direction == CUDA_FORWARD)
        CUDA_TRY(error, launch_sum(plan->tensor[CUDA_PRODUCT], plan->tensor[CUDA_INPUT],
                                   plan->tensor[CUDA_INPUT + 1], plan->count[CUDA_OUTPUT],
                                   plan->config.precision, plan->device->stream));
    return STATUS_OK;
}

const struct cuda_kind cuda_addition = {
    .plan_bytes = sizeof(struct cuda_plan),
    .choose = choose,
    .run = run,
};
