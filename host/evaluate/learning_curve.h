/* How far more rows would help: the error on held-out rows falls as a power of their number, which
 * two points tell, all rows and half of them (Hestness et al. 2017, arXiv 1712.00409). */
#ifndef EPOCHCAST_EVALUATE_LEARNING_CURVE_H
#define EPOCHCAST_EVALUATE_LEARNING_CURVE_H

#include "predictors/mlp_options.h"
#include "predictors/predictor.h"

struct learning_curve {
    double exponent;      /* error ~ rows^-exponent; NaN: not known */
    double rows_to_halve; /* more rows that would halve the error; NaN */
    double seconds;       /* of measuring them, by what these rows took; NaN: they do not say */
};
/* Errors that hardly fall, or fall faster than is likely, are noise: bounds of the exponent. */
#define LEARNING_EXPONENT_LOW  0.2
#define LEARNING_EXPONENT_HIGH 1.0

/* The curve through the errors of `count` rows and of `half_count` of them. row_seconds: what one
 * took. */
struct learning_curve learning_curve_of(double mape_percent, size_t count, double half_mape_percent,
                                        size_t half_count, double row_seconds);

/* Trains on half the rows of the wanted kinds. reports: of the training on all. Where half the rows
 * are too few to train on, nothing is known. */
enum status learning_curves_measure(struct learning_curve curves[LAYER_KIND_COUNT],
                                    const bool wanted[LAYER_KIND_COUNT],
                                    const struct fit_report reports[LAYER_KIND_COUNT],
                                    const struct dataset_rows *rows,
                                    const struct mlp_options *options, struct error *error);

#endif
