/* Correction of a predictor's forecasts by a few measured rows of the device: a factor that depends
 * on the layer. ln of that factor is a Gaussian process (Rasmussen, Williams, "Gaussian Processes
 * for Machine Learning", 2006, eq. 2.23) fitted to the residuals r = ln t - ln p of measured times
 * t and forecasts p:
 *
 *   k(a, b) = 0.3^2                                   the device is faster or slower than forecast
 *           + 0.1^2 x_a x_b                           ... the more so, the longer a layer takes
 *           + 0.1^2 y_a y_b [same pass]               ... the more FLOPs it has a byte
 *           + 0.1^2 exp(-d^2 / (2 1.5^2)) [same pass] ... in this neighbourhood of layers
 *   ln factor(a) = sum over rows i of k(a, i) w_i,   (k + 0.1^2 I) w = r
 *
 * x: ln p less its mean over the rows; y: ln of the layer's FLOPs per byte, less its mean, in
 * standard deviations over the rows; d^2: the sum over the kind's numeric features of the squared
 * difference of their log2, in standard deviations (of 0.5 at least). A Gaussian process falls back
 * to what its prior knows: without rows the factor is 1, few rows move the level alone, hundreds
 * shape it by layer.
 *
 * Terms and constants were chosen without the GPU that is forecast: published convolutions, for
 * every held-out GPU the mean error of the five others, each forecast by the remaining four (one
 * net of `ceilings`) and corrected by rows of its own. With 50 and 500 rows: level and slope alone
 * 11.2, 10.8 %; and this neighbourhood term 9.4, 7.7; and the balance 9.2, 7.6.
 */
#ifndef EPOCHCAST_PREDICTORS_ROW_CORRECTION_H
#define EPOCHCAST_PREDICTORS_ROW_CORRECTION_H

#include "bench/measure.h"

#include <stddef.h>

/* Further rows are ignored: fitting time grows with their third power. */
enum { CORRECTION_ROW_LIMIT = 2000 };

struct row_correction;

/* rows: timed, all of one kind; predicted_ms: their forecasts. Neither is kept. */
enum status row_correction_create(struct row_correction **correction,
                                  const struct measurement *const *rows, const double *predicted_ms,
                                  size_t count, struct error *error);
void row_correction_free(struct row_correction *correction); /* NULL is allowed */

/* The factor for a forecast of `config`, a config of the rows' kind. */
double row_correction_factor(const struct row_correction *correction,
                             const struct layer_config *config, double predicted_ms);

#endif
