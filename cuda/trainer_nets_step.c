/* The launches of a step and of the end of an epoch, for nets side by side. */
#include "cuda_check.h"
#include "trainer_nets.h"

/* ---- rows ---- */

/* Rows first..first + limit - 1, as far as any net has them. */
static struct row_range range_of(const struct cuda_nets *nets, int32_t split, uint32_t first,
                                 uint32_t limit)
{
    size_t rows = split == ROWS_TEST ? nets->plan.test_rows : nets->plan.train_rows;
    size_t left = rows - first;
    return (struct row_range){
        .split = split, .first = first, .limit = left < limit ? (uint32_t)left : limit};
}

static struct row_range batch_of(const struct cuda_nets *nets, uint32_t index)
{
    const uint32_t batch = (uint32_t)nets->plan.batch_rows;
    return range_of(nets, ROWS_TRAIN, index * batch, batch);
}

/* ---- forward ---- */

/* a = relu or silu (inputs W + b) */
static struct product forward_product(const struct cuda_nets *nets, const float *parameters,
                                      int layer, const float *inputs, uint32_t rows)
{
    const struct mlp_shape *shape = &nets->plan.shape;
    int32_t inner = shape->widths[layer], columns = shape->widths[layer + 1];
    return (struct product){
        .rows = (int32_t)rows,
        .columns = columns,
        .depth = inner,
        .a = inputs,
        .b = parameters + mlp_weight_offset(shape, layer),
        .a_row_stride = inner,
        .a_depth_stride = 1,
        .b_column_stride = 1,
        .b_depth_stride = columns,
        .ones_row = -1,
        .slice_depth = inner,
        .slice_count = 1,
        .c = nets->first.activations[layer],
        .c_stride = columns,
        .epilogue = shape->activation == MLP_ACTIVATION_SILU ? EPILOGUE_SILU : EPILOGUE_RELU,
        .bias = parameters + mlp_bias_offset(shape, layer),
    };
}

/* inputs NULL: the data's. */
static struct output_layer output_of(const struct cuda_nets *nets, const float *parameters,
                                     const float *inputs, const struct row_range *rows)
{
    const struct mlp_shape *shape = &nets->plan.shape;
    int last = shape->layer_count - 1;
    return (struct output_layer){
        .inputs = last ? nets->first.activations[last - 1] : inputs,
        .weights = parameters + mlp_weight_offset(shape, last),
        .bias = parameters + mlp_bias_offset(shape, last),
        .width = shape->widths[last],
        .heads = mlp_head_count(shape),
        .output = shape->output,
        .squared_error = nets->first.test_error,
        .positive = nets->first.test_positive,
        .rows = *rows,
        .nets = nets->nets,
    };
}

static enum status forward(struct cuda_nets *nets, uint32_t index, struct error *error)
{
    const struct net_arrays *net = &nets->first;
    int last = nets->plan.shape.layer_count - 1;
    const float *inputs = net->inputs;
    const struct row_range rows = batch_of(nets, index);
    for (int layer = 0; layer < last; layer++) {
        struct products products = {.count = 1, .rows = rows, .step = index, .nets = nets->nets};
        struct product *product = &products.product[0];
        *product = forward_product(nets, net->parameters, layer, inputs, rows.limit);
        product->drops = layer == last - 1;
        product->slopes = net->slopes[layer];
        CUDA_TRY(error, launch_products(&products, &nets->launch));
        inputs = net->activations[layer];
    }
    struct output_layer output = output_of(nets, net->parameters, net->inputs, &rows);
    output.targets = net->targets;
    output.offsets = net->offsets;
    output.delta = net->delta;
    output.hidden_delta = last ? net->hidden_deltas[last - 1] : NULL;
    output.slopes = last ? net->slopes[last - 1] : NULL;
    output.squared_error = net->train_error;
    output.positive = net->positive;
    CUDA_TRY(error, launch_output_layer(&output, &nets->launch));
    return STATUS_OK;
}

/* ---- backward ---- */

/* Gradient of W and b of `layer`: (inputs, a last row of ones)^T delta, by slices of the batch. An
 * output without bias leaves the ones out; its gradient stays 0. */
static struct product weight_product(const struct cuda_nets *nets, int layer, int32_t rows)
{
    const struct mlp_shape *shape = &nets->plan.shape;
    const struct net_arrays *net = &nets->first;
    bool last = layer == shape->layer_count - 1;
    int32_t inner = shape->widths[layer], columns = shape->widths[layer + 1];
    bool with_bias = !last || shape->output_bias;
    return (struct product){
        .rows = inner + with_bias,
        .columns = columns,
        .depth = rows,
        .sums_rows = 1,
        .a = layer ? net->activations[layer - 1] : net->inputs,
        .b = last ? net->delta : net->hidden_deltas[layer],
        .a_row_stride = 1,
        .a_depth_stride = inner,
        .b_column_stride = 1,
        .b_depth_stride = columns,
        .ones_row = with_bias ? inner : -1,
        .slice_depth = nets->plan.slice_rows,
        .slice_count = (rows + nets->plan.slice_rows - 1) / nets->plan.slice_rows,
        .c = net->gradients + mlp_weight_offset(shape, layer),
        .c_stride = columns,
        .c_slice_stride = nets->plan.parameter_count,
        .epilogue = EPILOGUE_STORE,
        .norm = net->norms[layer],
    };
}

/* Gradient of the input of hidden layer `layer`, through the activation of the layer before.
 */
static struct product input_product(const struct cuda_nets *nets, int layer, int32_t rows)
{
    const struct mlp_shape *shape = &nets->plan.shape;
    const struct net_arrays *net = &nets->first;
    int32_t inner = shape->widths[layer], columns = shape->widths[layer + 1];
    const float *slopes = net->slopes[layer - 1];
    return (struct product){
        .rows = rows,
        .columns = inner,
        .depth = columns,
        .a = net->hidden_deltas[layer],
        .b = net->parameters + mlp_weight_offset(shape, layer),
        .a_row_stride = columns,
        .a_depth_stride = 1,
        .b_column_stride = columns,
        .b_depth_stride = 1,
        .ones_row = -1,
        .slice_depth = columns,
        .slice_count = 1,
        .c = net->hidden_deltas[layer - 1],
        .c_stride = inner,
        .epilogue = slopes ? EPILOGUE_SLOPE : EPILOGUE_MASK,
        .mask = slopes ? slopes : net->activations[layer - 1],
    };
}

static enum status backward(struct cuda_nets *nets, uint32_t index, struct error *error)
{
    int last = nets->plan.shape.layer_count - 1;
    const struct row_range range = batch_of(nets, index);
    const int32_t rows = (int32_t)range.limit;
    for (int layer = last > 0 ? last - 1 : 0; layer >= 0; layer--) {
        struct products products = {.rows = range, .step = index, .nets = nets->nets};
        products.product[products.count++] = weight_product(nets, layer, rows);
        if (layer > 0)
            products.product[products.count++] = input_product(nets, layer, rows);
        if (layer == last - 1)
            products.product[products.count++] = weight_product(nets, last, rows);
        CUDA_TRY(error, launch_products(&products, &nets->launch));
    }
    return STATUS_OK;
}

enum status cuda_nets_gradient(struct cuda_nets *nets, uint32_t index, struct error *error)
{
    TRY(forward(nets, index, error));
    return backward(nets, index, error);
}

/* ---- update ---- */

enum status cuda_nets_schedule(struct cuda_nets *nets, uint32_t first, uint32_t count,
                               struct error *error)
{
    CUDA_TRY(error,
             launch_schedule(nets->first.rates + first, first, count, &nets->nets, &nets->launch));
    return STATUS_OK;
}

static struct flat_layout layout_of(const struct mlp_shape *shape)
{
    struct flat_layout layout = {.layer_count = shape->layer_count};
    for (int layer = 0; layer <= shape->layer_count; layer++)
        layout.weight_offset[layer] = (uint32_t)mlp_weight_offset(shape, layer);
    for (int layer = 0; layer < shape->layer_count; layer++)
        layout.bias_offset[layer] = (uint32_t)mlp_bias_offset(shape, layer);
    return layout;
}

enum status cuda_nets_update(struct cuda_nets *nets, uint32_t index, struct error *error)
{
    const struct net_plan *plan = &nets->plan;
    const struct net_arrays *net = &nets->first;
    const struct update update = {
        .parameters = net->parameters,
        .m = net->m,
        .v = net->v,
        .gradients = net->gradients,
        .count = (uint32_t)plan->parameter_count,
        .slice_rows = (uint32_t)plan->slice_rows,
        .layout = layout_of(&plan->shape),
        .rates = net->rates,
        .step = index,
        .norm_squares = net->norms[0].squares,
        .norm_count = nets->norm_count,
        .gather = cuda_nets_gather(nets),
    };
    CUDA_TRY(error, launch_update(&update, &nets->launch));
    return STATUS_OK;
}

/* ---- evaluation and the end of an epoch ---- */

static enum status evaluate_range(struct cuda_nets *nets, const float *parameters,
                                  const struct row_range *range, struct error *error)
{
    const float *inputs = NULL; /* the data's */
    for (int layer = 0; layer < nets->plan.shape.layer_count - 1; layer++) {
        struct products products = {.count = 1, .rows = *range, .nets = nets->nets};
        products.product[0] = forward_product(nets, parameters, layer, inputs, range->limit);
        CUDA_TRY(error, launch_products(&products, &nets->launch));
        inputs = nets->first.activations[layer];
    }
    const struct output_layer output = output_of(nets, parameters, NULL, range);
    CUDA_TRY(error, launch_output_layer(&output, &nets->launch));
    return STATUS_OK;
}

enum status cuda_nets_evaluate(struct cuda_nets *nets, const float *parameters, int32_t split,
                               struct error *error)
{
    const size_t rows = split == ROWS_TEST ? nets->plan.test_rows : nets->plan.train_rows;
    for (uint32_t first = 0; first < rows; first += EVALUATION_ROWS) {
        const struct row_range range = range_of(nets, split, first, EVALUATION_ROWS);
        TRY(evaluate_range(nets, parameters, &range, error));
    }
    return STATUS_OK;
}

enum status cuda_nets_epoch_end(struct cuda_nets *nets, struct error *error)
{
    const struct net_arrays *net = &nets->first;
    const struct epoch_end end = {
        .train_error = net->train_error,
        .test_error = net->test_error,
        .positive = net->positive,
        .relu_output = nets->plan.shape.output == MLP_OUTPUT_RELU,
        .parameters = net->parameters,
        .best = net->best,
        .count = (uint32_t)nets->plan.parameter_count,
        .nets = nets->nets,
    };
    TRY(cuda_nets_evaluate(nets, net->parameters, ROWS_TEST, error));
    CUDA_TRY(error, launch_epoch_end(&end, &nets->launch));
    return STATUS_OK;
}
