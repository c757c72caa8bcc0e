/* Which device is which, and what it is called. */
#ifndef EPOCHCAST_BENCH_DEVICE_IDENTITY_H
#define EPOCHCAST_BENCH_DEVICE_IDENTITY_H

#include "bench/backend.h"

/* What a forecast or a measurement is of, for people: "AMD EPYC, 1 thread", because a processor's
 * times are those of some of its cores; other devices work as a whole: "Tesla V100". */
enum { DEVICE_LABEL_LIMIT = 96 };
void device_label(char text[DEVICE_LABEL_LIMIT], const struct device_info *info);

#endif
