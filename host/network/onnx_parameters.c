/* Whose parameters an initializer is: each counts once. */
#include "network/onnx_operators.h"

#include <string.h>

static double bytes_in_file(const struct onnx_value *value)
{
    return value->count * onnx_type_bytes(value->type);
}

void onnx_claim_parameters(struct onnx_builder *builder, struct network_layer *layer,
                           const struct onnx_value *value)
{
    if (!value || value->origin < 0 || value->rank == 0)
        return;
    struct onnx_value *origin = &builder->graph->values[value->origin];
    const bool is_quantised = onnx_type_is_quantised(origin->type) &&
                              origin->rank >= 2; /* zero points have fewer */
    if (origin->rank == 0 || origin->counted_layer != -1 ||
        !(onnx_type_is_floating(origin->type) || is_quantised))
        return;
    origin->counted_layer = (int)(layer - builder->network->layers);
    layer->work.parameter_count += origin->count;
    layer->stored_bytes += bytes_in_file(origin);
}

static void release_parameters(struct onnx_builder *builder, const struct onnx_value *value)
{
    struct onnx_value *origin = &builder->graph->values[value->origin];
    if (origin->counted_layer >= 0) {
        struct network_layer *layer = &builder->network->layers[origin->counted_layer];
        if (network_layer_is_operator(layer)) {
            layer->work.parameter_count -= origin->count;
            layer->stored_bytes -= bytes_in_file(origin);
        }
    }
    origin->counted_layer = builder->network->layer_count - 1;
}

/* Its name, as names of tensors differ; one that a cell cannot hold, or that looks like those given
 * here, becomes "tensor_" with its number. */
static enum status name_tensor(struct onnx_builder *builder, struct onnx_value *value,
                               struct error *error)
{
    static const char prefix[] = "tensor_";
    char name[sizeof *builder->network->tensors];
    bool is_plain = value->name.size > 0 && value->name.size < sizeof name;
    for (size_t i = 0; i < value->name.size && is_plain; i++)
        is_plain = (unsigned char)value->name.bytes[i] >= ' ' && value->name.bytes[i] != 0x7f;
    snprintf(name, sizeof name, "%.*s", is_plain ? (int)value->name.size : 0, value->name.bytes);
    if (!is_plain || strncmp(name, prefix, sizeof prefix - 1) == 0)
        snprintf(name, sizeof name, "%s%d", prefix, (int)(value - builder->graph->values));
    return network_tensor_add(builder->network, name, &value->tensor, error);
}

enum status onnx_hold_parameters(struct onnx_builder *builder, struct onnx_value *value, int place,
                                 struct error *error)
{
    struct network *network = builder->network;
    if (!value || value->origin < 0)
        return STATUS_OK;
    release_parameters(builder, value);
    struct onnx_value *origin = &builder->graph->values[value->origin];
    struct onnx_value *whole = origin->count == value->count ? origin : value;
    struct network_layer *layer = &network->layers[network->layer_count - 1];
    if (whole->holder < 0)
        layer->stored_bytes += value->count * onnx_type_bytes(origin->type);
    if (network_tensor_elements(layer, place) != value->count)
        return STATUS_OK;
    if (whole->holder < 0) {
        whole->holder = network->layer_count - 1;
        whole->holder_place = place;
        return STATUS_OK;
    }
    if (!whole->tensor)
        TRY(name_tensor(builder, whole, error));
    network_tensor_share(&network->layers[whole->holder], whole->holder_place, whole->tensor,
                         false);
    network_tensor_share(layer, place, whole->tensor, true);
    return STATUS_OK;
}
