/* attention as frameworks compose it: products by cuBLAS, softmax with a causal mask by a kernel of
 * our own. Heads that share keys and values are one product of more rows. The backward pass has the
 * probabilities.
 */
#include "batched_product.h"
#include "cuda_check.h"
#include "row_softmax.h"

#include <math.h>

struct attention_plan {
    struct cuda_plan base;
    struct batched_product by_keys;   /* scores (rows, keys) = queries (rows, size) keys' */
    struct batched_product by_scores; /* queries = scores keys */
    struct batched_product turned;    /* keys = scores' queries */
    struct row_softmax softmax;
    float scale;
    void *scores; /* scratch: of the forward pass, of a training step their gradient */
};

static void describe(struct attention_plan *plan)
{
    const struct attention *of = &plan->base.config.as.attention;
    const int matrices = plan->base.config.batch_size * of->key_value_heads;
    const int rows = of->heads / of->key_value_heads * of->query_length;
    const int keys = of->key_length, size = of->head_size;
    plan->by_keys = (struct batched_product){matrices, rows, size, keys, .is_right_turned = true};
    plan->by_scores = (struct batched_product){matrices, rows, keys, size, .is_left_turned = false};
    plan->turned = (struct batched_product){matrices, keys, rows, size, .is_left_turned = true};
    plan->softmax = (struct row_softmax){.rows = (int64_t)matrices * rows,
                                         .width = keys,
                                         .period = of->causal ? of->query_length : 0,
                                         .precision = plan->base.config.precision};
    plan->scale = 1 / sqrtf((float)size);
}

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct attention_plan *plan = (struct attention_plan *)base;
    describe(plan);
    batched_product_name(base, "composition");
    return cuda_take_workspace(
        &plan->scores, base->device,
        plan->softmax.rows * plan->softmax.width * precision_bytes(base->config.precision), error);
}

static enum status multiply(struct cuda_plan *plan, const struct batched_product *product,
                            float scale, void *output, const void *left, const void *right,
                            struct error *error)
{
    struct batched_product scaled = *product;
    scaled.scale = scale;
    return batched_product_run(plan, &scaled, output, left, right, error);
}

/* The probabilities of a training step are kept. */
static enum status run_forward(struct attention_plan *plan, struct error *error)
{
    struct cuda_plan *base = &plan->base;
    void *const *tensor = base->tensor, *scores = plan->scores;
    if (tensor[CUDA_KEPT])
        scores = tensor[CUDA_KEPT];
    TRY(multiply(base, &plan->by_keys, plan->scale, scores, tensor[CUDA_INPUT],
                 tensor[CUDA_INPUT + 1], error));
    CUDA_TRY(error, launch_row_softmax(scores, scores, &plan->softmax, base->device->stream));
    return multiply(base, &plan->by_scores, 1, tensor[CUDA_PRODUCT], scores, tensor[CUDA_INPUT + 2],
                    error);
}

static enum status run_backward(struct attention_plan *plan, struct error *error)
{
    struct cuda_plan *base = &plan->base;
    void *const *tensor = base->tensor;
    void *probabilities = tensor[CUDA_KEPT], *g = tensor[CUDA_PRODUCT_GRADIENT];
    TRY(multiply(base, &plan->turned, 1, tensor[CUDA_INPUT_GRADIENT + 2], probabilities, g, error));
    TRY(multiply(base, &plan->by_keys, 1, plan->scores, g, tensor[CUDA_INPUT + 2], error));
    CUDA_TRY(error, launch_row_softmax_backward(plan->scores, plan->scores, probabilities,
                                                &plan->softmax, base->device->stream));
    TRY(multiply(base, &plan->by_scores, plan->scale, tensor[CUDA_INPUT_GRADIENT], plan->scores,
                 tensor[CUDA_INPUT + 1], error));
    return multiply(base, &plan->turned, plan->scale, tensor[CUDA_INPUT_GRADIENT + 1], plan->scores,
                    tensor[CUDA_INPUT], error);
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    struct attention_plan *plan = (struct attention_plan *)base;
    return direction == CUDA_FORWARD ? run_forward(plan, error) : run_backward(plan, error);
}

const struct cuda_kind cuda_attention = {
    .plan_bytes = sizeof(struct attention_plan),
    .takes_kept = true,
    .choose = choose,
    .run = run,
};
