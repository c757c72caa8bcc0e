/* How large the layers of a sweep may be: the FLOP and the memory of one call of the whole pass.
 * They follow the device, so that the layers of real networks at real batch sizes are within the
 * domain; they are part of the sweep's identity, in the dataset's `domain`.
 */
#ifndef EPOCHCAST_SWEEP_LIMITS_H
#define EPOCHCAST_SWEEP_LIMITS_H

#include "bench/backend.h"
#include "layers/sample.h"

struct sweep_limits {
    double memory_bytes, flops;
};

/* By what is nominal, because measured rates vary between runs, and draws must not.
 *
 * A device of its own (a GPU): a fifth of a second of its peak and four fifths of its memory, which
 * is what its arena gets. Layers reach half of the peak or more, so the largest takes 0.4 s: four
 * times the cap of a config, where a single call still becomes a row with a time. VGG-16's largest
 * convolution at batch 256 is 2.8e12 FLOP in a training step: 0.18 s of a V100's peak.
 *
 * A processor: 2e10 FLOP per thread, a fifth of a second of a core that does 100 GFLOP/s, and 1 GiB
 * per thread, at most a quarter of the memory. */
struct sweep_limits sweep_limits_of(const struct device_info *info);

/* Limits of the first kind in a dataset's `domain`; false: it has none (an import). */
bool sweep_limits_read(struct sweep_limits *limits, const char *domain);

/* Limits that are NaN stay as they are. */
void sweep_limits_apply(struct sample_domain *domains, int count,
                        const struct sweep_limits *limits);

#endif
