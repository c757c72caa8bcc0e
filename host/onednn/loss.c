/* loss: own loops, which oneDNN's softmax would need two more passes for. Forward, a row is read
 * once from memory: its largest element, then, from a cache, the sum of exponentials; a training
 * step keeps its logarithm. Backward, it is read once more.
 *
 * Nobody feeds the labels: what other layers write are no indices.
 */
#include "onednn/cpu_plan.h"

#include "base/half.h"
#include "onednn/exponential.h"
#include "onednn/processor.h"

#include <math.h>
#include <stdio.h>

enum { BLOCK = 1 << 10, PARALLEL_COUNT = 1 << 12 };
enum loss_data { X, LABELS, LOGARITHMS, LOSS, LOSS_GRADIENT, X_GRADIENT };
enum loss_size { ROWS, CLASSES, TYPE, VECTOR };

/* `count` elements from `first` on as floats: where they are, or in `room`. */
static const float *widened(float *room, const void *x, int64_t first, int64_t count, int64_t type)
{
    const uint16_t *narrow = (const uint16_t *)x + first;
    if (type == dnnl_f32)
        return (const float *)x + first;
    for (int64_t i = 0; i < count; i++)
        room[i] = type == dnnl_bf16 ? float_of_bf16(narrow[i]) : float_of_fp16(narrow[i]);
    return room;
}

static void narrow_to(void *x, int64_t first, const float *from, int64_t count, int64_t type)
{
    uint16_t *to = (uint16_t *)x + first;
    for (int64_t i = 0; i < count && type != dnnl_f32; i++)
        to[i] = type == dnnl_bf16 ? bf16_of_float(from[i]) : fp16_of_float(from[i]);
}

#define EACH_BLOCK(start, here, count)                                                             \
    for (int64_t start = 0, here;                                                                  \
         start < (count) && (here = (count)-start < BLOCK ? (count)-start : BLOCK); start += here)

static float larger(float a, float b)
{
    return a > b ? a : b;
}

/* In lanes side by side, which every compiler makes vectors of; a largest number in one has an
 * order that clang keeps. */
static float largest_of(const void *x, int64_t first, int64_t count, int64_t type)
{
    enum { LANES = 16 };
    float room[BLOCK], lanes[LANES], largest = -INFINITY;
    for (int j = 0; j < LANES; j++)
        lanes[j] = -INFINITY;
    EACH_BLOCK(start, here, count)
    {
        const float *values = widened(room, x, first + start, here, type);
        const int64_t whole = here - here % LANES;
        for (int64_t i = 0; i < whole; i += LANES)
            for (int j = 0; j < LANES; j++)
                lanes[j] = larger(values[i + j], lanes[j]);
        for (int64_t i = whole; i < here; i++)
            largest = larger(values[i], largest);
    }
    for (int j = 0; j < LANES; j++)
        largest = larger(lanes[j], largest);
    return largest;
}

/* log(sum(exp(x))) of a row. */
static float logarithm_of(const struct cpu_loop *loop, int64_t row)
{
    const int64_t count = loop->size[CLASSES], type = loop->size[TYPE], first = row * count;
    const void *x = loop->data[X];
    const float largest = largest_of(x, first, count, type);
    float room[BLOCK], sum = 0;
    EACH_BLOCK(start, here, count)
    {
        const float *values = widened(room, x, first + start, here, type);
        sum += exponential_sum(values, here, largest, loop->size[VECTOR]);
    }
    return largest + logf(sum);
}

static void run_forward(const struct cpu_loop *loop)
{
    const int64_t rows = loop->size[ROWS], classes = loop->size[CLASSES], type = loop->size[TYPE];
    const int32_t *labels = loop->data[LABELS];
    const void *x = loop->data[X];
    float *logarithms = loop->data[LOGARITHMS];
    double loss = 0;
#pragma omp parallel for reduction(+ : loss) if (rows * classes > PARALLEL_COUNT)
    for (int64_t row = 0; row < rows; row++) {
        float room;
        const float logarithm = logarithm_of(loop, row);
        const float right = *widened(&room, x, row * classes + labels[row], 1, type);
        if (logarithms)
            logarithms[row] = logarithm;
        loss += (double)(logarithm - right);
    }
    *(float *)loop->data[LOSS] = (float)(loss / (double)rows);
}

/* (exp(x - logarithm) - one at the label) scale */
static void differentiate_row(const struct cpu_loop *loop, int64_t row, float scale)
{
    const int64_t classes = loop->size[CLASSES], type = loop->size[TYPE], first = row * classes;
    const float logarithm = ((const float *)loop->data[LOGARITHMS])[row];
    const int64_t label = ((const int32_t *)loop->data[LABELS])[row];
    float from_room[BLOCK], to_room[BLOCK];
    EACH_BLOCK(start, here, classes)
    {
        const float *from = widened(from_room, loop->data[X], first + start, here, type);
        float *to = type == dnnl_f32 ? (float *)loop->data[X_GRADIENT] + first + start : to_room;
        exponentials(to, from, here, logarithm, scale, loop->size[VECTOR]);
        if (label >= start && label < start + here)
            to[label - start] -= scale;
        narrow_to(loop->data[X_GRADIENT], first + start, to, here, type);
    }
}

static void run_backward(const struct cpu_loop *loop)
{
    const int64_t rows = loop->size[ROWS];
    const float scale = *(const float *)loop->data[LOSS_GRADIENT] / (float)rows;
#pragma omp parallel for if (rows * loop->size[CLASSES] > PARALLEL_COUNT)
    for (int64_t row = 0; row < rows; row++)
        differentiate_row(loop, row, scale);
}

/* ---- plan ---- */

struct layouts {
    const struct cpu_layout *x, *labels, *logarithms, *loss;
};

static enum status choose(struct layouts *layouts, struct cpu_plan *plan, struct error *error)
{
    const struct loss *of = &plan->config.as.loss;
    const dnnl_dim_t rows = (dnnl_dim_t)plan->config.batch_size * of->positions, one = 1;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "loop");
    TRY(cpu_plain_layout(&layouts->x, plan, 2, (const dnnl_dim_t[]){rows, of->classes},
                         cpu_storage(plan), error));
    TRY(cpu_plain_layout(&layouts->labels, plan, 1, &rows, dnnl_s32, error));
    TRY(cpu_plain_layout(&layouts->logarithms, plan, 1, &rows, dnnl_f32, error));
    return cpu_plain_layout(&layouts->loss, plan, 1, &one, dnnl_f32, error);
}

static enum status add_forward(struct cpu_loop *loop, struct cpu_plan *plan,
                               struct plan *const *inputs, const struct layouts *layouts,
                               struct error *error)
{
    const struct loss *of = &plan->config.as.loss;
    struct cpu_tensor *tensor = plan->tensor, logarithms = {.data = NULL};
    TRY(cpu_input(plan, inputs, 0, layouts->x, error));
    TRY(cpu_indices_create(&tensor[CPU_INPUT + 1], plan, layouts->labels, of->classes, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, layouts->loss, 0, error));
    if (plan->config.pass == PASS_TRAIN)
        TRY(cpu_tensor_create(&logarithms, plan, layouts->logarithms, 0, error));
    *loop = (struct cpu_loop){.run = run_forward,
                              .data = {[X] = tensor[CPU_INPUT].data,
                                       [LABELS] = tensor[CPU_INPUT + 1].data,
                                       [LOGARITHMS] = logarithms.data,
                                       [LOSS] = tensor[CPU_OUTPUT].data},
                              .size = {[ROWS] = (int64_t)plan->config.batch_size * of->positions,
                                       [CLASSES] = of->classes,
                                       [TYPE] = cpu_storage(plan),
                                       [VECTOR] = processor_vector_floats()}};
    return cpu_loop_add(plan, PHASE_FORWARD, loop, error);
}

/* From the loop of the forward pass. */
static enum status add_backward(struct cpu_loop *loop, struct cpu_plan *plan,
                                struct plan *const *inputs, const struct layouts *layouts,
                                struct error *error)
{
    struct cpu_tensor gradient;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, layouts->x, error));
    loop->run = run_backward;
    loop->data[LOSS_GRADIENT] = gradient.data;
    loop->data[X_GRADIENT] = plan->tensor[CPU_INPUT_GRADIENT].data;
    TRY(cpu_loop_add(plan, PHASE_BACKWARD, loop, error));
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

enum status cpu_fill_loss(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    struct layouts layouts;
    struct cpu_loop loop;
    TRY(choose(&layouts, plan, error));
    TRY(add_forward(&loop, plan, inputs, &layouts, error));
    return plan->config.pass == PASS_TRAIN ? add_backward(&loop, plan, inputs, &layouts, error)
                                           : STATUS_OK;
}
