/* What cuDNN's heuristics propose for a convolution, and its execution. */
#include "convolution_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* Proposals: engine configurations, best first. */

struct proposals {
    cudnnBackendDescriptor_t heuristics, *configs;
    int64_t count;     /* filled by cuDNN; the others are placeholders */
    int64_t allocated; /* of configs */
};

static void proposals_release(struct proposals *proposals)
{
    for (int64_t i = 0; i < proposals->allocated; i++)
        cudnn_descriptor_destroy(&proposals->configs[i]);
    free(proposals->configs);
    cudnn_descriptor_destroy(&proposals->heuristics);
}

static cudnnStatus_t create_heuristics(struct proposals *proposals, const struct cudnn_graph *graph,
                                       cudnnBackendHeurMode_t mode,
                                       const struct cudnn_target *target, struct error *error)
{
    const struct cudnn_attribute attributes[] = {
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

static cudnnStatus_t proposals_create(struct proposals *proposals, const struct cudnn_graph *graph,
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
    LEAVE_UNLESS_OK(cudnn_descriptor_read(&engine, CUDNN_BACKEND_ENGINE_DESCRIPTOR, config,
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
    cudnn_descriptor_destroy(&engine);
    return code;
}

static cudnnStatus_t create_plan(struct cudnn_choice *choice, cudnnBackendDescriptor_t config,
                                 const struct cudnn_target *target, struct error *error)
{
    int64_t read = 0;
    const struct cudnn_attribute attributes[] = {
        DESCRIPTOR(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, &config),
        target->handle ? (struct cudnn_attribute)ATTRIBUTE(CUDNN_ATTR_EXECUTION_PLAN_HANDLE,
                                                           CUDNN_TYPE_HANDLE, 1, &target->handle)
                       : (struct cudnn_attribute)DESCRIPTOR(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                                                            &target->device_properties),
    };
    LEAVE_UNLESS_OK(CREATE(&choice->plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, attributes,
                           COUNT(attributes), error));
    return CHECKED(error,
                   cudnnBackendGetAttribute(choice->plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                            CUDNN_TYPE_INT64, 1, &read, &choice->workspace_bytes));
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

static cudnnStatus_t collect(struct collection *collection, const struct cudnn_graph *graph,
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
        is_usable = code == CUDNN_STATUS_SUCCESS || cudnn_is_refusal(code);
    }
    proposals_release(&proposals);
    return is_usable ? CUDNN_STATUS_SUCCESS : code;
}

static cudnnStatus_t collect_all(struct collection *collection,
                                 const struct cudnn_convolution *convolution,
                                 const struct cudnn_target *target, struct error *error)
{
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    struct cudnn_graph graph = {0};
    cudnnStatus_t code = cudnn_graph_create(&graph, convolution, target, error);
    for (int i = 0; code == CUDNN_STATUS_SUCCESS && i < COUNT(modes); i++) {
        if (collection->count == collection->limit)
            break;
        code = collect(collection, &graph, modes[i], target, error);
        if (cudnn_is_refusal(code)) /* the other mode may know more */
            code = CUDNN_STATUS_SUCCESS;
    }
    cudnn_graph_release(&graph);
    return code;
}

cudnnStatus_t cudnn_convolution_plans(struct cudnn_choice *choices, int limit, int *count,
                                      const struct cudnn_convolution *convolution,
                                      const struct cudnn_target *target,
                                      int64_t workspace_limit_bytes, struct error *error)
{
    *count = 0;
    if (!target->handle == !target->device_properties) {
        FAIL(error, STATUS_FAILED,
             "cudnn_convolution_plans: needs a handle or device properties, one of them");
        return CUDNN_STATUS_BAD_PARAM;
    }
    struct error reason = {0}; /* also of skipped plans, which are no errors */
    struct collection collection = {
        .choices = choices,
        .limit = limit,
        .forbidden_notes = cudnn_forbidden_notes(convolution->precision),
        .workspace_limit_bytes = workspace_limit_bytes,
    };
    const cudnnStatus_t code = collect_all(&collection, convolution, target, &reason);
    *count = collection.count;
    if (code == CUDNN_STATUS_SUCCESS || cudnn_category_of(code) == CUDNN_IS_NOT_SUPPORTED)
        return CUDNN_STATUS_SUCCESS;
    while (*count > 0)
        cudnn_choice_release(&choices[--*count]);
    if (error)
        *error = reason;
    return code;
}

void cudnn_choice_release(struct cudnn_choice *choice)
{
    cudnn_descriptor_destroy(&choice->plan);
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
    const struct cudnn_attribute attributes[] = {
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
    cudnn_descriptor_destroy(&execution->operands);
}
