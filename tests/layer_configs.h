/* Layers in one line: training steps without an optimizer. */
#ifndef EPOCHCAST_TESTS_LAYER_CONFIGS_H
#define EPOCHCAST_TESTS_LAYER_CONFIGS_H

#include "layers/layer.h"

static inline struct layer_config dense_config(int batch, int inputs, int outputs, int bias,
                                               int activation)
{
    return (struct layer_config){
        .kind = LAYER_DENSE,
        .batch_size = batch,
        .pass = PASS_TRAIN,
        .as.dense = {
            .inputs = inputs, .outputs = outputs, .use_bias = bias, .activation = activation}};
}

/* A struct conv2d of its first members, image size to activation. */
#define SQUARE(...)                                                                                \
    (struct conv2d)                                                                                \
    {                                                                                              \
        __VA_ARGS__, .groups = 1, .dilation = 1                                                    \
    }

static inline struct layer_config conv2d_config(int batch, struct conv2d conv2d)
{
    return (struct layer_config){
        .kind = LAYER_CONV2D, .batch_size = batch, .pass = PASS_TRAIN, .as.conv2d = conv2d};
}

static inline struct layer_config pool2d_config(int batch, struct pool2d pool2d)
{
    return (struct layer_config){
        .kind = LAYER_POOL2D, .batch_size = batch, .pass = PASS_TRAIN, .as.pool2d = pool2d};
}

static inline struct layer_config batch_norm_config(int batch, struct batch_norm batch_norm)
{
    return (struct layer_config){.kind = LAYER_BATCH_NORM,
                                 .batch_size = batch,
                                 .pass = PASS_TRAIN,
                                 .as.batch_norm = batch_norm};
}

static inline struct layer_config addition_config(int batch, int elements, int activation)
{
    return (struct layer_config){
        .kind = LAYER_BINARY,
        .batch_size = batch,
        .pass = PASS_TRAIN,
        .as.binary = {.elements = elements, .activation = activation, .repeats = 1}};
}

#endif
