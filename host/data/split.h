/* Which side a config stands on: 80 % train, 10 % test (early stopping, calibration), 10 %
 * validation (never seen by training), by the hash of the config, so that the same config, measured
 * twice or on two devices, never stands on both sides. */
#ifndef EPOCHCAST_DATA_SPLIT_H
#define EPOCHCAST_DATA_SPLIT_H

#include "layers/layer.h"

enum split split_of(const struct layer_config *config);

#endif
