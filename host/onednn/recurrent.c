/* recurrent with oneDNN: one primitive for each layer, of one direction or both, as the second
 * direction of a later layer reads the first one's outputs, too. Between layers the library's plain
 * order (positions, batch, channels).
 *
 * Weights of a single layer live in the layout that the forward primitive chose, others in plain
 * order. Where a primitive wants another layout a reorder runs each step, as in a framework that
 * uses this library; a forward pass, whose weights nobody changes, has it once, before. So it has
 * packed weights, whose order the library hides.
 */
#include "onednn/recurrent_plan.h"

#include <string.h>

static int64_t depth_of(const struct recurrent_plan *recurrent, int layer)
{
    return layer ? recurrent->sizes.width : recurrent->sizes.inputs;
}

/* ---- primitives ---- */

static enum status rows_layout(const struct cpu_layout **layout,
                               const struct recurrent_plan *recurrent, int64_t channels,
                               dnnl_data_type_t type, struct error *error)
{
    const dnnl_dim_t dimensions[] = {recurrent->sizes.positions, recurrent->sizes.batch, channels};
    return cpu_plain_layout(layout, recurrent->plan, 3, dimensions, type, error);
}

static enum status state_layout(const struct cpu_layout **layout,
                                const struct recurrent_plan *recurrent, dnnl_data_type_t type,
                                struct error *error)
{
    const struct recurrent_sizes *sizes = &recurrent->sizes;
    const dnnl_dim_t dimensions[] = {1, sizes->directions, sizes->batch, sizes->hidden};
    return cpu_plain_layout(layout, recurrent->plan, 4, dimensions, type, error);
}

/* Gradients are fp32 in any precision, and so is an LSTM's c. */
static enum status describe(struct cpu_recurrent_layouts *layouts,
                            const struct recurrent_plan *recurrent, int layer,
                            dnnl_data_type_t type, struct error *error)
{
    const struct recurrent_sizes *sizes = &recurrent->sizes;
    const dnnl_dim_t depth = depth_of(recurrent, layer);
    const dnnl_dim_t input[] = {1, sizes->directions, depth, sizes->gates, sizes->hidden};
    const dnnl_dim_t state[] = {1, sizes->directions, sizes->hidden, sizes->gates, sizes->hidden};
    *layouts = (struct cpu_recurrent_layouts){.memory = NULL};
    TRY(rows_layout(&layouts->input, recurrent, depth, type, error));
    TRY(rows_layout(&layouts->output, recurrent, sizes->width, type, error));
    TRY(cpu_any_layout(&layouts->input_weights, recurrent->plan, 5, input, type, error));
    TRY(cpu_any_layout(&layouts->state_weights, recurrent->plan, 5, state, type, error));
    TRY(state_layout(&layouts->state, recurrent, type, error));
    if (recurrent->cell == dnnl_vanilla_lstm)
        TRY(state_layout(&layouts->memory, recurrent, dnnl_f32, error));
    return recurrent_bias_layout(&layouts->bias, recurrent, 1, error);
}

static enum status choose_layer(struct recurrent_plan *recurrent, int layer, struct error *error)
{
    struct recurrent_layer *one = &recurrent->layers[layer];
    struct cpu_plan *plan = recurrent->plan;
    const struct cpu_target *target = &plan->device->target;
    struct cpu_recurrent described = {.pass = cpu_forward_kind(plan),
                                      .cell = recurrent->cell,
                                      .direction = recurrent->sizes.directions > 1
                                                       ? dnnl_bidirectional_concat
                                                       : dnnl_unidirectional_left2right};
    TRY(describe(&described.of, recurrent, layer, cpu_storage(plan), error));
    DNNL_TRY(plan, error, cpu_recurrent_descriptor(&one->forward, target, &described, NULL));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    described.pass = dnnl_backward;
    TRY(describe(&described.gradient, recurrent, layer, dnnl_f32, error));
    DNNL_TRY(plan, error,
             cpu_recurrent_descriptor(&one->backward, target, &described, one->forward));
    return STATUS_OK;
}

static void destroy(struct recurrent_plan *recurrent)
{
    for (int layer = 0; layer < recurrent->sizes.layers; layer++) {
        const struct recurrent_layer *one = &recurrent->layers[layer];
        if (one->forward)
            dnnl_primitive_desc_destroy(one->forward);
        if (one->backward)
            dnnl_primitive_desc_destroy(one->backward);
    }
}

/* ---- forward ---- */

/* What all layers begin with. */
static enum status add_zeros(struct cpu_tensor *zeros, struct recurrent_plan *recurrent,
                             dnnl_data_type_t type, struct error *error)
{
    const struct cpu_layout *layout;
    TRY(state_layout(&layout, recurrent, type, error));
    TRY(cpu_tensor_create(zeros, recurrent->plan, layout, 0, error));
    memset(zeros->data, 0, cpu_layout_bytes(layout));
    return cpu_tensor_keep(recurrent->plan, zeros, error);
}

static enum status add_states(struct recurrent_plan *recurrent, struct error *error)
{
    TRY(add_zeros(&recurrent->state, recurrent, cpu_storage(recurrent->plan), error));
    return recurrent->cell == dnnl_vanilla_lstm
               ? add_zeros(&recurrent->memory, recurrent, dnnl_f32, error)
               : STATUS_OK;
}

static enum status take_weights(struct cpu_tensor *weights, const struct recurrent_plan *recurrent,
                                const struct recurrent_layer *one, struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    for (int side = 0; side < SIDE_COUNT; side++) {
        const struct cpu_layout *wanted = cpu_layout_of(one->forward, dnnl_query_weights_md, side);
        if (plan->config.pass == PASS_TRAIN)
            TRY(cpu_adapt(&weights[side], plan, PHASE_FORWARD, &one->weights[side], wanted, error));
        else
            TRY(cpu_settle(&weights[side], plan, &one->weights[side], wanted, error));
    }
    return STATUS_OK;
}

static enum status add_layer(struct recurrent_plan *recurrent, int layer, struct error *error)
{
    struct recurrent_layer *one = &recurrent->layers[layer];
    struct cpu_plan *plan = recurrent->plan;
    const bool is_last = layer == recurrent->sizes.layers - 1;
    const struct cpu_layout *kept = cpu_layout_of(one->forward, dnnl_query_workspace_md, 0);
    struct cpu_tensor weights[SIDE_COUNT];
    TRY(take_weights(weights, recurrent, one, error));
    one->input = layer ? recurrent->layers[layer - 1].output : plan->tensor[CPU_INPUT];
    TRY(cpu_tensor_create(&one->output, plan, cpu_layout_of(one->forward, dnnl_query_dst_md, 0), 0,
                          error));
    if (plan->config.pass == PASS_TRAIN && cpu_layout_bytes(kept) > 0)
        TRY(cpu_tensor_create(&one->workspace, plan, kept, 0, error));
    if (is_last)
        plan->tensor[CPU_OUTPUT] = one->output;
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC_LAYER, &one->input},
                                             {DNNL_ARG_SRC_ITER, &recurrent->state},
                                             {DNNL_ARG_SRC_ITER_C, &recurrent->memory},
                                             {DNNL_ARG_WEIGHTS_LAYER, &weights[INPUT_SIDE]},
                                             {DNNL_ARG_WEIGHTS_ITER, &weights[STATE_SIDE]},
                                             {DNNL_ARG_BIAS, &one->bias},
                                             {DNNL_ARG_DST_LAYER, &one->output},
                                             {DNNL_ARG_WORKSPACE, &one->workspace}};
    return cpu_step_add(plan, PHASE_FORWARD, one->forward, arguments, 8, error);
}

static enum status add_forward(struct recurrent_plan *recurrent, struct plan *const *inputs,
                               struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    const_dnnl_primitive_desc_t first = recurrent->layers[0].forward;
    cpu_plan_name(plan, first);
    TRY(cpu_input(plan, inputs, 0, cpu_layout_of(first, dnnl_query_src_md, 0), error));
    TRY(recurrent_parameters_add(recurrent, error));
    TRY(add_states(recurrent, error));
    for (int layer = 0; layer < recurrent->sizes.layers; layer++)
        TRY(add_layer(recurrent, layer, error));
    return STATUS_OK;
}

/* ---- backward ---- */

enum { CLEARED = 3 };

static void clear(const struct cpu_loop *loop)
{
    for (int i = 0; i < CLEARED; i++) {
        float *values = loop->data[i];
        const int64_t count = loop->size[i];
#pragma omp parallel for simd
        for (int64_t k = 0; k < count; k++)
            values[k] = 0;
    }
}

/* The primitive adds to the gradients of parameters. */
static enum status add_clear(struct cpu_plan *plan, const struct cpu_tensor *gradients,
                             const struct cpu_tensor *bias, struct error *error)
{
    const struct cpu_tensor *const tensors[CLEARED] = {&gradients[INPUT_SIDE],
                                                       &gradients[STATE_SIDE], bias};
    struct cpu_loop loop = {.run = clear};
    for (int i = 0; i < CLEARED; i++) {
        loop.data[i] = tensors[i]->data;
        loop.size[i] = (int64_t)(cpu_layout_bytes(tensors[i]->layout) / sizeof(float));
    }
    return cpu_loop_add(plan, PHASE_BACKWARD, &loop, error);
}

/* What a layer's backward primitive reads and writes beside its tensors. */
struct side_tensors {
    struct cpu_tensor weights[SIDE_COUNT], parts[SIDE_COUNT], gradients[SIDE_COUNT];
};

static enum status take_sides(struct side_tensors *sides, const struct recurrent_plan *recurrent,
                              int layer, struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    const struct recurrent_layer *one = &recurrent->layers[layer];
    for (int side = 0; side < SIDE_COUNT; side++) {
        const struct cpu_layout *raw = cpu_layout_of(one->backward, dnnl_query_diff_weights_md,
                                                     side);
        struct cpu_tensor *part = &sides->parts[side], *gradient = &sides->gradients[side];
        TRY(cpu_adapt(&sides->weights[side], plan, PHASE_BACKWARD, &one->weights[side],
                      cpu_layout_of(one->backward, dnnl_query_weights_md, side), error));
        TRY(recurrent_gradient_part(part, recurrent, layer, (enum recurrent_side)side, error));
        *gradient = *part;
        if (!cpu_layout_equal(raw, part->layout))
            TRY(cpu_tensor_create(gradient, plan, raw, 0, error));
    }
    return STATUS_OK;
}

static enum status settle_sides(struct cpu_plan *plan, const struct side_tensors *sides,
                                struct error *error)
{
    for (int side = 0; side < SIDE_COUNT; side++)
        if (sides->gradients[side].data != sides->parts[side].data)
            TRY(cpu_reorder(plan, PHASE_BACKWARD, &sides->gradients[side], &sides->parts[side],
                            error));
    return STATUS_OK;
}

/* The plan's own where the primitive can write it: of the first layer, in fp32. */
static enum status take_input_gradient(struct cpu_tensor *gradient, struct cpu_plan *plan,
                                       int layer, const struct cpu_layout *layout,
                                       struct error *error)
{
    *gradient = plan->tensor[CPU_INPUT_GRADIENT];
    if (layer == 0 && cpu_layout_equal(gradient->layout, layout))
        return STATUS_OK;
    return cpu_tensor_create(gradient, plan, layout, 0, error);
}

static enum status add_state_gradient(struct cpu_tensor *gradient,
                                      const struct recurrent_plan *recurrent, struct error *error)
{
    const struct cpu_layout *layout;
    TRY(state_layout(&layout, recurrent, dnnl_f32, error));
    return cpu_tensor_create(gradient, recurrent->plan, layout, 0, error);
}

/* *gradient: by the layer's outputs, then by its inputs. */
static enum status add_layer_backward(struct recurrent_plan *recurrent, int layer,
                                      struct cpu_tensor *gradient, struct error *error)
{
    const struct recurrent_layer *one = &recurrent->layers[layer];
    struct cpu_plan *plan = recurrent->plan;
    struct cpu_tensor bias_gradient, by_inputs, by_state, by_memory = {.memory = NULL};
    struct side_tensors sides;
    TRY(take_sides(&sides, recurrent, layer, error));
    TRY(recurrent_bias_part(&bias_gradient, recurrent, &recurrent->bias_gradients, layer, error));
    TRY(take_input_gradient(&by_inputs, plan, layer,
                            cpu_layout_of(one->backward, dnnl_query_diff_src_md, 0), error));
    TRY(add_state_gradient(&by_state, recurrent, error));
    if (recurrent->cell == dnnl_vanilla_lstm)
        TRY(add_state_gradient(&by_memory, recurrent, error));
    TRY(add_clear(plan, sides.gradients, &bias_gradient, error));
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_SRC_LAYER, &one->input},
        {DNNL_ARG_SRC_ITER, &recurrent->state},
        {DNNL_ARG_SRC_ITER_C, &recurrent->memory},
        {DNNL_ARG_DIFF_SRC_ITER, &by_state},
        {DNNL_ARG_DIFF_SRC_ITER_C, &by_memory},
        {DNNL_ARG_WEIGHTS_LAYER, &sides.weights[INPUT_SIDE]},
        {DNNL_ARG_WEIGHTS_ITER, &sides.weights[STATE_SIDE]},
        {DNNL_ARG_BIAS, &one->bias},
        {DNNL_ARG_DST_LAYER, &one->output},
        {DNNL_ARG_WORKSPACE, &one->workspace},
        {DNNL_ARG_DIFF_DST_LAYER, gradient},
        {DNNL_ARG_DIFF_SRC_LAYER, &by_inputs},
        {DNNL_ARG_DIFF_WEIGHTS_LAYER, &sides.gradients[INPUT_SIDE]},
        {DNNL_ARG_DIFF_WEIGHTS_ITER, &sides.gradients[STATE_SIDE]},
        {DNNL_ARG_DIFF_BIAS, &bias_gradient}};
    TRY(cpu_step_add(plan, PHASE_BACKWARD, one->backward, arguments, 15, error));
    *gradient = by_inputs;
    return settle_sides(plan, &sides, error);
}

static enum status add_backward(struct recurrent_plan *recurrent, struct plan *const *inputs,
                                struct error *error)
{
    struct cpu_plan *plan = recurrent->plan;
    const struct recurrent_layer *last = &recurrent->layers[recurrent->sizes.layers - 1];
    struct cpu_tensor output_gradient, gradient;
    TRY(cpu_activation_backward(&output_gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_adapt(&gradient, plan, PHASE_BACKWARD, &output_gradient,
                  cpu_layout_of(last->backward, dnnl_query_diff_dst_md, 0), error));
    TRY(cpu_input_gradient(plan, inputs, 0, plan->tensor[CPU_INPUT].layout, error));
    TRY(recurrent_bias_gradients_add(recurrent, error));
    for (int layer = (int)recurrent->sizes.layers; layer-- > 0;)
        TRY(add_layer_backward(recurrent, layer, &gradient, error));
    TRY(recurrent_bias_gradients_settle(recurrent, error));
    if (gradient.data != plan->tensor[CPU_INPUT_GRADIENT].data)
        TRY(cpu_reorder(plan, PHASE_BACKWARD, &gradient, &plan->tensor[CPU_INPUT_GRADIENT], error));
    TRY(cpu_input_gradient_deliver(plan, inputs, 0, error));
    return cpu_updates_add(plan, error);
}

/* ---- plan ---- */

enum status cpu_fill_recurrent(struct cpu_plan *plan, struct plan *const *inputs,
                               struct error *error)
{
    static const dnnl_alg_kind_t cells[CELL_COUNT] = {dnnl_vanilla_rnn, dnnl_vanilla_lstm,
                                                      dnnl_lbr_gru};
    struct recurrent_plan recurrent = {.plan = plan,
                                       .sizes = recurrent_sizes_of(&plan->config),
                                       .cell = cells[plan->config.as.recurrent.cell]};
    enum status status = STATUS_OK;
    for (int layer = 0; layer < recurrent.sizes.layers && status == STATUS_OK; layer++)
        status = choose_layer(&recurrent, layer, error);
    if (status == STATUS_OK)
        status = add_forward(&recurrent, inputs, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_backward(&recurrent, inputs, error);
    destroy(&recurrent);
    return status;
}
