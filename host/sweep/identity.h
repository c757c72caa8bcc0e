/* The identity of a sweep, stored in a dataset's header: a sweep resumes only a file of the same
 * identity. */
#ifndef EPOCHCAST_SWEEP_IDENTITY_H
#define EPOCHCAST_SWEEP_IDENTITY_H

#include "sweep/sweep.h"

struct sweep_identity {
    const struct sweep_options *options; /* domains, protocol, shard */
    const char *const *sets;             /* (set_count) --set of the domains, as text */
    int set_count;
    const char *networks; /* networks whose layers are the domains' templates, or NULL */
    uint64_t model_hash;  /* of the model behind options->selection */
    bool autotune;
};

/* Fills sampler, domain, protocol and shard of the header. */
void sweep_identity_describe(struct dataset_header *header, const struct sweep_identity *identity);

/* Whether the sweep began with the first sampler (is_first of its domains). */
bool sweep_is_first(const struct dataset_header *header);

/* Name of the first of these in which two headers differ, or of the seed; NULL: same sweep. */
const char *sweep_difference(const struct dataset_header *a, const struct dataset_header *b);

#endif
