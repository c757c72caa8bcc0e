/* Layers linked to the layers that feed them, and who sums up the gradients of several readers. */
#include "cuda_device.h"

#include <stdlib.h>

struct cuda_plan *cuda_producer(const struct cuda_plan *plan, struct plan *const *inputs, int which)
{
    return plan->storage[CUDA_INPUT + which] == STORAGE_INT32
               ? NULL
               : (struct cuda_plan *)producer_of(inputs, which);
}

static enum status make_sum_room(struct cuda_plan *plan, struct error *error)
{
    struct gradient_sum *sums;
    const int room = 2 * plan->sum_room + 16;
    TRY(ALLOCATE(&sums, (size_t)room, "sums of gradients", error));
    for (int i = 0; i < plan->sum_count; i++)
        sums[i] = plan->sums[i];
    free(plan->sums);
    plan->sums = sums;
    plan->sum_room = room;
    return STATUS_OK;
}

/* The producer's first reader, which is the last to run backward, adds `gradient` to its own. */
static enum status add_to_others(struct cuda_plan *producer, const void *gradient,
                                 struct error *error)
{
    struct cuda_plan *reader = producer->reader;
    if (reader->sum_count == reader->sum_room)
        TRY(make_sum_room(reader, error));
    reader->sums[reader->sum_count++] = (struct gradient_sum){
        .target = producer->tensor[CUDA_OUTPUT_GRADIENT],
        .from = gradient,
        .count = producer->count[CUDA_OUTPUT]};
    return STATUS_OK;
}

bool cuda_is_first_reader(const struct cuda_plan *plan, struct plan *const *inputs, int which)
{
    const struct cuda_plan *producer = cuda_producer(plan, inputs, which);
    bool is_first = producer && producer->tensor[CUDA_OUTPUT_GRADIENT] && !producer->reader;
    for (int i = 0; i < which; i++)
        is_first &= producer != cuda_producer(plan, inputs, i);
    return is_first;
}

enum status cuda_link_readers(struct cuda_plan *plan, struct plan *const *inputs,
                              struct error *error)
{
    for (int i = 0; i < plan->input_count; i++) {
        struct cuda_plan *producer = cuda_producer(plan, inputs, i);
        if (!producer || !producer->tensor[CUDA_OUTPUT_GRADIENT])
            continue;
        if (producer->reader)
            TRY(add_to_others(producer, plan->tensor[CUDA_INPUT_GRADIENT + i], error));
        else
            producer->reader = plan;
    }
    return STATUS_OK;
}
