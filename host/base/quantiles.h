/* Quantiles of any number of values in bounded memory. Values are kept, and quantiles are exact
 * (type 7, as stats_quantile), while a budget that several of them share lasts. The one that finds
 * it used up counts its values in bins from then on and gives its share back: QUANTILES_BINS bins
 * per octave, so that a quantile is off by at most half a bin, 0.1 %. Minimum and maximum are exact
 * always. */
#ifndef EPOCHCAST_BASE_QUANTILES_H
#define EPOCHCAST_BASE_QUANTILES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUANTILES_BINS = 512 };

/* A budget of twice `limit` values keeps at least `limit` values (room grows by doubling). */
struct quantiles_budget {
    size_t left; /* values that may still be kept */
};

/* Begins as {.budget = ...}; the budget outlives it. */
struct quantiles {
    struct quantiles_budget *budget; /* borrowed */
    size_t count;                    /* values added */
    double minimum, maximum;
    double *values; /* (room); NULL: none, or counted in bins */
    size_t room;
    bool is_sorted;
    uint64_t *bins; /* NULL: the quantiles are exact */
};

/* value >= 0. */
enum status quantiles_add(struct quantiles *quantiles, double value, struct error *error);
/* Adds all values of `from`; exact only if both are, and the budget lasts. */
enum status quantiles_merge(struct quantiles *quantiles, const struct quantiles *from,
                            struct error *error);
/* Must be called between the last value and quantiles_at. */
void quantiles_sort(struct quantiles *quantiles);
/* Quantile q in [0, 1]; NaN without values. */
double quantiles_at(const struct quantiles *quantiles, double q);
void quantiles_free(struct quantiles *quantiles);

#endif
