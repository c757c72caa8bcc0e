/* Operators that benchmarks cover: convolution, pooling, dense layers, batch normalisation and
 * additions; with the activation that follows. What the kinds do not describe stays an operator.
 */
#include "network/onnx_operators.h"

#include <math.h>
#include <string.h>

/* ---- fusion ---- */

/* The one node that reads a tensor, when nothing else does. */
static struct onnx_node *sole_consumer(const struct onnx_call *call, const struct onnx_value *value)
{
    struct onnx_node *node = value && value->consumer_count == 1 && !value->is_output
                                 ? &call->graph->nodes[value->consumer]
                                 : NULL;
    return node && node->known && !node->is_constant && !node->is_absorbed ? node : NULL;
}

/* The node's work is the layer's; returns the tensor that it gives. */
static struct onnx_value *absorb(const struct onnx_builder *builder, struct onnx_node *node)
{
    const int link = builder->graph->links[node->first + node->input_count];
    struct onnx_value *output = link < 0 ? NULL : &builder->graph->values[link];
    node->is_absorbed = true;
    if (output)
        output->layer = builder->network->layer_count - 1;
    return output;
}

static int32_t fuse_activation(const struct onnx_builder *builder, const struct onnx_call *call,
                               const struct onnx_value *output)
{
    struct onnx_node *node = sole_consumer(call, output);
    const int activation = node ? choice_find(&choice_activation, node->known->name) : -1;
    if (activation <= ACTIVATION_NONE || node->output_count != 1)
        return ACTIVATION_NONE;
    absorb(builder, node);
    return activation;
}

/* MatMul, then Add of one number a column. */
static bool fuse_bias(struct onnx_builder *builder, const struct onnx_call *call,
                      struct onnx_value **output, double columns)
{
    struct onnx_node *node = sole_consumer(call, *output);
    if (!node || strcmp(node->known->name, "add") != 0 || node->input_count != 2)
        return false;
    const struct onnx_call add = {call->graph, node, call->error};
    const int other = onnx_input(&add, 0) == *output;
    const struct onnx_value *bias = onnx_input(&add, other);
    if (!bias || !bias->is_constant || bias->count != columns || bias->rank < 1 ||
        (double)bias->dims[bias->rank - 1] != columns)
        return false;
    onnx_release_parameters(builder, bias);
    *output = absorb(builder, node);
    return true;
}

/* ---- conv2d, pool2d ---- */

/* A layer of the config, if the kind allows it and the tensor's rows are whole samples. */
static bool is_layer(struct layer_config *config, const struct onnx_call *call, double rows)
{
    const double per_sample = rows / call->graph->batch;
    if (per_sample < 1 || per_sample > 65536 || floor(per_sample) != per_sample)
        return false;
    config->batch_size = (int32_t)per_sample;
    return layer_is_valid(config);
}

static bool is_square(const struct onnx_window *window)
{
    const int64_t *const pairs[] = {window->image, window->kernel, window->stride, window->output};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (window->axes != 2 || pairs[i][0] != pairs[i][1] || pairs[i][0] > 65536)
            return false;
    return window->dilation[0] == 1 && window->dilation[1] == 1;
}

/* The padding with which the kinds' windows give the same output, -1: none does. Where the zeros
 * lie (PyTorch's 3 and 3 around an image for 2 and 3) changes neither size nor work. */
static int32_t padding_of(const struct onnx_window *window)
{
    const bool has_zeros = window->before[0] || window->before[1] || window->after[0] ||
                           window->after[1];
    for (int32_t padding = PADDING_VALID; padding <= PADDING_SAME; padding++) {
        const bool fits = padding == PADDING_SAME || window->kernel[0] <= window->image[0];
        if (fits && !(padding == PADDING_VALID && has_zeros) &&
            window_of((int32_t)window->image[0], (int32_t)window->kernel[0],
                      (int32_t)window->stride[0], padding)
                    .output_size == window->output[0])
            return padding;
    }
    return -1;
}

static const char *conv_name(const struct onnx_call *call, const struct onnx_window *window)
{
    const int64_t group = onnx_integer(call, "group", 1);
    if (group > 1)
        return group == onnx_input(call, 0)->dims[1] ? "conv_depthwise" : "conv_grouped";
    for (int axis = 0; axis < window->axes; axis++)
        if (window->dilation[axis] > 1)
            return "conv_dilated";
    return "conv";
}

/* Each output cell: a product for each tap of its group's channels, and the bias. */
static enum status emit_conv_operator(struct onnx_builder *builder, const struct onnx_call *call,
                                      const struct onnx_window *window)
{
    const struct onnx_value *w = onnx_input(call, 1);
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, conv_name(call, window), &layer));
    const double products = 2 * layer->work.output_count * w->count / (double)w->dims[0];
    layer->work.forward_flops = products + (onnx_input(call, 2) ? layer->work.output_count : 0);
    layer->work.backward_flops = 2 * products;
    layer->work.kept_count = layer->work.input_count + layer->work.output_count;
    return STATUS_OK;
}

enum status onnx_emit_conv(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0), *w = onnx_input(call, 1);
    const struct onnx_value *bias = onnx_input(call, 2);
    struct onnx_window window;
    struct network_layer *layer;
    TRY(onnx_window_read(call, &window));
    const int32_t padding = is_square(&window) ? padding_of(&window) : -1;
    struct layer_config config = {.kind = LAYER_CONV2D};
    config.as.conv2d = (struct conv2d){.image_size = (int32_t)window.image[0],
                                       .kernel_size = (int32_t)window.kernel[0],
                                       .channels_in = (int32_t)x->dims[1],
                                       .channels_out = (int32_t)w->dims[0],
                                       .stride = (int32_t)window.stride[0],
                                       .padding = padding,
                                       .use_bias = bias ? SWITCH_YES : SWITCH_NO};
    if (padding < 0 || onnx_integer(call, "group", 1) != 1 || !w->is_constant ||
        !is_layer(&config, call, (double)x->dims[0]))
        return emit_conv_operator(builder, call, &window);
    TRY(onnx_layer_add(builder, call, &layer));
    onnx_release_parameters(builder, w);
    onnx_release_parameters(builder, bias);
    config.as.conv2d.activation = fuse_activation(builder, call, onnx_output(call, 0));
    layer->config = config;
    return STATUS_OK;
}

/* A global pool, or a mean over both axes of an image, is a window over all of it. */
static bool read_global(const struct onnx_call *call, struct onnx_window *window)
{
    const struct onnx_value *x = onnx_input(call, 0), *y = onnx_output(call, 0);
    *window = (struct onnx_window){.axes = x->rank - 2};
    if (x->rank != 4 || !y || y->count != (double)x->dims[0] * (double)x->dims[1] ||
        y->dims[0] != x->dims[0] || y->rank < 2 || y->dims[1] != x->dims[1])
        return false;
    for (int axis = 0; axis < 2; axis++) {
        window->image[axis] = window->kernel[axis] = x->dims[2 + axis];
        window->stride[axis] = window->dilation[axis] = window->output[axis] = 1;
    }
    return true;
}

static enum status emit_pool_operator(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct network_layer *layer;
    struct onnx_window window = {.axes = 0};
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    double taps = layer->work.input_count / layer->work.output_count;
    if (call->node->known->shape == onnx_shape_pool) {
        TRY(onnx_window_read(call, &window));
        taps = 1;
        for (int axis = 0; axis < window.axes; axis++)
            taps *= (double)window.kernel[axis];
    }
    layer->work.forward_flops = layer->work.backward_flops = taps * layer->work.output_count;
    return STATUS_OK;
}

enum status onnx_emit_pool(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const bool is_max = strstr(call->node->known->name, "max") != NULL;
    struct onnx_window window;
    struct network_layer *layer;
    bool is_window = true;
    if (call->node->known->shape == onnx_shape_pool)
        TRY(onnx_window_read(call, &window));
    else
        is_window = read_global(call, &window);
    const int32_t padding = is_window && is_square(&window) ? padding_of(&window) : -1;
    struct layer_config config = {.kind = LAYER_POOL2D};
    if (padding >= 0)
        config.as.pool2d = (struct pool2d){.image_size = (int32_t)window.image[0],
                                           .kernel_size = (int32_t)window.kernel[0],
                                           .channels = (int32_t)x->dims[1],
                                           .stride = (int32_t)window.stride[0],
                                           .padding = padding,
                                           .pooling = is_max ? POOLING_MAX : POOLING_AVERAGE};
    if (padding < 0 || !is_layer(&config, call, (double)x->dims[0]))
        return emit_pool_operator(builder, call);
    TRY(onnx_layer_add(builder, call, &layer));
    config.as.pool2d.activation = fuse_activation(builder, call, onnx_output(call, 0));
    layer->config = config;
    return STATUS_OK;
}

/* ---- dense ---- */

static enum status emit_product(struct onnx_builder *builder, const struct onnx_call *call,
                                double inner)
{
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    layer->work.forward_flops = 2 * inner * layer->work.output_count;
    layer->work.backward_flops = 2 * layer->work.forward_flops;
    layer->work.kept_count = layer->work.input_count + layer->work.output_count;
    return STATUS_OK;
}

/* Rows of activations times a matrix of weights. */
static bool is_dense(const struct onnx_call *call, struct layer_config *config, double inner,
                     double columns)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    if (a->is_constant || !b->is_constant || b->rank != 2 || a->rank < 2 || inner > INT32_MAX ||
        columns > INT32_MAX)
        return false;
    *config = (struct layer_config){.kind = LAYER_DENSE};
    config->as.dense = (struct dense){.inputs = (int32_t)inner, .outputs = (int32_t)columns};
    return is_layer(config, call, a->count / inner);
}

static enum status emit_dense(struct onnx_builder *builder, const struct onnx_call *call,
                              struct layer_config *config, const struct onnx_value *bias)
{
    struct network_layer *layer;
    TRY(onnx_layer_add(builder, call, &layer));
    struct dense *dense = &config->as.dense;
    struct onnx_value *output = onnx_output(call, 0);
    onnx_release_parameters(builder, onnx_input(call, 1));
    onnx_release_parameters(builder, bias);
    dense->use_bias = bias || fuse_bias(builder, call, &output, dense->outputs) ? SWITCH_YES
                                                                                : SWITCH_NO;
    dense->activation = fuse_activation(builder, call, output);
    layer->config = *config;
    return STATUS_OK;
}

enum status onnx_emit_gemm(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    const struct onnx_value *bias = onnx_input(call, 2);
    const bool turned_a = onnx_integer(call, "transA", 0),
               turned_b = onnx_integer(call, "transB", 0);
    const double inner = (double)a->dims[!turned_a], columns = (double)b->dims[!turned_b];
    struct layer_config config;
    if (turned_a || (bias && (!bias->is_constant || bias->count != columns)) ||
        !is_dense(call, &config, inner, columns))
        return emit_product(builder, call, inner);
    return emit_dense(builder, call, &config, bias);
}

enum status onnx_emit_matmul(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    const double inner = (double)a->dims[a->rank - 1], columns = (double)b->dims[b->rank - 1];
    struct layer_config config;
    if (!is_dense(call, &config, inner, columns))
        return emit_product(builder, call, inner);
    return emit_dense(builder, call, &config, NULL);
}

/* ---- batch_norm, addition ---- */

/* The running statistics of batch normalisation (inputs 3 and 4) are not trained. */
static void leave_statistics(const struct onnx_call *call)
{
    for (int i = 3; i <= 4; i++) {
        const struct onnx_value *running = onnx_input(call, i);
        if (running && running->origin >= 0 && running->is_constant)
            call->graph->values[running->origin].counted_layer = ONNX_NOT_TRAINED;
    }
}

/* Square images, scales and shifts of constants, one output. */
static bool is_batch_norm(struct layer_config *config, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const struct onnx_value *scale = onnx_input(call, 1), *shift = onnx_input(call, 2);
    if (x->is_constant || x->rank != 4 || x->dims[2] != x->dims[3] || x->dims[1] > INT32_MAX ||
        x->dims[2] > INT32_MAX || !scale->is_constant || !shift->is_constant ||
        onnx_integer(call, "spatial", 1) != 1)
        return false;
    for (int i = 1; i < call->node->output_count; i++)
        if (onnx_output(call, i))
            return false;
    *config = (struct layer_config){.kind = LAYER_BATCH_NORM};
    config->as.batch_norm = (struct batch_norm){.image_size = (int32_t)x->dims[2],
                                                .channels = (int32_t)x->dims[1]};
    return is_layer(config, call, (double)x->dims[0]);
}

enum status onnx_emit_batch_norm(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct layer_config config;
    struct network_layer *layer;
    leave_statistics(call);
    if (!is_batch_norm(&config, call))
        return onnx_emit_normalization(builder, call);
    TRY(onnx_layer_add(builder, call, &layer));
    onnx_release_parameters(builder, onnx_input(call, 1));
    onnx_release_parameters(builder, onnx_input(call, 2));
    config.as.batch_norm.activation = fuse_activation(builder, call, onnx_output(call, 0));
    layer->config = config;
    return STATUS_OK;
}

/* Two activations of one shape, whole samples of them. */
static bool is_addition(struct layer_config *config, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    if (call->node->input_count != 2 || !a || !b || a->is_constant || b->is_constant ||
        a->rank != b->rank)
        return false;
    for (int axis = 0; axis < a->rank; axis++)
        if (a->dims[axis] != b->dims[axis])
            return false;
    const double elements = a->count / call->graph->batch;
    if (elements < 1 || elements > INT32_MAX || floor(elements) != elements)
        return false;
    *config = (struct layer_config){.kind = LAYER_ADDITION};
    config->as.addition = (struct addition){.elements = (int32_t)elements};
    return is_layer(config, call, call->graph->batch);
}

enum status onnx_emit_addition(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct layer_config config;
    struct network_layer *layer;
    if (!is_addition(&config, call))
        return onnx_emit_generic(builder, call);
    TRY(onnx_layer_add(builder, call, &layer));
    config.as.addition.activation = fuse_activation(builder, call, onnx_output(call, 0));
    layer->config = config;
    return STATUS_OK;
}
