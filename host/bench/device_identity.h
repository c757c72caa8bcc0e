/* Which device is which, and what it is called. One definition for datasets and models.
 *
 * Two devices are the same when name, backend, technology, library, threads and how their
 * rows found their operands (enum cache) are equal, and what the system tells of the processor
 * (vendor, family, model, stepping; caches; sockets and cores of the machine) where both tell it:
 * older files do not.
 *
 * The same still may be two machines: clouds call very different ones "AMD EPYC". Where devices are
 * joined (files that are read together, merged or imported), rates that differ by more than
 * DEVICE_RATE_TOLERANCE tell them apart, too, unless the canaries of both agree within it. A device
 * that is found again, by a model or by a resumed sweep, is not refused for its rates: a busy
 * machine is slower for a while.
 *
 * Devices that differ in more than threads and cache have different names in one file or model: the
 * second "AMD EPYC" becomes "AMD EPYC (2)". The number is not part of the identity.
 */
#ifndef EPOCHCAST_BENCH_DEVICE_IDENTITY_H
#define EPOCHCAST_BENCH_DEVICE_IDENTITY_H

#include "bench/backend.h"

#define DEVICE_RATE_TOLERANCE 1.2 /* ratio of two measured rates of one device */

bool device_is_same(const struct device_info *a, const struct device_info *b);

/* Name of the first measured rate (sgemm, copy) by which they are two machines, or NULL. */
const char *device_rate_difference(const struct device_info *a, const struct device_info *b);

/* The device that is the same, of several the one with the nearest rates; -1: none. */
int device_find(const struct device_info *devices, int count, const struct device_info *device);

/* The device that rows of `device` may be joined to: the same, and as fast; -1: none. */
int device_find_joined(const struct device_info *devices, int count,
                       const struct device_info *device);

/* Takes what `known` does not know of its processor from `more`, the same device. */
void device_complete(struct device_info *known, const struct device_info *more);

/* Gives `device`, which is none of the devices, a name that no other machine among them has. */
void device_number(struct device_info *device, const struct device_info *devices, int count);

/* "'AMD EPYC (2)' is another device than 'AMD EPYC': l3_bytes 16777216 against 33554432"; false:
 * devices[index] is the first machine of its name, or a machine that an earlier device is of. */
enum { DEVICE_NOTE_LIMIT = 1024 };
bool device_namesake_note(char text[DEVICE_NOTE_LIMIT], const struct device_info *devices,
                          int index);

/* True when two devices differ in nothing but how their rows found their operands: *first and
 * *second. One model cannot tell them apart. */
bool device_cache_conflict(const struct device_info **first, const struct device_info **second,
                           const struct device_info *devices, int count);

/* What a forecast or a measurement is of, for people: "AMD EPYC, 1 thread", because a processor's
 * times are those of some of its cores; other devices work as a whole: "Tesla V100". Rows that did
 * not find their operands as within a step say so: "AMD EPYC, 1 thread, hot cache"; not imported
 * ones, whose protocol is not ours. */
enum { DEVICE_LABEL_LIMIT = 96 };
void device_label(char text[DEVICE_LABEL_LIMIT], const struct device_info *info);

#endif
