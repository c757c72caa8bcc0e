/* Ranges of the training rows: of every feature (for choices: the set of values), of the work and
 * of the hardware. Outside of them a forecast extrapolates. The work knows what single features do
 * not: a layer whose inputs and outputs were both seen, but never so many weights or so little
 * reuse of them, is new. */
#ifndef EPOCHCAST_PREDICTORS_RANGES_H
#define EPOCHCAST_PREDICTORS_RANGES_H

#include "layers/encode.h"

enum { RANGE_WORK_COUNT = 4, RANGE_HARDWARE_COUNT = 4 };
enum { RANGE_LIMIT = FEATURE_LIMIT + RANGE_WORK_COUNT + RANGE_HARDWARE_COUNT };

struct range {
    char name[48];    /* feature name, "log_flops", "log_bytes", "bandwidth_gbps", ... */
    double low, high; /* of numbers */
    uint64_t seen;    /* of choices: bit v is set when value v occurred */
};

/* Rows that `kind` needs: its features, the work, the hardware. */
int ranges_count(enum layer_kind kind);

/* Empty ranges with their names; then call ranges_add once per training row. */
void ranges_begin(struct range *ranges, enum layer_kind kind);
void ranges_add(struct range *ranges, const struct layer_config *config,
                const struct encode_hardware *hardware);

/* Ranges before those of a file are copied over them, and the place of a stored range, or -1. A
 * later feature (`since` above 1) that the file does not name was `missing` in all training rows, a
 * later property of the work holds always; every other range stays NaN until the file sets it. */
void ranges_begin_stored(struct range *ranges, enum layer_kind kind);
int ranges_find(enum layer_kind kind, const char *name);

/* The values of a choice, as bits, that rows of the values `seen` tell of: a row of adam tells of
 * adamw, and the other way round, as the encodings have one column for both. */
uint64_t range_choices(int feature, uint64_t seen);

/* True when config and hardware lie inside. */
bool ranges_hold(const struct range *ranges, const struct layer_config *config,
                 const struct encode_hardware *hardware);

/* True when `hardware` has every property that the training devices have. */
bool ranges_hardware_known(const struct range *ranges, enum layer_kind kind,
                           const struct encode_hardware *hardware);

#endif
