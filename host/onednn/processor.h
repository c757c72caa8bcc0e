/* What this machine's processor is: nominal features from /proc and /sys. */
#ifndef EPOCHCAST_ONEDNN_PROCESSOR_H
#define EPOCHCAST_ONEDNN_PROCESSOR_H

#include "bench/backend.h"

/* MemAvailable of /proc/meminfo; 1 GiB where that cannot be read. */
int64_t processor_available_bytes(void);

/* Largest cache of the first processor; 0 where that cannot be read. */
int64_t processor_cache_bytes(void);

/* Clock, temperature and waiting tasks now, as far as the system tells. */
void processor_conditions(struct conditions *conditions);

/* Floats in the widest vector that the library uses. */
int processor_vector_floats(void);

/* name, technology, memory, cache, clock, cores used, peak; unknown values are NaN. */
void processor_describe(struct device_info *info);

#endif
