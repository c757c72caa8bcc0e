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
                                   plan->tensor[CUDA_SECOND_INPUT], plan->output_count,
                                   plan->config.precision, plan->device->stream));
    return STATUS_OK;
}

static const struct cuda_kind kind = {.choose = choose, .run = run};

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    struct cuda_plan *plan;
    *out = NULL;
    TRY(ALLOCATE(&plan, 1, "plan", error));
    plan->kind = &kind;
    plan->input_count = plan->second_input_count = plan->output_count = layer_input_elements(config,
                                                                                             0);
    plan->hands_gradient_on = true;
    plan->activation = config->as.addition.activation;
    return cuda_plan_prepare(out, plan, device, config, inputs, outcome, error);
}

const struct bench cuda_bench_addition = {
    .prepare = prepare, .enqueue = cuda_plan_enqueue, .release = cuda_plan_release};
