/* binary with kernels of our own. The gradient of a sum is that of its first operand, and of the
 * second one of the same shape: the activation's gradient goes straight to the first producer,
 * without an activation that is where the consumer writes it to. A repeated operand's gradient is a
 * reduction (reduction.h).
 */
#include "cuda_check.h"
#include "cuda_device.h"
#include "reduction.h"

#include <stdio.h>

struct binary_plan {
    struct cuda_plan base;
    bool is_repeated;
    struct repeated_layout layout;
    struct reduction_shape sums; /* of the second operand's gradient */
    void *scratch;
    int64_t second_count;
};

static bool is_sum(const struct binary *of)
{
    return of->operation == BINARY_ADD || of->operation == BINARY_SUBTRACT;
}

static void describe(struct binary_plan *plan)
{
    const struct binary *of = &plan->base.config.as.binary;
    const int64_t rows = plan->base.config.batch_size, size = (int64_t)of->elements * of->repeats;
    const bool is_shared = of->second != SECOND_INPUT, is_inner = of->broadcast == BROADCAST_INNER;
    plan->is_repeated = of->repeats > 1 || is_shared;
    plan->second_count = is_shared ? of->elements : rows * of->elements;
    plan->layout = (struct repeated_layout){.block = size,
                                            .block_step = is_shared ? 0 : of->elements,
                                            .inner = is_inner ? of->repeats : 1,
                                            .elements = of->elements};
    plan->sums = (struct reduction_shape){
        .outer = is_shared ? 1 : rows,
        .length = (is_shared ? rows : 1) * of->repeats,
        .inner = is_inner ? 1 : of->elements,
        .fold = is_sum(of) ? FOLD_SUM : FOLD_PRODUCTS,
        .precision = plan->base.config.precision,
        .factor = of->operation == BINARY_SUBTRACT ? -1 : 1,
    };
    if (!is_inner)
        return;
    plan->sums.outer *= of->elements;
    plan->sums.run = of->repeats;
    plan->sums.run_step = size;
}

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct binary_plan *plan = (struct binary_plan *)base;
    describe(plan);
    if (base->count[CUDA_WEIGHTS] > 0)
        CUDA_TRY(error, launch_noise(base->tensor[CUDA_WEIGHTS], base->count[CUDA_WEIGHTS], 1,
                                     CUDA_WEIGHTS, base->device->seed, base->config.precision,
                                     base->device->stream));
    snprintf(base->base.algorithm, sizeof base->base.algorithm, "map_kernel%s",
             plan->is_repeated ? " with_repeated" : "");
    if (!plan->is_repeated || base->config.pass == PASS_FORWARD)
        return STATUS_OK;
    return cuda_take(&plan->scratch, base->device,
                     reduction_scratch(&plan->sums) * (int64_t)sizeof(float), error);
}

static cudaError_t combine(const struct binary_plan *plan, void *to, const void *first)
{
    const struct cuda_plan *base = &plan->base;
    const struct binary *of = &base->config.as.binary;
    const void *second = base->tensor[of->second == SECOND_WEIGHTS ? CUDA_WEIGHTS : CUDA_INPUT + 1];
    return launch_binary(to, first, second, base->count[CUDA_OUTPUT],
                         plan->is_repeated ? &plan->layout : NULL, of->operation,
                         base->config.precision, base->device->stream);
}

/* `to`: the gradient of a repeated operand. */
static cudaError_t add_up(const struct binary_plan *plan, void *to, const void *second)
{
    const struct cuda_plan *base = &plan->base;
    const int32_t operation = base->config.as.binary.operation;
    const cudaError_t code = launch_reduction(
        to, NULL, plan->scratch, base->tensor[CUDA_PRODUCT_GRADIENT], base->tensor[CUDA_INPUT],
        &plan->sums, base->device->stream);
    if (code != cudaSuccess || operation != BINARY_DIVIDE)
        return code;
    return launch_divisor_share(to, to, second, plan->second_count, base->config.precision,
                                base->device->stream);
}

static cudaError_t launch_second_gradient(const struct binary_plan *plan, void *to,
                                          const void *second)
{
    const struct cuda_plan *base = &plan->base;
    const void *gradient = base->tensor[CUDA_PRODUCT_GRADIENT], *first = base->tensor[CUDA_INPUT];
    const int64_t count = base->count[CUDA_OUTPUT];
    const int32_t precision = base->config.precision;
    cudaStream_t stream = base->device->stream;
    if (plan->is_repeated)
        return add_up(plan, to, second);
    switch (base->config.as.binary.operation) {
    case BINARY_SUBTRACT:
        return launch_negative(to, gradient, count, precision, stream);
    case BINARY_DIVIDE:
        return launch_divisor_gradient(to, gradient, first, second, count, precision, stream);
    default:
        return launch_binary(to, gradient, first, count, NULL, BINARY_MULTIPLY, precision, stream);
    }
}

/* An addition's operands of one shape share a gradient, which is there already. */
static cudaError_t launch_backward_data(const struct binary_plan *plan)
{
    const struct cuda_plan *base = &plan->base;
    const struct binary *of = &base->config.as.binary;
    cudaError_t code = cudaSuccess;
    if (!is_sum(of))
        code = combine(plan, base->tensor[CUDA_INPUT_GRADIENT],
                       base->tensor[CUDA_PRODUCT_GRADIENT]);
    if (code != cudaSuccess || of->second != SECOND_INPUT ||
        (of->operation == BINARY_ADD && !plan->is_repeated))
        return code;
    return launch_second_gradient(plan, base->tensor[CUDA_INPUT_GRADIENT + 1],
                                  base->tensor[CUDA_INPUT + 1]);
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    const struct binary_plan *plan = (const struct binary_plan *)base;
    void *const *tensor = base->tensor;
    if (direction == CUDA_FORWARD)
        CUDA_TRY(error, combine(plan, tensor[CUDA_PRODUCT], tensor[CUDA_INPUT]));
    else if (direction == CUDA_BACKWARD_DATA)
        CUDA_TRY(error, launch_backward_data(plan));
    else
        CUDA_TRY(error,
                 launch_second_gradient(plan, tensor[CUDA_WEIGHTS_GRADIENT], tensor[CUDA_WEIGHTS]));
    return STATUS_OK;
}

const struct cuda_kind cuda_binary = {
    .plan_bytes = sizeof(struct binary_plan),
    .choose = choose,
    .run = run,
};
