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
    int64_t flush_bytes;
    struct nvml *nvml; /* NULL: no NVML here */
    uint64_t seed;
    bool autotune;
};

enum status cublas_check(cublasStatus_t code, const char *call, const char *file, int line,
                         struct error *error);
#define CUBLAS_TRY(error, call) TRY(cublas_check((call), #call, __FILE__, __LINE__, (error)))

/* The tensors of a layer. */
enum cuda_role {
    CUDA_INPUT,
    CUDA_SECOND_INPUT, /* of an addition */
    CUDA_WEIGHTS,      /* of batch_norm: scales, then shifts */
    CUDA_BIAS,
    CUDA_PRODUCT, /* before the activation; the output itself unless a backward pass needs both */
    CUDA_OUTPUT,
    CUDA_OUTPUT_GRADIENT,
    CUDA_PRODUCT_GRADIENT, /* likewise */
    CUDA_INPUT_GRADIENT,
    CUDA_WEIGHTS_GRADIENT,
    CUDA_BIAS_GRADIENT,
    CUDA_STATISTICS, /* of batch_norm */
    CUDA_ROLE_COUNT
};

enum cuda_direction { CUDA_FORWARD, CUDA_BACKWARD_DATA, CUDA_BACKWARD_WEIGHTS };

struct cuda_plan;

/* What differs from kind to kind: the main primitive. */
struct cuda_kind {
    /* After the tensors are there: chooses algorithms, fills base.algorithm and so on. */
    enum status (*choose)(struct cuda_plan *plan, struct error *error);
    enum status (*run)(struct cuda_plan *plan, enum cuda_direction direction, struct error *error);
    /* After run refused a direction: *found says whether there is another algorithm, which it then
     * runs with. NULL: there is none. */
    enum status (*choose_next)(bool *found, struct cuda_plan *plan, enum cuda_direction direction,
                               struct error *error);
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
    /* The layer's shape: elements (0: no such tensor), activation, channels of the output. */
    int64_t input_count, second_input_count, weights_count, bias_count, output_count;
    int32_t activation;
    bool keeps_product;        /* the primitive's backward pass reads its own output */
    bool has_float_parameters; /* weights are fp32 whatever the precision */
    bool hands_gradient_on;    /* the product's gradient is the input's, the same memory */
    struct channel_layout layout;
    float weights_amplitude;
    void *tensor[CUDA_ROLE_COUNT];
    float *bias_scratch;
    struct optimizer_update updates[2];
    int update_count;
};

/* Bytes from the arena, 256-aligned; STATUS_OUT_OF_MEMORY is found by accounting. */
enum status cuda_take(void **memory, struct cuda_device *device, int64_t bytes,
                      struct error *error);
/* Scratch memory at the arena's end, shared by all plans: they run one after the other. */
enum status cuda_take_workspace(void **workspace, struct cuda_device *device, int64_t bytes,
                                struct error *error);
/* The largest workspace that there is room for. */
int64_t cuda_workspace_limit(const struct cuda_device *device);

/* Everything of prepare that the kinds share. `plan` (from error_allocate, its shape filled) is
 * released on error. */
enum status cuda_plan_prepare(struct plan **out, struct cuda_plan *plan, struct device *device,
                              const struct layer_config *config, struct plan *const *inputs,
                              enum outcome *outcome, struct error *error);
enum status cuda_plan_enqueue(struct plan *plan, int phases, struct error *error);
void cuda_plan_release(struct plan *plan);
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

/* Precision of a tensor's storage: the config's, or fp32 of parameters that are. */
int32_t cuda_role_precision(const struct cuda_plan *plan, enum cuda_role role);
/* cuDNN's descriptor of the batch's square images, in the layout that convolutions write. */
enum status cuda_describe_images(cudnnTensorDescriptor_t *images, struct cuda_plan *plan,
                                 int32_t channels, int32_t size, struct error *error);

/* He et al. 2015: uniform noise that keeps activations of a size from layer to layer. */
float cuda_weights_amplitude(double inputs_per_output);

/* Fills the measured members. */
enum status cuda_measure_speed(struct device_info *info, struct cuda_device *device,
                               struct error *error);

#define DECLARE_BENCH(KIND, kind) extern const struct bench cuda_bench_##kind;
LAYER_KINDS(DECLARE_BENCH)
#undef DECLARE_BENCH
extern const struct backend backend_cuda_device;

#endif
