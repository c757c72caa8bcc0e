/* What this machine's processor is: nominal features from /proc and /sys. */
#ifndef EPOCHCAST_ONEDNN_PROCESSOR_H
#define EPOCHCAST_ONEDNN_PROCESSOR_H

#include "bench/backend.h"

/* Clock, temperature and waiting tasks now, as far as the system tells. */
void processor_conditions(struct conditions *conditions);

/* Floats in the widest vector that the library uses. */
int processor_vector_floats(void);

/* What the machine tells of itself (base/machine.h): names, memory, caches, clock, cores, peak;
 * unknown values are NaN. */
void processor_describe(struct device_info *info);

#endif
