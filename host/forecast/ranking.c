#include "forecast/ranking.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
    double value;
    int row;
};

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    if (one->value != other->value)
        return one->value < other->value ? -1 : 1;
    return one->row - other->row;
}

static double value_of(const struct forecast *forecast, enum ranking_order order)
{
    const double values[ORDER_COUNT] = {[ORDER_FASTEST] = forecast->sample_ms,
                                        [ORDER_CHEAPEST] = forecast->epoch_cost,
                                        [ORDER_LEAST_ENERGY] = forecast->epoch_energy_kwh,
                                        [ORDER_TOO_LARGE] = forecast->sample_ms};
    return forecast->fits == (order != ORDER_TOO_LARGE) ? values[order] : NAN;
}

static void add_ranks(struct ranking *ranking, struct candidate *candidates,
                      const struct forecast_grid *all, enum ranking_order order, int32_t pass)
{
    size_t count = 0;
    for (int i = 0; i < all->count; i++) {
        const struct forecast *forecast = &all->rows[i].forecast;
        const double value = value_of(forecast, order);
        if (forecast->pass == pass && !isnan(value))
            candidates[count++] = (struct candidate){value, i};
    }
    qsort(candidates, count, sizeof *candidates, compare_candidates);
    for (size_t i = 0; i < count; i++)
        ranking->ranks[ranking->count++] = (struct rank){(int)order, (int)i + 1, candidates[i].row};
}

enum status ranking_create(struct ranking *ranking, const struct forecast_grid *all,
                           struct error *error)
{
    void *ranks, *candidates;
    const unsigned long count = (unsigned long)all->count;
    *ranking = (struct ranking){.count = 0};
    TRY(error_allocate(&candidates, count, sizeof(struct candidate), "ranking", error));
    const enum status status = error_allocate(&ranks, ORDER_COUNT * count, sizeof *ranking->ranks,
                                              "ranking", error);
    if (status == STATUS_OK) {
        ranking->ranks = ranks;
        for (int32_t pass = PASS_COUNT; pass-- > 0;)
            for (int order = 0; order < ORDER_COUNT; order++)
                add_ranks(ranking, candidates, all, (enum ranking_order)order, pass);
    }
    free(candidates);
    return status;
}

void ranking_free(struct ranking *ranking)
{
    free(ranking->ranks);
    *ranking = (struct ranking){.ranks = NULL};
}
