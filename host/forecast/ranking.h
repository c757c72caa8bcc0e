/* Ranks the forecasts that fit, per pass: fastest, cheapest, least energy; then those that do not
 * fit. */
#ifndef EPOCHCAST_FORECAST_RANKING_H
#define EPOCHCAST_FORECAST_RANKING_H

#include "forecast/forecast_grid.h"

#define RANKING_ORDERS(X)                                                                          \
    X(ORDER_FASTEST, "fastest")                                                                    \
    X(ORDER_CHEAPEST, "cheapest")                                                                  \
    X(ORDER_LEAST_ENERGY, "least_energy") X(ORDER_TOO_LARGE, "too_large")
enum ranking_order { RANKING_ORDERS(CHOICE_ENUMERATOR) ORDER_COUNT };

struct ranking {
    struct rank {
        int order, place, row; /* place from 1, within the order and the row's pass */
    } * ranks;
    int count;
};

/* Fastest: by time per sample. Cheapest, least energy: by those of an epoch; forecasts without are
 * left out. Too large for the memory: by time per sample. ranking_free releases. */
enum status ranking_create(struct ranking *ranking, const struct forecast_grid *all,
                           struct error *error);
void ranking_free(struct ranking *ranking);

#endif
