/* What the training rows spanned: the range of every feature (for choices: the set of values), of
 * the work (ln(1 + FLOPs)) and of the hardware. Outside of it a forecast extrapolates.
 */
#ifndef EPOCHCAST_PREDICTORS_RANGES_H
#define EPOCHCAST_PREDICTORS_RANGES_H

#include "layers/encode.h"

enum { RANGE_HARDWARE_COUNT = 4, RANGE_LIMIT = FEATURE_LIMIT + 1 + RANGE_HARDWARE_COUNT };

struct range {
    char name[48];    /* feature name, "log_flops", "bandwidth_gbps", ... */
    double low, high; /* of numbers */
    uint64_t seen;    /* of choices: bit v is set when value v occurred */
};

/* Rows that `kind` needs: its features, log_flops, the hardware. */
int ranges_count(enum layer_kind kind);

/* Empty ranges with their names; then one ranges_add a training row. */
void ranges_begin(struct range *ranges, enum layer_kind kind);
void ranges_add(struct range *ranges, const struct layer_config *config,
                const struct encode_hardware *hardware);

/* True when config and hardware lie inside. */
bool ranges_hold(const struct range *ranges, const struct layer_config *config,
                 const struct encode_hardware *hardware);

/* True when `hardware` says everything that the training devices said about themselves. */
bool ranges_hardware_known(const struct range *ranges, enum layer_kind kind,
                           const struct encode_hardware *hardware);

#endif
