#include "cli/predict_ranking.h"

#include "base/json.h"

#include <math.h>

enum { PLACES_SHOWN = 5, PLACES_OF_MANY = 10, MANY_DEVICES = 10 };

#define NAME(value, text) text,
static const char *const order_names[] = {RANKING_ORDERS(NAME)};

/* Only of forecasts that do not fit. */
static double largest_batch(const struct rank *rank, const struct forecast_grid *all)
{
    return rank->order == ORDER_TOO_LARGE
               ? (double)forecast_grid_largest_batch(all->request, &all->rows[rank->row])
               : NAN;
}

static void add_row(struct table *table, const struct rank *rank, const struct forecast_grid *all)
{
    const struct forecast_grid_row *row = &all->rows[rank->row];
    const struct forecast *forecast = &row->forecast;
    table_string(table, order_names[rank->order]);
    table_integer(table, rank->place);
    table_string(table, choice_name(&choice_pass, forecast->pass));
    table_integer(table, forecast->batch_size);
    table_string(table, choice_name(&choice_optimizer, forecast->optimizer));
    table_string(table, row->device->info->name);
    table_integer(table, forecast->device_count);
    table_number(table, forecast->sample_ms);
    table_number(table, forecast->epoch_cost);
    table_number(table, forecast->epoch_energy_kwh);
    table_number(table, largest_batch(rank, all));
}

static enum status print_places(const struct ranking *ranking, const struct forecast_grid *all,
                                struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "summary"},
        {.name = "place"},
        {.name = "pass", .use = COLUMN_SEVERAL},
        {.name = "batch_size", .title = "batch"},
        {.name = "optimizer", .use = COLUMN_SEVERAL},
        {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
        {.name = "gpus", .title = "GPUs", .use = COLUMN_SEVERAL},
        {.name = "sample_ms", .title = "per sample", .scale = SCALE_MS},
        {.name = "epoch_cost", .title = "epoch cost", .scale = SCALE_MONEY},
        {.name = "epoch_energy_kwh", .title = "epoch energy", .scale = SCALE_KWH},
        {.name = "largest_batch_size", .title = "max batch", .scale = SCALE_NUMBER}};
    const int places = all->request->device_count >= MANY_DEVICES ? PLACES_OF_MANY : PLACES_SHOWN;
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < ranking->count; i++)
        if (ranking->ranks[i].place <= places)
            add_row(table, &ranking->ranks[i], all);
    putchar('\n');
    const enum status status = table_print(table, stdout, TABLE_TEXT, error);
    table_free(table);
    return status;
}

static bool has_choice(const struct ranking *ranking)
{
    for (int i = 0; i < ranking->count; i++)
        if (ranking->ranks[i].place > 1)
            return true;
    return false;
}

enum status print_ranking(const struct forecast_grid *all, struct error *error)
{
    struct ranking ranking;
    TRY(ranking_create(&ranking, all, error));
    const enum status status = has_choice(&ranking) ? print_places(&ranking, all, error)
                                                    : STATUS_OK;
    ranking_free(&ranking);
    return status;
}

void json_ranking(struct json *json, const struct ranking *ranking, const struct forecast_grid *all)
{
    json_open(json, "summary", '[');
    for (int i = 0; i < ranking->count; i++) {
        const struct rank *rank = &ranking->ranks[i];
        const struct forecast_grid_row *row = &all->rows[rank->row];
        json_open(json, NULL, '{');
        json_string(json, "order", order_names[rank->order]);
        json_integer(json, "place", rank->place);
        json_integer(json, "row", rank->row);
        json_string(json, "pass", choice_name(&choice_pass, row->forecast.pass));
        json_integer(json, "batch_size", row->forecast.batch_size);
        json_string(json, "optimizer", choice_name(&choice_optimizer, row->forecast.optimizer));
        json_string(json, "device", row->device->info->name);
        json_integer(json, "gpus", row->forecast.device_count);
        json_number(json, "sample_ms", row->forecast.sample_ms);
        json_number(json, "epoch_cost", row->forecast.epoch_cost);
        json_number(json, "epoch_energy_kwh", row->forecast.epoch_energy_kwh);
        json_number(json, "largest_batch_size", largest_batch(rank, all));
        json_close(json, '}');
    }
    json_close(json, ']');
}
