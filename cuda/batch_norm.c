/* batch_norm with cuDNN's spatial batch normalisation: forward with given statistics, train with
 * those of the batch. Parameters and statistics are fp32 whatever the images are. The activation is
 * a kernel of its own, as behind the other kinds; running statistics are not kept.
 */
#include "base/philox.h"
#include "cuda_check.h"
#include "cuda_device.h"
#include "cudnn_check.h"

#include <stdio.h>
#include <stdlib.h>

enum { STATISTICS = 4 }; /* arrays of a number a channel: see statistic */
static const double epsilon = 1e-5;

struct norm_plan {
    struct cuda_plan base;
    cudnnTensorDescriptor_t image, channel;
};

/* Of CUDA_STATISTICS: given mean and variance; the batch's mean and 1 / sqrt(variance + epsilon).
 */
enum statistic { GIVEN_MEAN, GIVEN_VARIANCE, KEPT_MEAN, KEPT_INVERSE };

static int32_t channels_of(const struct cuda_plan *plan)
{
    return plan->config.as.batch_norm.channels;
}

/* Array `which` of a tensor of several numbers a channel. */
static float *row_of(const struct cuda_plan *plan, enum cuda_role role, int which)
{
    return (float *)plan->tensor[role] + (int64_t)which * channels_of(plan);
}

/* Noise around 1 for what must be positive, around 0 for shifts and means. */
static void make_channels(float *values, const struct cuda_plan *plan, enum cuda_role role,
                          int rows, const float *centres)
{
    const int64_t channels = channels_of(plan);
    for (int64_t i = 0; i < rows * channels; i++) {
        const uint32_t word =
            philox((uint32_t)i, role, 0, PHILOX_NOISE, plan->device->seed).word[0];
        values[i] = centres[i / channels] + 0.2f * philox_uniform(word) - 0.1f;
    }
}

static enum status copy_channels(struct cuda_plan *plan, enum cuda_role role, int rows,
                                 const float *centres, struct error *error)
{
    const size_t count = (size_t)rows * (size_t)channels_of(plan);
    float *values;
    TRY(ALLOCATE(&values, count, "channels", error));
    make_channels(values, plan, role, rows, centres);
    cudaError_t code = cudaMemcpyAsync(plan->tensor[role], values, count * sizeof *values,
                                       cudaMemcpyHostToDevice, plan->device->stream);
    if (code == cudaSuccess)
        code = cudaStreamSynchronize(plan->device->stream);
    free(values);
    CUDA_TRY(error, code);
    return STATUS_OK;
}

static enum status fill_channels(struct cuda_plan *plan, struct error *error)
{
    static const float parameters[] = {1, 0}, statistics[STATISTICS] = {0, 1, 0, 1};
    const int64_t bytes = (int64_t)sizeof(float) * STATISTICS * channels_of(plan);
    TRY(cuda_take(&plan->tensor[CUDA_STATISTICS], plan->device, bytes, error));
    TRY(copy_channels(plan, CUDA_WEIGHTS, 2, parameters, error));
    return copy_channels(plan, CUDA_STATISTICS, STATISTICS, statistics, error);
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
            row_of(base, CUDA_STATISTICS, GIVEN_MEAN),
            row_of(base, CUDA_STATISTICS, GIVEN_VARIANCE), epsilon);
    return cudnnBatchNormalizationForwardTraining(
        base->device->cudnn, CUDNN_BATCHNORM_SPATIAL, &one, &zero, plan->image,
        base->tensor[CUDA_INPUT], plan->image, base->tensor[CUDA_PRODUCT], plan->channel,
        row_of(base, CUDA_WEIGHTS, 0), row_of(base, CUDA_WEIGHTS, 1), 1, NULL, NULL, epsilon,
        row_of(base, CUDA_STATISTICS, KEPT_MEAN), row_of(base, CUDA_STATISTICS, KEPT_INVERSE));
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
        row_of(base, CUDA_STATISTICS, KEPT_MEAN), row_of(base, CUDA_STATISTICS, KEPT_INVERSE));
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

static const struct cuda_kind kind = {.choose = choose, .run = run, .release = release};

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    struct norm_plan *plan;
    *out = NULL;
    TRY(ALLOCATE(&plan, 1, "plan", error));
    struct cuda_plan *base = &plan->base;
    base->kind = &kind;
    base->input_count = base->output_count = layer_input_elements(config, 0);
    base->weights_count = 2 * (int64_t)config->as.batch_norm.channels;
    base->has_float_parameters = true;
    base->activation = config->as.batch_norm.activation;
    return cuda_plan_prepare(out, base, device, config, inputs, outcome, error);
}

const struct bench cuda_bench_batch_norm = {
    .prepare = prepare, .enqueue = cuda_plan_enqueue, .release = cuda_plan_release};
