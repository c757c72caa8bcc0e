/* Optimizer updates, one array pass each, in the usual forms (Kingma & Ba 2015 for adam, Duchi et
 * al. 2011 for adagrad, Zeiler 2012 for adadelta, Tieleman & Hinton 2012 for rmsprop). The learning
 * rate is tiny: the benchmark repeats the same gradient, and weights must stay of the size that
 * they have.
 */
#include "onednn/cpu_plan.h"

#include <math.h>
#include <string.h>

enum { PARALLEL_COUNT = 1 << 15 };

static const float rate = 1e-8f, decay = 0.9f, decay2 = 0.999f, tiny = 1e-7f;

/* All of a parameter array's memory, padding included. */
enum update_data { PARAMETERS, GRADIENT, STATE, SECOND_STATE };

#define EACH_ELEMENT(update)                                                                       \
    const int64_t count = update->size[0];                                                         \
    _Pragma("omp parallel for simd if (count > PARALLEL_COUNT)") for (int64_t i = 0; i < count; i++)

static void run_sgd(const struct cpu_loop *update)
{
    float *w = update->data[PARAMETERS];
    const float *g = update->data[GRADIENT];
    EACH_ELEMENT(update)
    w[i] -= rate * g[i];
}

static void run_momentum(const struct cpu_loop *update)
{
    float *w = update->data[PARAMETERS], *m = update->data[STATE];
    const float *g = update->data[GRADIENT];
    EACH_ELEMENT(update)
    {
        m[i] = decay * m[i] + g[i];
        w[i] -= rate * m[i];
    }
}

static void run_adagrad(const struct cpu_loop *update)
{
    float *w = update->data[PARAMETERS], *v = update->data[STATE];
    const float *g = update->data[GRADIENT];
    EACH_ELEMENT(update)
    {
        v[i] += g[i] * g[i];
        w[i] -= rate * g[i] / (sqrtf(v[i]) + tiny);
    }
}

static void run_adadelta(const struct cpu_loop *update)
{
    float *w = update->data[PARAMETERS], *v = update->data[STATE], *d = update->data[SECOND_STATE];
    const float *g = update->data[GRADIENT];
    EACH_ELEMENT(update)
    {
        v[i] = decay * v[i] + (1 - decay) * g[i] * g[i];
        float delta = sqrtf(d[i] + tiny) / sqrtf(v[i] + tiny) * g[i];
        d[i] = decay * d[i] + (1 - decay) * delta * delta;
        w[i] -= rate * delta;
    }
}

static void run_rmsprop(const struct cpu_loop *update)
{
    float *w = update->data[PARAMETERS], *v = update->data[STATE];
    const float *g = update->data[GRADIENT];
    EACH_ELEMENT(update)
    {
        v[i] = decay * v[i] + (1 - decay) * g[i] * g[i];
        w[i] -= rate * g[i] / (sqrtf(v[i]) + tiny);
    }
}

static void run_adam(const struct cpu_loop *update)
{
    float *w = update->data[PARAMETERS], *m = update->data[STATE], *v = update->data[SECOND_STATE];
    const float *g = update->data[GRADIENT];
    EACH_ELEMENT(update)
    {
        m[i] = decay * m[i] + (1 - decay) * g[i];
        v[i] = decay2 * v[i] + (1 - decay2) * g[i] * g[i];
        w[i] -= rate * m[i] / (sqrtf(v[i]) + tiny);
    }
}

static void (*const runs[OPTIMIZER_COUNT])(const struct cpu_loop *update) = {
    [OPTIMIZER_SGD] = run_sgd,         [OPTIMIZER_MOMENTUM] = run_momentum,
    [OPTIMIZER_ADAGRAD] = run_adagrad, [OPTIMIZER_ADADELTA] = run_adadelta,
    [OPTIMIZER_RMSPROP] = run_rmsprop, [OPTIMIZER_ADAM] = run_adam,
};

/* State starts at zero, as in training: where the gradient is zero (padding, dead units) it stays
 * exactly zero, while anything else would decay into denormals and cost time. */
static enum status add_state(void **state, struct cpu_plan *plan, const struct cpu_layout *layout,
                             struct error *error)
{
    struct cpu_tensor tensor;
    TRY(cpu_tensor_create(&tensor, plan, layout, 0, error));
    *state = tensor.data;
    memset(tensor.data, 0, cpu_layout_bytes(layout));
    return cpu_tensor_keep(plan, &tensor, error);
}

static enum status add_update(struct cpu_plan *plan, const struct cpu_tensor *parameters,
                              const struct cpu_tensor *gradient, struct error *error)
{
    if (!parameters->memory)
        return STATUS_OK;
    struct cpu_loop update = {
        .run = runs[plan->config.optimizer],
        .data = {[PARAMETERS] = parameters->data, [GRADIENT] = gradient->data},
        .size = {(int64_t)(cpu_layout_bytes(parameters->layout) / sizeof(float))}};
    for (int i = 0; i < optimizer_state_count(plan->config.optimizer); i++)
        TRY(add_state(&update.data[STATE + i], plan, parameters->layout, error));
    return cpu_loop_add(plan, PHASE_UPDATE, &update, error);
}

/* 16-bit weights: the update changes their master copy, in the layout of the gradient. */
static enum status add_weights_update(struct cpu_plan *plan, int which, struct error *error)
{
    const struct cpu_tensor *weights = &plan->tensor[CPU_WEIGHTS + which];
    const struct cpu_tensor *gradient = &plan->tensor[CPU_WEIGHTS_GRADIENT + which];
    struct cpu_tensor *master = &plan->tensor[CPU_MASTER_WEIGHTS + which];
    if (!weights->memory || cpu_layout_type(weights->layout) == dnnl_f32)
        return add_update(plan, weights, gradient, error);
    TRY(cpu_tensor_create(master, plan, gradient->layout, 0, error));
    TRY(cpu_copy(plan, weights, master, error));
    TRY(cpu_tensor_keep(plan, master, error));
    TRY(add_update(plan, master, gradient, error));
    return cpu_reorder(plan, PHASE_UPDATE, master, weights, error);
}

enum status cpu_updates_add(struct cpu_plan *plan, struct error *error)
{
    if (plan->config.optimizer == OPTIMIZER_NONE)
        return STATUS_OK;
    for (int i = 0; i < CPU_WEIGHTS_LIMIT; i++)
        TRY(add_weights_update(plan, i, error));
    return add_update(plan, &plan->tensor[CPU_BIAS], &plan->tensor[CPU_BIAS_GRADIENT], error);
}
