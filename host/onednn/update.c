/* Optimizer updates, one array pass each, in the usual forms (Kingma & Ba 2015 for adam, Duchi et
 * al. 2011 for adagrad, Zeiler 2012 for adadelta, Tieleman & Hinton 2012 for rmsprop, Loshchilov &
 * Hutter 2019 for adamw). The learning rate is tiny: the benchmark repeats the same gradient, and
 * weights must stay of the size that they have.
 */
#include "onednn/cpu_plan.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

enum { PARALLEL_COUNT = 1 << 15, BLOCK_COUNT = 1 << 12 };

static const float rate = 1e-8f, decay = 0.9f, decay2 = 0.999f, tiny = 1e-7f;
static const float shrink = 1 - 0x1p-24f; /* of adamw: the rate times its decay would round to 0 */

/* All of a parameter array's memory, padding included; of a sparse gradient also who owns its rows,
 * and the 16-bit weights that the parameters are the master copy of. */
enum update_data { PARAMETERS, GRADIENT, STATE, SECOND_STATE, OWNERS, NARROW };
enum update_size { COUNT, OPTIMIZER, ROWS, WIDTH, NARROW_TYPE };

/* Parameters in a row: w, their gradient g, their state s and t. */
struct span {
    float *w, *s, *t;
    const float *g;
    int64_t count;
};

#define EACH_ELEMENT                                                                               \
    float *w = at->w, *s = at->s, *t = at->t;                                                      \
    const float *g = at->g;                                                                        \
    const int64_t count = at->count;                                                               \
    (void)s, (void)t;                                                                              \
    _Pragma("omp simd") for (int64_t i = 0; i < count; i++)

static void step_sgd(const struct span *at)
{
    EACH_ELEMENT
    w[i] -= rate * g[i];
}

static void step_momentum(const struct span *at)
{
    EACH_ELEMENT
    {
        s[i] = decay * s[i] + g[i];
        w[i] -= rate * s[i];
    }
}

static void step_adagrad(const struct span *at)
{
    EACH_ELEMENT
    {
        s[i] += g[i] * g[i];
        w[i] -= rate * g[i] / (sqrtf(s[i]) + tiny);
    }
}

static void step_adadelta(const struct span *at)
{
    EACH_ELEMENT
    {
        s[i] = decay * s[i] + (1 - decay) * g[i] * g[i];
        float delta = sqrtf(t[i] + tiny) / sqrtf(s[i] + tiny) * g[i];
        t[i] = decay * t[i] + (1 - decay) * delta * delta;
        w[i] -= rate * delta;
    }
}

static void step_rmsprop(const struct span *at)
{
    EACH_ELEMENT
    {
        s[i] = decay * s[i] + (1 - decay) * g[i] * g[i];
        w[i] -= rate * g[i] / (sqrtf(s[i]) + tiny);
    }
}

static void step_adam(const struct span *at)
{
    EACH_ELEMENT
    {
        s[i] = decay * s[i] + (1 - decay) * g[i];
        t[i] = decay2 * t[i] + (1 - decay2) * g[i] * g[i];
        w[i] -= rate * s[i] / (sqrtf(t[i]) + tiny);
    }
}

static void step_adamw(const struct span *at)
{
    EACH_ELEMENT
    {
        s[i] = decay * s[i] + (1 - decay) * g[i];
        t[i] = decay2 * t[i] + (1 - decay2) * g[i] * g[i];
        w[i] = shrink * w[i] - rate * s[i] / (sqrtf(t[i]) + tiny);
    }
}

static void (*const steps[OPTIMIZER_COUNT])(const struct span *at) = {
    [OPTIMIZER_SGD] = step_sgd,         [OPTIMIZER_MOMENTUM] = step_momentum,
    [OPTIMIZER_ADAGRAD] = step_adagrad, [OPTIMIZER_ADADELTA] = step_adadelta,
    [OPTIMIZER_RMSPROP] = step_rmsprop, [OPTIMIZER_ADAM] = step_adam,
    [OPTIMIZER_ADAMW] = step_adamw,
};

/* `count` parameters from `first` on, and their gradient from `gradient` on. */
static struct span span_of(const struct cpu_loop *update, int64_t first, int64_t gradient,
                           int64_t count)
{
    float *const s = update->data[STATE], *const t = update->data[SECOND_STATE];
    return (struct span){.w = (float *)update->data[PARAMETERS] + first,
                         .s = s ? s + first : NULL,
                         .t = t ? t + first : NULL,
                         .g = (const float *)update->data[GRADIENT] + gradient,
                         .count = count};
}

static void run_all(const struct cpu_loop *update)
{
    const int64_t count = update->size[COUNT];
#pragma omp parallel for if (count > PARALLEL_COUNT)
    for (int64_t first = 0; first < count; first += BLOCK_COUNT) {
        const int64_t rest = count - first;
        const struct span span = span_of(update, first, first,
                                         rest < BLOCK_COUNT ? rest : BLOCK_COUNT);
        steps[update->size[OPTIMIZER]](&span);
    }
}

static void narrow_row(const struct cpu_loop *update, const struct span *span, int64_t first)
{
    uint16_t *to = (uint16_t *)update->data[NARROW] + first;
    if (update->size[NARROW_TYPE] == dnnl_bf16)
        for (int64_t i = 0; i < span->count; i++)
            to[i] = bf16_of_float(span->w[i]);
    else
        for (int64_t i = 0; i < span->count; i++)
            to[i] = fp16_of_float(span->w[i]);
}

/* Rows of the parameters that own one of the gradient: no two own the same. */
static void run_rows(const struct cpu_loop *update)
{
    const int32_t *owners = update->data[OWNERS];
    const int64_t rows = update->size[ROWS], width = update->size[WIDTH];
#pragma omp parallel for if (rows * width > PARALLEL_COUNT)
    for (int64_t row = 0; row < rows; row++) {
        if (owners[row] < 0)
            continue;
        const int64_t first = owners[row] * width;
        const struct span span = span_of(update, first, row * width, width);
        steps[update->size[OPTIMIZER]](&span);
        if (update->data[NARROW])
            narrow_row(update, &span, first);
    }
}

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

/* The update with its state, all but what the rows of a sparse gradient need. */
static enum status begin_update(struct cpu_loop *update, struct cpu_plan *plan,
                                const struct cpu_tensor *parameters,
                                const struct cpu_tensor *gradient, struct error *error)
{
    *update = (struct cpu_loop){
        .run = run_all,
        .data = {[PARAMETERS] = parameters->data, [GRADIENT] = gradient->data},
        .size = {[COUNT] = (int64_t)(cpu_layout_bytes(parameters->layout) / sizeof(float)),
                 [OPTIMIZER] = plan->config.optimizer}};
    for (int i = 0; i < optimizer_state_count(plan->config.optimizer); i++)
        TRY(add_state(&update->data[STATE + i], plan, parameters->layout, error));
    return STATUS_OK;
}

static enum status add_update(struct cpu_plan *plan, const struct cpu_tensor *parameters,
                              const struct cpu_tensor *gradient, struct error *error)
{
    struct cpu_loop update;
    if (!parameters->memory)
        return STATUS_OK;
    TRY(begin_update(&update, plan, parameters, gradient, error));
    return cpu_loop_add(plan, PHASE_UPDATE, &update, error);
}

/* fp32, with the values of 16-bit weights. */
static enum status add_master(struct cpu_plan *plan, int which, const struct cpu_layout *layout,
                              struct error *error)
{
    struct cpu_tensor *master = &plan->tensor[CPU_MASTER_WEIGHTS + which];
    TRY(cpu_tensor_create(master, plan, layout, 0, error));
    TRY(cpu_copy(plan, &plan->tensor[CPU_WEIGHTS + which], master, error));
    return cpu_tensor_keep(plan, master, error);
}

/* 16-bit weights: the update changes their master copy, in the layout of the gradient. */
static enum status add_weights_update(struct cpu_plan *plan, int which, struct error *error)
{
    const struct cpu_tensor *weights = &plan->tensor[CPU_WEIGHTS + which];
    const struct cpu_tensor *gradient = &plan->tensor[CPU_WEIGHTS_GRADIENT + which];
    const struct cpu_tensor *master = &plan->tensor[CPU_MASTER_WEIGHTS + which];
    if (!weights->memory || cpu_layout_type(weights->layout) == dnnl_f32)
        return add_update(plan, weights, gradient, error);
    TRY(add_master(plan, which, gradient->layout, error));
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

/* 16-bit rows are rounded one by one, too. */
enum status cpu_rows_update_add(struct cpu_plan *plan, const struct cpu_tensor *owners,
                                struct error *error)
{
    const struct cpu_tensor *weights = &plan->tensor[CPU_WEIGHTS], *parameters = weights;
    const struct cpu_tensor *gradient = &plan->tensor[CPU_WEIGHTS_GRADIENT];
    const dnnl_data_type_t type = cpu_layout_type(weights->layout);
    const dnnl_dim_t *dimensions = cpu_layout_dimensions(weights->layout);
    const struct cpu_layout *wide;
    struct cpu_loop update;
    if (plan->config.optimizer == OPTIMIZER_NONE)
        return STATUS_OK;
    if (type != dnnl_f32) {
        TRY(cpu_plain_layout(&wide, plan, 2, dimensions, dnnl_f32, error));
        TRY(add_master(plan, 0, wide, error));
        parameters = &plan->tensor[CPU_MASTER_WEIGHTS];
    }
    TRY(begin_update(&update, plan, parameters, gradient, error));
    update.run = run_rows;
    update.data[OWNERS] = owners->data;
    update.data[NARROW] = type == dnnl_f32 ? NULL : weights->data;
    update.size[ROWS] = cpu_layout_dimensions(gradient->layout)[0];
    update.size[WIDTH] = dimensions[1];
    update.size[NARROW_TYPE] = type;
    return cpu_loop_add(plan, PHASE_UPDATE, &update, error);
}
