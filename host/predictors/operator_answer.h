/* Forecasts of operators, which no benchmark covers, from the states of layer kinds that a baseline
 * has learnt. */
#ifndef EPOCHCAST_PREDICTORS_OPERATOR_ANSWER_H
#define EPOCHCAST_PREDICTORS_OPERATOR_ANSWER_H

#include "predictors/baseline.h"

/* The geometric mean of the law's forecasts with the states of the kinds that do the same sort of
 * work: matrix products or none; of all kinds if none of that sort is known. states: of every kind,
 * NULL if unknown. question: without a config. NaN: not covered. */
double operator_ms(const struct baseline_law *law, const void *const *states,
                   const struct layer_question *question, const struct device_info *device);

#endif
