/* What the oneDNN benchmarks share: the device with its arena, and plans as lists of steps. Private
 * to this folder and to tests/test_backend_cpu.c.
 *
 * In 16 bits images and weights are the library's bf16 or fp16 tensors. Biases, the parameters and
 * statistics of batch_norm, gradients of parameters and the optimizer's state stay fp32, and so
 * does a master copy of the weights, which an update changes and then rounds into the weights.
 */
#ifndef EPOCHCAST_ONEDNN_CPU_PLAN_H
#define EPOCHCAST_ONEDNN_CPU_PLAN_H

#include "bench/backend.h"
#include "onednn/descriptor.h"

enum { CPU_NOISE_COUNT = 1 << 18 }; /* 1 MiB: stays in a cache while it fills operands */

struct cpu_device {
    struct device base;
    struct cpu_target target; /* its attributes: scratch memory comes from the arena */
    dnnl_stream_t stream;
    /* Tensors that are only read grow from the arena's start, the others from its end: noise that
     * nobody overwrites need not be filled in again for the next config. */
    unsigned char *arena;
    size_t arena_bytes, flush_bytes;
    int64_t cache_bytes;              /* of the last level; 0: unknown */
    size_t read_bytes, written_bytes; /* in use, from the start and from the end */
    size_t noise_bytes;               /* from the start: filled with noise ... */
    size_t spoilt_start, spoilt_end;  /* ... but for these bytes, written since */
    size_t touched_bytes;             /* from the end: pages that exist */
    float *noise;                     /* CPU_NOISE_COUNT floats in (-1, 1), copied into operands */
    int thread_count;
    double started_ms;
    long involuntary_switches; /* at timer_start */
};

struct cpu_tensor {
    const struct cpu_layout *layout; /* the memory's */
    dnnl_memory_t memory;            /* NULL: the tensor does not exist */
    void *data;
};

enum { CPU_WEIGHTS_LIMIT = 4 };

/* The tensors of a layer that linked layers and tests look at. Where there may be several, the one
 * that is named is the first and the others follow: CPU_INPUT + 1 is the second input. */
enum cpu_role {
    CPU_INPUT,
    CPU_INPUT_GRADIENT = CPU_INPUT + LAYER_INPUT_LIMIT,
    CPU_WEIGHTS = CPU_INPUT_GRADIENT + LAYER_INPUT_LIMIT, /* of a normalisation: (2, width), scales
                                                           * and shifts */
    CPU_WEIGHTS_GRADIENT = CPU_WEIGHTS + CPU_WEIGHTS_LIMIT,
    CPU_MASTER_WEIGHTS = CPU_WEIGHTS_GRADIENT + CPU_WEIGHTS_LIMIT, /* fp32, where 16-bit weights
                                                                    * are updated */
    CPU_BIAS = CPU_MASTER_WEIGHTS + CPU_WEIGHTS_LIMIT,
    CPU_MEAN, /* of a normalisation: given, or of the batch */
    CPU_VARIANCE,
    CPU_OUTPUT,          /* after the activation */
    CPU_OUTPUT_GRADIENT, /* of the loss, by the output */
    CPU_BIAS_GRADIENT,
    CPU_ROLE_COUNT
};

enum {
    CPU_ARGUMENT_LIMIT = LAYER_INPUT_LIMIT + 4,
    CPU_KEPT_LIMIT = 144,
    CPU_LOOP_DATA = 8,
    CPU_LOOP_SIZES = 8,
};

/* Work that the library has no primitive for: optimizer updates, the loops of some kinds. A further
 * set of operands runs it with `data` moved; all of it lies in the arena or is NULL. */
struct cpu_loop {
    void (*run)(const struct cpu_loop *loop);
    void *data[CPU_LOOP_DATA];
    int64_t size[CPU_LOOP_SIZES];
};

struct cpu_step {
    int phase;
    dnnl_primitive_t primitive; /* NULL: the loop */
    dnnl_exec_arg_t arguments[CPU_ARGUMENT_LIMIT];
    int argument_count;
    struct cpu_loop loop;
};

struct cpu_plan {
    struct plan base;
    struct cpu_device *device;
    struct layer_config config;
    bool turns_weights; /* the library's first two dimensions of the weights are the layer's second
                           and first */
    struct cpu_plan *reader; /* the first layer that hands a gradient to this one, or NULL */
    struct cpu_tensor tensor[CPU_ROLE_COUNT];
    /* Lists grow: a layer that many others read sums up the gradients of all of them. */
    struct cpu_step *steps; /* in order; an enqueue runs those of its phases */
    int step_count, step_room;
    dnnl_memory_t *memories; /* owned */
    int memory_count, memory_room;
    struct cpu_layout **layouts; /* owned */
    int layout_count, layout_room;
    enum outcome *outcome; /* valid during prepare: unsupported goes here */

    size_t read_start, written_start; /* arena in use before this plan, from its two ends */
    size_t read_bytes, written_bytes; /* in use by this plan: its first set of operands */
    /* (kept_count) tensors that the steps read although none of them has written them before. */
    struct cpu_kept {
        void *data;
        size_t bytes;
    } kept[CPU_KEPT_LIMIT];
    int kept_count;
    /* Of the further sets of operands (cpu_sets.c): the same steps with other memories. */
    struct cpu_step *more_steps;  /* (sets, step_count) or NULL */
    dnnl_memory_t *more_memories; /* (more_memory_count) owned */
    int more_memory_count;
};

/* Maps a dnnl_status_t: unimplemented -> unsupported, out_of_memory -> STATUS_OUT_OF_MEMORY. */
enum status cpu_check(struct cpu_plan *plan, dnnl_status_t status, const char *call,
                      struct error *error);
#define DNNL_TRY(plan, error, call) TRY(cpu_check((plan), (call), #call, (error)))

/* A list with room for an element behind `count`, moved if need be, or NULL, and it is as before.
 */
void *cpu_list_room(void *list, int *room, int count, size_t element_bytes);

/* Element type of images and weights in the plan's precision. */
dnnl_data_type_t cpu_storage(const struct cpu_plan *plan);

/* A layout that the plan owns: plain (row-major), or of the library's choice. */
enum status cpu_plain_layout(const struct cpu_layout **layout, struct cpu_plan *plan, int rank,
                             const dnnl_dim_t *dimensions, dnnl_data_type_t type,
                             struct error *error);
/* Of fp32 weights with the second of their four dimensions outermost. */
enum status cpu_swapped_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                               const dnnl_dim_t *dimensions, struct error *error);
enum status cpu_any_layout(const struct cpu_layout **layout, struct cpu_plan *plan, int rank,
                           const dnnl_dim_t *dimensions, dnnl_data_type_t type,
                           struct error *error);

/* Plain but for the last two of three dimensions, which lie in memory the other way round. */
enum status cpu_turned_layout(const struct cpu_layout **layout, struct cpu_plan *plan, int rank,
                              const dnnl_dim_t *dimensions, dnnl_data_type_t type,
                              struct error *error);

bool cpu_same_dimensions(const struct cpu_layout *a, const struct cpu_layout *b);

/* Arena memory of the layout's size, filled with noise in (-amplitude, amplitude), padding of
 * blocked layouts left out, which is zero; amplitude 0 leaves it as it is. STATUS_OUT_OF_MEMORY is
 * found by accounting, before memory is touched. */
enum status cpu_tensor_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                              const struct cpu_layout *layout, float amplitude,
                              struct error *error);
/* The same for a tensor that no step of the plan writes, amplitude 1. */
enum status cpu_operand_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                               const struct cpu_layout *layout, struct error *error);
/* The same for int32 indices: uniform in [0, bound). */
enum status cpu_indices_create(struct cpu_tensor *tensor, struct cpu_plan *plan,
                               const struct cpu_layout *layout, int32_t bound, struct error *error);
/* Zeros in the padding of a blocked layout; *is_padded: it has some. */
enum status cpu_clear_padding(bool *is_padded, const struct cpu_tensor *tensor,
                              struct error *error);
/* Part of an element's offset that its position along one dimension makes up; with order->first
 * they are its offset. */
dnnl_dim_t cpu_order_offset(const struct cpu_order *order, int dimension, dnnl_dim_t position);
/* Marks an operand as overwritten. */
void cpu_operand_spoil(struct cpu_device *device, const struct cpu_tensor *tensor);
/* Notes that the steps need what the tensor holds now: further sets of operands get a copy. */
enum status cpu_tensor_keep(struct cpu_plan *plan, const struct cpu_tensor *tensor,
                            struct error *error);
/* Arena memory for `count` further sets of the plan's operands: noise in what is only read. */
enum status cpu_take_sets(struct cpu_plan *plan, int count, struct error *error);
/* A tensor over existing memory. */
enum status cpu_tensor_view(struct cpu_tensor *tensor, struct cpu_plan *plan,
                            const struct cpu_layout *layout, void *data, struct error *error);
/* Copies at once, not as a step of the plan; layouts and types may differ, dimensions may not. */
enum status cpu_copy(struct cpu_plan *plan, const struct cpu_tensor *from,
                     const struct cpu_tensor *to, struct error *error);

/* One argument of a step: which, and the tensor. */
struct cpu_argument {
    int name; /* DNNL_ARG_... */
    const struct cpu_tensor *tensor;
};
/* Appends a step; adds scratch memory. Arguments of name 0 or without memory are left out. */
enum status cpu_step_add(struct cpu_plan *plan, int phase, const_dnnl_primitive_desc_t pd,
                         const struct cpu_argument *arguments, int argument_count,
                         struct error *error);
/* Appends a loop. */
enum status cpu_loop_add(struct cpu_plan *plan, int phase, const struct cpu_loop *loop,
                         struct error *error);
/* `to` holds `from` in the layout: `from` itself when it has it, else a new tensor and a reorder
 * step. */
enum status cpu_adapt(struct cpu_tensor *to, struct cpu_plan *plan, int phase,
                      const struct cpu_tensor *from, const struct cpu_layout *layout,
                      struct error *error);
/* The same for what no step changes: copied once, now. */
enum status cpu_settle(struct cpu_tensor *to, struct cpu_plan *plan, const struct cpu_tensor *from,
                       const struct cpu_layout *layout, struct error *error);
/* Copies again, after a test has written tensors. */
enum status cpu_settle_again(struct cpu_plan *plan, struct error *error);
enum status cpu_reorder(struct cpu_plan *plan, int phase, const struct cpu_tensor *from,
                        const struct cpu_tensor *to, struct error *error);

static inline struct cpu_plan *cpu_producer(struct plan *const *inputs, int which)
{
    return (struct cpu_plan *)producer_of(inputs, which);
}
/* The layer's input `which` in that layout: noise, or what its producer (`inputs`, as of `prepare`)
 * writes. */
enum status cpu_input(struct cpu_plan *plan, struct plan *const *inputs, int which,
                      const struct cpu_layout *layout, struct error *error);
/* Layout of a layer's images where the library takes them as they are: the producer's when linked,
 * else the blocked one that convolutions write, where there are channels enough. */
enum status cpu_image_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                             const struct cpu_plan *input, int32_t channels, int32_t size,
                             struct error *error);
/* Layout of a layer that goes through its elements in any order: that of the first producer, else
 * rows of the batch. */
enum status cpu_stream_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                              struct plan *const *inputs, int32_t row_elements,
                              struct error *error);
/* Where the gradient of input `which` goes: straight into the producer's output gradient when
 * linked in the same layout; deliver adds the reorder when not. Of several readers of one producer
 * the first one, which is the last to run backward, adds the gradients of the others to its own: a
 * step behind its own steps, as frameworks accumulate. */
enum status cpu_input_gradient(struct cpu_plan *plan, struct plan *const *inputs, int which,
                               const struct cpu_layout *layout, struct error *error);
enum status cpu_input_gradient_deliver(struct cpu_plan *plan, struct plan *const *inputs, int which,
                                       struct error *error);
/* Of an input whose gradient is that of the first one: other readers of its producer add it to
 * theirs. Without other readers nothing is copied (bench/backend.h). */
enum status cpu_shared_gradient_deliver(struct cpu_plan *plan, struct plan *const *inputs,
                                        int which, struct error *error);
/* Activation on the output, in place; its gradient on the output gradient: *gradient is what the
 * layer's own backward primitives read. */
enum status cpu_activation_forward(struct cpu_plan *plan, int32_t activation, struct error *error);
enum status cpu_activation_backward(struct cpu_tensor *gradient, struct cpu_plan *plan,
                                    int32_t activation, struct error *error);
/* The step alone, of an activation, into a tensor that is there, from an output gradient that is.
 */
enum status cpu_activation_backward_into(struct cpu_plan *plan, const struct cpu_tensor *gradient,
                                         int32_t activation, struct error *error);
/* Weight and bias updates of a training step. */
enum status cpu_updates_add(struct cpu_plan *plan, struct error *error);
/* The update of the weights, a matrix, by a gradient that has rows of them: owners (rows; int32) is
 * which row each belongs to, -1: to none. The other rows are left as they are. */
enum status cpu_rows_update_add(struct cpu_plan *plan, const struct cpu_tensor *owners,
                                struct error *error);

/* Scales and shifts of a normalisation, one fp32 tensor (2, width): noise of an amplitude (0: as it
 * is); as the layer's CPU_WEIGHTS, scales around 1; both rows as tensors of their own. */
enum status cpu_scales_shifts_create(struct cpu_tensor *parameters, struct cpu_plan *plan,
                                     int32_t width, float amplitude, struct error *error);
enum status cpu_scales_shifts_add(struct cpu_plan *plan, int32_t width, struct error *error);
enum status cpu_scales_shifts_view(struct cpu_tensor *scales, struct cpu_tensor *shifts,
                                   struct cpu_plan *plan, const struct cpu_tensor *parameters,
                                   struct error *error);

/* dnnl_forward_training or dnnl_forward_inference. */
dnnl_prop_kind_t cpu_forward_kind(const struct cpu_plan *plan);

/* A layer with weights (dense, conv2d) differs from the other in its descriptors alone. `pass` is a
 * forward one, dnnl_backward_data or dnnl_backward_weights, whose weights are the fp32 gradient. */
typedef enum status cpu_create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                                  dnnl_prop_kind_t pass, const_dnnl_primitive_desc_t forward,
                                  struct error *error);
enum status cpu_weighted_fill(struct cpu_plan *plan, int32_t activation, bool use_bias,
                              cpu_create_pd *create_pd, struct plan *const *inputs,
                              struct error *error);

/* create: the shell of a plan; finish: frees it unless status is ok and hands it out. */
enum status cpu_plan_create(struct cpu_plan **plan, struct device *device,
                            const struct layer_config *config, enum outcome *outcome,
                            struct error *error);
enum status cpu_plan_finish(struct plan **out, struct cpu_plan *plan, enum status status);
enum status cpu_plan_enqueue(struct plan *plan, int phases, struct error *error);
enum status cpu_plan_replicate(struct plan *plan, int count, struct error *error);
void cpu_plan_release(struct plan *plan);
/* The implementation that the library chose, into plan->base.algorithm. */
void cpu_plan_name(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd);

/* `read` of struct bench: single elements where they lie, in the layout that the library chose. */
enum status cpu_plan_read_elements(float *values, struct plan *plan, enum layer_value what,
                                   const int64_t *indices, int count, struct error *error);
/* For tests: a role's tensor in plain fp32. */
enum status cpu_plan_read(float *values, struct cpu_plan *plan, enum cpu_role role,
                          struct error *error);
enum status cpu_plan_write(struct cpu_plan *plan, enum cpu_role role, const float *values,
                           struct error *error);

/* What a kind's file does: the tensors and steps of its plan, linked to its producers (`inputs`, as
 * of `prepare`). */
#define DECLARE_FILL(KIND, kind)                                                                   \
    enum status cpu_fill_##kind(struct cpu_plan *plan, struct plan *const *inputs,                 \
                                struct error *error);
LAYER_KINDS(DECLARE_FILL)
#undef DECLARE_FILL
extern const struct bench cpu_bench; /* of every kind */

#endif
