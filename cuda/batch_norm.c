/* batch_norm with cuDNN's spatial batch normalisation: forward with given statistics, train with
 * those of the batch. Parameters and statistics are fp32 whatever the images are. The activation is
 * a kernel of its own, as behind the other kinds; running statistics are not kept.
 */
#include "cuda_device.h"
#include "cudnn_check.h"

#include <stdio.h>

static const double epsilon = 1e-5;

struct norm_plan {
    struct cuda_plan base;
    cudnnTensorDescriptor_t image, channel;
};

/* Of CUDA_KEPT: means and variances, which the forward pass is given; in training the batch's means
 * and 1 / sqrt(variance + epsilon). */
enum statistic { MEAN, VARIANCE, INVERSE = VARIANCE, STATISTIC_COUNT };

static int32_t channels_of(const struct cuda_plan *plan)
{
    return plan->config.as.batch_norm.channels;
}

/* Array `which` of a tensor with several numbers per channel. */
static float *row_of(const struct cuda_plan *plan, enum cuda_role role, int which)
{
    return (float *)plan->tensor[role] + (int64_t)which * channels_of(plan);
}

/* Noise around 1 for what must be positive, around 0 for shifts and means. */
static enum status fill_channels(struct cuda_plan *plan, struct error *error)
{
    static const float parameters[] = {1, 0}, statistics[STATISTIC_COUNT] = {0, 1};
    const int32_t channels = channels_of(plan);
    const int64_t bytes = (int64_t)sizeof(float) * STATISTIC_COUNT * channels;
    if (plan->config.pass == PASS_FORWARD)
        TRY(cuda_take(&plan->tensor[CUDA_KEPT], plan->device, bytes, error));
    TRY(cuda_fill_rows(plan, CUDA_WEIGHTS, parameters, 2, channels, error));
    return cuda_fill_rows(plan, CUDA_KEPT, statistics, STATISTIC_COUNT, channels, error);
}

static cudnnStatus_t run_forward(const struct norm_plan *plan)
{
    const struct cuda_plan *base = &plan->base;
    const float one = 1, zero = 0;
    if (base->config.pass == PASS_FORWARD)
        return cudnnBatchNormalizationForwardInference(
            base->device->cudnn, CUDNN_BATCHNORM_SPATIAL, &one, &zero, plan->image,
            base->tensor[CUDA_INPUT], plan->image, base->tensor[CUDA_PRODUCT], plan->channel,
            row_of(base, CUDA_WEIGHTS, 0), row_of(base, CUDA_WEIGHTS, 1),
            row_of(base, CUDA_KEPT, MEAN), row_of(base, CUDA_KEPT, VARIANCE), epsilon);
    return cudnnBatchNormalizationForwardTraining(
        base->device->cudnn, CUDNN_BATCHNORM_SPATIAL, &one, &zero, plan->image,
        base->tensor[CUDA_INPUT], plan->image, base->tensor[CUDA_PRODUCT], plan->channel,
        row_of(base, CUDA_WEIGHTS, 0), row_of(base, CUDA_WEIGHTS, 1), 1, NULL, NULL, epsilon,
        row_of(base, CUDA_KEPT, MEAN), row_of(base, CUDA_KEPT, INVERSE));
}

/* The gradients of input, scales and shifts in one. */
static cudnnStatus_t run_backward(const struct norm_plan *plan)
{
    const struct cuda_plan *base = &plan->base;
    const float one = 1, zero = 0;
    return cudnnBatchNormalizationBackward(
        base->device->cudnn, CUDNN_BATCHNORM_SPATIAL, &one, &zero, &one, &zero, plan->image,
        base->tensor[CUDA_INPUT], plan->image, base->tensor[CUDA_PRODUCT_GRADIENT], plan->image,
        base->tensor[CUDA_INPUT_GRADIENT], plan->channel, row_of(base, CUDA_WEIGHTS, 0),
        row_of(base, CUDA_WEIGHTS_GRADIENT, 0), row_of(base, CUDA_WEIGHTS_GRADIENT, 1), epsilon,
        row_of(base, CUDA_KEPT, MEAN), row_of(base, CUDA_KEPT, INVERSE));
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    const struct norm_plan *plan = (const struct norm_plan *)base;
    if (direction == CUDA_FORWARD)
        CUDNN_RUN(base, error, run_forward(plan));
    if (direction == CUDA_BACKWARD_DATA)
        CUDNN_RUN(base, error, run_backward(plan));
    return STATUS_OK;
}

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct norm_plan *plan = (struct norm_plan *)base;
    const struct batch_norm *norm = &base->config.as.batch_norm;
    TRY(fill_channels(base, error));
    TRY(cuda_describe_images(&plan->image, base, norm->channels, norm->image_size, error));
    CUDNN_RUN(base, error, cudnnCreateTensorDescriptor(&plan->channel));
    CUDNN_RUN(base, error,
              cudnnDeriveBNTensorDescriptor(plan->channel, plan->image, CUDNN_BATCHNORM_SPATIAL));
    snprintf(base->base.algorithm, sizeof base->base.algorithm, "cudnnBatchNormalization");
    return STATUS_OK;
}

static void release(struct cuda_plan *base)
{
    struct norm_plan *plan = (struct norm_plan *)base;
    if (plan->image)
        cudnnDestroyTensorDescriptor(plan->image);
    if (plan->channel)
        cudnnDestroyTensorDescriptor(plan->channel);
}

const struct cuda_kind cuda_batch_norm = {
    .plan_bytes = sizeof(struct norm_plan),
    .takes_kept = true,
    .has_float_parameters = true,
    .choose = choose,
    .run = run,
    .release = release,
};
