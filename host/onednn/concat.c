/* concat with own loops. Every thread copies an equal part of the whole: its bytes lie together,
 * those of a row's inputs each in a tensor of its own. oneDNN's primitive takes as many sources,
 * but has no backward pass.
 */
#include "onednn/cpu_plan.h"
#include "onednn/loop_storage.h"

#include <omp.h>
#include <stdio.h>

/* A loop copies some of the inputs; the whole is the first tensor. */
enum { PART_LIMIT = 4, DATA_WHOLE = 0, DATA_PART = 1 };
enum { SIZE_ROWS, SIZE_WHOLE, SIZE_START, SIZE_THREADS, SIZE_PART };
_Static_assert(SIZE_PART + PART_LIMIT <= CPU_LOOP_SIZES, "no room for the widths");

/* Rows of one part of the whole, in bytes. */
struct part {
    unsigned char *whole, *part;
    int64_t row_bytes, bytes; /* of a row of the whole, of the part */
};

/* Bytes first .. end - 1 of the part. */
static void copy_range(const struct part *part, int64_t first, int64_t end, bool is_join)
{
    while (first < end) {
        const int64_t row = first / part->bytes, column = first % part->bytes;
        const int64_t left = part->bytes - column, here = left < end - first ? left : end - first;
        unsigned char *whole = part->whole + row * part->row_bytes + column;
        if (is_join)
            memcpy(whole, part->part + first, (size_t)here);
        else
            memcpy(part->part + first, whole, (size_t)here);
        first += here;
    }
}

/* Shares end at whole cache lines. */
static int64_t share_of(int64_t total, int thread, int threads)
{
    return thread == threads ? total : total / 64 * thread / threads * 64;
}

static void copy_parts(const struct cpu_loop *loop, bool is_join)
{
#pragma omp parallel num_threads((int)loop->size[SIZE_THREADS])
    {
        const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        int64_t start = loop->size[SIZE_START];
        for (int i = 0; i < PART_LIMIT && loop->data[DATA_PART + i]; i++) {
            const struct part part = {.whole = (unsigned char *)loop->data[DATA_WHOLE] + start,
                                      .part = loop->data[DATA_PART + i],
                                      .row_bytes = loop->size[SIZE_WHOLE],
                                      .bytes = loop->size[SIZE_PART + i]};
            const int64_t total = loop->size[SIZE_ROWS] * part.bytes;
            copy_range(&part, share_of(total, thread, threads),
                       share_of(total, thread + 1, threads), is_join);
            start += part.bytes;
        }
    }
}

static void run_join(const struct cpu_loop *loop)
{
    copy_parts(loop, true);
}

static void run_part(const struct cpu_loop *loop)
{
    copy_parts(loop, false);
}

/* ---- steps ---- */

static int64_t width_bytes(const struct cpu_plan *plan, int input)
{
    return concat_width(&plan->config.as.concat, input) * loop_element_bytes(cpu_storage(plan));
}

static int64_t start_of(const struct cpu_plan *plan, int input)
{
    int64_t start = 0;
    for (int i = 0; i < input; i++)
        start += width_bytes(plan, i);
    return start;
}

/* Loops over all inputs: `parts` is the role of the first. */
static enum status add_loops(struct cpu_plan *plan, int phase, const struct cpu_tensor *whole,
                             enum cpu_role parts, struct error *error)
{
    const struct concat *concat = &plan->config.as.concat;
    for (int first = 0; first < concat->parts; first += PART_LIMIT) {
        struct cpu_loop loop = {.run = phase == PHASE_FORWARD ? run_join : run_part,
                                .data = {[DATA_WHOLE] = whole->data}};
        loop.size[SIZE_ROWS] = (int64_t)plan->config.batch_size * concat->outer;
        loop.size[SIZE_WHOLE] = start_of(plan, concat->parts);
        loop.size[SIZE_START] = start_of(plan, first);
        loop.size[SIZE_THREADS] = plan->device->thread_count;
        for (int i = 0; i < PART_LIMIT && first + i < concat->parts; i++) {
            loop.data[DATA_PART + i] = plan->tensor[parts + first + i].data;
            loop.size[SIZE_PART + i] = width_bytes(plan, first + i);
        }
        TRY(cpu_loop_add(plan, phase, &loop, error));
    }
    return STATUS_OK;
}

static enum status plain(const struct cpu_layout **layout, struct cpu_plan *plan, int64_t elements,
                         struct error *error)
{
    const dnnl_dim_t sizes[] = {plan->config.batch_size, elements / plan->config.batch_size};
    return cpu_plain_layout(layout, plan, 2, sizes, cpu_storage(plan), error);
}

static enum status add_inputs(struct cpu_plan *plan, struct plan *const *inputs,
                              struct error *error)
{
    const struct cpu_layout *layout;
    for (int i = 0; i < plan->config.as.concat.parts; i++) {
        TRY(plain(&layout, plan, layer_input_elements(&plan->config, i), error));
        TRY(cpu_input(plan, inputs, i, layout, error));
    }
    return STATUS_OK;
}

static enum status add_backward(struct cpu_plan *plan, struct plan *const *inputs,
                                struct error *error)
{
    const int count = plan->config.as.concat.parts;
    struct cpu_tensor gradient;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    for (int i = 0; i < count; i++)
        TRY(cpu_input_gradient(plan, inputs, i, plan->tensor[CPU_INPUT + i].layout, error));
    TRY(add_loops(plan, PHASE_BACKWARD, &gradient, CPU_INPUT_GRADIENT, error));
    for (int i = 0; i < count; i++)
        TRY(cpu_input_gradient_deliver(plan, inputs, i, error));
    return STATUS_OK;
}

enum status cpu_fill_concat(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    const struct cpu_layout *layout;
    struct cpu_tensor *output = &plan->tensor[CPU_OUTPUT];
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "loop:copies");
    TRY(add_inputs(plan, inputs, error));
    TRY(plain(&layout, plan, layer_output_elements(&plan->config), error));
    TRY(cpu_tensor_create(output, plan, layout, 0, error));
    TRY(add_loops(plan, PHASE_FORWARD, output, CPU_INPUT, error));
    return plan->config.pass == PASS_TRAIN ? add_backward(plan, inputs, error) : STATUS_OK;
}
