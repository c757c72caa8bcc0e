/* Values of choices that no training row had: their forecasts are guesses. */
#ifndef EPOCHCAST_FORECAST_CHOICES_H
#define EPOCHCAST_FORECAST_CHOICES_H

#include "forecast/questions.h"

/* Marks the covered layers (layer_count) of which a choice has a value that no training row of the
 * kind had, and takes their interval away. STATUS_USAGE: the pass, optimizer or precision that was
 * asked for is new to all layers that it matters to, and options->takes_unseen is false. */
enum status choices_check(struct prediction *layers, int layer_count,
                          const struct questions *questions, const struct predictor *predictor,
                          const struct forecast_options *options, struct error *error);

/* The values of the feature (of COMMON_FEATURE_COUNT) that training rows of the kinds of covered
 * layers had: "fp32, tf32"; "nothing" where they had none. */
void choices_seen(char *text, size_t size, const struct network *network,
                  const struct prediction *layers, const struct predictor *predictor, int feature);

#endif
