/* A sampling domain as numbers alone: all that the transform from random words to configs
 * (sample_transform.h) reads, on the host and, copied as it is, on a GPU. And what both samplers do
 * with a transformed attempt: accept it or not, give up.
 */
#ifndef EPOCHCAST_LAYERS_SAMPLE_TABLE_H
#define EPOCHCAST_LAYERS_SAMPLE_TABLE_H

#include "layers/layer.h"

struct sample_domain;

enum { SAMPLE_ATTEMPT_LIMIT = 10000, SAMPLE_VALUE_LIMIT = 64 };

struct sampled_feature {
    uint32_t mask;                        /* XORed with the Sobol words of the dimension */
    int32_t offset;                       /* of the int32_t in struct layer_config */
    int32_t minimum, maximum;             /* the domain's range */
    int32_t paper_minimum, paper_maximum; /* the paper's; all integers: it has none */
    int32_t first_value;                  /* of the feature's list in the table's `values` */
    int32_t explicit_count;               /* > 0: the list is --set's, and nothing else is drawn */
    int32_t realistic_count;              /* > 0: the list is of real shapes inside the range */
    bool is_choice, is_uniform;           /* neither: log-uniform */
    bool has_usual;                       /* realistic: three in four draws are `usual` */
    bool is_side, is_per_side;            /* the paper's maximum of a feature per side is divided
                                           * by the side drawn before it */
    int32_t usual;
    int32_t condition_offset, condition_minimum; /* below it the value is `otherwise`; offset -1: it
                                                  * is always drawn */
    int32_t otherwise;
    bool is_rare; /* `missing` but in log-uniform draws whose word is below rare_end */
    int32_t missing;
    uint32_t rare_end;
};

struct sample_table {
    enum layer_kind kind;
    int32_t feature_count;
    uint64_t seed;
    uint32_t log_uniform_end, realistic_end; /* percent below which a draw is of that stratum */
    struct sampled_feature feature[FEATURE_LIMIT];
    int32_t values[FEATURE_LIMIT * SAMPLE_VALUE_LIMIT]; /* unused ones are not set */
};

void sample_table_make(struct sample_table *table, const struct sample_domain *domain,
                       uint64_t seed);

/* Attempt `number` of draw `index`. */
struct sample_attempt {
    const struct sample_table *table; /* of the domain */
    const struct sample_domain *domain;
    enum stratum stratum;
    uint32_t index, number;
};

/* Completes the attempt's transformed config: the shape of a network where the domain has templates
 * or the kind forms, members that depend on one another, the optimizer. Whether it is valid and
 * inside the domain. */
bool sample_accept(struct layer_config *config, const struct sample_attempt *attempt);

/* The error after SAMPLE_ATTEMPT_LIMIT attempts. */
enum status sample_exhausted(const struct sample_domain *domain, struct error *error);

#endif
