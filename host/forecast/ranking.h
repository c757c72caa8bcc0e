/* Ranks the forecasts that fit, per pass: fastest and cheapest. */
#ifndef EPOCHCAST_FORECAST_RANKING_H
#define EPOCHCAST_FORECAST_RANKING_H

#include "forecast/forecast_grid.h"

#define RANKING_ORDERS(X) X(ORDER_FASTEST, "fastest") X(ORDER_CHEAPEST, "cheapest")
enum ranking_order { RANKING_ORDERS(CHOICE_ENUMERATOR) ORDER_COUNT };

struct ranking {
    struct rank {
        int order, place, row; /* place from 1, within the order and the row's pass */
    } * ranks;
    int count;
};

/* Fastest: by time per sample. Cheapest: by the cost of an epoch; forecasts without one are left
 * out. ranking_free releases. */
enum status ranking_create(struct ranking *ranking, const struct forecast_grid *all,
                           struct error *error);
void ranking_free(struct ranking *ranking);

#endif
