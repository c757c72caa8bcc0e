/* The ranking of forecasts, printed. */
#ifndef EPOCHCAST_CLI_PREDICT_RANKING_H
#define EPOCHCAST_CLI_PREDICT_RANKING_H

#include "base/json.h"
#include "base/table.h"
#include "forecast/ranking.h"

/* Prints the first places, for people; nothing if there is no choice. */
enum status print_ranking(const struct forecast_grid *all, struct error *error);
void json_ranking(struct json *json, const struct ranking *ranking,
                  const struct forecast_grid *all);

#endif
