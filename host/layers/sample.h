/* Drawing layer configs: draw `index` of a seed is the same config on every machine and backend, so
 * shards, resumed sweeps and devices share their configs. Scrambled Sobol32 (base/sobol.h; each
 * dimension XORed with a Philox word of the seed), stratified 50 % log-uniform, 30 % realistic
 * shapes, 20 % the paper's uniform ranges; the stratum of an index comes from Philox. A point that
 * is invalid or outside the limits is replaced by Philox draws of the same (seed, index), attempt
 * after attempt. A domain with templates draws the shapes of these instead (stratum network). The
 * transforms (sample_transform.h) use only IEEE basic arithmetic and integer
 * work (no libm), so that a GPU kernel (cuda/sampler.h) repeats them to the bit.
 */
#ifndef EPOCHCAST_LAYERS_SAMPLE_H
#define EPOCHCAST_LAYERS_SAMPLE_H

#include "layers/layer.h"

/* What a sweep may draw, of one kind. Stored in the dataset's attributes. */
struct sample_range {
    int32_t values[64]; /* explicit list (sorted) when value_count > 0 */
    int value_count;
    int32_t minimum, maximum; /* else this range */
    bool is_set;              /* by --set; otherwise the feature row's sampling range */
};

struct sample_domain {
    enum layer_kind kind;
    double memory_limit_bytes;                /* layer_cost().memory_bytes stays below */
    double flops_limit;                       /* layer_cost().flops stays below */
    int32_t stratum;                          /* enum stratum: only this one; -1: the mixture */
    struct sample_range range[FEATURE_LIMIT]; /* by feature index */
    const struct layer_config *templates;     /* (template_count), of networks; borrowed */
    int template_count;                       /* above 0: draws are these, half of them jittered */
    bool is_first; /* as the first sampler drew: later features are `missing`, no forms of networks
                    */
};

/* The default domain of a kind: feature ranges; 1 GiB and 2e10 FLOP, those of one processor thread
 * (sweep/limits.h has those of other devices). */
void sample_domain_default(struct sample_domain *domain, enum layer_kind kind);

/* Parses one --set, "kernel_size=3,5", "image_size=7..224", "batch_size=1..64*2" (1,2,4..64),
 * "activation=relu,none", or with the kind in front, "conv2d.kernel_size=3"; "stratum=log_uniform"
 * draws from that stratum alone. *applied tells whether the feature belongs to domain->kind.
 * STATUS_USAGE: unknown feature (nearest name as hint), bounds. */
enum status sample_domain_set(struct sample_domain *domain, const char *text, bool *applied,
                              struct error *error);

/* Draw `index`. STATUS_USAGE after 10,000 attempts: the domain holds next to no valid config. */
enum status sample_draw(struct layer_config *config, enum stratum *stratum,
                        const struct sample_domain *domain, uint64_t seed, uint32_t index,
                        struct error *error);

#endif
