/* Shapes of a network's tensors, for people. */
#ifndef EPOCHCAST_CLI_SHOW_SHAPES_H
#define EPOCHCAST_CLI_SHOW_SHAPES_H

#include "network/network.h"

enum { SHAPE_SIZE = 48 };

/* A feature of the layer's kind; `missing` where it has none of that name. */
int32_t layer_feature_or(const struct network_layer *layer, const char *name, int32_t missing);

/* "3x224x224" of an image, "128x768" of rows, else the elements. */
void write_input_shape(char text[SHAPE_SIZE], const struct network_layer *layer);
void write_output_shape(char text[SHAPE_SIZE], const struct network_layer *layer);
/* The network's input for one sample: "3x224x224", "128 tokens", "784 elements". */
void write_network_shape(char text[SHAPE_SIZE], const struct network *network);

#endif
