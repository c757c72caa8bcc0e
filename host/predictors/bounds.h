/* By how much layers exceed their roofline, from a model's rows: for layers of which only the
 * roofline is known, because nothing like them was measured. Ratios measured / roofline of the
 * kinds of one family of work (enum work_family): batch_norm, addition, pool2d, layer_norm for what
 * goes element by element; dense for products; conv2d for other convolutions.
 *
 * A forecast from a bound is one-sided. low: the bound itself. middle: the bound times the median
 * ratio, high: times the ratio that all but (1 - level) / 2 of the rows do not exceed, as the upper
 * end of any interval; both at least 1, for layers that are timed in the cache (sweep --cache hot,
 * earlier versions) may beat the rates that were measured of main memory. Bins are those of
 * intervals: a pass and a decade of the bound; few rows shrink towards all rows of the family and
 * pass.
 */
#ifndef EPOCHCAST_PREDICTORS_BOUNDS_H
#define EPOCHCAST_PREDICTORS_BOUNDS_H

#include "data/dataset.h"
#include "predictors/interval.h"

struct bound_ratio {
    double middle, high; /* NaN: not known */
};
struct bound_ratios {
    struct bound_ratio of[WORK_FAMILY_COUNT][PASS_COUNT][INTERVAL_DECADE_COUNT];
};

/* From the usable rows of `device` (NULL: of all) that are not of the validation split. A family
 * and pass with fewer than INTERVAL_ROWS_MINIMUM rows is not known. */
enum status bound_ratios_learn(struct bound_ratios *ratios, const struct dataset_rows *rows,
                               const struct device_info *device, double level, struct error *error);

/* `ratios` may be NULL: nothing is known. */
struct bound_ratio bound_ratio_of(const struct bound_ratios *ratios, enum work_family family,
                                  int32_t pass, double bound_ms);

#endif
