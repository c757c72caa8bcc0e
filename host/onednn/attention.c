/* attention with oneDNN, as frameworks compose it: products, a causal mask, softmax. Heads that
 * share keys and values are one product of more rows. The backward pass has the probabilities.
 */
#include "onednn/batched_product.h"

#include <math.h>
#include <stdio.h>

struct shape {
    dnnl_dim_t matrices, rows, keys, size; /* heads of keys; the rows of all queries on one */
    float scale;
};

static struct shape shape_of(const struct cpu_plan *plan)
{
    const struct attention *of = &plan->config.as.attention;
    const dnnl_dim_t group = of->heads / of->key_value_heads;
    return (struct shape){.matrices = (dnnl_dim_t)plan->config.batch_size * of->key_value_heads,
                          .rows = group * of->query_length,
                          .keys = of->key_length,
                          .size = of->head_size,
                          .scale = 1 / sqrtf((float)of->head_size)};
}

struct layouts {
    const struct cpu_layout *queries, *keys, *scores;
};

static enum status make_layouts(struct layouts *layouts, struct cpu_plan *plan,
                                const struct shape *shape, struct error *error)
{
    const dnnl_data_type_t type = cpu_storage(plan);
    const dnnl_dim_t queries[] = {shape->matrices, shape->rows, shape->size};
    const dnnl_dim_t keys[] = {shape->matrices, shape->keys, shape->size};
    const dnnl_dim_t scores[] = {shape->matrices * shape->rows, shape->keys};
    TRY(cpu_plain_layout(&layouts->queries, plan, 3, queries, type, error));
    TRY(cpu_plain_layout(&layouts->keys, plan, 3, keys, type, error));
    return cpu_plain_layout(&layouts->scores, plan, 2, scores, type, error);
}

/* ---- products ---- */

/* scale * left (rows, size) right' (keys, size), or of the gradients that have these shapes. */
static enum status multiply_by_keys(struct cpu_plan *plan, int phase, const struct shape *shape,
                                    float scale, const struct cpu_tensor *scores,
                                    const struct cpu_tensor *queries, const struct cpu_tensor *keys,
                                    struct error *error)
{
    const struct cpu_batched_product product = {.matrices = shape->matrices,
                                                .rows = shape->rows,
                                                .depth = shape->size,
                                                .columns = shape->keys,
                                                .is_right_turned = true,
                                                .scale = scale};
    return cpu_batched_product_add(plan, phase, &product, queries, keys, scores, false, error);
}

/* queries (rows, size) = scale * scores (rows, keys) times keys or values (keys, size). */
static enum status multiply_by_scores(struct cpu_plan *plan, int phase, const struct shape *shape,
                                      float scale, const struct cpu_tensor *queries,
                                      const struct cpu_tensor *scores,
                                      const struct cpu_tensor *keys, struct error *error)
{
    const struct cpu_batched_product product = {.matrices = shape->matrices,
                                                .rows = shape->rows,
                                                .depth = shape->keys,
                                                .columns = shape->size,
                                                .scale = scale};
    return cpu_batched_product_add(plan, phase, &product, scores, keys, queries, false, error);
}

/* keys (keys, size) = scale * scores' (rows, keys) queries (rows, size). */
static enum status multiply_turned(struct cpu_plan *plan, const struct shape *shape, float scale,
                                   const struct cpu_tensor *keys, const struct cpu_tensor *scores,
                                   const struct cpu_tensor *queries, struct error *error)
{
    const struct cpu_batched_product product = {.matrices = shape->matrices,
                                                .rows = shape->keys,
                                                .depth = shape->rows,
                                                .columns = shape->size,
                                                .is_left_turned = true,
                                                .scale = scale};
    return cpu_batched_product_add(plan, PHASE_BACKWARD, &product, scores, queries, keys, false,
                                   error);
}

/* ---- mask ---- */

enum { MASK_ROWS, MASK_KEYS, MASK_QUERIES };

/* Keys that the query of a row does not see: those from the returned one on. */
static int64_t first_masked(const struct cpu_loop *loop, int64_t row)
{
    const int64_t queries = loop->size[MASK_QUERIES];
    return loop->size[MASK_KEYS] - queries + row % queries + 1;
}

static void mask_floats(const struct cpu_loop *loop)
{
    const int64_t keys = loop->size[MASK_KEYS];
    float *scores = loop->data[0];
#pragma omp parallel for
    for (int64_t row = 0; row < loop->size[MASK_ROWS]; row++)
        for (int64_t key = first_masked(loop, row); key < keys; key++)
            scores[row * keys + key] = -INFINITY;
}

static void mask_halves(const struct cpu_loop *loop, uint16_t infinity)
{
    const int64_t keys = loop->size[MASK_KEYS];
    uint16_t *scores = loop->data[0];
#pragma omp parallel for
    for (int64_t row = 0; row < loop->size[MASK_ROWS]; row++)
        for (int64_t key = first_masked(loop, row); key < keys; key++)
            scores[row * keys + key] = infinity;
}

static void mask_fp16(const struct cpu_loop *loop)
{
    mask_halves(loop, 0xFC00);
}

static void mask_bf16(const struct cpu_loop *loop)
{
    mask_halves(loop, 0xFF80);
}

static enum status add_mask(struct cpu_plan *plan, const struct shape *shape,
                            const struct cpu_tensor *scores, struct error *error)
{
    const dnnl_data_type_t type = cpu_layout_type(scores->layout);
    const struct cpu_loop loop = {
        .run = type == dnnl_f16    ? mask_fp16
               : type == dnnl_bf16 ? mask_bf16
                                   : mask_floats,
        .data = {scores->data},
        .size = {[MASK_ROWS] = shape->matrices * shape->rows,
                 [MASK_KEYS] = shape->keys,
                 [MASK_QUERIES] = plan->config.as.attention.query_length}};
    return plan->config.as.attention.causal ? cpu_loop_add(plan, PHASE_FORWARD, &loop, error)
                                            : STATUS_OK;
}

/* ---- softmax: both passes in place ---- */

static enum status add_softmax(struct cpu_plan *plan, const struct cpu_tensor *scores,
                               const_dnnl_primitive_desc_t forward, struct error *error)
{
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, scores}, {DNNL_ARG_DST, scores}};
    return cpu_step_add(plan, PHASE_FORWARD, forward, arguments, 2, error);
}

static enum status add_softmax_backward(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                        const struct cpu_tensor *probabilities,
                                        const_dnnl_primitive_desc_t forward, struct error *error)
{
    const struct cpu_softmax softmax = {.pass = dnnl_backward_data, .rows = probabilities->layout};
    const struct cpu_argument arguments[] = {{DNNL_ARG_DST, probabilities},
                                             {DNNL_ARG_DIFF_DST, gradient},
                                             {DNNL_ARG_DIFF_SRC, gradient}};
    dnnl_primitive_desc_t pd;
    DNNL_TRY(plan, error, cpu_softmax_descriptor(&pd, &plan->device->target, &softmax, forward));
    const enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* ---- passes ---- */

static enum status add_forward(struct cpu_plan *plan, const struct shape *shape,
                               const struct layouts *layouts, const struct cpu_tensor *scores,
                               const_dnnl_primitive_desc_t softmax, struct plan *const *inputs,
                               struct error *error)
{
    struct cpu_tensor *tensor = plan->tensor;
    for (int i = 0; i < 3; i++)
        TRY(cpu_input(plan, inputs, i, i ? layouts->keys : layouts->queries, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, layouts->queries, 0, error));
    TRY(multiply_by_keys(plan, PHASE_FORWARD, shape, shape->scale, scores, &tensor[CPU_INPUT],
                         &tensor[CPU_INPUT + 1], error));
    TRY(add_mask(plan, shape, scores, error));
    TRY(add_softmax(plan, scores, softmax, error));
    return multiply_by_scores(plan, PHASE_FORWARD, shape, 1, &tensor[CPU_OUTPUT], scores,
                              &tensor[CPU_INPUT + 2], error);
}

static enum status add_backward(struct cpu_plan *plan, const struct shape *shape,
                                const struct layouts *layouts,
                                const struct cpu_tensor *probabilities,
                                const_dnnl_primitive_desc_t softmax, struct plan *const *inputs,
                                struct error *error)
{
    struct cpu_tensor gradient, scores, *tensor = plan->tensor;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    for (int i = 0; i < 3; i++)
        TRY(cpu_input_gradient(plan, inputs, i, i ? layouts->keys : layouts->queries, error));
    TRY(cpu_tensor_create(&scores, plan, layouts->scores, 0, error));
    TRY(multiply_turned(plan, shape, 1, &tensor[CPU_INPUT_GRADIENT + 2], probabilities, &gradient,
                        error));
    TRY(multiply_by_keys(plan, PHASE_BACKWARD, shape, 1, &scores, &gradient, &tensor[CPU_INPUT + 2],
                         error));
    TRY(add_softmax_backward(plan, &scores, probabilities, softmax, error));
    TRY(multiply_by_scores(plan, PHASE_BACKWARD, shape, shape->scale, &tensor[CPU_INPUT_GRADIENT],
                           &scores, &tensor[CPU_INPUT + 1], error));
    TRY(multiply_turned(plan, shape, shape->scale, &tensor[CPU_INPUT_GRADIENT + 1], &scores,
                        &tensor[CPU_INPUT], error));
    for (int i = 0; i < 3; i++)
        TRY(cpu_input_gradient_deliver(plan, inputs, i, error));
    return STATUS_OK;
}

static enum status add_passes(struct cpu_plan *plan, const struct layouts *layouts,
                              const_dnnl_primitive_desc_t softmax, struct plan *const *inputs,
                              struct error *error)
{
    const struct shape shape = shape_of(plan);
    struct cpu_tensor scores;
    TRY(cpu_tensor_create(&scores, plan, layouts->scores, 0, error));
    TRY(add_forward(plan, &shape, layouts, &scores, softmax, inputs, error));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    return add_backward(plan, &shape, layouts, &scores, softmax, inputs, error);
}

enum status cpu_fill_attention(struct cpu_plan *plan, struct plan *const *inputs,
                               struct error *error)
{
    const struct shape shape = shape_of(plan);
    struct layouts layouts;
    dnnl_primitive_desc_t softmax;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "composition");
    TRY(make_layouts(&layouts, plan, &shape, error));
    const struct cpu_softmax forward = {.pass = cpu_forward_kind(plan), .rows = layouts.scores};
    DNNL_TRY(plan, error, cpu_softmax_descriptor(&softmax, &plan->device->target, &forward, NULL));
    const enum status status = add_passes(plan, &layouts, softmax, inputs, error);
    dnnl_primitive_desc_destroy(softmax);
    return status;
}
