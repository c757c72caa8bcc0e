#include "onednn/cpu_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 }; /* a cache line, as frameworks allocate */

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

dnnl_memory_desc_t cpu_desc(int dimension_count, const dnnl_dim_t *dimensions, bool any)
{
    static const dnnl_format_tag_t plain[] = {dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc,
                                              dnnl_abcd};
    dnnl_memory_desc_t desc;
    dnnl_memory_desc_init_by_tag(&desc, dimension_count, dimensions, dnnl_f32,
                                 any ? dnnl_format_tag_any : plain[dimension_count]);
    return desc;
}

/* Operands are noise, not zeros: zeros save power, denormals cost time. (Where an earlier operand
 * had padding some zeros stay, fewer than behind a relu.) */
static void fill(const struct cpu_device *device, float *data, size_t count, float amplitude)
{
    for (size_t first = 0; first < count; first += CPU_NOISE_COUNT) {
        size_t here = count - first < CPU_NOISE_COUNT ? count - first : CPU_NOISE_COUNT;
        for (size_t i = 0; i < here; i++)
            data[first + i] = amplitude * device->noise[i];
    }
}

enum status cpu_tensor_view(struct cpu_tensor *tensor, struct cpu_plan *plan,
                            const dnnl_memory_desc_t *desc, float *data, struct error *error)
{
    if (plan->memory_count == CPU_MEMORY_LIMIT)
        return FAIL(error, STATUS_FAILED, "a plan has more than %d tensors", CPU_MEMORY_LIMIT);
    *tensor = (struct cpu_tensor){.desc = *desc, .data = data};
    DNNL_TRY(plan, error, dnnl_memory_create(&tensor->memory, desc, plan->device->engine, data));
    plan->memories[plan->memory_count++] = tensor->memory;
    return STATUS_OK;
}

static void fill_bytes(const struct cpu_device *device, size_t start, size_t end)
{
    fill(device, (float *)(device->arena + start), (end - start) / sizeof(float), 1);
}

/* Noise again in what is spoilt of an operand; not in those before it, whose padding is zero. */
static void refresh(struct cpu_device *device, size_t start, size_t end)
{
    const size_t first = start > device->spoilt_start ? start : device->spoilt_start;
    const size_t last = end < device->spoilt_end ? end : device->spoilt_end;
    if (first >= last)
        return;
    fill_bytes(device, first, last);
    if (first == device->spoilt_start)
        device->spoilt_start = last;
}

/* Pages are touched when they are taken, once: no timed call must pay for page faults. */
static float *take_read(struct cpu_device *device, size_t bytes)
{
    const size_t start = device->read_bytes, end = start + bytes;
    device->read_bytes = end;
    if (end > device->noise_bytes) {
        fill_bytes(device, device->noise_bytes, end);
        device->noise_bytes = end;
    }
    refresh(device, start, end);
    return (float *)(device->arena + start);
}

static float *take_written(struct cpu_device *device, size_t bytes)
{
    device->written_bytes += bytes;
    const size_t start = device->arena_bytes - device->written_bytes;
    if (device->written_bytes > device->touched_bytes) {
        memset(device->arena + start, 0, device->written_bytes - device->touched_bytes);
        device->touched_bytes = device->written_bytes;
    }
    if (device->noise_bytes > start)
        device->noise_bytes = start;
    return (float *)(device->arena + start);
}

static enum status take_arena(float **data, struct cpu_plan *plan, size_t bytes, bool is_read_only,
                              struct error *error)
{
    struct cpu_device *device = plan->device;
    const size_t used_bytes = device->read_bytes + device->written_bytes;
    const size_t taken = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes > device->arena_bytes || taken > device->arena_bytes - used_bytes) {
        FAIL(error, STATUS_OUT_OF_MEMORY,
             "cpu: another %zu bytes do not fit the arena of %zu bytes, %zu of them in use", bytes,
             device->arena_bytes, used_bytes);
        return error_hint(error, "take a smaller batch, or a machine with more free memory"),
               STATUS_OUT_OF_MEMORY;
    }
    *data = is_read_only ? take_read(device, taken) : take_written(device, taken);
    return STATUS_OK;
}

/* One interval holds all that is spoilt: operands of a plan lie beside each other. */
void cpu_operand_spoil(struct cpu_device *device, const float *data, size_t bytes)
{
    const size_t start = (size_t)((const unsigned char *)data - device->arena);
    if (start >= device->noise_bytes)
        return;
    if (device->spoilt_start >= device->spoilt_end)
        device->spoilt_start = device->spoilt_end = start;
    if (start < device->spoilt_start)
        device->spoilt_start = start;
    if (start + bytes > device->spoilt_end)
        device->spoilt_end = start + bytes;
}

enum status cpu_tensor_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                              const dnnl_memory_desc_t *desc, float amplitude, struct error *error)
{
    float *data = NULL;
    size_t bytes = dnnl_memory_desc_get_size(desc);
    TRY(take_arena(&data, plan, bytes, false, error));
    if (amplitude > 0)
        fill(plan->device, data, bytes / sizeof *data, amplitude);
    return cpu_tensor_view(tensor, plan, desc, data, error);
}

enum status cpu_operand_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                               const dnnl_memory_desc_t *desc, struct error *error)
{
    float *data = NULL;
    TRY(take_arena(&data, plan, dnnl_memory_desc_get_size(desc), true, error));
    return cpu_tensor_view(tensor, plan, desc, data, error);
}

static enum status add_scratch(struct cpu_plan *plan, struct cpu_step *step,
                               const_dnnl_primitive_desc_t pd, struct error *error)
{
    const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    if (!desc || dnnl_memory_desc_get_size(desc) == 0)
        return STATUS_OK;
    struct cpu_tensor scratch;
    TRY(cpu_tensor_create(&scratch, plan, desc, 0, error));
    plan->base.workspace_bytes += (int64_t)dnnl_memory_desc_get_size(desc);
    step->arguments[step->argument_count++] = (dnnl_exec_arg_t){.arg = DNNL_ARG_SCRATCHPAD,
                                                                .memory = scratch.memory};
    return STATUS_OK;
}

enum status cpu_step_add(struct cpu_plan *plan, int phase, const_dnnl_primitive_desc_t pd,
                         const struct cpu_argument *arguments, int argument_count,
                         struct error *error)
{
    if (plan->step_count == CPU_STEP_LIMIT)
        return FAIL(error, STATUS_FAILED, "a plan has more than %d steps", CPU_STEP_LIMIT);
    struct cpu_step *step = &plan->steps[plan->step_count];
    *step = (struct cpu_step){.phase = phase};
    for (int i = 0; i < argument_count; i++)
        if (arguments[i].tensor->memory)
            step->arguments[step->argument_count++] = (dnnl_exec_arg_t){
                .arg = arguments[i].name, .memory = arguments[i].tensor->memory};
    TRY(add_scratch(plan, step, pd, error));
    DNNL_TRY(plan, error, dnnl_primitive_create(&step->primitive, pd));
    plan->step_count++;
    return STATUS_OK;
}

enum status cpu_reorder(struct cpu_plan *plan, int phase, const struct cpu_tensor *from,
                        const struct cpu_tensor *to, struct error *error)
{
    struct cpu_device *device = plan->device;
    dnnl_primitive_desc_t pd;
    DNNL_TRY(plan, error,
             dnnl_reorder_primitive_desc_create(&pd, &from->desc, device->engine, &to->desc,
                                                device->engine, device->attributes));
    const struct cpu_argument arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    enum status status = cpu_step_add(plan, phase, pd, arguments, 2, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

enum status cpu_adapt(struct cpu_tensor *to, struct cpu_plan *plan, int phase,
                      const struct cpu_tensor *from, const dnnl_memory_desc_t *desc,
                      struct error *error)
{
    if (dnnl_memory_desc_equal(&from->desc, desc)) {
        *to = *from;
        return STATUS_OK;
    }
    TRY(cpu_tensor_create(to, plan, desc, 0, error));
    return cpu_reorder(plan, phase, from, to, error);
}

static const dnnl_alg_kind_t activations[ACTIVATION_COUNT] = {
    [ACTIVATION_RELU] = dnnl_eltwise_relu_use_dst_for_bwd,
    [ACTIVATION_TANH] = dnnl_eltwise_tanh_use_dst_for_bwd,
    [ACTIVATION_SIGMOID] = dnnl_eltwise_logistic_use_dst_for_bwd,
};

static enum status activation_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                                 int32_t activation, struct error *error)
{
    dnnl_eltwise_desc_t desc;
    DNNL_TRY(plan, error,
             dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_training, activations[activation],
                                            &plan->tensor[CPU_OUTPUT].desc, 0, 0));
    return cpu_check(
        plan,
        dnnl_primitive_desc_create(pd, &desc, plan->device->attributes, plan->device->engine, NULL),
        "activation forward", error);
}

enum status cpu_activation_forward(struct cpu_plan *plan, int32_t activation, struct error *error)
{
    if (activation == ACTIVATION_NONE)
        return STATUS_OK;
    dnnl_primitive_desc_t pd;
    TRY(activation_pd(&pd, plan, activation, error));
    const struct cpu_tensor *output = &plan->tensor[CPU_OUTPUT];
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, output}, {DNNL_ARG_DST, output}};
    enum status status = cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 2, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static enum status add_activation_backward(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                           int32_t activation, const_dnnl_primitive_desc_t forward,
                                           struct error *error)
{
    const struct cpu_tensor *output = &plan->tensor[CPU_OUTPUT];
    const struct cpu_tensor *output_gradient = &plan->tensor[CPU_OUTPUT_GRADIENT];
    dnnl_eltwise_desc_t desc;
    dnnl_primitive_desc_t pd;
    DNNL_TRY(plan, error,
             dnnl_eltwise_backward_desc_init(&desc, activations[activation], &gradient->desc,
                                             &output->desc, 0, 0));
    DNNL_TRY(plan, error,
             dnnl_primitive_desc_create(&pd, &desc, plan->device->attributes, plan->device->engine,
                                        forward));
    const struct cpu_argument arguments[] = {{DNNL_ARG_DST, output},
                                             {DNNL_ARG_DIFF_DST, output_gradient},
                                             {DNNL_ARG_DIFF_SRC, gradient}};
    enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

enum status cpu_activation_backward(struct cpu_tensor *gradient, struct cpu_plan *plan,
                                    int32_t activation, struct error *error)
{
    const dnnl_memory_desc_t *desc = &plan->tensor[CPU_OUTPUT].desc;
    struct cpu_tensor *output_gradient = &plan->tensor[CPU_OUTPUT_GRADIENT];
    TRY(cpu_operand_create(output_gradient, plan, desc, error));
    if (activation == ACTIVATION_NONE) {
        *gradient = *output_gradient;
        return STATUS_OK;
    }
    TRY(cpu_tensor_create(gradient, plan, desc, 0, error));
    return cpu_activation_backward_into(plan, gradient, activation, error);
}

enum status cpu_activation_backward_into(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                         int32_t activation, struct error *error)
{
    dnnl_primitive_desc_t forward;
    TRY(activation_pd(&forward, plan, activation, error));
    enum status status = add_activation_backward(plan, gradient, activation, forward, error);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

enum status cpu_plan_create(struct cpu_plan **plan, struct device *device,
                            const struct layer_config *config, enum outcome *outcome,
                            struct error *error)
{
    *plan = NULL;
    if (config->precision != PRECISION_FP32) {
        *outcome = OUTCOME_UNSUPPORTED;
        return FAIL(error, STATUS_FAILED, "cpu: precision %s is not supported",
                    choice_name(&choice_precision, config->precision));
    }
    TRY(error_allocate((void **)plan, 1, sizeof **plan, "plan", error));
    (*plan)->base.bench = device->backend->bench[config->kind];
    (*plan)->base.engine = -1;
    (*plan)->device = (struct cpu_device *)device;
    (*plan)->config = *config;
    (*plan)->outcome = outcome;
    return STATUS_OK;
}

enum status cpu_plan_finish(struct plan **out, struct cpu_plan *plan, enum status status)
{
    *out = &plan->base;
    plan->outcome = NULL;
    if (status == STATUS_OK)
        return STATUS_OK;
    cpu_plan_release(&plan->base);
    *out = NULL;
    return status;
}

enum status cpu_plan_enqueue(struct plan *plan, int phases, struct error *error)
{
    struct cpu_plan *own = (struct cpu_plan *)plan;
    for (int i = 0; i < own->step_count; i++) {
        const struct cpu_step *step = &own->steps[i];
        if (!(step->phase & phases))
            continue;
        dnnl_status_t status = dnnl_primitive_execute(step->primitive, own->device->stream,
                                                      step->argument_count, step->arguments);
        if (status != dnnl_success)
            return FAIL(error, STATUS_FAILED, "oneDNN: status %d while executing %s", (int)status,
                        plan->algorithm);
    }
    if (phases & PHASE_UPDATE)
        for (int i = 0; i < own->update_count; i++)
            cpu_update_run(&own->updates[i], own->config.optimizer);
    return STATUS_OK;
}

void cpu_plan_release(struct plan *plan)
{
    if (!plan)
        return;
    struct cpu_plan *own = (struct cpu_plan *)plan;
    for (int i = 0; i < own->step_count; i++)
        dnnl_primitive_destroy(own->steps[i].primitive);
    for (int i = 0; i < own->memory_count; i++)
        dnnl_memory_destroy(own->memories[i]);
    free(own);
}

void cpu_plan_name(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd)
{
    const char *name = NULL;
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "%s", name ? name : "unknown");
}
