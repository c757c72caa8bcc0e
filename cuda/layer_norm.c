/* layer_norm with kernels of our own (row_norm.h says why). A group's elements lie together (NCHW)
 * in every precision. Scales, shifts and statistics are fp32
 * whatever the precision, as batch_norm's are.
 */
#include "cuda_check.h"
#include "cuda_device.h"
#include "row_norm.h"

#include <stdio.h>

struct norm_plan {
    struct cuda_plan base;
    struct row_norm norm;
    void *scratch; /* partial sums of the parameters' gradients */
};

/* Noise around 1 for scales, around 0 for shifts. */
static enum status choose(struct cuda_plan *base, struct error *error)
{
    static const float centres[] = {1, 0};
    struct norm_plan *plan = (struct norm_plan *)base;
    const struct layer_norm *of = &base->config.as.layer_norm;
    const int64_t turns = of->statistics == STATISTICS_GROUP ? of->positions : 1;
    plan->norm = (struct row_norm){.rows = base->count[CUDA_INPUT] / of->width / of->pixels,
                                   .width = of->width,
                                   .pixels = of->pixels,
                                   .turns = turns,
                                   .has_mean = of->statistics != STATISTICS_RMS,
                                   .precision = base->config.precision,
                                   .epsilon = 1e-5f};
    snprintf(base->base.algorithm, sizeof base->base.algorithm, "row_norm_kernel");
    if (base->config.pass == PASS_TRAIN)
        TRY(cuda_take(&plan->scratch, base->device,
                      row_norm_scratch(&plan->norm) * (int64_t)sizeof(float), error));
    return cuda_fill_rows(base, CUDA_WEIGHTS, centres, plan->norm.has_mean ? 2 : 1,
                          turns * of->width, error);
}

static cudaError_t launch(struct norm_plan *plan, enum cuda_direction direction)
{
    void *const *tensor = plan->base.tensor;
    cudaStream_t stream = plan->base.device->stream;
    plan->norm.parameters = tensor[CUDA_WEIGHTS];
    plan->norm.statistics = tensor[CUDA_KEPT];
    switch (direction) {
    case CUDA_FORWARD:
        return launch_row_norm(tensor[CUDA_PRODUCT], tensor[CUDA_INPUT], &plan->norm, stream);
    case CUDA_BACKWARD_DATA:
        return launch_row_norm_backward(tensor[CUDA_INPUT_GRADIENT], tensor[CUDA_PRODUCT_GRADIENT],
                                        tensor[CUDA_INPUT], &plan->norm, stream);
    default:
        return launch_row_norm_parameters(tensor[CUDA_WEIGHTS_GRADIENT], plan->scratch,
                                          tensor[CUDA_PRODUCT_GRADIENT], tensor[CUDA_INPUT],
                                          &plan->norm, stream);
    }
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    CUDA_TRY(error, launch((struct norm_plan *)base, direction));
    return STATUS_OK;
}

const struct cuda_kind cuda_layer_norm = {
    .plan_bytes = sizeof(struct norm_plan),
    .takes_kept = true,
    .has_float_parameters = true,
    .choose = choose,
    .run = run,
};
