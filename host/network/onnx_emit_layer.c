/* From a node to a layer: of a kind, where one describes it, with the bias and the activation that
 * follow; else an operator.
 */
#include "network/onnx_attention_pattern.h"

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

/* MatMul, then Add of one number per column: the bias, or NULL. */
static struct onnx_value *fuse_bias(struct onnx_builder *builder, const struct onnx_call *call,
                                    struct onnx_value **output, double columns)
{
    struct onnx_node *node = sole_consumer(call, *output);
    if (!node || strcmp(node->known->name, "add") != 0 || node->input_count != 2)
        return NULL;
    const struct onnx_call add = {call->graph, node, call->error};
    const int other = onnx_input(&add, 0) == *output;
    struct onnx_value *bias = onnx_input(&add, other);
    if (!bias || !bias->is_constant || bias->count != columns || bias->rank < 1 ||
        (double)bias->dims[bias->rank - 1] != columns)
        return NULL;
    *output = absorb(builder, node);
    return bias;
}

/* ---- layers ---- */

/* A recurrent node may give its last state alone. */
static const struct onnx_value *first_output(const struct onnx_call *call)
{
    int i = 0;
    while (i < call->node->output_count - 1 && !onnx_output(call, i))
        i++;
    return onnx_output(call, i);
}

/* The kind allows the config, and its rows are of whole samples. */
static bool is_layer(struct layer_config *config, const struct onnx_call *call, double rows)
{
    const struct onnx_value *output = first_output(call);
    const double per_sample = output ? rows / onnx_samples(call->graph, output) : 0;
    if (per_sample < 1 || per_sample > 65536 || floor(per_sample) != per_sample)
        return false;
    config->batch_size = (int32_t)per_sample;
    return layer_is_valid(config);
}

static void set_feature(struct layer_config *config, const char *name, int32_t value)
{
    const struct feature *feature = layer_feature_find(config->kind, name);
    if (feature)
        layer_set(config, feature, value);
}

/* The bias and the activation that follow are the layer's work, too. */
static void fuse(struct onnx_builder *builder, const struct onnx_call *call,
                 struct layer_config *config, struct onnx_match *match)
{
    struct onnx_value *output = onnx_output(call, 0), *bias = NULL;
    if (match->bias_count > 0)
        bias = fuse_bias(builder, call, &output, match->bias_count);
    if (bias) {
        set_feature(config, "use_bias", SWITCH_YES);
        match->parameters[1] = bias;
    }
    if (layer_feature_find(config->kind, "activation"))
        set_feature(config, "activation", fuse_activation(builder, call, output));
}

/* The layer's inputs are not the node's: `inputs` are the layers that give them. */
static void relink(struct onnx_builder *builder, struct network_layer *layer, const int *inputs,
                   int count)
{
    builder->network->input_count -= layer->input_count;
    int *links = builder->network->inputs + builder->network->input_count;
    memcpy(links, inputs, (size_t)count * sizeof *links);
    layer->inputs = links;
    layer->input_count = count;
    builder->network->input_count += count;
}

/* Weights that the layer's kind does not have, looked up once: biases of positions. */
static enum status add_bias(struct onnx_builder *builder, const struct onnx_call *call,
                            const struct onnx_value *bias)
{
    static const int input = -1;
    struct network_layer *layer;
    if (!bias || bias->origin < 0 || builder->graph->values[bias->origin].counted_layer != -1 ||
        !onnx_type_is_floating(builder->graph->values[bias->origin].type))
        return STATUS_OK;
    TRY(onnx_layer_add_named(builder, call, "_bias", &layer));
    snprintf(layer->operator_name, sizeof layer->operator_name, "position_bias");
    layer->work.parameter_reads = layer->work.output_count = bias->count;
    onnx_claim_parameters(builder, layer, bias);
    relink(builder, layer, &input, 1);
    return STATUS_OK;
}

static void swap_inputs(const struct onnx_builder *builder, const struct network_layer *layer)
{
    int *inputs = builder->network->inputs + (layer->inputs - builder->network->inputs);
    const int first = inputs[0];
    inputs[0] = inputs[1];
    inputs[1] = first;
}

static enum status add_layer(struct onnx_builder *builder, const struct onnx_call *call,
                             struct onnx_match *match)
{
    struct network_layer *layer;
    int inputs[ONNX_MATCH_INPUTS];
    for (int i = 0; i < ONNX_MATCH_INPUTS; i++) /* the node's output may be among them */
        inputs[i] = match->inputs[i] ? match->inputs[i]->layer : -1;
    TRY(add_bias(builder, call, match->bias));
    TRY(onnx_layer_add_named(builder, call, match->suffix ? match->suffix : "", &layer));
    layer->config = match->config;
    const int wanted = layer_input_count(&match->config);
    if (match->has_inputs)
        relink(builder, layer, inputs, wanted);
    if (layer->input_count > wanted) /* a bias that is computed comes on top of them */
        layer->input_count = wanted;
    if (match->is_swapped && layer->input_count == 2)
        swap_inputs(builder, layer);
    if (!match->suffix)
        fuse(builder, call, &layer->config, match);
    for (int i = 0; i < NETWORK_TENSOR_LIMIT; i++)
        TRY(onnx_hold_parameters(builder, match->parameters[i], i, call->error));
    return STATUS_OK;
}

enum status onnx_match_add(struct onnx_builder *builder, const struct onnx_call *call,
                           struct onnx_match *match, bool *is_added)
{
    *is_added = is_layer(&match->config, call, match->rows);
    return *is_added ? add_layer(builder, call, match) : STATUS_OK;
}

/* ---- nodes ---- */

/* A view hands on the layer that gave its input. */
static void pass_layer(const struct onnx_call *call)
{
    int layer = -1;
    for (int i = call->node->input_count; i-- > 0;)
        if (onnx_input(call, i) && !onnx_input(call, i)->is_constant)
            layer = onnx_input(call, i)->layer;
    for (int i = 0; i < call->node->output_count; i++)
        if (onnx_output(call, i))
            onnx_output(call, i)->layer = layer;
}

/* Running statistics are not trained. */
static void leave_statistics(const struct onnx_call *call)
{
    const int first = call->node->known ? call->node->known->statistics : 0;
    for (int i = first; i > 0 && i < call->node->input_count; i++) {
        const struct onnx_value *running = onnx_input(call, i);
        if (running && running->origin >= 0 && running->is_constant)
            call->graph->values[running->origin].counted_layer = ONNX_NOT_TRAINED;
    }
}

static enum status emit_work(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_operator *known = call->node->known;
    onnx_read_function *const read = onnx_reader_find(known);
    struct onnx_match match;
    bool is_added = false;
    leave_statistics(call);
    if (onnx_attention_read(&match, builder, call) || (read && read(&match, call)))
        TRY(onnx_match_add(builder, call, &match, &is_added));
    if (is_added)
        return STATUS_OK;
    return known ? known->emit(builder, call) : onnx_emit_unknown(builder, call);
}

static enum status check_work(const struct onnx_call *call, const struct network_layer *layer)
{
    struct operator_work work = layer->work;
    for (int i = 0; i < OPERATOR_COLUMN_COUNT; i++) {
        const struct operator_column *column = &operator_columns[i];
        if (!(*operator_value(&work, column) <= operator_limit(column)))
            return onnx_fail(call, "its %s is too large", column->name);
    }
    return STATUS_OK;
}

/* Nothing comes out: no work. */
static bool is_empty(const struct onnx_call *call)
{
    double count = 0;
    for (int i = 0; i < call->node->output_count; i++)
        count += onnx_output(call, i) ? onnx_output(call, i)->count : 0;
    return count == 0;
}

enum status onnx_emit_node(struct onnx_builder *builder, const struct onnx_call *call)
{
    const int before = builder->network->layer_count;
    if (call->node->is_constant || call->node->is_absorbed)
        return STATUS_OK;
    if (onnx_is_view(call) || is_empty(call)) {
        pass_layer(call);
        return STATUS_OK;
    }
    TRY(emit_work(builder, call));
    return check_work(call, &builder->network->layers[before]);
}
