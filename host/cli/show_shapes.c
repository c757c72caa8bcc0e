#include "cli/show_shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int32_t layer_feature_or(const struct network_layer *layer, const char *name, int32_t missing)
{
    const struct feature *feature = network_layer_is_operator(layer)
                                        ? NULL
                                        : layer_feature_find(layer->config.kind, name);
    return feature ? layer_get(&layer->config, feature) : missing;
}

static void write_rows(char text[SHAPE_SIZE], int64_t rows, int64_t width)
{
    if (rows > 1)
        snprintf(text, SHAPE_SIZE, "%lldx%lld", (long long)rows, (long long)width);
    else
        snprintf(text, SHAPE_SIZE, "%lld", (long long)width);
}

static double resized_height(const struct resize *resize, double pixels)
{
    const struct resize_sides sides = resize_sides(resize);
    return pixels == (double)sides.height * sides.width ? sides.height : sides.output_height;
}

/* Of an image of so many pixels, the layer's input or output. */
static double height_of(const struct network_layer *layer, double pixels)
{
    const bool is_transposed = layer->config.kind == LAYER_CONV_TRANSPOSE2D;
    if (layer->config.kind == LAYER_RESIZE)
        return resized_height(&layer->config.as.resize, pixels);
    if (layer->config.kind != LAYER_CONV2D && !is_transposed)
        return sqrt(pixels);
    const struct window_axes axes = is_transposed
                                        ? conv_transpose2d_axes(&layer->config.as.conv_transpose2d)
                                        : conv2d_axes(&layer->config.as.conv2d);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    return pixels == (double)high->image * wide->image ? high->image : high->window.output_size;
}

/* "3x224x224" of an image, "128x768" of rows, else the elements. `channels`, `width`: features that
 * the tensor's shape has. */
static void write_shape(char text[SHAPE_SIZE], const struct network_layer *layer, double count,
                        const char *channels, const char *width)
{
    const int32_t depth = layer_feature_or(layer, channels, layer_feature_or(layer, "channels", 0));
    const int32_t columns = layer_feature_or(layer, width, layer_feature_or(layer, "width", 0)) *
                            layer_feature_or(layer, "pixels", 1);
    const int64_t rows = layer->config.batch_size *
                         (int64_t)layer_feature_or(layer, "positions", 1);
    if (depth > 0) {
        const double pixels = count / depth / layer->config.batch_size;
        const double height = height_of(layer, pixels);
        snprintf(text, SHAPE_SIZE, "%dx%.0fx%.0f", depth, height, pixels / height);
    } else if (columns > 0) {
        write_rows(text, rows, columns);
    } else {
        snprintf(text, SHAPE_SIZE, "%.0f", count);
    }
}

/* A table is indexed, by one number for each row that it gives. */
static bool takes_indices(const struct network_layer *layer)
{
    return !network_layer_is_operator(layer) && layer->config.kind == LAYER_EMBEDDING;
}

void write_input_shape(char text[SHAPE_SIZE], const struct network_layer *layer)
{
    if (takes_indices(layer))
        snprintf(text, SHAPE_SIZE, "%.0f", network_layer_input_count(layer));
    else
        write_shape(text, layer, network_layer_input_count(layer), "channels_in", "inputs");
}

void write_output_shape(char text[SHAPE_SIZE], const struct network_layer *layer)
{
    write_shape(text, layer, network_layer_output_count(layer), "channels_out", "outputs");
}

void write_network_shape(char text[SHAPE_SIZE], const struct network *network)
{
    const struct network_layer *first = &network->layers[0];
    if (network->layer_count == 0)
        snprintf(text, SHAPE_SIZE, "0 elements");
    else if (strcmp(first->operator_name, "embedding") == 0)
        snprintf(text, SHAPE_SIZE, "%.0f tokens",
                 first->work.input_count - first->work.output_count); /* one index each */
    else if (takes_indices(first))
        snprintf(text, SHAPE_SIZE, "%.0f tokens", network_layer_input_count(first));
    else
        write_input_shape(text, first);
    if (!strpbrk(text, "x "))
        snprintf(text + strlen(text), SHAPE_SIZE - strlen(text), " elements");
}
