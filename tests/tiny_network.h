/* A network whose counts can be worked out by hand. */
#ifndef EPOCHCAST_TESTS_TINY_NETWORK_H
#define EPOCHCAST_TESTS_TINY_NETWORK_H

#include "network/network.h"

/* conv 8x8x3 -> 8x8x4 (kernel 3, same, no bias), max pool 2x2 -> 4x4x4, dense 64 -> 10, 10 -> 20.
 */
static struct network_layer layers[] = {
    {.name = "conv",
     .inputs = (const int[]){-1},
     .input_count = 1,
     .config = {.kind = LAYER_CONV2D,
                .batch_size = 1,
                .as.conv2d = {.image_size = 8,
                              .kernel_size = 3,
                              .channels_in = 3,
                              .channels_out = 4,
                              .stride = 1,
                              .padding = PADDING_SAME,
                              .groups = 1,
                              .dilation = 1}}},
    {.name = "pool",
     .inputs = (const int[]){0},
     .input_count = 1,
     .config = {.kind = LAYER_POOL2D,
                .batch_size = 1,
                .as.pool2d = {.image_size = 8, .kernel_size = 2, .channels = 4, .stride = 2}}},
    {.name = "fc1",
     .inputs = (const int[]){1},
     .input_count = 1,
     .config = {.kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = 64, .outputs = 10}}},
    {.name = "fc2",
     .inputs = (const int[]){2},
     .input_count = 1,
     .config = {.kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = 10, .outputs = 20}}},
};
static const struct network network = {.name = "tiny", .layers = layers, .layer_count = 4};

#endif
