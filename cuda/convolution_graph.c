#include "convolution_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if CUDNN_VERSION < 90800 /* device properties are younger; such a library rejects these values */
#define CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR       ((cudnnBackendDescriptorType_t)38)
#define CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION ((cudnnBackendAttributeName_t)2702)
#define CUDNN_ATTR_ENGINEHEUR_DEVICEPROP          ((cudnnBackendAttributeName_t)204)
#define CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP      ((cudnnBackendAttributeName_t)407)
#endif

enum { DIMENSIONS = 4, SPATIAL_DIMENSIONS = 2, ALIGNMENT_BYTES = 16 };

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* Functions below return cuDNN's code, so that callers can tell "not supported" from failure; the
 * error is filled where it is not success. */
#define CHECKED(error, call) checked((call), #call, __FILE__, __LINE__, (error))

static cudnnStatus_t checked(cudnnStatus_t code, const char *call, const char *file, int line,
                             struct error *error)
{
    cudnn_check(code, call, file, line, error);
    return code;
}

#define LEAVE_UNLESS_OK(call)                                                                      \
    do {                                                                                           \
        const cudnnStatus_t code_ = (call);                                                        \
        if (code_ != CUDNN_STATUS_SUCCESS)                                                         \
            return code_;                                                                          \
    } while (0)

static void destroy(cudnnBackendDescriptor_t *descriptor)
{
    if (*descriptor)
        cudnnBackendDestroyDescriptor(*descriptor);
    *descriptor = NULL;
}

struct attribute {
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t count;
    const void *values;
    const char *text; /* of the name */
};
#define ATTRIBUTE(name, type, count, values)                                                       \
    {                                                                                              \
        name, type, count, values, #name                                                           \
    }
#define INT64(name, values, count) ATTRIBUTE(name, CUDNN_TYPE_INT64, count, values)
#define DESCRIPTOR(name, value)    ATTRIBUTE(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, value)

static cudnnStatus_t set(cudnnBackendDescriptor_t descriptor, const struct attribute *attributes,
                         int count, struct error *error)
{
    for (int i = 0; i < count; i++) {
        const struct attribute *a = &attributes[i];
        char call[128];
        snprintf(call, sizeof call, "cudnnBackendSetAttribute(%s)", a->text);
        LEAVE_UNLESS_OK(
            checked(cudnnBackendSetAttribute(descriptor, a->name, a->type, a->count, a->values),
                    call, __FILE__, __LINE__, error));
    }
    return CUDNN_STATUS_SUCCESS;
}

/* *out is NULL where it did not succeed. */
#define FINALIZE(type) "cudnnBackendFinalize(" #type ")"
#define CREATE(out, type, attributes, count, error)                                                \
    create(out, type, FINALIZE(type), attributes, count, error)

static cudnnStatus_t create(cudnnBackendDescriptor_t *out, cudnnBackendDescriptorType_t type,
                            const char *finalize, const struct attribute *attributes, int count,
                            struct error *error)
{
    *out = NULL;
    LEAVE_UNLESS_OK(CHECKED(error, cudnnBackendCreateDescriptor(type, out)));
    cudnnStatus_t code = set(*out, attributes, count, error);
    if (code == CUDNN_STATUS_SUCCESS)
        code = checked(cudnnBackendFinalize(*out), finalize, __FILE__, __LINE__, error);
    if (code != CUDNN_STATUS_SUCCESS)
        destroy(out);
    return code;
}

/* Reads a descriptor out of another into a new one. */
static cudnnStatus_t read_descriptor(cudnnBackendDescriptor_t *out,
                                     cudnnBackendDescriptorType_t type,
                                     cudnnBackendDescriptor_t from,
                                     cudnnBackendAttributeName_t name, struct error *error)
{
    int64_t read = 0;
    LEAVE_UNLESS_OK(CHECKED(error, cudnnBackendCreateDescriptor(type, out)));
    const cudnnStatus_t code = CHECKED(
        error, cudnnBackendGetAttribute(from, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &read, out));
    if (code != CUDNN_STATUS_SUCCESS)
        destroy(out);
    return code;
}

/* Device properties. */

enum status cudnn_device_properties_load(cudnnBackendDescriptor_t *device_properties,
                                         const char *json, struct error *error)
{
    const struct attribute attributes[] = {
        ATTRIBUTE(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, (int64_t)strlen(json),
                  json),
    };
    return cudnn_status_of(CREATE(device_properties, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
                                  attributes, COUNT(attributes), error));
}

void cudnn_device_properties_release(cudnnBackendDescriptor_t *device_properties)
{
    destroy(device_properties);
}

/* Geometry. */

struct cudnn_convolution cudnn_convolution_of(const struct layer_config *config,
                                              enum cudnn_direction direction)
{
    const struct conv2d *conv = &config->as.conv2d;
    const struct window window = window_of(conv->image_size, conv->kernel_size, conv->stride,
                                           conv->padding);
    return (struct cudnn_convolution){
        .direction = direction,
        .precision = config->precision,
        .batch_size = config->batch_size,
        .channels_in = conv->channels_in,
        .channels_out = conv->channels_out,
        .image_size = conv->image_size,
        .output_size = window.output_size,
        .kernel_size = conv->kernel_size,
        .stride = conv->stride,
        .pad_before = conv->stride > 1 ? window.pad_after : window.pad_before,
        .pad_after = window.pad_after,
    };
}

enum {
    TENSOR_CORE = 1 << CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
    DOWN_CONVERT_INPUTS = 1 << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
};

/* What a precision means to cuDNN; indexed by enum precision. */
static const struct format {
    cudnnDataType_t data_type;
    bool is_channels_last;
    unsigned forbidden_notes;
} formats[] = {
    [PRECISION_FP32] = {CUDNN_DATA_FLOAT, false, TENSOR_CORE | DOWN_CONVERT_INPUTS},
    [PRECISION_TF32] = {CUDNN_DATA_FLOAT, false, DOWN_CONVERT_INPUTS},
    [PRECISION_FP16] = {CUDNN_DATA_HALF, true, DOWN_CONVERT_INPUTS},
    [PRECISION_BF16] = {CUDNN_DATA_BFLOAT16, true, DOWN_CONVERT_INPUTS},
};

/* The operation graph. The parts are kept because the graph refers to them. */

enum part { PART_X, PART_W, PART_Y, PART_CONVOLUTION, PART_OPERATION, PART_GRAPH, PART_COUNT };
#define TENSOR_COUNT PART_CONVOLUTION /* a tensor's part is also its unique id */

struct graph {
    cudnnBackendDescriptor_t parts[PART_COUNT];
};

static void graph_release(struct graph *graph)
{
    for (int part = PART_COUNT - 1; part >= 0; part--)
        destroy(&graph->parts[part]);
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
static cudnnStatus_t create_tensor(struct graph *graph, enum part part, const int64_t *sizes,
                                   const struct format *format, struct error *error)
{
    const int64_t id = part, alignment = ALIGNMENT_BYTES;
    const int64_t image = sizes[2] * sizes[3], row = sizes[3], channels = sizes[1];
    const int64_t channels_first[] = {channels * image, image, row, 1};
    const int64_t channels_last[] = {channels * image, 1, row * channels, channels};
    const int64_t *strides = format->is_channels_last ? channels_last : channels_first;
    const struct attribute attributes[] = {
        ATTRIBUTE(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &format->data_type),
        INT64(CUDNN_ATTR_TENSOR_DIMENSIONS, sizes, DIMENSIONS),
        INT64(CUDNN_ATTR_TENSOR_STRIDES, strides, DIMENSIONS),
        INT64(CUDNN_ATTR_TENSOR_UNIQUE_ID, &id, 1),
        INT64(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, &alignment, 1),
    };
    return CREATE(&graph->parts[part], CUDNN_BACKEND_TENSOR_DESCRIPTOR, attributes,
                  COUNT(attributes), error);
}

static cudnnStatus_t create_tensors(struct graph *graph, const struct cudnn_convolution *c,
                                    struct error *error)
{
    const int64_t sizes[TENSOR_COUNT][DIMENSIONS] = {
        [PART_X] = {c->batch_size, c->channels_in, c->image_size, c->image_size},
        [PART_W] = {c->channels_out, c->channels_in, c->kernel_size, c->kernel_size},
        [PART_Y] = {c->batch_size, c->channels_out, c->output_size, c->output_size},
    };
    for (enum part part = 0; part < TENSOR_COUNT; part++)
        LEAVE_UNLESS_OK(create_tensor(graph, part, sizes[part], &formats[c->precision], error));
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t create_convolution(struct graph *graph, const struct cudnn_convolution *c,
                                        struct error *error)
{
    const cudnnDataType_t compute_type = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t dimensions = SPATIAL_DIMENSIONS;
    const int64_t dilations[] = {1, 1}, strides[] = {c->stride, c->stride};
    const int64_t before[] = {c->pad_before, c->pad_before};
    const int64_t after[] = {c->pad_after, c->pad_after};
    const struct attribute attributes[] = {
        ATTRIBUTE(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute_type),
        ATTRIBUTE(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode),
        INT64(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, &dimensions, 1),
        INT64(CUDNN_ATTR_CONVOLUTION_DILATIONS, dilations, SPATIAL_DIMENSIONS),
        INT64(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, strides, SPATIAL_DIMENSIONS),
        INT64(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, before, SPATIAL_DIMENSIONS),
        INT64(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, after, SPATIAL_DIMENSIONS),
    };
    return CREATE(&graph->parts[PART_CONVOLUTION], CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, attributes,
                  COUNT(attributes), error);
}

static cudnnStatus_t create_operation(struct graph *graph, enum cudnn_direction direction,
                                      struct error *error)
{
    const struct operation *operation = &operations[direction];
    const float alpha = 1, beta = 0;
    const cudnnBackendDescriptor_t *parts = graph->parts;
    const struct attribute attributes[] = {
        DESCRIPTOR(operation->tensors[PART_X], &parts[PART_X]),
        DESCRIPTOR(operation->tensors[PART_W], &parts[PART_W]),
        DESCRIPTOR(operation->tensors[PART_Y], &parts[PART_Y]),
        DESCRIPTOR(operation->convolution, &parts[PART_CONVOLUTION]),
        ATTRIBUTE(operation->alpha, CUDNN_TYPE_FLOAT, 1, &alpha),
        ATTRIBUTE(operation->beta, CUDNN_TYPE_FLOAT, 1, &beta),
    };
    return create(&graph->parts[PART_OPERATION], operation->type, operation->finalize, attributes,
                  COUNT(attributes), error);
}

static cudnnStatus_t graph_create(struct graph *graph, const struct cudnn_convolution *convolution,
                                  const struct cudnn_target *target, struct error *error)
{
    LEAVE_UNLESS_OK(create_tensors(graph, convolution, error));
    LEAVE_UNLESS_OK(create_convolution(graph, convolution, error));
    LEAVE_UNLESS_OK(create_operation(graph, convolution->direction, error));
    const struct attribute attributes[] = {
        DESCRIPTOR(CUDNN_ATTR_OPERATIONGRAPH_OPS, &graph->parts[PART_OPERATION]),
        ATTRIBUTE(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &target->handle),
    };
    return CREATE(&graph->parts[PART_GRAPH], CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, attributes,
                  target->handle ? 2 : 1, error);
}

/* Proposals: engine configurations, best first. */

struct proposals {
    cudnnBackendDescriptor_t heuristics, *configs;
    int64_t count;     /* filled by cuDNN; the others are placeholders */
    int64_t allocated; /* of configs */
};

static void proposals_release(struct proposals *proposals)
{
    for (int64_t i = 0; i < proposals->allocated; i++)
        destroy(&proposals->configs[i]);
    free(proposals->configs);
    destroy(&proposals->heuristics);
}

static cudnnStatus_t create_heuristics(struct proposals *proposals, const struct graph *graph,
                                       cudnnBackendHeurMode_t mode,
                                       const struct cudnn_target *target, struct error *error)
{
    const struct attribute attributes[] = {
        DESCRIPTOR(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, &graph->parts[PART_GRAPH]),
        ATTRIBUTE(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode),
        DESCRIPTOR(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, &target->device_properties),
    };
    return CREATE(&proposals->heuristics, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, attributes,
                  target->device_properties ? 3 : 2, error);
}

/* cuDNN may fill fewer than it announced. */
static cudnnStatus_t read_configs(struct proposals *proposals, int64_t announced,
                                  struct error *error)
{
    void *configs;
    if (error_allocate(&configs, (unsigned long)announced, sizeof(cudnnBackendDescriptor_t),
                       "engine configurations", error) != STATUS_OK)
        return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
    proposals->configs = configs;
    for (; proposals->allocated < announced; proposals->allocated++)
        LEAVE_UNLESS_OK(CHECKED(
            error, cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                                &proposals->configs[proposals->allocated])));
    return CHECKED(error,
                   cudnnBackendGetAttribute(proposals->heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                            CUDNN_TYPE_BACKEND_DESCRIPTOR, announced,
                                            &proposals->count, proposals->configs));
}

static cudnnStatus_t proposals_create(struct proposals *proposals, const struct graph *graph,
                                      cudnnBackendHeurMode_t mode,
                                      const struct cudnn_target *target, struct error *error)
{
    int64_t count = 0;
    LEAVE_UNLESS_OK(create_heuristics(proposals, graph, mode, target, error));
    LEAVE_UNLESS_OK(CHECKED(
        error, cudnnBackendGetAttribute(proposals->heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                        CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, NULL)));
    return read_configs(proposals, count, error);
}

/* One choice out of a proposal. */

static cudnnStatus_t read_engine(struct cudnn_choice *choice, cudnnBackendDescriptor_t config,
                                 struct error *error)
{
    cudnnBackendDescriptor_t engine = NULL;
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t read = 0, count = 0;
    LEAVE_UNLESS_OK(read_descriptor(&engine, CUDNN_BACKEND_ENGINE_DESCRIPTOR, config,
                                    CUDNN_ATTR_ENGINECFG_ENGINE, error));
    cudnnStatus_t code = CHECKED(
        error, cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1,
                                        &read, &choice->engine));
    if (code == CUDNN_STATUS_SUCCESS)
        code = CHECKED(error, cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                       CUDNN_TYPE_NUMERICAL_NOTE, COUNT(notes),
                                                       &count, notes));
    for (int64_t i = 0; i < count && i < COUNT(notes); i++)
        choice->notes |= 1u << notes[i];
    destroy(&engine);
    return code;
}

static cudnnStatus_t create_plan(struct cudnn_choice *choice, cudnnBackendDescriptor_t config,
                                 const struct cudnn_target *target, struct error *error)
{
    int64_t read = 0;
    const struct attribute attributes[] = {
        DESCRIPTOR(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, &config),
        target->handle ? (struct attribute)ATTRIBUTE(CUDNN_ATTR_EXECUTION_PLAN_HANDLE,
                                                     CUDNN_TYPE_HANDLE, 1, &target->handle)
                       : (struct attribute)DESCRIPTOR(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                                                      &target->device_properties),
    };
    LEAVE_UNLESS_OK(CREATE(&choice->plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, attributes,
                           COUNT(attributes), error));
    return CHECKED(error,
                   cudnnBackendGetAttribute(choice->plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                            CUDNN_TYPE_INT64, 1, &read, &choice->workspace_bytes));
}

/* A code that says something about this plan alone, not about the device or the process. */
static bool is_about_the_plan(cudnnStatus_t code)
{
    return cudnn_category_of(code) != CUDNN_IS_NOT_INITIALIZED &&
           cudnn_category_of(code) != CUDNN_IS_NOT_EXECUTED && !cudnn_is_out_of_memory(code);
}

struct collection {
    struct cudnn_choice *choices;
    int limit, count;
    unsigned forbidden_notes;
    int64_t workspace_limit_bytes;
};

/* FALLBACK proposes engines at their default knobs: no news where mode A has tuned them. */
static bool is_taken(const struct collection *collection, int64_t engine)
{
    for (int i = 0; i < collection->count; i++)
        if (collection->choices[i].engine == engine)
            return true;
    return false;
}

/* Appends the proposal unless something speaks against it. */
static cudnnStatus_t consider(struct collection *collection, cudnnBackendDescriptor_t config,
                              bool is_fallback, const struct cudnn_target *target,
                              struct error *error)
{
    struct cudnn_choice choice = {0};
    LEAVE_UNLESS_OK(read_engine(&choice, config, error));
    if (choice.notes & collection->forbidden_notes)
        return CUDNN_STATUS_SUCCESS;
    if (is_fallback && is_taken(collection, choice.engine))
        return CUDNN_STATUS_SUCCESS;
    const cudnnStatus_t code = create_plan(&choice, config, target, error);
    if (code == CUDNN_STATUS_SUCCESS && choice.workspace_bytes <= collection->workspace_limit_bytes)
        collection->choices[collection->count++] = choice;
    else
        cudnn_choice_release(&choice);
    return code;
}

static cudnnStatus_t collect(struct collection *collection, const struct graph *graph,
                             cudnnBackendHeurMode_t mode, const struct cudnn_target *target,
                             struct error *error)
{
    struct proposals proposals = {0};
    cudnnStatus_t code = proposals_create(&proposals, graph, mode, target, error);
    bool is_usable = code == CUDNN_STATUS_SUCCESS;
    for (int64_t i = 0; is_usable && i < proposals.count; i++) {
        if (collection->count == collection->limit)
            break;
        code = consider(collection, proposals.configs[i], mode == CUDNN_HEUR_MODE_FALLBACK, target,
                        error);
        is_usable = is_about_the_plan(code);
    }
    proposals_release(&proposals);
    return is_usable ? CUDNN_STATUS_SUCCESS : code;
}

static cudnnStatus_t collect_all(struct collection *collection,
                                 const struct cudnn_convolution *convolution,
                                 const struct cudnn_target *target, struct error *error)
{
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    struct graph graph = {0};
    cudnnStatus_t code = graph_create(&graph, convolution, target, error);
    for (int i = 0; code == CUDNN_STATUS_SUCCESS && i < COUNT(modes); i++) {
        if (collection->count == collection->limit)
            break;
        code = collect(collection, &graph, modes[i], target, error);
        if (cudnn_category_of(code) == CUDNN_IS_NOT_SUPPORTED) /* the other mode may know more */
            code = CUDNN_STATUS_SUCCESS;
    }
    graph_release(&graph);
    return code;
}

enum status cudnn_convolution_plans(struct cudnn_choice *choices, int limit, int *count,
                                    const struct cudnn_convolution *convolution,
                                    const struct cudnn_target *target,
                                    int64_t workspace_limit_bytes, struct error *error)
{
    *count = 0;
    if (!target->handle == !target->device_properties)
        return FAIL(error, STATUS_FAILED,
                    "cudnn_convolution_plans: needs a handle or device properties, one of them");
    struct error reason = {0}; /* also of skipped plans, which are no errors */
    struct collection collection = {
        .choices = choices,
        .limit = limit,
        .forbidden_notes = formats[convolution->precision].forbidden_notes,
        .workspace_limit_bytes = workspace_limit_bytes,
    };
    const cudnnStatus_t code = collect_all(&collection, convolution, target, &reason);
    *count = collection.count;
    if (code == CUDNN_STATUS_SUCCESS || cudnn_category_of(code) == CUDNN_IS_NOT_SUPPORTED)
        return STATUS_OK;
    while (*count > 0)
        cudnn_choice_release(&choices[--*count]);
    if (error)
        *error = reason;
    return reason.status;
}

void cudnn_choice_release(struct cudnn_choice *choice)
{
    destroy(&choice->plan);
}

void cudnn_notes_text(char *text, size_t size, unsigned notes)
{
    static const char *const names[] = {
        [CUDNN_NUMERICAL_NOTE_TENSOR_CORE] = "tensor_core",
        [CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS] = "down_convert_inputs",
        [CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION] = "reduced_precision_reduction",
        [CUDNN_NUMERICAL_NOTE_FFT] = "fft",
        [CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC] = "nondeterministic",
        [CUDNN_NUMERICAL_NOTE_WINOGRAD] = "winograd",
        [CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4] = "winograd_4x4",
        [CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6] = "winograd_6x6",
        [CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13] = "winograd_13x13",
        [9] = "strict_nan", /* CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP, younger than cuDNN 9.0 */
    };
    size_t length = 0;
    *text = '\0';
    for (int i = 0; i < COUNT(names) && length < size; i++)
        if (notes >> i & 1)
            length += (size_t)snprintf(text + length, size - length, "%s%s", length ? "," : "",
                                       names[i]);
}

/* Execution. */

enum status cudnn_execution_prepare(struct cudnn_execution *execution, cudnnHandle_t handle,
                                    const struct cudnn_choice *choice,
                                    const struct cudnn_operands *operands, struct error *error)
{
    const int64_t ids[TENSOR_COUNT] = {PART_X, PART_W, PART_Y};
    void *const tensors[TENSOR_COUNT] = {operands->x, operands->w, operands->y};
    const struct attribute attributes[] = {
        INT64(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids, TENSOR_COUNT),
        ATTRIBUTE(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, TENSOR_COUNT,
                  tensors),
        ATTRIBUTE(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &operands->workspace),
    };
    *execution = (struct cudnn_execution){.handle = handle, .plan = choice->plan};
    return cudnn_status_of(CREATE(&execution->operands, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
                                  attributes, COUNT(attributes), error));
}

cudnnStatus_t cudnn_execution_run(const struct cudnn_execution *execution)
{
    return cudnnBackendExecute(execution->handle, execution->plan, execution->operands);
}

void cudnn_execution_release(struct cudnn_execution *execution)
{
    destroy(&execution->operands);
}
