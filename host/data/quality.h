/* Reliability of the labels of a dataset: their noise, the outcomes of the configs, the state of
 * the machine during the sweep. A file of any size; 24 bytes per row stay in memory. */
#ifndef EPOCHCAST_DATA_QUALITY_H
#define EPOCHCAST_DATA_QUALITY_H

#include "data/dataset.h"

/* The part of a row that is kept. NaN: unknown, or not timed. */
struct quality_row {
    float median_ms, ci_percent, spread_percent, pressure_percent; /* ci: half-width */
    int32_t device;
    uint8_t kind, outcome, split;
};

struct quality {
    struct dataset_rows tables; /* header, devices, canaries in the order of time, is_growing */
    struct quality_row *rows;   /* (count) */
    size_t count;
};

/* STATUS_BAD_FILE as dataset_read. */
enum status quality_read(struct quality *quality, const char *path, struct error *error);
void quality_free(struct quality *quality);

/* Median and 90th percentile; NaN without values. */
struct quality_spread {
    size_t count;
    double median, p90;
};
struct quality_spread quality_pressure(const struct quality *quality);

/* Of the timed rows of one decade of time, [10^decade, 10^(decade + 1)) ms; the outermost decades
 * include all beyond them. */
enum { DECADE_MINIMUM = -3, DECADE_MAXIMUM = 4 };
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
