/* The padding of blocked layouts. Primitives take it for zeros: what they add up goes over it. */
#include "onednn/cpu_plan.h"

#include <stdlib.h>
#include <string.h>

enum { RANK_LIMIT = 5 };

/* An element's offset is a sum: of one number per dimension, which its position there has. */
struct offsets {
    int rank;
    dnnl_dim_t *at[RANK_LIMIT], size[RANK_LIMIT], padded[RANK_LIMIT];
    dnnl_dim_t none; /* of dimensions that the tensor does not have */
};

dnnl_dim_t cpu_order_offset(const struct cpu_order *order, int dimension, dnnl_dim_t position)
{
    dnnl_dim_t offset = 0, size = 1;
    for (int i = order->inner_count; i-- > 0; size *= order->inner_sizes[i])
        if (order->inner_dimensions[i] == dimension) {
            offset += position % order->inner_sizes[i] * size;
            position /= order->inner_sizes[i];
        }
    return offset + position * order->strides[dimension];
}

static void clear_run(unsigned char *data, size_t bytes, const struct offsets *offsets,
                      int dimension, dnnl_dim_t base)
{
    for (dnnl_dim_t i = offsets->size[dimension]; i < offsets->padded[dimension]; i++)
        memset(data + (size_t)(base + offsets->at[dimension][i]) * bytes, 0, bytes);
}

/* Where dimension `dimension` is beyond its end; those before it are not, those behind it may be:
 * so every element of the padding has its turn once. */
static void clear_beyond(unsigned char *data, size_t bytes, const struct offsets *offsets,
                         int dimension, dnnl_dim_t first)
{
    dnnl_dim_t end[RANK_LIMIT], count = 1;
    for (int i = 0; i < RANK_LIMIT; i++) {
        end[i] = i == dimension ? 1 : i < dimension ? offsets->size[i] : offsets->padded[i];
        count *= end[i];
    }
    for (dnnl_dim_t i = 0; i < count; i++) {
        dnnl_dim_t rest = i, base = first;
        for (int along = RANK_LIMIT; along-- > 0; rest /= end[along])
            base += along == dimension ? 0 : offsets->at[along][rest % end[along]];
        clear_run(data, bytes, offsets, dimension, base);
    }
}

static void fill_offsets(struct offsets *offsets, const struct cpu_order *order, dnnl_dim_t *memory)
{
    for (int i = 0; i < RANK_LIMIT; i++) {
        const bool is_there = i < order->rank;
        offsets->at[i] = is_there ? memory : &offsets->none;
        offsets->size[i] = is_there ? order->dimensions[i] : 1;
        offsets->padded[i] = is_there ? order->padded[i] : 1;
        for (dnnl_dim_t position = 0; is_there && position < order->padded[i]; position++)
            *memory++ = cpu_order_offset(order, i, position);
    }
}

static dnnl_dim_t offset_count(const struct cpu_order *order, bool *is_padded)
{
    dnnl_dim_t count = 0;
    *is_padded = false;
    for (int i = 0; i < order->rank; i++) {
        count += order->padded[i];
        *is_padded |= order->padded[i] > order->dimensions[i];
    }
    return count;
}

enum status cpu_clear_padding(bool *is_padded, const struct cpu_tensor *tensor, struct error *error)
{
    struct cpu_order order;
    struct offsets offsets = {.rank = 0};
    dnnl_dim_t *memory;
    *is_padded = false;
    if (!cpu_layout_order(&order, tensor->layout) || order.rank > RANK_LIMIT)
        return STATUS_OK;
    const dnnl_dim_t count = offset_count(&order, is_padded);
    if (!*is_padded)
        return STATUS_OK;
    TRY(ALLOCATE(&memory, (size_t)count, "offsets", error));
    fill_offsets(&offsets, &order, memory);
    const size_t bytes = cpu_layout_type(tensor->layout) == dnnl_f32 ? 4 : 2;
    for (int i = 0; i < RANK_LIMIT; i++)
        if (offsets.padded[i] > offsets.size[i])
            clear_beyond(tensor->data, bytes, &offsets, i, order.first);
    free(memory);
    return STATUS_OK;
}
