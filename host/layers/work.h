/* What a layer does, as data: its tensors and the operations of a whole training step. Everything
 * that is counted follows from it: costs, validity of sizes, memory, encoder columns, what the
 * baselines know of a layer, the fake device's times. A kind writes it down once (`work` of its
 * descriptor); a layer that has no kind (an operator of a network) is a work without a config.
 *
 * A work does not depend on pass, optimizer or precision: those choose their part of it
 * (cost_of_work).
 */
#ifndef EPOCHCAST_LAYERS_WORK_H
#define EPOCHCAST_LAYERS_WORK_H

#include "base/choice.h"

#include <stdbool.h>
#include <stdint.h>

enum { LAYER_INPUT_LIMIT = 64 }; /* tensors that feed one layer */

enum tensor_role {
    TENSOR_INPUT,
    TENSOR_OUTPUT,
    TENSOR_WEIGHTS, /* trained, as biases are */
    TENSOR_BIAS,
    TENSOR_KEPT, /* training: written by the forward pass for the backward pass, seen by nobody else
                  */
    TENSOR_ROLE_COUNT
};

enum storage {
    STORAGE_LAYER, /* the precision's */
    STORAGE_FP32,  /* whatever the precision */
    STORAGE_INT32, /* indices; they have no gradient */
    STORAGE_TABLE, /* weights whose rows are picked: the precision's, fp32 in amp; no phase reads
                      them whole, operations say what they read */
};

struct layer_tensor {
    const char *name; /* "x", "weights", "winners"; static */
    enum tensor_role role;
    enum storage storage;
    double count;         /* elements, of the whole batch */
    bool shares_gradient; /* an input whose gradient is the output's: all such have one in common */
    bool is_constant;     /* an input that no layer gives: it has no gradient */
    int parts; /* arrays of one size that parameters consist of: 2, scales and shifts; 0: one */
    double gradient_count; /* of weights: elements of their gradient, and no more of theirs are
                              updated; 0: all */
};

enum work_phase {
    WORK_FORWARD,
    WORK_STATISTICS, /* of the forward pass, in training alone */
    WORK_BACKWARD_DATA,
    WORK_BACKWARD_WEIGHTS,
    WORK_PHASE_COUNT
};

enum operation_type {
    OPERATION_PRODUCT, /* of matrices: (rows x depth) (depth x columns), `batch` of them */
    OPERATION_STREAM,  /* element by element */
};

/* One primitive. A phase that has operations moves its tensors once: forward reads inputs, weights
 * and biases and writes outputs; backward data reads the output's gradient and the weights and
 * writes the inputs' gradients; backward weights reads inputs and the output's gradient and writes
 * the weights'. Bias and activation are no operations of their own: cost_of_work adds them. */
struct work_operation {
    enum work_phase phase;
    enum operation_type type;
    double flops;         /* a multiply-add counts as 2 */
    double read, written; /* elements in the layer's precision, beside the phase's tensors */
    double rows, depth, columns, batch; /* of a product */
    bool is_lowered; /* the left side is gathered from the input first, one sample at a time */
};

/* Whether frameworks write the output over the first input. */
enum in_place {
    IN_PLACE_NEVER,
    IN_PLACE_FORWARD, /* the backward pass reads the input */
    IN_PLACE_ALWAYS,
};

enum { WORK_TENSOR_LIMIT = LAYER_INPUT_LIMIT + 16, WORK_OPERATION_LIMIT = 32 };

struct layer_work {
    int tensor_count, operation_count;
    int32_t activation; /* ACTIVATION_..., of every output */
    enum in_place in_place;
    enum work_family family; /* whose times say by how much this one's exceeds its roofline */
    struct layer_tensor tensors[WORK_TENSOR_LIMIT]; /* those behind the counts are not set */
    struct work_operation operations[WORK_OPERATION_LIMIT];
};

/* What a pass costs: `forward` the forward pass, `train` forward + backward + update. */
struct cost {
    double flops;                     /* multiply-add counts as 2 */
    double bytes_read, bytes_written; /* each operand once per primitive, no cache assumed */
    int64_t parameter_count;          /* weights and biases, scales and shifts */
    int64_t input_bytes;              /* of the first input */
    int64_t activation_bytes; /* output tensor; for train: what is kept for the backward pass */
    int64_t memory_bytes;     /* everything that a benchmark of this layer allocates, at least */
};

/* ---- writing a work down ---- */

/* No tensors, no operations, no activation, a stream. */
void work_begin(struct layer_work *work);
/* Appends a tensor in the layer's precision; one of no elements is left out, unless it is an input.
 */
void work_tensor(struct layer_work *work, enum tensor_role role, const char *name, double count);
/* Appends a tensor with all its members. */
void work_add_tensor(struct layer_work *work, struct layer_tensor tensor);
/* Appends an operation. The FLOPs of a product follow from its sides where they are 0; its batch is
 * 1 where it is 0. A stream becomes one of products. */
void work_product(struct layer_work *work, enum work_phase phase, struct work_operation operation);
void work_stream(struct layer_work *work, enum work_phase phase, struct work_operation operation);

/* ---- reading it ---- */

/* Elements of all tensors of a role. */
double work_elements(const struct layer_work *work, enum tensor_role role);
int work_tensor_count(const struct layer_work *work, enum tensor_role role);
/* Tensor `index` of a role, or NULL. */
const struct layer_tensor *work_find(const struct layer_work *work, enum tensor_role role,
                                     int index);
/* In training. */
static inline bool tensor_has_gradient(const struct layer_tensor *tensor)
{
    return tensor->storage != STORAGE_INT32 && !tensor->is_constant;
}
/* Whether every tensor can be indexed with int32_t, as oneDNN, cuDNN and BLAS do; *reason names the
 * first that cannot. */
bool work_fits(const struct layer_work *work, const char **reason);

struct cost cost_of_work(const struct layer_work *work, int32_t pass, int32_t optimizer,
                         int32_t precision);

/* ---- optimizers and precisions ---- */

/* Floating-point operations of one optimizer update per parameter, and array passes (reads + writes
 * of parameter-sized arrays): sgd 3, momentum 5, adagrad 5, rmsprop 5 .. adam 7, adamw 7,
 * adadelta 7. */
double optimizer_flops_per_parameter(int32_t optimizer);
int optimizer_reads(int32_t optimizer);       /* arrays read: weights, gradient, state */
int optimizer_writes(int32_t optimizer);      /* arrays written: weights, state */
int optimizer_state_count(int32_t optimizer); /* parameter-sized state arrays kept between steps */

enum { FLOAT_BYTES = 4 }; /* of one fp32, whatever the layer's precision */

/* A precision as it is on every device; each backend has a table of the libraries' names for it. */
struct precision_traits {
    int storage_bytes;       /* of one element of a tensor: tf32 is stored as fp32 */
    int master_bytes;        /* of one element of what an optimizer keeps between steps */
    bool takes_tensor_cores; /* of its matrix work, where a device has them; fp32 is strict */
    bool casts_weights; /* weights and biases are fp32, and every step casts them to the storage */
};
const struct precision_traits *precision_traits_of(int32_t precision);

/* storage_bytes. */
int precision_bytes(int32_t precision);
double stored_bytes(enum storage storage, int32_t precision);

#endif
