/* conv2d, and conv_transpose2d, which is a convolution from its output to its input, with cuDNN's
 * graph interface: the first plan that its heuristics propose and that runs, or with autotune the
 * fastest of ten.
 */
#include "convolution_graph.h"
#include "cuda_check.h"
#include "cuda_device.h"
#include "cudnn_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTION_COUNT = 3, CANDIDATE_LIMIT = 10, AUTOTUNE_RUNS = 3 };

struct conv_plan {
    struct cuda_plan base;
    struct cudnn_choice choices[DIRECTION_COUNT];
    struct cudnn_execution executions[DIRECTION_COUNT];
    int refused_count[DIRECTION_COUNT];              /* of the first candidates: they did not run */
    struct cudnn_execution (*more)[DIRECTION_COUNT]; /* (sets of operands but the first) or NULL */
};

static struct cudnn_execution *executions_of(struct conv_plan *plan, int set)
{
    return set == 0 ? plan->executions : plan->more[set - 1];
}

struct direction {
    enum cudnn_direction cudnn;
    enum cuda_role x, w, y;
};
static const struct direction conv2d_directions[DIRECTION_COUNT] = {
    [CUDA_FORWARD] = {CUDNN_FORWARD, CUDA_INPUT, CUDA_WEIGHTS, CUDA_PRODUCT},
    [CUDA_BACKWARD_DATA] = {CUDNN_BACKWARD_DATA, CUDA_INPUT_GRADIENT, CUDA_WEIGHTS,
                            CUDA_PRODUCT_GRADIENT},
    [CUDA_BACKWARD_WEIGHTS] = {CUDNN_BACKWARD_FILTER, CUDA_INPUT, CUDA_WEIGHTS_GRADIENT,
                               CUDA_PRODUCT_GRADIENT},
};
/* x of the convolution is the output, y the input. */
static const struct direction transpose_directions[DIRECTION_COUNT] = {
    [CUDA_FORWARD] = {CUDNN_BACKWARD_DATA, CUDA_PRODUCT, CUDA_WEIGHTS, CUDA_INPUT},
    [CUDA_BACKWARD_DATA] = {CUDNN_FORWARD, CUDA_PRODUCT_GRADIENT, CUDA_WEIGHTS,
                            CUDA_INPUT_GRADIENT},
    [CUDA_BACKWARD_WEIGHTS] = {CUDNN_BACKWARD_FILTER, CUDA_PRODUCT_GRADIENT, CUDA_WEIGHTS_GRADIENT,
                               CUDA_INPUT},
};

static const struct direction *direction_of(const struct conv_plan *plan, int direction)
{
    return plan->base.config.kind == LAYER_CONV2D ? &conv2d_directions[direction]
                                                  : &transpose_directions[direction];
}

static enum status bind(struct cudnn_execution *execution, struct conv_plan *plan, int direction,
                        const struct cudnn_choice *choice, void *workspace, struct error *error)
{
    void *const *tensor = plan->base.tensor;
    const struct direction *roles = direction_of(plan, direction);
    const struct cudnn_operands operands = {.x = tensor[roles->x],
                                            .w = tensor[roles->w],
                                            .y = tensor[roles->y],
                                            .workspace = workspace};
    return cudnn_execution_prepare(execution, plan->base.device->cudnn, choice, &operands, error);
}

/* ---- autotune ---- */

static enum status time_execution(double *best_ms, const struct cudnn_execution *execution,
                                  struct cuda_timer *timer, struct error *error)
{
    *best_ms = INFINITY;
    CUDNN_TRY(error, cudnn_execution_run(execution)); /* its first run loads kernels */
    for (int i = 0; i < AUTOTUNE_RUNS; i++) {
        double elapsed_ms;
        TRY(cuda_timer_start(timer, error));
        CUDNN_TRY(error, cudnn_execution_run(execution));
        TRY(cuda_timer_stop(timer, &elapsed_ms, error));
        *best_ms = fmin(*best_ms, elapsed_ms);
    }
    return STATUS_OK;
}

static enum status time_choice(double *best_ms, struct conv_plan *plan, int direction,
                               const struct cudnn_choice *choice, struct error *error)
{
    struct cuda_device *device = plan->base.device;
    struct cudnn_execution execution;
    int64_t workspace_bytes = device->workspace_bytes;
    void *workspace;
    TRY(cuda_take_workspace(&workspace, device, choice->workspace_bytes, error));
    enum status status = bind(&execution, plan, direction, choice, workspace, error);
    if (status == STATUS_OK) {
        status = time_execution(best_ms, &execution, &device->timer, error);
        cudnn_execution_release(&execution);
    }
    device->workspace_bytes = workspace_bytes;
    return status;
}

/* Of the candidates that run; the last of none, which then is refused again when it is tried out.
 */
static enum status fastest(int *index, struct conv_plan *plan, int direction,
                           const struct cudnn_choice *choices, int count, struct error *error)
{
    double fastest_ms = INFINITY;
    *index = count - 1;
    for (int i = 0; i < count && count > 1; i++) {
        double best_ms;
        const enum status status = time_choice(&best_ms, plan, direction, &choices[i], error);
        if (status != STATUS_OK && !cuda_device_goes_on(plan->base.device))
            return status;
        if (status == STATUS_OK && best_ms < fastest_ms) {
            fastest_ms = best_ms;
            *index = i;
        }
    }
    return STATUS_OK;
}

/* ---- choice ---- */

/* The plan that cuDNN proposes first, less those that were refused; with autotune the fastest of
 * ten. *found: there is one; a convolution that cuDNN refuses to describe has none. */
static enum status choose_plan(bool *found, struct conv_plan *plan, int direction,
                               struct error *error)
{
    struct cuda_device *device = plan->base.device;
    const struct cudnn_convolution convolution = cudnn_convolution_of(
        &plan->base.config, direction_of(plan, direction)->cudnn);
    const struct cudnn_target target = {.handle = device->cudnn};
    struct cudnn_choice choices[CANDIDATE_LIMIT];
    const int refused = plan->refused_count[direction];
    int count = 0, index = refused;
    const cudnnStatus_t code = cudnn_convolution_plans(
        choices, device->autotune ? CANDIDATE_LIMIT : refused + 1, &count, &convolution, &target,
        cuda_workspace_limit(device), error);
    enum status status = cudnn_is_refusal(code) ? STATUS_OK : cudnn_status_of(code);
    if (device->autotune && count > 0)
        status = fastest(&index, plan, direction, choices, count, error);
    *found = index < count && status == STATUS_OK;
    for (int i = 0; i < count; i++)
        if (i != index || !*found)
            cudnn_choice_release(&choices[i]);
    if (*found)
        plan->choices[direction] = choices[index];
    return status;
}

/* Binds the plan of a direction, if there is one. */
static enum status choose_direction(bool *found, struct conv_plan *plan, int direction,
                                    struct error *error)
{
    const struct cudnn_choice *choice = &plan->choices[direction];
    void *workspace;
    TRY(choose_plan(found, plan, direction, error));
    if (!*found)
        return STATUS_OK;
    TRY(cuda_take_workspace(&workspace, plan->base.device, choice->workspace_bytes, error));
    return bind(&plan->executions[direction], plan, direction, choice, workspace, error);
}

/* "engine 38; 12; 5": forward, backward data, backward weights; the workspace of those alone, not
 * of what was refused. */
static void describe_choices(struct conv_plan *plan, int count)
{
    struct plan *base = &plan->base.base;
    size_t length = 0, size = sizeof base->algorithm;
    unsigned notes = 0;
    base->workspace_bytes = 0;
    for (int i = 0; i < count && length < size; i++) {
        if (plan->choices[i].workspace_bytes > base->workspace_bytes)
            base->workspace_bytes = plan->choices[i].workspace_bytes;
        length += (size_t)snprintf(base->algorithm + length, size - length, "%s%lld",
                                   i ? "; " : "engine ", (long long)plan->choices[i].engine);
        notes |= plan->choices[i].notes;
    }
    cudnn_notes_text(base->numerical_notes, sizeof base->numerical_notes, notes);
    base->engine = (int32_t)plan->choices[CUDA_FORWARD].engine;
}

static int direction_count(const struct conv_plan *plan)
{
    return plan->base.config.pass == PASS_TRAIN ? DIRECTION_COUNT : 1;
}

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct conv_plan *plan = (struct conv_plan *)base;
    for (int i = 0; i < direction_count(plan); i++) {
        bool found;
        TRY(choose_direction(&found, plan, i, error));
        if (!found) {
            CUDA_TRY(error, cudaStreamSynchronize(base->device->stream));
            return cuda_unsupported(base, "no engine of cuDNN takes this convolution", error);
        }
    }
    describe_choices(plan, direction_count(plan));
    return STATUS_OK;
}

/* With autotune the refused one was the fastest that ran: there is no other to ask for. */
static enum status choose_next(bool *found, struct cuda_plan *base, enum cuda_direction direction,
                               struct error *error)
{
    struct conv_plan *plan = (struct conv_plan *)base;
    *found = false;
    if (base->device->autotune || ++plan->refused_count[direction] >= CANDIDATE_LIMIT)
        return STATUS_OK;
    cudnn_execution_release(&plan->executions[direction]);
    cudnn_choice_release(&plan->choices[direction]);
    TRY(choose_direction(found, plan, direction, error));
    describe_choices(plan, direction_count(plan));
    return STATUS_OK;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    const struct cudnn_execution *set = executions_of((struct conv_plan *)plan, plan->bound_set);
    CUDNN_RUN(plan, error, cudnn_execution_run(&set[direction]));
    return STATUS_OK;
}

/* Executions hold pointers: each set of operands has its own. */
static enum status bind_set(struct cuda_plan *base, struct error *error)
{
    struct conv_plan *plan = (struct conv_plan *)base;
    if (!plan->more)
        TRY(ALLOCATE(&plan->more, (size_t)base->set_count - 1, "executions", error));
    for (int i = 0; i < direction_count(plan); i++) {
        const struct cudnn_choice *choice = &plan->choices[i];
        void *workspace;
        TRY(cuda_take_workspace(&workspace, base->device, choice->workspace_bytes, error));
        TRY(bind(&executions_of(plan, base->bound_set)[i], plan, i, choice, workspace, error));
    }
    return STATUS_OK;
}

static void release(struct cuda_plan *base)
{
    struct conv_plan *plan = (struct conv_plan *)base;
    const int set_count = plan->more ? base->set_count : 1;
    for (int i = 0; i < DIRECTION_COUNT; i++) {
        for (int set = 0; set < set_count; set++)
            cudnn_execution_release(&executions_of(plan, set)[i]);
        cudnn_choice_release(&plan->choices[i]);
    }
    free(plan->more);
}

#define CONVOLUTION                                                                                \
    {                                                                                              \
        .plan_bytes = sizeof(struct conv_plan), .has_planes = true, .choose = choose, .run = run,  \
        .choose_next = choose_next, .bind_set = bind_set, .release = release                       \
    }
const struct cuda_kind cuda_conv2d = CONVOLUTION;
const struct cuda_kind cuda_conv_transpose2d = CONVOLUTION;
