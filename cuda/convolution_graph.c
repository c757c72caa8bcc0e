/* Geometry and operation graph of a convolution. */
#include "convolution_parts.h"
#include "precision.h"

#include <string.h>

enum { DIMENSIONS = 4, SPATIAL_DIMENSIONS = AXIS_COUNT, ALIGNMENT_BYTES = 16 };

/* Device properties. */

enum status cudnn_device_properties_load(cudnnBackendDescriptor_t *device_properties,
                                         const char *json, struct error *error)
{
    const struct cudnn_attribute attributes[] = {
        ATTRIBUTE(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, (int64_t)strlen(json),
                  json),
    };
    return cudnn_status_of(CREATE(device_properties, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
                                  attributes, COUNT(attributes), error));
}

void cudnn_device_properties_release(cudnnBackendDescriptor_t *device_properties)
{
    cudnn_descriptor_destroy(device_properties);
}

/* Geometry. */

static void set_axes(struct cudnn_convolution *convolution, const struct window_axes *axes)
{
    for (int i = 0; i < AXIS_COUNT; i++) {
        const struct window_axis *axis = &axes->at[i];
        const struct window *window = &axis->window;
        convolution->image[i] = axis->image;
        convolution->output[i] = window->output_size;
        convolution->kernel[i] = axis->kernel;
        convolution->stride[i] = axis->stride;
        convolution->pad_after[i] = window->pad_after;
        convolution->pad_before[i] = axis->stride > 1 ? window->pad_after : window->pad_before;
    }
}

static void set_conv2d(struct cudnn_convolution *convolution, const struct conv2d *conv)
{
    const struct window_axes axes = conv2d_axes(conv);
    convolution->channels_in = conv->channels_in;
    convolution->channels_out = conv->channels_out;
    convolution->groups = conv->groups;
    convolution->dilation = conv->dilation;
    set_axes(convolution, &axes);
}

static void set_turned(struct cudnn_convolution *convolution, const struct conv_transpose2d *conv)
{
    const struct window_axes axes = conv_transpose2d_axes(conv);
    convolution->channels_in = conv->channels_out;
    convolution->channels_out = conv->channels_in;
    convolution->groups = convolution->dilation = 1;
    set_axes(convolution, &axes);
}

struct cudnn_convolution cudnn_convolution_of(const struct layer_config *config,
                                              enum cudnn_direction direction)
{
    struct cudnn_convolution convolution = {
        .direction = direction, .precision = config->precision, .batch_size = config->batch_size};
    if (config->kind == LAYER_CONV2D)
        set_conv2d(&convolution, &config->as.conv2d);
    else
        set_turned(&convolution, &config->as.conv_transpose2d);
    return convolution;
}

enum {
    TENSOR_CORE = 1 << CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
    DOWN_CONVERT_INPUTS = 1 << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
};

/* The operation graph. */

void cudnn_graph_release(struct cudnn_graph *graph)
{
    for (int part = PART_COUNT - 1; part >= 0; part--)
        cudnn_descriptor_destroy(&graph->parts[part]);
}

/* How a direction is told to cuDNN; indexed by enum cudnn_direction. */
static const struct operation {
    cudnnBackendDescriptorType_t type;
    const char *finalize; /* the call, for errors */
    cudnnBackendAttributeName_t tensors[TENSOR_COUNT];
    cudnnBackendAttributeName_t convolution, alpha, beta;
} operations[] = {
#define OPERATION(type, name, x, w, y)                                                             \
    {                                                                                              \
        type, FINALIZE(type),                                                                      \
            {CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_##x,                                        \
             CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_##w,                                        \
             CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_##y},                                       \
            CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_CONV_DESC,                                   \
            CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_ALPHA,                                       \
            CUDNN_ATTR_OPERATION_CONVOLUTION_##name##_BETA                                         \
    }
    [CUDNN_FORWARD] = OPERATION(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, FORWARD, X,
                                W, Y),
    [CUDNN_BACKWARD_DATA] = OPERATION(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                      BWD_DATA, DX, W, DY),
    [CUDNN_BACKWARD_FILTER] = OPERATION(
        CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, BWD_FILTER, X, DW, DY),
#undef OPERATION
};

/* sizes: batch (or channels out), channels, height, width. */
static cudnnStatus_t create_tensor(struct cudnn_graph *graph, enum part part, const int64_t *sizes,
                                   const struct cuda_precision *precision, struct error *error)
{
    const int64_t id = part, alignment = ALIGNMENT_BYTES;
    const int64_t image = sizes[2] * sizes[3], row = sizes[3], channels = sizes[1];
    const int64_t channels_first[] = {channels * image, image, row, 1};
    const int64_t channels_last[] = {channels * image, 1, row * channels, channels};
    const int64_t *strides = precision->is_channels_last ? channels_last : channels_first;
    const struct cudnn_attribute attributes[] = {
        ATTRIBUTE(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &precision->dnn_type),
        INT64(CUDNN_ATTR_TENSOR_DIMENSIONS, sizes, DIMENSIONS),
        INT64(CUDNN_ATTR_TENSOR_STRIDES, strides, DIMENSIONS),
        INT64(CUDNN_ATTR_TENSOR_UNIQUE_ID, &id, 1),
        INT64(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, &alignment, 1),
    };
    return CREATE(&graph->parts[part], CUDNN_BACKEND_TENSOR_DESCRIPTOR, attributes,
                  COUNT(attributes), error);
}

static cudnnStatus_t create_tensors(struct cudnn_graph *graph, const struct cudnn_convolution *c,
                                    struct error *error)
{
    const int64_t sizes[TENSOR_COUNT][DIMENSIONS] = {
        [PART_X] = {c->batch_size, c->channels_in, c->image[0], c->image[1]},
        [PART_W] = {c->channels_out, c->channels_in / c->groups, c->kernel[0], c->kernel[1]},
        [PART_Y] = {c->batch_size, c->channels_out, c->output[0], c->output[1]},
    };
    for (enum part part = 0; part < TENSOR_COUNT; part++)
        LEAVE_UNLESS_OK(
            create_tensor(graph, part, sizes[part], &cuda_precisions[c->precision], error));
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t create_convolution(struct cudnn_graph *graph,
                                        const struct cudnn_convolution *c, struct error *error)
{
    const cudnnDataType_t compute_type = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t dimensions = SPATIAL_DIMENSIONS;
    const int64_t dilations[] = {c->dilation, c->dilation};
    const struct cudnn_attribute attributes[] = {
        ATTRIBUTE(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute_type),
        ATTRIBUTE(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode),
        INT64(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, &dimensions, 1),
        INT64(CUDNN_ATTR_CONVOLUTION_DILATIONS, dilations, SPATIAL_DIMENSIONS),
        INT64(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, c->stride, SPATIAL_DIMENSIONS),
        INT64(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, c->pad_before, SPATIAL_DIMENSIONS),
        INT64(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, c->pad_after, SPATIAL_DIMENSIONS),
    };
    return CREATE(&graph->parts[PART_CONVOLUTION], CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, attributes,
                  COUNT(attributes), error);
}

static cudnnStatus_t create_operation(struct cudnn_graph *graph, enum cudnn_direction direction,
                                      struct error *error)
{
    const struct operation *operation = &operations[direction];
    const float alpha = 1, beta = 0;
    const cudnnBackendDescriptor_t *parts = graph->parts;
    const struct cudnn_attribute attributes[] = {
        DESCRIPTOR(operation->tensors[PART_X], &parts[PART_X]),
        DESCRIPTOR(operation->tensors[PART_W], &parts[PART_W]),
        DESCRIPTOR(operation->tensors[PART_Y], &parts[PART_Y]),
        DESCRIPTOR(operation->convolution, &parts[PART_CONVOLUTION]),
        ATTRIBUTE(operation->alpha, CUDNN_TYPE_FLOAT, 1, &alpha),
        ATTRIBUTE(operation->beta, CUDNN_TYPE_FLOAT, 1, &beta),
    };
    return cudnn_descriptor_create(&graph->parts[PART_OPERATION], operation->type,
                                   operation->finalize, attributes, COUNT(attributes), error);
}

cudnnStatus_t cudnn_graph_create(struct cudnn_graph *graph,
                                 const struct cudnn_convolution *convolution,
                                 const struct cudnn_target *target, struct error *error)
{
    LEAVE_UNLESS_OK(create_tensors(graph, convolution, error));
    LEAVE_UNLESS_OK(create_convolution(graph, convolution, error));
    LEAVE_UNLESS_OK(create_operation(graph, convolution->direction, error));
    const struct cudnn_attribute attributes[] = {
        DESCRIPTOR(CUDNN_ATTR_OPERATIONGRAPH_OPS, &graph->parts[PART_OPERATION]),
        ATTRIBUTE(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &target->handle),
    };
    return CREATE(&graph->parts[PART_GRAPH], CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, attributes,
                  target->handle ? 2 : 1, error);
}

unsigned cudnn_forbidden_notes(int32_t precision)
{
    return precision_traits_of(precision)->takes_tensor_cores ? DOWN_CONVERT_INPUTS
                                                              : DOWN_CONVERT_INPUTS | TENSOR_CORE;
}
