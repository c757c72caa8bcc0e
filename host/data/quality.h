/* Reliability of the labels of a dataset: their noise, the outcomes of the configs, the state of
 * the machine during the sweep. A file of any size: at most 100 MB of memory. Quantiles are exact
 * below QUALITY_EXACT_ROWS rows, and within 0.1 % beyond (quantiles.h). */
#ifndef EPOCHCAST_DATA_QUALITY_H
#define EPOCHCAST_DATA_QUALITY_H

#include "base/quantiles.h"
#include "data/dataset.h"

enum { QUALITY_EXACT_ROWS = 500000 };

/* Rows of one kind and device. */
struct quality_group {
    size_t rows, outcomes[OUTCOME_COUNT], splits[SPLIT_COUNT];
    struct quantiles times_ms, noise_percent; /* of timed rows; noise: half-width of the interval */
};

/* Timed rows of one decade of time, [10^decade, 10^(decade + 1)) ms; the outermost decades include
 * all beyond them. */
enum {
    DECADE_MINIMUM = -3,
    DECADE_MAXIMUM = 4,
    DECADE_COUNT = DECADE_MAXIMUM - DECADE_MINIMUM + 1
};
struct quality_decade {
    size_t rows;
    struct quantiles ci_percent, rounds_percent;
};

struct quality {
    struct dataset_rows tables;   /* header, devices, canaries in the order of time, is_growing */
    size_t count;                 /* rows */
    size_t group_count;           /* of groups */
    struct quality_group *groups; /* (LAYER_KIND_COUNT, tables.device_count) */
    struct quality_decade decades[DECADE_COUNT];
    struct quality_decade all; /* of all decades */
    struct quantiles pressure_percent;
    struct quantiles_budget *budget; /* of all quantiles */
    double *canary_room;             /* (tables.canary_count): of quality_drift */
};

/* STATUS_BAD_FILE as dataset_read. */
enum status quality_read(struct quality *quality, const char *path, struct error *error);
void quality_free(struct quality *quality);

const struct quality_group *quality_group(const struct quality *quality, int kind, int32_t device);

/* Median and 90th percentile; NaN without values. */
struct quality_spread {
    size_t count;
    double median, p90;
};
struct quality_spread quality_pressure(const struct quality *quality);

struct quality_noise {
    size_t rows;
    struct quality_spread ci;     /* half-width of the median's interval, % of it */
    struct quality_spread rounds; /* spread between the rounds of a config, % */
};
struct quality_noise quality_noise(const struct quality *quality, int decade);
/* All decades together. */
struct quality_noise quality_noise_of_all(const struct quality *quality);

/* Drift of one of the canary's two times on one device. */
struct quality_drift {
    size_t count;
    double first_ms, last_ms; /* medians of the first and last three */
    double drift_percent;     /* last against first */
    double largest_percent;   /* largest distance from the median of all */
};
enum quality_canary { CANARY_GEMM, CANARY_COPY, CANARY_COUNT };
struct quality_drift quality_drift(const struct quality *quality, int32_t device,
                                   enum quality_canary which);

size_t quality_outcome_count(const struct quality *quality, enum outcome outcome);

/* Warnings for users who train on the rows, with advice. */
enum { QUALITY_WARNING_LIMIT = 16 };
struct quality_warning {
    char what[160];
    const char *advice;
};
int quality_warnings(struct quality_warning warnings[QUALITY_WARNING_LIMIT],
                     const struct quality *quality);

#endif
