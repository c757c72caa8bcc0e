/* Convolution through cuDNN's graph interface: one operation graph per direction, the plans that
 * its heuristics propose, and their execution.
 *
 * All but execution also works without a GPU, from a JSON of a device's properties.
 *
 * Engines accept asymmetric padding in every direction and precision (cuDNN 9.19, sm_75 to sm_90),
 * but Winograd and others drop out: fp32 backward data below sm_90 keeps only the generic engine 0.
 */
#ifndef EPOCHCAST_CUDA_CONVOLUTION_GRAPH_H
#define EPOCHCAST_CUDA_CONVOLUTION_GRAPH_H

#include "cudnn_check.h"
#include "layers/layer.h"

#include <cudnn.h>

enum cudnn_direction { CUDNN_FORWARD, CUDNN_BACKWARD_DATA, CUDNN_BACKWARD_FILTER };

/* Weights (channels_out, channels_in / groups, kernel); sizes by height and width. Tensors are NCHW
 * in fp32 and tf32, NHWC in fp16 and bf16, the layouts that tensor cores want. cuDNN reads the
 * groups from the channels of its tensors. */
struct cudnn_convolution {
    enum cudnn_direction direction;
    int32_t precision; /* enum precision */
    int64_t batch_size, channels_in, channels_out, groups;
    int64_t image[AXIS_COUNT], output[AXIS_COUNT], kernel[AXIS_COUNT];
    int64_t stride[AXIS_COUNT], pad_before[AXIS_COUNT], pad_after[AXIS_COUNT], dilation;
};

/* The geometry of a conv2d, or of the convolution from the output of a conv_transpose2d to its
 * input. Where `same` has one zero more after than before and stride > 1, both
 * sides get the larger count: engines pad both sides alike, and the output keeps its size. */
struct cudnn_convolution cudnn_convolution_of(const struct layer_config *config,
                                              enum cudnn_direction direction);

/* Target of the plans: a real device, or the properties of an absent one. Exactly one is set.
 */
struct cudnn_target {
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t device_properties;
};

/* Properties as JSON text; needs cuDNN 9.8. The keys are undocumented:
 * tests/test_convolution_graph.c has them all. */
enum status cudnn_device_properties_load(cudnnBackendDescriptor_t *device_properties,
                                         const char *json, struct error *error);
void cudnn_device_properties_release(cudnnBackendDescriptor_t *device_properties);

struct cudnn_choice {
    cudnnBackendDescriptor_t plan;
    int64_t engine;
    int64_t workspace_bytes;
    unsigned notes; /* bit i: numerical note i */
};

/* Up to `limit` plans, in the order of heuristics mode A, then FALLBACK. Left out: what breaks the
 * precision (fp32 takes no tensor cores, no format down-converts its inputs), does not finalise,
 * or needs more than workspace_limit_bytes. count == 0: this device does not support it. The caller
 * releases every choice. An error, with cuDNN's code, leaves none. */
cudnnStatus_t cudnn_convolution_plans(struct cudnn_choice *choices, int limit, int *count,
                                      const struct cudnn_convolution *convolution,
                                      const struct cudnn_target *target,
                                      int64_t workspace_limit_bytes, struct error *error);
void cudnn_choice_release(struct cudnn_choice *choice);

/* "tensor_core,winograd"; empty: no notes. At most size bytes, terminated. */
void cudnn_notes_text(char *text, size_t size, unsigned notes);

/* Device pointers, 16-byte aligned: input, weights and output, or their gradients, whichever the
 * direction reads and writes; workspace of the choice's size. */
struct cudnn_operands {
    void *x, *w, *y, *workspace;
};

/* A plan bound to its operands: running it is a single call. The plan must outlive it. */
struct cudnn_execution {
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t plan, operands;
};

enum status cudnn_execution_prepare(struct cudnn_execution *execution, cudnnHandle_t handle,
                                    const struct cudnn_choice *choice,
                                    const struct cudnn_operands *operands, struct error *error);
/* Enqueues on the handle's stream. cuDNN's code: a plan that was finalised may still not run. */
cudnnStatus_t cudnn_execution_run(const struct cudnn_execution *execution);
void cudnn_execution_release(struct cudnn_execution *execution);

#endif
