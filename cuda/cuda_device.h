/* The device of the cuda backend and what its benchmarks share: an arena on the device, and plans
 * whose steps only enqueue.
 */
#ifndef EPOCHCAST_CUDA_CUDA_DEVICE_H
#define EPOCHCAST_CUDA_CUDA_DEVICE_H

#include "bench/backend.h"
#include "elementwise.h"
#include "nvml.h"
#include "timer.h"

#include <cublas_v2.h>
#include <cudnn.h>

enum { CUDA_ALIGNMENT_BYTES = 256 }; /* of every tensor, of the arena's size */
enum { CUDA_PICK_LIMIT = 1024 };     /* elements that the host reads at once */

struct cuda_device {
    struct device base;
    int index;
    cudaStream_t stream;
    struct cuda_timer timer;
    cublasHandle_t cublas;
    cudnnHandle_t cudnn;
    unsigned char *arena;
    int64_t arena_bytes, used_bytes; /* a multiple of 256; tensors from its start ... */
    int64_t workspace_bytes;         /* ... one workspace, of all plans, at its end */
    void *flush, *blas_workspace;
    int64_t flush_bytes, cache_bytes;
    int64_t *pick_places; /* (CUDA_PICK_LIMIT), on the device as the values */
    float *pick_values;
    struct nvml *nvml; /* NULL: no NVML here */
    uint64_t seed;
    bool autotune;
};

enum status cublas_check(cublasStatus_t code, const char *call, const char *file, int line,
                         struct error *error);
#define CUBLAS_TRY(error, call) TRY(cublas_check((call), #call, __FILE__, __LINE__, (error)))

enum { CUDA_WEIGHTS_LIMIT = 4, CUDA_KEPT_LIMIT = 4 };

/* The tensors of a layer, as its work has them. Where there may be several, the one that is named
 * is the first and the others follow: CUDA_INPUT + 1 is the second input. */
enum cuda_role {
    CUDA_INPUT,
    CUDA_INPUT_GRADIENT = CUDA_INPUT + LAYER_INPUT_LIMIT,
    CUDA_WEIGHTS = CUDA_INPUT_GRADIENT + LAYER_INPUT_LIMIT,
    CUDA_WEIGHTS_GRADIENT = CUDA_WEIGHTS + CUDA_WEIGHTS_LIMIT,
    CUDA_KEPT = CUDA_WEIGHTS_GRADIENT + CUDA_WEIGHTS_LIMIT,
    CUDA_BIAS = CUDA_KEPT + CUDA_KEPT_LIMIT,
    CUDA_BIAS_GRADIENT,
    CUDA_PRODUCT, /* before the activation; the output itself unless a backward pass needs both */
    CUDA_PRODUCT_GRADIENT, /* likewise */
    CUDA_OUTPUT,
    CUDA_OUTPUT_GRADIENT,
    CUDA_MASTER, /* fp32: of all weights, then of the bias, where steps cast them */
    CUDA_MASTER_END = CUDA_MASTER + CUDA_WEIGHTS_LIMIT,
    CUDA_ROLE_COUNT
};

enum cuda_direction { CUDA_FORWARD, CUDA_BACKWARD_DATA, CUDA_BACKWARD_WEIGHTS };

struct cuda_plan;

/* What differs from kind to kind: the main primitive. Everything that can be counted is read from
 * the kind's work. */
struct cuda_kind {
    size_t plan_bytes;         /* of the kind's plan, which begins with a struct cuda_plan */
    bool takes_kept;           /* uses the work's kept tensors; a library may keep none */
    bool has_float_parameters; /* weights are fp32 whatever the precision */
    bool keeps_product;        /* the primitive's backward pass reads its own output */
    bool has_planes;           /* the output is images: a channel's pixels lie together in NCHW */
    /* Called before the tensors exist: sets the counts of those whose size the library decides.
     * NULL: the work has them all. */
    enum status (*count)(struct cuda_plan *plan, struct error *error);
    /* Called once the tensors exist: chooses algorithms, fills base.algorithm and so on, and the
     * tensors that must not hold noise: indices (zeros so far), weights that no product reads. */
    enum status (*choose)(struct cuda_plan *plan, struct error *error);
    enum status (*run)(struct cuda_plan *plan, enum cuda_direction direction, struct error *error);
    /* After run refused a direction: *found says whether there is another algorithm, which it then
     * runs with. NULL: there is none. */
    enum status (*choose_next)(bool *found, struct cuda_plan *plan, enum cuda_direction direction,
                               struct error *error);
    /* Takes note of the tensors of a further set of operands (plan->bound_set), which are the
     * plan's during the call. NULL: the kind keeps no pointers but in `tensor`. */
    enum status (*bind_set)(struct cuda_plan *plan, struct error *error);
    /* Where the first array of weights, which holds all of them, has element `index` of weights
     * `which`; their gradients lie alike. NULL: each are an array of their own. */
    int64_t (*weights_place)(const struct cuda_plan *plan, int which, int64_t index);
    void (*release)(struct cuda_plan *plan); /* or NULL */
};

struct cuda_plan {
    struct plan base;
    struct cuda_device *device;
    struct layer_config config;
    const struct cuda_kind *kind;
    enum outcome *outcome;         /* valid during prepare: unsupported goes here */
    bool is_refused;               /* the library does not do what the last run asked for */
    enum cuda_direction direction; /* of the last run */
    /* Of the layer's work. */
    int input_count;
    int32_t activation;
    bool shares_gradient[LAYER_INPUT_LIMIT]; /* inputs whose gradient is the product's */
    int64_t count[CUDA_ROLE_COUNT];          /* elements; 0: no such tensor */
    enum storage storage[CUDA_ROLE_COUNT];
    float weights_amplitude;      /* 0: no noise, `choose` fills them */
    struct channel_layout layout; /* of the output, for the bias */

    void *tensor[CUDA_ROLE_COUNT];
    struct cuda_plan *reader; /* the first layer that hands a gradient to this one, or NULL */
    /* Behind the backward phase: what other readers of a producer hand to it, added to what this
     * one, its first reader, has handed. */
    struct gradient_sum {
        void *target;
        const void *from;
        int64_t count;
    } * sums; /* (sum_room) */
    int sum_count, sum_room;
    float *bias_scratch;
    struct optimizer_update updates[CUDA_WEIGHTS_LIMIT + 1];
    int update_count;

    /* Sets of operands lie one behind the other in the arena; scratch memory and workspaces are
     * those of the first. */
    int64_t operand_start; /* of the first set */
    int set_count;
    int bound_set; /* that `tensor` and `updates` point into */
};

/* Bytes from the arena, 256-aligned; STATUS_OUT_OF_MEMORY is found by accounting. */
enum status cuda_take(void **memory, struct cuda_device *device, int64_t bytes,
                      struct error *error);
/* Scratch memory at the arena's end, shared by all plans: they run one after the other. */
enum status cuda_take_workspace(void **workspace, struct cuda_device *device, int64_t bytes,
                                struct error *error);
/* The largest workspace that there is room for. */
int64_t cuda_workspace_limit(const struct cuda_device *device);

/* What the plan, whose kind and config are set, takes from its work: counts, storages, activation,
 * amplitude, layout. */
void cuda_read_work(struct cuda_plan *plan, const struct layer_work *work);
/* Memory for the tensors that the pass needs, in the arena or where the producers (`inputs`, as of
 * `prepare`) have them; noise in what nothing writes. */
enum status cuda_add_tensors(struct cuda_plan *plan, struct plan *const *inputs,
                             struct error *error);
/* (cuda_link.c) Who feeds input `which`, or NULL. Nobody feeds indices: what other layers write are
 * none. */
struct cuda_plan *cuda_producer(const struct cuda_plan *plan, struct plan *const *inputs,
                                int which);
/* Whether the gradient of input `which` may lie where its producer reads it: nobody else, nor an
 * input before it, hands it one. */
bool cuda_is_first_reader(const struct cuda_plan *plan, struct plan *const *inputs, int which);
/* Notes who reads the producers' outputs, once the gradients have their places. */
enum status cuda_link_readers(struct cuda_plan *plan, struct plan *const *inputs,
                              struct error *error);
/* In amp: fp32 weights and biases from those that there are, and those from the fp32 ones. */
enum status cuda_fill_masters(struct cuda_plan *plan, struct error *error);
enum status cuda_cast_masters(const struct cuda_plan *plan, struct error *error);
/* Makes `count` sets of operands of one, by copying it; the kind binds each. */
enum status cuda_replicate(struct cuda_plan *plan, int count, struct error *error);
/* Moves the plan's pointers to a set of its operands. */
void cuda_use_set(struct cuda_plan *plan, int set);
/* The optimizer's state is zeros again. */
enum status cuda_clear_states(const struct cuda_plan *plan, struct error *error);
/* Writes `rows` rows of `columns` floats: noise of 0.1 around centres[row]. */
enum status cuda_fill_rows(struct cuda_plan *plan, enum cuda_role role, const float *centres,
                           int rows, int64_t columns, struct error *error);

/* Sets the outcome and the message: no implementation for this. */
enum status cuda_unsupported(struct cuda_plan *plan, const char *what, struct error *error);

/* Of calls within `choose` and `run`: as cudnn_check and cublas_check, and notes what is the
 * algorithm's fault and not the device's: not supported, a parameter that it does not take, a
 * launch that failed. */
enum status cuda_plan_check_cudnn(struct cuda_plan *plan, cudnnStatus_t code, const char *call,
                                  const char *file, int line, struct error *error);
enum status cuda_plan_check_cublas(struct cuda_plan *plan, cublasStatus_t code, const char *call,
                                   const char *file, int line, struct error *error);
#define CUDNN_RUN(plan, error, call)                                                               \
    TRY(cuda_plan_check_cudnn((plan), (call), #call, __FILE__, __LINE__, (error)))
#define CUBLAS_RUN(plan, error, call)                                                              \
    TRY(cuda_plan_check_cublas((plan), (call), #call, __FILE__, __LINE__, (error)))
/* True where the device goes on after a call that failed; clears the error. */
bool cuda_device_goes_on(struct cuda_device *device);

/* The order of a tensor on the device: (outer, channels, inner), which is the plain one, or (outer,
 * inner, channels). */
struct cuda_order {
    int64_t outer, channels, inner;
    bool is_channels_last;
};
/* Of `count` elements; gradients are as what they are of. */
struct cuda_order cuda_order_of(const struct cuda_plan *plan, enum tensor_role what, int64_t count);
/* Where the device has the plain element `index`. */
int64_t cuda_place_of(const struct cuda_order *order, int64_t index);
/* The role that holds the first elements of `role`. */
enum cuda_role cuda_holder_of(const struct cuda_plan *plan, enum cuda_role role);
/* `read` of struct bench. */
enum status cuda_read(float *values, struct plan *plan, enum layer_value what,
                      const int64_t *indices, int count, struct error *error);

/* Precision of a tensor's storage: the config's, or fp32. */
int32_t cuda_role_precision(const struct cuda_plan *plan, enum cuda_role role);
/* cuDNN's descriptor of the batch's square images, in the layout that convolutions write. */
enum status cuda_describe_images(cudnnTensorDescriptor_t *images, struct cuda_plan *plan,
                                 int32_t channels, int32_t size, struct error *error);

/* Fills the measured members. */
enum status cuda_measure_speed(struct device_info *info, struct cuda_device *device,
                               struct error *error);

#define CUDA_KIND(KIND, kind) extern const struct cuda_kind cuda_##kind;
LAYER_KINDS(CUDA_KIND)
#undef CUDA_KIND
extern const struct bench cuda_bench; /* of every kind */
extern const struct backend backend_cuda_device;

#endif
