#include "onednn/cpu_plan.h"
#include "onednn/version.h"

#include <stdio.h>
#include <stdlib.h>

enum status cpu_check(struct cpu_plan *plan, dnnl_status_t status, const char *call,
                      struct error *error)
{
    if (status == dnnl_success)
        return STATUS_OK;
    if (status == dnnl_unimplemented)
        *plan->outcome = OUTCOME_UNSUPPORTED;
    return FAIL(error, status == dnnl_out_of_memory ? STATUS_OUT_OF_MEMORY : STATUS_FAILED,
                "oneDNN: status %d from %.120s", (int)status, call);
}

dnnl_prop_kind_t cpu_forward_kind(const struct cpu_plan *plan)
{
    return plan->config.pass == PASS_TRAIN ? dnnl_forward_training : dnnl_forward_inference;
}

/* ---- steps ---- */

static enum status add_scratch(struct cpu_plan *plan, struct cpu_step *step,
                               const_dnnl_primitive_desc_t pd, struct error *error)
{
    const struct cpu_layout *layout = cpu_layout_of(pd, dnnl_query_scratchpad_md, 0);
    const size_t bytes = cpu_layout_bytes(layout);
    if (bytes == 0)
        return STATUS_OK;
    struct cpu_tensor scratch;
    TRY(cpu_tensor_create(&scratch, plan, layout, 0, error));
    plan->base.workspace_bytes += (int64_t)bytes;
    step->arguments[step->argument_count++] = (dnnl_exec_arg_t){.arg = DNNL_ARG_SCRATCHPAD,
                                                                .memory = scratch.memory};
    return STATUS_OK;
}

void *cpu_list_room(void *list, int *room, int count, size_t element_bytes)
{
    const int wanted = *room ? 2 * *room : 16;
    if (count < *room)
        return list;
    void *moved = realloc(list, (size_t)wanted * element_bytes);
    *room = moved ? wanted : *room;
    return moved;
}

/* The step behind the last one, not yet counted; NULL with an error. */
static struct cpu_step *next_step(struct cpu_plan *plan, int phase, struct error *error)
{
    struct cpu_step *steps = cpu_list_room(plan->steps, &plan->step_room, plan->step_count,
                                           sizeof *steps);
    if (!steps) {
        FAIL(error, STATUS_FAILED, "out of memory: steps of a plan");
        return NULL;
    }
    plan->steps = steps;
    steps[plan->step_count] = (struct cpu_step){.phase = phase};
    return &steps[plan->step_count];
}

enum status cpu_step_add(struct cpu_plan *plan, int phase, const_dnnl_primitive_desc_t pd,
                         const struct cpu_argument *arguments, int argument_count,
                         struct error *error)
{
    struct cpu_step *step = next_step(plan, phase, error);
    if (!step)
        return STATUS_FAILED;
    for (int i = 0; i < argument_count; i++)
        if (arguments[i].name && arguments[i].tensor->memory)
            step->arguments[step->argument_count++] = (dnnl_exec_arg_t){
                .arg = arguments[i].name, .memory = arguments[i].tensor->memory};
    TRY(add_scratch(plan, step, pd, error));
    DNNL_TRY(plan, error, dnnl_primitive_create(&step->primitive, pd));
    plan->step_count++;
    return STATUS_OK;
}

enum status cpu_loop_add(struct cpu_plan *plan, int phase, const struct cpu_loop *loop,
                         struct error *error)
{
    struct cpu_step *step = next_step(plan, phase, error);
    if (!step)
        return STATUS_FAILED;
    step->loop = *loop;
    plan->step_count++;
    return STATUS_OK;
}

enum status cpu_reorder(struct cpu_plan *plan, int phase, const struct cpu_tensor *from,
                        const struct cpu_tensor *to, struct error *error)
{
    dnnl_primitive_desc_t pd;
    DNNL_TRY(plan, error,
             cpu_reorder_descriptor(&pd, &plan->device->target, from->layout, to->layout));
    const struct cpu_argument arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    enum status status = cpu_step_add(plan, phase, pd, arguments, 2, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

enum status cpu_adapt(struct cpu_tensor *to, struct cpu_plan *plan, int phase,
                      const struct cpu_tensor *from, const struct cpu_layout *layout,
                      struct error *error)
{
    if (cpu_layout_equal(from->layout, layout)) {
        *to = *from;
        return STATUS_OK;
    }
    TRY(cpu_tensor_create(to, plan, layout, 0, error));
    return cpu_reorder(plan, phase, from, to, error);
}

static enum status run_step(const struct cpu_step *step, const struct cpu_plan *plan,
                            struct error *error)
{
    if (!step->primitive) {
        step->loop.run(&step->loop);
        return STATUS_OK;
    }
    dnnl_status_t status = dnnl_primitive_execute(step->primitive, plan->device->stream,
                                                  step->argument_count, step->arguments);
    if (status == dnnl_success)
        return STATUS_OK;
    return FAIL(error, STATUS_FAILED, "oneDNN: status %d while executing %s", (int)status,
                plan->base.algorithm);
}

/* Reorders of no phase. */
enum status cpu_settle(struct cpu_tensor *to, struct cpu_plan *plan, const struct cpu_tensor *from,
                       const struct cpu_layout *layout, struct error *error)
{
    TRY(cpu_adapt(to, plan, 0, from, layout, error));
    if (to->data == from->data)
        return STATUS_OK;
    TRY(run_step(&plan->steps[plan->step_count - 1], plan, error));
    return cpu_tensor_keep(plan, to, error);
}

enum status cpu_settle_again(struct cpu_plan *plan, struct error *error)
{
    for (int i = 0; i < plan->step_count; i++)
        if (plan->steps[i].phase == 0)
            TRY(run_step(&plan->steps[i], plan, error));
    return STATUS_OK;
}

/* A step of no phase, dropped again. */
enum status cpu_copy(struct cpu_plan *plan, const struct cpu_tensor *from,
                     const struct cpu_tensor *to, struct error *error)
{
    const int64_t workspace_bytes = plan->base.workspace_bytes;
    TRY(cpu_reorder(plan, 0, from, to, error));
    struct cpu_step *step = &plan->steps[--plan->step_count];
    enum status status = run_step(step, plan, error);
    dnnl_primitive_destroy(step->primitive);
    plan->base.workspace_bytes = workspace_bytes;
    return status;
}

/* ---- plans ---- */

enum status cpu_plan_create(struct cpu_plan **plan, struct device *device,
                            const struct layer_config *config, enum outcome *outcome,
                            struct error *error)
{
    *plan = NULL;
    if (!cpu_has_precision(config->precision)) {
        char library[64];
        onednn_version(library, sizeof library);
        *outcome = OUTCOME_UNSUPPORTED;
        if (config->precision == PRECISION_AMP)
            return FAIL(
                error, STATUS_FAILED,
                "cpu: precision amp is measured on cuda: no oneDNN layer casts fp32 weights");
        return FAIL(error, STATUS_FAILED,
                    "cpu: precision %s is not supported by this processor and %s",
                    choice_name(&choice_precision, config->precision), library);
    }
    TRY(ALLOCATE(plan, 1, "plan", error));
    (*plan)->base.bench = device->backend->bench[config->kind];
    (*plan)->base.engine = -1;
    (*plan)->device = (struct cpu_device *)device;
    (*plan)->read_start = (*plan)->device->read_bytes;
    (*plan)->written_start = (*plan)->device->written_bytes;
    (*plan)->config = *config;
    (*plan)->outcome = outcome;
    return STATUS_OK;
}

enum status cpu_plan_finish(struct plan **out, struct cpu_plan *plan, enum status status)
{
    *out = &plan->base;
    plan->outcome = NULL;
    plan->read_bytes = plan->device->read_bytes - plan->read_start;
    plan->written_bytes = plan->device->written_bytes - plan->written_start;
    plan->base.operand_bytes = (int64_t)(plan->read_bytes + plan->written_bytes);
    if (status == STATUS_OK)
        return STATUS_OK;
    cpu_plan_release(&plan->base);
    *out = NULL;
    return status;
}

enum status cpu_plan_enqueue(struct plan *plan, int phases, struct error *error)
{
    const struct cpu_plan *own = (const struct cpu_plan *)plan;
    const struct cpu_step *steps = plan->set == 0
                                       ? own->steps
                                       : own->more_steps + (plan->set - 1) * own->step_count;
    for (int i = 0; i < own->step_count; i++)
        if (steps[i].phase & phases)
            TRY(run_step(&steps[i], own, error));
    return STATUS_OK;
}

void cpu_plan_release(struct plan *plan)
{
    if (!plan)
        return;
    struct cpu_plan *own = (struct cpu_plan *)plan;
    for (int i = 0; i < own->step_count; i++)
        if (own->steps[i].primitive)
            dnnl_primitive_destroy(own->steps[i].primitive);
    for (int i = 0; i < own->memory_count; i++)
        dnnl_memory_destroy(own->memories[i]);
    for (int i = 0; i < own->more_memory_count; i++)
        dnnl_memory_destroy(own->more_memories[i]);
    free(own->more_memories);
    free(own->more_steps);
    for (int i = 0; i < own->layout_count; i++)
        cpu_layout_destroy(own->layouts[i]);
    free(own->layouts);
    free(own->memories);
    free(own->steps);
    free(own);
}

void cpu_plan_name(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd)
{
    const char *name = NULL;
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "%s", name ? name : "unknown");
}

/* ---- the bench ---- */

typedef enum status fill_function(struct cpu_plan *plan, struct plan *const *inputs,
                                  struct error *error);
#define FILL(KIND, kind) [LAYER_##KIND] = cpu_fill_##kind,
static fill_function *const fills[LAYER_KIND_COUNT] = {LAYER_KINDS(FILL)};
#undef FILL

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    struct cpu_plan *plan;
    *out = NULL;
    TRY(cpu_plan_create(&plan, device, config, outcome, error));
    return cpu_plan_finish(out, plan, fills[config->kind](plan, inputs, error));
}

const struct bench cpu_bench = {
    .prepare = prepare,
    .enqueue = cpu_plan_enqueue,
    .replicate = cpu_plan_replicate,
    .release = cpu_plan_release,
    .read = cpu_plan_read_elements,
};
