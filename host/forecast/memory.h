/* The device memory of a network's step, by use:
 *
 *   parameters   weights and biases, in the precision's storage type (a forward pass of a quantised
 *                file: as the file stores them); parameters that several layers share count
 *                once; in amp the fp32 weights beside their fp16 casts
 *   gradients    training: one of each parameter, in the same type
 *   optimizer    training: the optimizer's state arrays, fp32 (Kingma, Ba, "Adam", arXiv
 *                1412.6980, algorithm 1: two moments; momentum, adagrad, rmsprop: one array;
 *                adadelta: two)
 *   activations  forward: the largest input + output of one layer, as memory is used again layer
 *                after layer;
 *                training: the network's input and all outputs, which the backward pass reads
 *                (Chen, Xu, Zhang, Guestrin, "Training deep nets with sublinear memory cost", arXiv
 *                1604.06174: what is kept without recomputation), the positions of
 *                pooling maxima, the gates of recurrent layers, and the gradients of the largest
 *                input + output of one layer
 *   workspace    the largest lowered image (im2col: kernel^2 channels_in of every output cell) of
 *                one sample, one buffer for all convolutions (Chetlur et al., "cuDNN", arXiv
 *                1410.0759; Jia et al., "Caffe", arXiv 1408.5093, lowers image by
 *                image). Libraries with algorithms of their own need less or more.
 *
 * In place, as frameworks do (torchvision's models: ReLU(inplace=True), `out += identity`): relu,
 * clip, leaky_relu and add write over their input. Batch normalisation does so only in a forward
 * pass (running statistics); its backward pass reads its input, so that training keeps both.
 *
 * Not counted: the program and its libraries (a CUDA context takes some 300 MB), allocator waste,
 * masks of dropout, inputs that are loaded ahead.
 */
#ifndef EPOCHCAST_FORECAST_MEMORY_H
#define EPOCHCAST_FORECAST_MEMORY_H

#include "network/network.h"

/* INT64_MAX: more than that. */
struct network_memory {
    int64_t parameters_bytes, gradients_bytes, optimizer_bytes, activations_bytes, workspace_bytes;
    int64_t total_bytes;
};

struct network_memory network_memory(const struct network *network, int32_t batch_size,
                                     int32_t pass, int32_t optimizer, int32_t precision);

/* Largest batch whose total fits memory_bytes (0: none), of those that a layer may have. */
int32_t network_largest_batch(const struct network *network, int32_t pass, int32_t optimizer,
                              int32_t precision, int64_t memory_bytes);

/* The largest batch size that any layer may have. */
int32_t batch_size_maximum(void);

#endif
