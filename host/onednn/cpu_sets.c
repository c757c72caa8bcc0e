/* Further sets of a plan's operands: the same primitives over memories that are moved in the arena,
 * tensors that are only read upwards, the others downwards. What was made for the first set is
 * copied; what the steps write before they read it is left as it is.
 */
#include "onednn/cpu_plan.h"

#include <stdlib.h>
#include <string.h>

/* The memories of the steps' arguments, each once. */
struct memories {
    dnnl_memory_t *list;
    int count;
};

static int find_memory(const struct memories *memories, dnnl_memory_t memory)
{
    int i = 0;
    while (i < memories->count && memories->list[i] != memory)
        i++;
    return i;
}

/* The caller frees the list. */
static enum status list_memories(struct memories *memories, const struct cpu_plan *plan,
                                 struct error *error)
{
    memories->count = 0;
    TRY(ALLOCATE(&memories->list, (size_t)plan->memory_count, "memories", error));
    for (int i = 0; i < plan->step_count; i++)
        for (int j = 0; j < plan->steps[i].argument_count; j++) {
            dnnl_memory_t memory = plan->steps[i].arguments[j].memory;
            if (find_memory(memories, memory) == memories->count)
                memories->list[memories->count++] = memory;
        }
    return STATUS_OK;
}

/* Of data of the first set. */
static bool is_read_only(const struct cpu_plan *plan, const void *data)
{
    return (const unsigned char *)data < plan->device->arena + plan->read_start + plan->read_bytes;
}

/* Where set `set` has what the first set has at `data`. */
static void *moved(const struct cpu_plan *plan, const void *data, int set)
{
    unsigned char *arena = plan->device->arena;
    const size_t start = (size_t)((const unsigned char *)data - arena), sets = (size_t)set;
    return arena + (is_read_only(plan, data) ? start + sets * plan->read_bytes
                                             : start - sets * plan->written_bytes);
}

static enum status move_memory(dnnl_memory_t *to, dnnl_memory_t from, struct cpu_plan *plan,
                               int set, struct error *error)
{
    void *data;
    bool is_padded;
    struct cpu_tensor tensor;
    DNNL_TRY(plan, error, dnnl_memory_get_data_handle(from, &data));
    tensor.data = moved(plan, data, set);
    DNNL_TRY(plan, error,
             cpu_memory_create(to, &tensor.layout, cpu_memory_layout(from),
                               plan->device->target.engine, tensor.data));
    plan->more_memory_count++;
    if (!is_read_only(plan, data))
        return STATUS_OK;
    TRY(cpu_clear_padding(&is_padded, &tensor, error));
    if (is_padded)
        cpu_operand_spoil(plan->device, &tensor);
    return STATUS_OK;
}

static void move_loop(struct cpu_loop *loop, const struct cpu_plan *plan, int set)
{
    for (int i = 0; i < CPU_LOOP_DATA; i++)
        if (loop->data[i])
            loop->data[i] = moved(plan, loop->data[i], set);
}

/* to: (memories) the memories of the set. */
static void move_step(struct cpu_step *step, const struct cpu_plan *plan,
                      const struct memories *memories, const dnnl_memory_t *to, int set)
{
    for (int i = 0; i < step->argument_count; i++)
        step->arguments[i].memory = to[find_memory(memories, step->arguments[i].memory)];
    move_loop(&step->loop, plan, set);
}

static enum status fill_set(struct cpu_plan *plan, const struct memories *memories, int set,
                            struct error *error)
{
    struct cpu_step *steps = plan->more_steps + (set - 1) * plan->step_count;
    dnnl_memory_t *to = plan->more_memories + (set - 1) * memories->count;
    for (int i = 0; i < plan->kept_count; i++)
        memcpy(moved(plan, plan->kept[i].data, set), plan->kept[i].data, plan->kept[i].bytes);
    for (int i = 0; i < memories->count; i++)
        TRY(move_memory(&to[i], memories->list[i], plan, set, error));
    memcpy(steps, plan->steps, (size_t)plan->step_count * sizeof *steps);
    for (int i = 0; i < plan->step_count; i++)
        move_step(&steps[i], plan, memories, to, set);
    return STATUS_OK;
}

static enum status fill_sets(struct cpu_plan *plan, const struct memories *memories, int count,
                             struct error *error)
{
    const size_t sets = (size_t)count - 1;
    TRY(ALLOCATE(&plan->more_steps, sets * (size_t)plan->step_count, "steps", error));
    TRY(ALLOCATE(&plan->more_memories, sets * (size_t)memories->count, "memories", error));
    for (int set = 1; set < count; set++)
        TRY(fill_set(plan, memories, set, error));
    return STATUS_OK;
}

enum status cpu_plan_replicate(struct plan *plan, int count, struct error *error)
{
    struct cpu_plan *own = (struct cpu_plan *)plan;
    struct memories memories;
    enum outcome ignored;
    own->outcome = &ignored;
    TRY(cpu_take_sets(own, count - 1, error));
    TRY(list_memories(&memories, own, error));
    const enum status status = fill_sets(own, &memories, count, error);
    free(memories.list);
    own->outcome = NULL;
    return status;
}
