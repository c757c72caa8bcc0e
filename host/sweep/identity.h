/* What makes two sweeps the same: a dataset's header says it, and a sweep goes on with a file of
 * its own alone.
 */
#ifndef EPOCHCAST_SWEEP_IDENTITY_H
#define EPOCHCAST_SWEEP_IDENTITY_H

#include "sweep/sweep.h"

struct sweep_identity {
    const struct sweep_options *options; /* domains, protocol, shard */
    const char *const *sets;             /* (set_count) what was set in the domains, as text */
    int set_count;
    const char *networks; /* whose layers the domains' templates are, or NULL */
    uint64_t model_hash;  /* of the model behind options->selection */
    bool autotune;
};

/* Fills sampler, domain, protocol and shard of the header. */
void sweep_identity_describe(struct dataset_header *header, const struct sweep_identity *identity);

/* In which of them two headers differ, or in the seed; NULL: they are of the same sweep. */
const char *sweep_difference(const struct dataset_header *a, const struct dataset_header *b);

#endif
