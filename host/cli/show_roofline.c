#include "cli/show_roofline.h"

#include "base/table.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Layers of one kind, or one operator, that the roofline forecasts. */
struct left {
    const char *kind;
    int count;
    double ms;
};

static int slower_first(const void *one, const void *other)
{
    const struct left *a = one, *b = other;
    return a->ms != b->ms ? (a->ms < b->ms) - (a->ms > b->ms) : strcmp(a->kind, b->kind);
}

/* Those of one forecast, the slowest first; the caller frees *left. */
static enum status find_left(struct left **left, int *count, const struct network *network,
                             const struct forecast *forecast, struct error *error)
{
    TRY(ALLOCATE(left, (unsigned long)network->layer_count, "layers", error));
    *count = 0;
    for (int i = 0; i < network->layer_count; i++) {
        const char *kind = network_layer_kind(&network->layers[i]);
        int at = 0;
        if (forecast->layers[i].covered)
            continue;
        while (at < *count && strcmp((*left)[at].kind, kind) != 0)
            at++;
        *count = at < *count ? *count : at + 1;
        (*left)[at].kind = kind;
        (*left)[at].count++;
        (*left)[at].ms += forecast->layers[i].median_ms;
    }
    qsort(*left, (size_t)*count, sizeof **left, slower_first);
    return STATUS_OK;
}

static double percent_of(double ms, const struct forecast *forecast)
{
    return forecast->batch_ms > 0 ? 100 * ms / forecast->batch_ms : 0;
}

/* ---- for people ---- */

/* "batch 1, train sgd", and the device where there are several. */
static void write_step(char *text, size_t size, const struct forecast_grid *grid,
                       const struct forecast_grid_row *row)
{
    const struct forecast *forecast = &row->forecast;
    int used = snprintf(text, size, "batch %d, %s", forecast->batch_size,
                        choice_name(&choice_pass, forecast->pass));
    if (forecast->optimizer != OPTIMIZER_NONE)
        used += snprintf(text + used, size - (size_t)used, " %s",
                         choice_name(&choice_optimizer, forecast->optimizer));
    if (grid->request->device_count > 1)
        snprintf(text + used, size - (size_t)used, " on %.100s", row->device->info->name);
}

static enum status print_share(const struct forecast_grid *grid,
                               const struct forecast_grid_row *row, int indent, struct error *error)
{
    const struct network *network = &grid->request->selection.network;
    const struct forecast *forecast = &row->forecast;
    char line[2000], step[200], kinds[1600] = "";
    struct left *left;
    int count;
    TRY(find_left(&left, &count, network, forecast, error));
    for (int i = 0; i < count; i++)
        text_list_add(kinds, sizeof kinds, ", ", "%s x%d %.2g %%", left[i].kind, left[i].count,
                      percent_of(left[i].ms, forecast));
    free(left);
    write_step(step, sizeof step, grid, row);
    snprintf(line, sizeof line, "%s: %.2g %% of the time, %d of %d layers%s%s", step,
             count ? percent_of(forecast->uncovered_ms, forecast) : 0, forecast->uncovered_count,
             network->layer_count, count ? ": " : "", kinds);
    printf("%-*s", indent, "roofline");
    table_print_wrapped(stdout, line, TABLE_WIDTH - indent, indent);
    return STATUS_OK;
}

enum status print_roofline_shares(const struct forecast_grid *grid, int indent, struct error *error)
{
    for (int i = 0; i < grid->count; i++)
        TRY(print_share(grid, &grid->rows[i], indent, error));
    return STATUS_OK;
}

/* ---- for programs ---- */

static void json_left(struct json *json, const struct left *left, const struct forecast *forecast)
{
    json_open(json, NULL, '{');
    json_string(json, "layer", left->kind);
    json_integer(json, "count", left->count);
    json_number(json, "ms", left->ms);
    json_number(json, "percent", percent_of(left->ms, forecast));
    json_close(json, '}');
}

static enum status json_share(struct json *json, const struct forecast_grid *grid,
                              const struct forecast_grid_row *row, struct error *error)
{
    const struct forecast *forecast = &row->forecast;
    struct left *left;
    int count;
    TRY(find_left(&left, &count, &grid->request->selection.network, forecast, error));
    json_open(json, NULL, '{');
    json_integer(json, "batch_size", forecast->batch_size);
    json_string(json, "pass", choice_name(&choice_pass, forecast->pass));
    json_string(json, "optimizer", choice_name(&choice_optimizer, forecast->optimizer));
    json_string(json, "precision", choice_name(&choice_precision, forecast->precision));
    json_string(json, "device", row->device->info->name);
    json_number(json, "batch_ms", forecast->batch_ms);
    json_integer(json, "roofline_layers", forecast->uncovered_count);
    json_number(json, "roofline_percent", count ? percent_of(forecast->uncovered_ms, forecast) : 0);
    json_open(json, "left", '[');
    for (int i = 0; i < count; i++)
        json_left(json, &left[i], forecast);
    json_close(json, ']');
    json_close(json, '}');
    free(left);
    return STATUS_OK;
}

enum status json_roofline_shares(struct json *json, const struct forecast_grid *grid,
                                 struct error *error)
{
    json_open(json, "roofline", '[');
    for (int i = 0; i < grid->count; i++)
        TRY(json_share(json, grid, &grid->rows[i], error));
    json_close(json, ']');
    return STATUS_OK;
}
