/* Tensors of a plan: layouts, arena memory, noise. */
#include "onednn/cpu_plan.h"
#include "onednn/processor.h"

#include "base/philox.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 }; /* a cache line, as frameworks allocate */

dnnl_data_type_t cpu_storage(const struct cpu_plan *plan)
{
    static const dnnl_data_type_t types[PRECISION_COUNT] = {
        [PRECISION_FP32] = dnnl_f32,  [PRECISION_TF32] = dnnl_f32, [PRECISION_FP16] = dnnl_f16,
        [PRECISION_BF16] = dnnl_bf16, [PRECISION_AMP] = dnnl_f16, /* no processor has it */
    };
    return types[plan->config.precision];
}

/* ---- layouts ---- */

static enum status add_layout(const struct cpu_layout **layout, struct cpu_plan *plan, int rank,
                              const dnnl_dim_t *dimensions, dnnl_data_type_t type,
                              dnnl_format_tag_t tag, struct error *error)
{
    struct cpu_layout **layouts = cpu_list_room(plan->layouts, &plan->layout_room,
                                                plan->layout_count, sizeof *layouts);
    if (!layouts)
        return FAIL(error, STATUS_FAILED, "out of memory: layouts of a plan");
    plan->layouts = layouts;
    struct cpu_layout **own = &layouts[plan->layout_count];
    DNNL_TRY(plan, error, cpu_layout_create(own, rank, dimensions, type, tag));
    plan->layout_count++;
    *layout = *own;
    return STATUS_OK;
}

enum status cpu_plain_layout(const struct cpu_layout **layout, struct cpu_plan *plan, int rank,
                             const dnnl_dim_t *dimensions, dnnl_data_type_t type,
                             struct error *error)
{
    static const dnnl_format_tag_t plain[] = {
        dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde};
    return add_layout(layout, plan, rank, dimensions, type, plain[rank], error);
}

enum status cpu_swapped_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                               const dnnl_dim_t *dimensions, struct error *error)
{
    return add_layout(layout, plan, 4, dimensions, dnnl_f32, dnnl_bacd, error);
}

enum status cpu_any_layout(const struct cpu_layout **layout, struct cpu_plan *plan, int rank,
                           const dnnl_dim_t *dimensions, dnnl_data_type_t type, struct error *error)
{
    return add_layout(layout, plan, rank, dimensions, type, dnnl_format_tag_any, error);
}

enum status cpu_turned_layout(const struct cpu_layout **layout, struct cpu_plan *plan, int rank,
                              const dnnl_dim_t *dimensions, dnnl_data_type_t type,
                              struct error *error)
{
    return add_layout(layout, plan, rank, dimensions, type, dnnl_acb, error);
}

bool cpu_same_dimensions(const struct cpu_layout *a, const struct cpu_layout *b)
{
    const int rank = cpu_layout_rank(a);
    const dnnl_dim_t *dimensions = cpu_layout_dimensions(a);
    return rank == cpu_layout_rank(b) &&
           memcmp(dimensions, cpu_layout_dimensions(b), (size_t)rank * sizeof *dimensions) == 0;
}

static dnnl_format_tag_t blocked_layout(int32_t channels)
{
    int block = processor_vector_floats() >= 16 ? 16 : 8;
    if (channels < block)
        return dnnl_nchw;
    return block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

enum status cpu_image_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                             const struct cpu_plan *input, int32_t channels, int32_t size,
                             struct error *error)
{
    const dnnl_dim_t dimensions[] = {plan->config.batch_size, channels, size, size};
    TRY(add_layout(layout, plan, 4, dimensions, cpu_storage(plan), blocked_layout(channels),
                   error));
    if (input && cpu_same_dimensions(input->tensor[CPU_OUTPUT].layout, *layout))
        *layout = input->tensor[CPU_OUTPUT].layout;
    return STATUS_OK;
}

enum status cpu_stream_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                              struct plan *const *inputs, int32_t row_elements, struct error *error)
{
    const struct cpu_plan *first = cpu_producer(inputs, 0);
    const dnnl_dim_t dimensions[] = {plan->config.batch_size, row_elements};
    *layout = first ? first->tensor[CPU_OUTPUT].layout : NULL;
    return first ? STATUS_OK
                 : cpu_plain_layout(layout, plan, 2, dimensions, cpu_storage(plan), error);
}

/* ---- memory ---- */

enum status cpu_tensor_view(struct cpu_tensor *tensor, struct cpu_plan *plan,
                            const struct cpu_layout *layout, void *data, struct error *error)
{
    dnnl_memory_t *memories = cpu_list_room(plan->memories, &plan->memory_room, plan->memory_count,
                                            sizeof *memories);
    if (!memories)
        return FAIL(error, STATUS_FAILED, "out of memory: tensors of a plan");
    plan->memories = memories;
    *tensor = (struct cpu_tensor){.data = data};
    DNNL_TRY(plan, error,
             cpu_memory_create(&tensor->memory, &tensor->layout, layout,
                               plan->device->target.engine, data));
    plan->memories[plan->memory_count++] = tensor->memory;
    return STATUS_OK;
}

/* Operands are noise, not zeros: zeros save power, denormals cost time. */
static void fill(const struct cpu_device *device, float *data, size_t count, float amplitude)
{
    for (size_t first = 0; first < count; first += CPU_NOISE_COUNT) {
        size_t here = count - first < CPU_NOISE_COUNT ? count - first : CPU_NOISE_COUNT;
        for (size_t i = 0; i < here; i++)
            data[first + i] = amplitude * device->noise[i];
    }
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
static void *take_read(struct cpu_device *device, size_t bytes)
{
    const size_t start = device->read_bytes, end = start + bytes;
    device->read_bytes = end;
    if (end > device->noise_bytes) {
        fill_bytes(device, device->noise_bytes, end);
        device->noise_bytes = end;
    }
    refresh(device, start, end);
    return device->arena + start;
}

static void *take_written(struct cpu_device *device, size_t bytes)
{
    device->written_bytes += bytes;
    const size_t start = device->arena_bytes - device->written_bytes;
    if (device->written_bytes > device->touched_bytes) {
        memset(device->arena + start, 0, device->written_bytes - device->touched_bytes);
        device->touched_bytes = device->written_bytes;
    }
    if (device->noise_bytes > start)
        device->noise_bytes = start;
    return device->arena + start;
}

static enum status take_arena(void **data, struct cpu_plan *plan, size_t bytes, bool is_read_only,
                              struct error *error)
{
    struct cpu_device *device = plan->device;
    const size_t used_bytes = device->read_bytes + device->written_bytes;
    const size_t taken = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes > device->arena_bytes || taken > device->arena_bytes - used_bytes) {
        FAIL(error, STATUS_OUT_OF_MEMORY,
             "cpu: another %zu bytes do not fit the arena of %zu bytes, %zu of them in use", bytes,
             device->arena_bytes, used_bytes);
        return HINT(error, STATUS_OUT_OF_MEMORY,
                    "use a smaller batch, or a machine with more free memory");
    }
    *data = is_read_only ? take_read(device, taken) : take_written(device, taken);
    return STATUS_OK;
}

enum status cpu_take_sets(struct cpu_plan *plan, int count, struct error *error)
{
    const size_t sets = (size_t)count;
    void *ignored;
    TRY(take_arena(&ignored, plan, sets * plan->read_bytes, true, error));
    return take_arena(&ignored, plan, sets * plan->written_bytes, false, error);
}

/* One interval holds all that is spoilt: operands of a plan lie beside each other. */
void cpu_operand_spoil(struct cpu_device *device, const struct cpu_tensor *tensor)
{
    const size_t start = (size_t)((const unsigned char *)tensor->data - device->arena);
    const size_t end = start + cpu_layout_bytes(tensor->layout);
    if (start >= device->noise_bytes)
        return;
    if (device->spoilt_start >= device->spoilt_end)
        device->spoilt_start = device->spoilt_end = start;
    if (start < device->spoilt_start)
        device->spoilt_start = start;
    if (end > device->spoilt_end)
        device->spoilt_end = end;
}

/* ---- noise in 16 bits: the library rounds a block of it, which is then repeated ---- */

static enum status round_block(void *data, struct cpu_plan *plan, dnnl_data_type_t type,
                               const float *noise, dnnl_dim_t count, struct error *error)
{
    const struct cpu_layout *wide, *narrow;
    struct cpu_tensor from, to;
    TRY(cpu_plain_layout(&wide, plan, 1, &count, dnnl_f32, error));
    TRY(cpu_plain_layout(&narrow, plan, 1, &count, type, error));
    TRY(cpu_tensor_view(&from, plan, wide, (void *)noise, error));
    TRY(cpu_tensor_view(&to, plan, narrow, data, error));
    return cpu_copy(plan, &from, &to, error);
}

static enum status fill_narrow(void *data, struct cpu_plan *plan, dnnl_data_type_t type,
                               size_t count, float amplitude, struct error *error)
{
    const size_t block = count < CPU_NOISE_COUNT ? count : CPU_NOISE_COUNT;
    uint16_t *values = data;
    float *noise;
    TRY(ALLOCATE(&noise, block, "noise", error));
    fill(plan->device, noise, block, amplitude);
    enum status status = round_block(data, plan, type, noise, (dnnl_dim_t)block, error);
    free(noise);
    for (size_t first = block; first < count && status == STATUS_OK; first += block) {
        const size_t here = count - first < block ? count - first : block;
        memcpy(values + first, values, here * sizeof *values);
    }
    return status;
}

/* ---- tensors ---- */

enum status cpu_tensor_keep(struct cpu_plan *plan, const struct cpu_tensor *tensor,
                            struct error *error)
{
    if (plan->kept_count == CPU_KEPT_LIMIT)
        return FAIL(error, STATUS_FAILED, "a plan keeps more than %d tensors", CPU_KEPT_LIMIT);
    plan->kept[plan->kept_count++] = (struct cpu_kept){.data = tensor->data,
                                                       .bytes = cpu_layout_bytes(tensor->layout)};
    return STATUS_OK;
}

enum status cpu_tensor_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                              const struct cpu_layout *layout, float amplitude, struct error *error)
{
    void *data = NULL;
    bool ignored;
    const size_t bytes = cpu_layout_bytes(layout);
    const dnnl_data_type_t type = cpu_layout_type(layout);
    TRY(take_arena(&data, plan, bytes, false, error));
    if (amplitude > 0 && type == dnnl_f32)
        fill(plan->device, data, bytes / sizeof(float), amplitude);
    else if (amplitude > 0)
        TRY(fill_narrow(data, plan, type, bytes / sizeof(uint16_t), amplitude, error));
    TRY(cpu_tensor_view(tensor, plan, layout, data, error));
    if (amplitude > 0) {
        TRY(cpu_clear_padding(&ignored, tensor, error));
        TRY(cpu_tensor_keep(plan, tensor, error));
    }
    return STATUS_OK;
}

/* The arena keeps its noise in fp32; in 16 bits an operand is filled anew. */
enum status cpu_operand_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                               const struct cpu_layout *layout, struct error *error)
{
    void *data = NULL;
    bool is_padded;
    if (cpu_layout_type(layout) != dnnl_f32)
        return cpu_tensor_create(tensor, plan, layout, 1, error);
    TRY(take_arena(&data, plan, cpu_layout_bytes(layout), true, error));
    TRY(cpu_tensor_view(tensor, plan, layout, data, error));
    TRY(cpu_clear_padding(&is_padded, tensor, error));
    if (is_padded)
        cpu_operand_spoil(plan->device, tensor);
    return STATUS_OK;
}

enum status cpu_indices_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                               const struct cpu_layout *layout, int32_t bound, struct error *error)
{
    TRY(cpu_tensor_create(tensor, plan, layout, 0, error));
    int32_t *indices = tensor->data;
    const size_t count = cpu_layout_bytes(layout) / sizeof *indices;
    for (size_t i = 0; i < count; i++) {
        const uint32_t word = philox((uint32_t)(i / 4), 0, 0, PHILOX_NOISE, 0).word[i % 4];
        indices[i] = (int32_t)((uint64_t)word * (uint32_t)bound >> 32);
    }
    return cpu_tensor_keep(plan, tensor, error);
}
