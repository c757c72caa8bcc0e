/* The split of a config, by its hash, so that the same config, measured twice or on two devices, is
 * never in two splits: 80 % train; 10 % test (choice of the epoch, calibration of the intervals,
 * then the last epochs); 10 % validation (never seen by training). */
#ifndef EPOCHCAST_DATA_SPLIT_H
#define EPOCHCAST_DATA_SPLIT_H

#include "layers/layer.h"

enum split split_of(const struct layer_config *config);

/* The fold of a config among `fold_count` >= 1, by its hash likewise, and independent of its split.
 */
int fold_of(const struct layer_config *config, int fold_count);

#endif
