#include "base/quantiles.h"

#include "base/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bins of [2^-40, 2^40): the exponent of a double and the first bits of its fraction. Values
 * beyond belong to the outermost bins. */
enum { FRACTION_BITS = 9, DROPPED_BITS = 52 - FRACTION_BITS, FIRST_EXPONENT = -40, OCTAVES = 80 };
enum { BIN_COUNT = OCTAVES * QUANTILES_BINS, FIRST_ROOM = 16 };
_Static_assert(QUANTILES_BINS == 1 << FRACTION_BITS, "bins of an octave");
static const uint64_t first_bin = (uint64_t)(1023 + FIRST_EXPONENT) << FRACTION_BITS;

static size_t bin_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t bin = bits >> DROPPED_BITS;
    if (bin < first_bin)
        return 0;
    return bin - first_bin < BIN_COUNT ? bin - first_bin : BIN_COUNT - 1;
}

static double middle_of(size_t bin)
{
    const double octave = ldexp(1, FIRST_EXPONENT + (int)(bin / QUANTILES_BINS));
    return octave * (1 + ((double)(bin % QUANTILES_BINS) + 0.5) / QUANTILES_BINS);
}

static void give_back(struct quantiles *quantiles)
{
    free(quantiles->values);
    quantiles->budget->left += quantiles->room;
    quantiles->values = NULL;
    quantiles->room = 0;
}

/* From now on only bins. */
static enum status use_bins(struct quantiles *quantiles, struct error *error)
{
    if (quantiles->bins)
        return STATUS_OK;
    TRY(ALLOCATE(&quantiles->bins, BIN_COUNT, "quantiles", error));
    for (size_t i = 0; i < quantiles->count; i++)
        quantiles->bins[bin_of(quantiles->values[i])]++;
    give_back(quantiles);
    return STATUS_OK;
}

static enum status grow(struct quantiles *quantiles, struct error *error)
{
    const size_t room = quantiles->room ? 2 * quantiles->room : FIRST_ROOM;
    const size_t more = room - quantiles->room;
    if (more > quantiles->budget->left)
        return use_bins(quantiles, error);
    double *values = realloc(quantiles->values, room * sizeof *values);
    if (!values)
        return FAIL(error, STATUS_FAILED, "no memory for %zu values", room);
    quantiles->values = values;
    quantiles->room = room;
    quantiles->budget->left -= more;
    return STATUS_OK;
}

static void widen(struct quantiles *quantiles, double minimum, double maximum)
{
    const bool is_first = quantiles->count == 0;
    quantiles->minimum = is_first ? minimum : fmin(quantiles->minimum, minimum);
    quantiles->maximum = is_first ? maximum : fmax(quantiles->maximum, maximum);
}

enum status quantiles_add(struct quantiles *quantiles, double value, struct error *error)
{
    assert(!(value < 0));
    if (!quantiles->bins && quantiles->count == quantiles->room)
        TRY(grow(quantiles, error));
    if (quantiles->bins)
        quantiles->bins[bin_of(value)]++;
    else
        quantiles->values[quantiles->count] = value;
    widen(quantiles, value, value);
    quantiles->count++;
    quantiles->is_sorted = false;
    return STATUS_OK;
}

enum status quantiles_merge(struct quantiles *quantiles, const struct quantiles *from,
                            struct error *error)
{
    for (size_t i = 0; i < from->count && !from->bins; i++)
        TRY(quantiles_add(quantiles, from->values[i], error));
    if (!from->bins)
        return STATUS_OK;
    TRY(use_bins(quantiles, error));
    for (size_t bin = 0; bin < BIN_COUNT; bin++)
        quantiles->bins[bin] += from->bins[bin];
    widen(quantiles, from->minimum, from->maximum);
    quantiles->count += from->count;
    return STATUS_OK;
}

void quantiles_sort(struct quantiles *quantiles)
{
    if (!quantiles->bins && quantiles->count > 0)
        stats_sort(quantiles->values, quantiles->count);
    quantiles->is_sorted = true;
}

/* The value with `rank` smaller ones, to half a bin. */
static double binned_value(const struct quantiles *quantiles, size_t rank)
{
    size_t bin = 0, below = 0;
    if (rank == 0)
        return quantiles->minimum;
    if (rank + 1 >= quantiles->count)
        return quantiles->maximum;
    while (below + quantiles->bins[bin] <= rank)
        below += quantiles->bins[bin++];
    return fmin(fmax(middle_of(bin), quantiles->minimum), quantiles->maximum);
}

double quantiles_at(const struct quantiles *quantiles, double q)
{
    assert(quantiles->is_sorted || quantiles->count == 0);
    if (quantiles->count == 0)
        return NAN;
    if (!quantiles->bins)
        return stats_quantile(quantiles->values, quantiles->count, q);
    const double position = q * (double)(quantiles->count - 1), rank = floor(position);
    const double below = binned_value(quantiles, (size_t)rank);
    if (position == rank) /* the next one may be infinite */
        return below;
    return below + (position - rank) * (binned_value(quantiles, (size_t)rank + 1) - below);
}

void quantiles_free(struct quantiles *quantiles)
{
    if (quantiles->budget)
        give_back(quantiles);
    free(quantiles->bins);
    *quantiles = (struct quantiles){.budget = quantiles->budget};
}
