/* Operators that no benchmark covers: their work. */
#include "network/onnx_operators.h"

#include "base/hash.h"

#include <ctype.h>
#include <string.h>

/* ---- names ---- */

static int *find_slot(const struct onnx_builder *builder, const char *name)
{
    uint64_t slot = hash_mix(hash_bytes(HASH_SEED, name, strlen(name)));
    for (;; slot++) {
        int *index = &builder->slots[slot & (builder->slot_count - 1)];
        if (*index < 0 || strcmp(builder->network->layers[*index].name, name) == 0)
            return index;
    }
}

/* The end of a long name tells more than its beginning. */
static void copy_name(char *out, size_t size, struct slice name)
{
    size_t skipped = name.size < size ? 0 : name.size - size + 1;
    while (skipped > 0 && skipped < name.size && (name.bytes[skipped] & 0xc0) == 0x80)
        skipped++; /* not into a UTF-8 character */
    const size_t length = name.size - skipped;
    memcpy(out, name.bytes + skipped, length);
    out[length] = '\0';
    for (char *byte = out; *byte; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 0x7f)
            *byte = '_';
}

static void append(char *name, size_t size, const char *suffix)
{
    const size_t length = strlen(name), most = size - strlen(suffix) - 1;
    char *end = name + (length < most ? length : most);
    snprintf(end, size - (size_t)(end - name), "%s", suffix);
}

/* The node's name, or its output's, and a suffix; where another layer has it, the node's number
 * follows. */
static enum status name_layer(struct onnx_builder *builder, const struct onnx_call *call,
                              struct network_layer *layer, const char *suffix)
{
    const struct onnx_value *output = onnx_output(call, 0);
    const int number = (int)(call->node - call->graph->nodes);
    struct slice name = call->node->name;
    if (memchr(name.bytes, '\0', name.size) || name.size == 0)
        name = output && !memchr(output->name.bytes, '\0', output->name.size)
                   ? output->name
                   : (struct slice){"", 0};
    copy_name(layer->name, sizeof layer->name, name);
    append(layer->name, sizeof layer->name, suffix);
    for (int attempt = 0; attempt < 3; attempt++) {
        const bool is_reserved = !*layer->name || strcmp(layer->name, "input") == 0;
        int *slot = find_slot(builder, layer->name);
        if (!is_reserved && *slot < 0) {
            *slot = (int)(layer - builder->network->layers);
            return STATUS_OK;
        }
        snprintf(layer->name, sizeof layer->name, attempt ? "node_%d_again" : "node_%d", number);
    }
    return onnx_fail(call, "no name is left for its layer");
}

/* The layers that give its inputs, the constant ones left out. */
static void link_layer(struct onnx_builder *builder, const struct onnx_call *call,
                       struct network_layer *layer)
{
    int *inputs = builder->network->inputs + builder->network->input_count;
    for (int i = 0; i < call->node->input_count && layer->input_count < NETWORK_INPUT_LIMIT; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        if (input && !input->is_constant)
            inputs[layer->input_count++] = input->layer;
    }
    if (layer->input_count == 0)
        inputs[layer->input_count++] = -1;
    layer->inputs = inputs;
    builder->network->input_count += layer->input_count;
}

enum status onnx_layer_add_named(struct onnx_builder *builder, const struct onnx_call *call,
                                 const char *suffix, struct network_layer **out)
{
    struct network_layer *layer = &builder->network->layers[builder->network->layer_count];
    *layer = (struct network_layer){.config = {.batch_size = 1}};
    TRY(name_layer(builder, call, layer, suffix));
    link_layer(builder, call, layer);
    for (int i = 0; i < call->node->output_count; i++)
        if (onnx_output(call, i))
            onnx_output(call, i)->layer = builder->network->layer_count;
    builder->network->layer_count++;
    *out = layer;
    return STATUS_OK;
}

enum status onnx_layer_add(struct onnx_builder *builder, const struct onnx_call *call,
                           struct network_layer **out)
{
    return onnx_layer_add_named(builder, call, "", out);
}

/* ---- work ---- */

double onnx_per_sample(const struct onnx_call *call, const struct onnx_value *value)
{
    return value ? value->count / onnx_samples(call->graph, value) : 0;
}

enum status onnx_operator_add(struct onnx_builder *builder, const struct onnx_call *call,
                              const char *name, struct network_layer **out)
{
    TRY(onnx_layer_add(builder, call, out));
    struct network_layer *layer = *out;
    snprintf(layer->operator_name, sizeof layer->operator_name, "%s", name);
    for (int i = 0; i < call->node->input_count; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        if (input && input->is_constant)
            layer->work.parameter_reads += input->count;
        else if (input)
            layer->work.input_count += onnx_per_sample(call, input);
        if (input && input->is_constant)
            onnx_claim_parameters(builder, layer, input);
    }
    for (int i = 0; i < call->node->output_count; i++)
        if (onnx_output(call, i))
            layer->work.output_count += onnx_per_sample(call, onnx_output(call, i));
    return STATUS_OK;
}

/* By the flops of the operator's row. */
enum status onnx_emit_generic(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_operator *known = call->node->known;
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, known->name, &layer));
    struct operator_work *work = &layer->work;
    work->forward_flops = known->forward_flops * work->output_count;
    work->backward_flops = known->backward_flops * work->output_count;
    work->kept_count = known->kept == KEPT_OUTPUT   ? work->output_count
                       : known->kept == KEPT_INPUTS ? work->input_count
                                                    : 0;
    return STATUS_OK;
}

/* Each input element is worked on once. */
enum status onnx_emit_reduce(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_operator *known = call->node->known;
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, known->name, &layer));
    layer->work.forward_flops = known->forward_flops * layer->work.input_count;
    layer->work.backward_flops = known->backward_flops * layer->work.input_count;
    layer->work.kept_count = known->kept == KEPT_INPUTS ? layer->work.input_count : 0;
    return STATUS_OK;
}

/* A copy reads what it writes: a slice does not read the rest. */
enum status onnx_emit_move(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    if (layer->work.input_count > layer->work.output_count)
        layer->work.input_count = layer->work.output_count;
    return STATUS_OK;
}

/* An embedding when the table is of parameters: rows are read, all have a gradient. */
enum status onnx_emit_gather(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *table = onnx_input(call, 0);
    const bool is_embedding = table->is_constant && onnx_type_is_floating(table->type);
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, is_embedding ? "embedding" : "gather", &layer));
    const struct onnx_value *indices = onnx_input(call, 1);
    const double index_count = indices->is_constant ? 0 : onnx_per_sample(call, indices);
    layer->work.input_count = index_count + layer->work.output_count;
    layer->work.parameter_reads = 0;
    layer->work.backward_flops = layer->work.output_count;
    return STATUS_OK;
}

/* Forward: a multiply-add an element, or with statistics of its own 8 operations; backward: two
 * sums and the gradient. Training goes over the input once more for the statistics. */
enum status onnx_emit_normalization(struct onnx_builder *builder, const struct onnx_call *call)
{
    const bool is_batch = slice_equals(call->node->op_type, "BatchNormalization");
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    struct operator_work *work = &layer->work;
    work->output_count = onnx_per_sample(call,
                                         onnx_input(call, 0)); /* whatever else goes in or out */
    work->forward_flops = (is_batch ? 2 : 8) * work->output_count;
    work->backward_flops = 12 * work->output_count;
    work->kept_count = 3 * work->output_count;
    return STATUS_OK;
}

/* Each step and direction: gates * hidden dot products over inputs and state, then the gates'
 * functions (4 a sigmoid, 5 a tanh) and sums. Y, Y_h, Y_c are one tensor in memory. The inputs of
 * all steps are known, their weights are read once; a state is known only after the step before it:
 * each step reads the weights of the state again. */
enum status onnx_emit_steps(struct onnx_builder *builder, const struct onnx_call *call,
                            double gate_rows, double hidden)
{
    const struct onnx_value *x = onnx_input(call, 0), *w = onnx_input(call, 1);
    const struct onnx_value *r = onnx_input(call, 2);
    const int64_t length = x->dims[onnx_integer(call, "layout", 0) ? 1 : 0];
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    const double inputs = (double)x->dims[2], gates = gate_rows / hidden;
    const double steps = onnx_per_sample(call, x) / inputs * (double)w->dims[0];
    const double products = 2 * gate_rows * (inputs + hidden), functions = 7 * gate_rows;
    layer->work.output_count = steps * hidden;
    layer->work.forward_flops = steps * (products + functions);
    layer->work.backward_flops = steps * (2 * products + functions);
    layer->work.kept_count = layer->work.input_count + steps * hidden * (gates + 2);
    if (r->is_constant && length > 1)
        layer->work.parameter_reads += (double)(length - 1) * r->count;
    return STATUS_OK;
}

enum status onnx_emit_recurrent(struct onnx_builder *builder, const struct onnx_call *call)
{
    return onnx_emit_steps(builder, call, (double)onnx_input(call, 1)->dims[1],
                           (double)onnx_input(call, 2)->dims[2]);
}

static const char *conv_name(const struct onnx_call *call, const struct onnx_window *window)
{
    const int64_t group = onnx_integer(call, "group", 1);
    if (strcmp(call->node->known->name, "conv") != 0)
        return call->node->known->name; /* a quantised one, a fused one */
    if (group > 1)
        return group == onnx_input(call, 0)->dims[1] ? "conv_depthwise" : "conv_grouped";
    for (int axis = 0; axis < window->axes; axis++)
        if (window->dilation[axis] > 1)
            return "conv_dilated";
    return "conv";
}

/* Each output cell: a product for each tap of its group's channels, and the bias. */
enum status onnx_emit_conv(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *w = onnx_input(call, 1);
    struct onnx_window window;
    struct network_layer *layer;
    TRY(onnx_window_read(call, &window));
    TRY(onnx_operator_add(builder, call, conv_name(call, &window), &layer));
    const double products = 2 * layer->work.output_count * w->count / (double)w->dims[0];
    layer->work.forward_flops = products + (onnx_input(call, 2) ? layer->work.output_count : 0);
    layer->work.backward_flops = 2 * products;
    layer->work.kept_count = layer->work.input_count + layer->work.output_count;
    return STATUS_OK;
}

/* A convolution whose taps are sampled between four cells: 8 operations each. */
enum status onnx_emit_deform_conv(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *w = onnx_input(call, 1), *output = onnx_output(call, 0);
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, "deform_conv", &layer));
    const double taps = w->count / (double)w->dims[0];
    const double products = 2 * layer->work.output_count * taps;
    const double cells = layer->work.output_count / (double)output->dims[1];
    const double groups = (double)onnx_integer(call, "group", 1);
    layer->work.forward_flops = products + 8 * cells * taps * groups +
                                (onnx_input(call, 3) ? layer->work.output_count : 0);
    layer->work.backward_flops = 2 * products + 16 * cells * taps * groups;
    layer->work.kept_count = layer->work.input_count + layer->work.output_count;
    return STATUS_OK;
}

enum status onnx_emit_conv_transpose(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0), *w = onnx_input(call, 1);
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, "conv_transpose", &layer));
    const double taps = w->count / (double)w->dims[0]; /* outputs that an input cell adds to */
    layer->work.forward_flops = 2 * onnx_per_sample(call, x) * taps;
    layer->work.backward_flops = 2 * layer->work.forward_flops;
    layer->work.kept_count = layer->work.input_count + layer->work.output_count;
    return STATUS_OK;
}

/* Each output cell looks at so many of the input. */
static enum status emit_taps(struct onnx_builder *builder, const struct onnx_call *call,
                             double taps)
{
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    const double flops = (taps > 0 ? taps : layer->work.input_count / layer->work.output_count) *
                         layer->work.output_count;
    layer->work.forward_flops = layer->work.backward_flops = flops;
    return STATUS_OK;
}

enum status onnx_emit_pool(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct onnx_window window;
    double taps = 1;
    TRY(onnx_window_read(call, &window));
    for (int axis = 0; axis < window.axes; axis++)
        taps *= (double)window.kernel[axis];
    return emit_taps(builder, call, taps);
}

enum status onnx_emit_global_pool(struct onnx_builder *builder, const struct onnx_call *call)
{
    return emit_taps(builder, call, 0);
}

enum status onnx_emit_products(struct onnx_builder *builder, const struct onnx_call *call,
                               double products, double others)
{
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    layer->work.forward_flops = 2 * products + others;
    layer->work.backward_flops = 4 * products + others;
    layer->work.kept_count = layer->work.input_count + layer->work.output_count;
    return STATUS_OK;
}

enum status onnx_emit_dots(struct onnx_builder *builder, const struct onnx_call *call,
                           int64_t length)
{
    const double outputs = onnx_per_sample(call, onnx_output(call, 0));
    return onnx_emit_products(builder, call, (double)length * outputs, 0);
}

enum status onnx_emit_gemm(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0);
    return onnx_emit_dots(builder, call, a->dims[!onnx_integer(call, "transA", 0)]);
}

enum status onnx_emit_matmul(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0);
    return onnx_emit_dots(builder, call, a->dims[a->rank - 1]);
}

/* "FusedConv" -> "fused_conv"; what no name can hold becomes '_'. */
static void snake_case(char *out, size_t size, struct slice name)
{
    size_t length = 0;
    for (size_t i = 0; i < name.size && length + 2 < size; i++) {
        const unsigned char byte = (unsigned char)name.bytes[i];
        if (isupper(byte) && i > 0 && islower((unsigned char)name.bytes[i - 1]))
            out[length++] = '_';
        out[length++] = isalnum(byte) && byte < 0x80 ? (char)tolower(byte) : '_';
    }
    out[length] = '\0';
}

/* Nothing is known but what it reads and writes. */
enum status onnx_emit_unknown(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct network_layer *layer;
    char name[sizeof layer->operator_name - 8], prefixed[sizeof layer->operator_name];
    snake_case(name, sizeof name, call->node->op_type);
    snprintf(prefixed, sizeof prefixed, "other_%s", name);
    return onnx_operator_add(builder, call, prefixed, &layer);
}
