/* Text <-> layer config: "conv2d:batch_size=8,image_size=56,kernel_size=3,...". Numbers in decimal,
 * choices by name; later features are left out where they are `missing`. Reading: features in any
 * order, omitted ones take the feature's minimum (choices: the first name; later features:
 * `missing`), unknown ones are errors with the nearest name. */
#ifndef EPOCHCAST_LAYERS_DESCRIBE_H
#define EPOCHCAST_LAYERS_DESCRIBE_H

#include "layers/layer.h"

/* Writes at most size bytes, always terminated; returns the length that was needed. */
size_t describe_config(char *text, size_t size, const struct layer_config *config);
enum status describe_parse(struct layer_config *config, const char *text, struct error *error);

/* One value as text ("3", "same"), and back with the bounds checked. */
void describe_value(char *text, size_t size, const struct feature *feature, int32_t value);
enum status describe_parse_value(int32_t *value, const struct feature *feature, const char *text,
                                 struct error *error);

#endif
