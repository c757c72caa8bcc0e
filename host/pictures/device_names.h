/* Devices in a title. */
#ifndef EPOCHCAST_PICTURES_DEVICE_NAMES_H
#define EPOCHCAST_PICTURES_DEVICE_NAMES_H

#include "bench/backend.h"

/* At most so many are named. */
enum { NAMED_DEVICES = 3 };
/* "V100, P100, K80 and 2 more" of `count` devices; the list has NAMED_DEVICES of them, or all.
 * Where a label has a comma, ';' stands between them. Returns the length of the text. */
size_t name_devices(char *text, size_t size, const struct device_info *const *list, int count);

#endif
