/* Layer configs drawn on a GPU: cuRAND's scrambled Sobol words, Philox and the transform to configs
 * run there; what is acceptable is decided here, and what is not goes back for further attempts.
 */
#ifndef EPOCHCAST_CUDA_SAMPLER_H
#define EPOCHCAST_CUDA_SAMPLER_H

#include "layers/sample.h"

/* Draws first..first + count - 1 (up to 2^32 - 1) of domain on the current CUDA device; equal, draw
 * for draw, to sample_draw. After an error the contents of configs and strata mean nothing. */
enum status cuda_sample(struct layer_config *configs, enum stratum *strata,
                        const struct sample_domain *domain, uint64_t seed, uint32_t first,
                        uint32_t count, struct error *error);

#endif
