/* The parameters of recurrent layers: plain noise, or in the layout that a primitive chose, and the
 * two biases of every gate, which the library takes as one.
 */
#include "onednn/recurrent_plan.h"

#include <math.h>
#include <string.h>

/* A GRU adds the bias beside the state's product within the reset: it does not merge with the
 * other. */
static int64_t bias_gates(const struct recurrent_plan *recurrent)
{
    return recurrent->sizes.gates + (recurrent->cell == dnnl_lbr_gru);
}

/* Which of the parameters a layer's side has, and its number among them. */
static enum recurrent_parameters parameters_of(int *number, int layer, int side)
{
    *number = side == STATE_SIDE || layer == 0 ? layer : layer - 1;
    if (side == STATE_SIDE)
        return RECURRENT_STATE_WEIGHTS;
    return layer ? RECURRENT_LATER_WEIGHTS : RECURRENT_INPUT_WEIGHTS;
}

static int64_t count_of(const struct recurrent_plan *recurrent, enum recurrent_parameters what)
{
    const int64_t layers = recurrent->sizes.layers;
    return what == RECURRENT_INPUT_WEIGHTS ? 1 : layers - (what == RECURRENT_LATER_WEIGHTS);
}

static int64_t rows_of(const struct recurrent_plan *recurrent, enum recurrent_parameters what)
{
    const int64_t rows[RECURRENT_PARAMETER_COUNT] = {
        recurrent->sizes.inputs, recurrent->sizes.hidden, recurrent->sizes.width, 2};
    return rows[what];
}

static enum status plain_weights(const struct cpu_layout **layout,
                                 const struct recurrent_plan *recurrent,
                                 enum recurrent_parameters what, int64_t layers,
                                 dnnl_data_type_t type, struct error *error)
{
    const struct recurrent_sizes *sizes = &recurrent->sizes;
    const dnnl_dim_t dimensions[] = {layers, sizes->directions, rows_of(recurrent, what),
                                     sizes->gates, sizes->hidden};
    return cpu_plain_layout(layout, recurrent->plan, 5, dimensions, type, error);
}

static bool is_readable(const struct cpu_layout *layout)
{
    struct cpu_order order;
    return cpu_layout_order(&order, layout);
}

/* A layer's part of a tensor of all layers. */
static enum status part_of(struct cpu_tensor *part, const struct recurrent_plan *recurrent,
                           const struct cpu_tensor *whole, enum recurrent_parameters what,
                           int number, struct error *error)
{
    const struct cpu_layout *layout = whole->layout;
    const int64_t layers = count_of(recurrent, what);
    const size_t bytes = cpu_layout_bytes(layout) / (size_t)layers;
    if (layers > 1)
        TRY(plain_weights(&layout, recurrent, what, 1, cpu_layout_type(layout), error));
    return cpu_tensor_view(part, recurrent->plan, layout,
                           (unsigned char *)whole->data + (size_t)number * bytes, error);
}

/* Noise of the size that frameworks begin with: states neither saturate nor grow. */
static float amplitude_of(const struct recurrent_plan *recurrent)
{
    return 1 / sqrtf((float)recurrent->sizes.hidden);
}

/* The parameters that begin with this layer's side, or nothing. */
static enum status add_weights(const struct recurrent_plan *recurrent, int layer, int side,
                               struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    const_dnnl_primitive_desc_t pd = recurrent->layers[layer].forward;
    const struct cpu_layout *layout = cpu_layout_of(pd, dnnl_query_weights_md, side);
    int number;
    const enum recurrent_parameters what = parameters_of(&number, layer, side);
    const int64_t layers = count_of(recurrent, what);
    if (number > 0)
        return STATUS_OK;
    if (layers > 1 || !is_readable(layout))
        TRY(plain_weights(&layout, recurrent, what, layers, cpu_storage(plan), error));
    return cpu_tensor_create(&plan->tensor[CPU_WEIGHTS + what], plan, layout,
                             amplitude_of(recurrent), error);
}

static enum status add_all_weights(struct recurrent_plan *recurrent, struct error *error)
{
    for (int layer = 0; layer < recurrent->sizes.layers; layer++)
        for (int side = 0; side < SIDE_COUNT; side++) {
            int number;
            const enum recurrent_parameters what = parameters_of(&number, layer, side);
            TRY(add_weights(recurrent, layer, side, error));
            TRY(part_of(&recurrent->layers[layer].weights[side], recurrent,
                        &recurrent->plan->tensor[CPU_WEIGHTS + what], what, number, error));
        }
    return STATUS_OK;
}

/* ---- biases ---- */

enum bias_size { BIAS_STACKS, BIAS_GATES, BIAS_HIDDEN, BIAS_HAS_OWN };

/* Stack `i` of both: (2, gates, hidden) as the layer's parameters have them, (gates, hidden) or,
 * of a GRU, (gates + 1, hidden) as the library takes them. */
static void stack_biases(float **pair, float **merged, const struct cpu_loop *loop, int64_t i)
{
    const int64_t count = loop->size[BIAS_GATES] * loop->size[BIAS_HIDDEN];
    *pair = (float *)loop->data[0] + 2 * i * count;
    *merged = (float *)loop->data[1] +
              i * (count + loop->size[BIAS_HAS_OWN] * loop->size[BIAS_HIDDEN]);
}

static void merge_biases(const struct cpu_loop *loop)
{
    const int64_t hidden = loop->size[BIAS_HIDDEN], count = loop->size[BIAS_GATES] * hidden;
    const int64_t both = count - loop->size[BIAS_HAS_OWN] * hidden;
    for (int64_t i = 0; i < loop->size[BIAS_STACKS]; i++) {
        float *pair, *merged;
        stack_biases(&pair, &merged, loop, i);
        for (int64_t k = 0; k < both; k++)
            merged[k] = pair[k] + pair[count + k];
        for (int64_t k = both; k < count; k++) {
            merged[k] = pair[k];
            merged[hidden + k] = pair[count + k];
        }
    }
}

/* The gradient of a sum is that of both. */
static void split_bias_gradients(const struct cpu_loop *loop)
{
    const int64_t hidden = loop->size[BIAS_HIDDEN], count = loop->size[BIAS_GATES] * hidden;
    const int64_t own = loop->size[BIAS_HAS_OWN] * hidden;
    for (int64_t i = 0; i < loop->size[BIAS_STACKS]; i++) {
        float *pair, *merged;
        stack_biases(&pair, &merged, loop, i);
        for (int64_t k = 0; k < count; k++) {
            pair[k] = merged[k];
            pair[count + k] = merged[k < count - own ? k : own + k];
        }
    }
}

static enum status add_bias_loop(const struct recurrent_plan *recurrent, int phase,
                                 void (*run)(const struct cpu_loop *loop), int role,
                                 const struct cpu_tensor *merged, struct error *error)
{
    const struct recurrent_sizes *sizes = &recurrent->sizes;
    const int place = recurrent_biases_place(sizes);
    const struct cpu_loop loop = {
        .run = run,
        .data = {recurrent->plan->tensor[role + place].data, merged->data},
        .size = {[BIAS_STACKS] = sizes->layers * sizes->directions,
                 [BIAS_GATES] = sizes->gates,
                 [BIAS_HIDDEN] = sizes->hidden,
                 [BIAS_HAS_OWN] = recurrent->cell == dnnl_lbr_gru},
    };
    return cpu_loop_add(recurrent->plan, phase, &loop, error);
}

enum status recurrent_bias_layout(const struct cpu_layout **layout,
                                  const struct recurrent_plan *recurrent, int64_t layers,
                                  struct error *error)
{
    const dnnl_dim_t dimensions[] = {layers, recurrent->sizes.directions, bias_gates(recurrent),
                                     recurrent->sizes.hidden};
    return cpu_plain_layout(layout, recurrent->plan, 4, dimensions, dnnl_f32, error);
}

enum status recurrent_bias_part(struct cpu_tensor *part, const struct recurrent_plan *recurrent,
                                const struct cpu_tensor *whole, int layer, struct error *error)
{
    const struct cpu_layout *layout;
    TRY(recurrent_bias_layout(&layout, recurrent, 1, error));
    return cpu_tensor_view(part, recurrent->plan, layout,
                           (unsigned char *)whole->data + (size_t)layer * cpu_layout_bytes(layout),
                           error);
}

/* The library has no layer without biases: zeros, as frameworks give it. */
static enum status add_no_biases(struct recurrent_plan *recurrent, struct error *error)
{
    memset(recurrent->biases.data, 0, cpu_layout_bytes(recurrent->biases.layout));
    return cpu_tensor_keep(recurrent->plan, &recurrent->biases, error);
}

static enum status add_pairs(const struct recurrent_plan *recurrent, struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    const struct cpu_layout *pairs;
    TRY(plain_weights(&pairs, recurrent, RECURRENT_BIASES, recurrent->sizes.layers, dnnl_f32,
                      error));
    TRY(cpu_tensor_create(&plan->tensor[CPU_WEIGHTS + recurrent_biases_place(&recurrent->sizes)],
                          plan, pairs, amplitude_of(recurrent), error));
    return add_bias_loop(recurrent, PHASE_FORWARD, merge_biases, CPU_WEIGHTS, &recurrent->biases,
                         error);
}

static enum status add_biases(struct recurrent_plan *recurrent, struct error *error)
{
    const struct cpu_layout *merged;
    TRY(recurrent_bias_layout(&merged, recurrent, recurrent->sizes.layers, error));
    TRY(cpu_tensor_create(&recurrent->biases, recurrent->plan, merged, 0, error));
    for (int layer = 0; layer < recurrent->sizes.layers; layer++)
        TRY(recurrent_bias_part(&recurrent->layers[layer].bias, recurrent, &recurrent->biases,
                                layer, error));
    return recurrent->sizes.has_bias ? add_pairs(recurrent, error)
                                     : add_no_biases(recurrent, error);
}

enum status recurrent_parameters_add(struct recurrent_plan *recurrent, struct error *error)
{
    TRY(add_all_weights(recurrent, error));
    return add_biases(recurrent, error);
}

/* ---- gradients ---- */

/* Of the parameters that the layer's side is part of, unless it is there. */
static enum status add_weights_gradient(const struct recurrent_plan *recurrent, int layer, int side,
                                        struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    int number;
    const enum recurrent_parameters what = parameters_of(&number, layer, side);
    struct cpu_tensor *gradient = &plan->tensor[CPU_WEIGHTS_GRADIENT + what];
    const struct cpu_layout *layout = plan->tensor[CPU_WEIGHTS + what].layout;
    if (gradient->memory)
        return STATUS_OK;
    if (cpu_layout_type(layout) != dnnl_f32)
        TRY(plain_weights(&layout, recurrent, what, count_of(recurrent, what), dnnl_f32, error));
    return cpu_tensor_create(gradient, plan, layout, 0, error);
}

enum status recurrent_gradient_part(struct cpu_tensor *part, const struct recurrent_plan *recurrent,
                                    int layer, enum recurrent_side side, struct error *error)
{
    int number;
    const enum recurrent_parameters what = parameters_of(&number, layer, side);
    TRY(add_weights_gradient(recurrent, layer, side, error));
    return part_of(part, recurrent, &recurrent->plan->tensor[CPU_WEIGHTS_GRADIENT + what], what,
                   number, error);
}

enum status recurrent_bias_gradients_add(struct recurrent_plan *recurrent, struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    const int place = recurrent_biases_place(&recurrent->sizes);
    if (recurrent->sizes.has_bias)
        TRY(cpu_tensor_create(&plan->tensor[CPU_WEIGHTS_GRADIENT + place], plan,
                              plan->tensor[CPU_WEIGHTS + place].layout, 0, error));
    return cpu_tensor_create(&recurrent->bias_gradients, plan, recurrent->biases.layout, 0, error);
}

enum status recurrent_bias_gradients_settle(const struct recurrent_plan *recurrent,
                                            struct error *error)
{
    if (!recurrent->sizes.has_bias)
        return STATUS_OK;
    return add_bias_loop(recurrent, PHASE_BACKWARD, split_bias_gradients, CPU_WEIGHTS_GRADIENT,
                         &recurrent->bias_gradients, error);
}
