/* Fitted ceilings: the time of a layer from the ceilings of its work, each times a fitted factor:
 *
 *   ln t = ln sum over heads h of exp(theta_h + ln T_h)     t, T_h in ms
 *
 * T_h: ceiling_heads.h, fixed heads at 1 ms. exp(theta_h) is the inverse share of the full rate
 * that the layers reach, of a fixed head its time in ms. One kind of layers on one device.
 *
 * Fit: maximum a posteriori by damped Gauss-Newton on ln t. Errors beyond 0.5 count linearly
 * (Huber). Priors: theta ~ N(ln 1.5, 1.5^2), of fixed heads N(ln m, 1.5^2), m half the 2 % quantile
 * of t and at most 0.05 ms, for a few large layers do not tell what a small one costs. So a fit of
 * few rows, or of rows that tell nothing about a head, stays near the roofline; of no rows it is
 * the prior. The noise's variance starts at 0.25 and is estimated anew in three rounds. */
#ifndef EPOCHCAST_PREDICTORS_FITTED_CEILINGS_H
#define EPOCHCAST_PREDICTORS_FITTED_CEILINGS_H

#include "predictors/ceiling_heads.h"

struct fitted_ceilings {
    double theta[CEILING_HEADS];
    double variance; /* of ln t around ln f: what the last round took it for; at least 1e-4 */
};

/* Fits to ceilings (count, CEILING_HEADS) of ln T and log_ms (count) of ln t, all finite. More than
 * FITTED_ROW_LIMIT rows: that many of them, spread evenly over the order. Always finite; the same
 * rows in the same order give the same result. */
enum { FITTED_ROW_LIMIT = 3000 };
void fitted_ceilings_fit(struct fitted_ceilings *fitted, const double *ceilings,
                         const double *log_ms, size_t count);

/* ln f in ms of one row of ln T. */
double fitted_ceilings_log_ms(const struct fitted_ceilings *fitted, const double *ceilings);

/* The device's rates; one that is unknown (old and imported datasets) becomes that of a modest
 * device, 1000 GFLOPS, 100 GB/s: theta takes up the difference. So such a fit holds for its own
 * device only. False: a rate is unknown. */
bool fitted_ceilings_rates(struct device_rates *rates, const struct device_info *device);

/* ceilings[CEILING_HEADS]: ln T of a layer at these rates; -60 where it has no such work. The
 * question has all members set. */
void fitted_ceilings_row(double *ceilings, const struct layer_question *question,
                         const struct device_rates *rates);
/* The same of a config on a device, at fitted_ceilings_rates. */
void fitted_ceilings_config_row(double *ceilings, const struct layer_config *config,
                                const struct device_info *device);

#endif
