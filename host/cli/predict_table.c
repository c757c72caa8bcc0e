#include "cli/predict_table.h"

#include "base/json.h"
#include "cli/caveat_notes.h"
#include "cli/predict_framework.h"
#include "cli/predict_ranking.h"
#include "cli/predict_text.h"

#include <math.h>
#include <string.h>

/* Those whose operations count as 0. */
static int unknown_layers(const struct network *network)
{
    int count = 0;
    for (int i = 0; i < network->layer_count; i++)
        count += network_layer_is_unknown(&network->layers[i]);
    return count;
}

static void add_step(struct table *table, const struct forecast *forecast)
{
    table_integer(table, forecast->batch_size);
    table_string(table, choice_name(&choice_pass, forecast->pass));
    table_string(table, choice_name(&choice_optimizer, forecast->optimizer));
}

/* ---- times ---- */

static const struct table_column time_columns[] = {
    {.name = "batch_size", .title = "batch"},
    {.name = "pass", .use = COLUMN_SEVERAL},
    {.name = "optimizer", .use = COLUMN_SEVERAL},
    {.name = "batch_ms", .title = "time", .scale = SCALE_MS},
    {.name = "batch_low_ms", .title = "low", .scale = SCALE_MS},
    {.name = "batch_high_ms", .title = "high", .scale = SCALE_MS},
    {.name = "epoch_s", .title = "epoch", .scale = SCALE_S, .spare = 2},
    {.name = "total_s", .title = "total", .scale = SCALE_S},
    {.name = "cost", .scale = SCALE_MONEY},
    {.name = "memory_bytes", .title = "memory", .scale = SCALE_BYTES, .spare = 3},
    {.name = "fits"},
    {.name = "layers_extrapolating", .title = "beyond", .use = COLUMN_SEVERAL, .spare = 3},
    {.name = "sample_ms", .use = COLUMN_RAW},
    {.name = "epoch_cost", .title = "epoch cost", .scale = SCALE_MONEY, .spare = 3},
    {.name = "energy_kwh", .title = "energy", .scale = SCALE_KWH, .spare = 1},
    {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
    {.name = "gpus", .title = "GPUs"},
    {.name = "device_batch_size", .title = "batch/GPU", .spare = 4},
    {.name = "global_batch_size", .title = "global batch", .spare = 4},
    {.name = "communication_ms", .title = "all-reduce", .scale = SCALE_MS, .spare = 4},
    {.name = "efficiency_percent", .title = "efficiency", .scale = SCALE_PERCENT, .spare = 1},
    {.name = "overlap_efficiency_percent",
     .title = "overlapped",
     .scale = SCALE_PERCENT,
     .spare = 4}};
static const struct table_column last_columns[] = {
    {.name = "samples_per_second", .title = "samples/s", .scale = SCALE_NUMBER, .spare = 1},
    {.name = "epoch_energy_kwh", .title = "epoch energy", .scale = SCALE_KWH, .spare = 3}};
enum {
    TIME_COLUMNS = sizeof time_columns / sizeof *time_columns,
    PARALLEL_COLUMNS = 6, /* the last of them, only with --gpus */
    LAST_COLUMNS = sizeof last_columns / sizeof *last_columns,
};

static void add_parallel(struct table *table, const struct forecast *row)
{
    table_integer(table, row->device_count);
    table_integer(table, row->device_batch_size);
    table_integer(table, row->global_batch_size);
    table_number(table, row->communication_ms);
    table_number(table, row->efficiency_percent);
    table_number(table, row->overlap_efficiency_percent);
}

static double samples_per_second(const struct forecast *row)
{
    return 1e3 / row->sample_ms;
}

static void add_times(struct table *table, const struct forecast_grid *all,
                      const struct forecast_grid_row *predicted)
{
    const struct forecast *row = &predicted->forecast;
    add_step(table, row);
    table_number(table, row->batch_ms);
    table_number(table, row->batch_low_ms);
    table_number(table, row->batch_high_ms);
    table_number(table, row->epoch_s);
    table_number(table, row->total_s);
    table_number(table, row->cost);
    table_integer(table, row->memory.total_bytes);
    table_string(table, row->fits ? "yes" : "no");
    table_integer(table, extrapolating_layers(row, &all->request->selection.network));
    table_number(table, row->sample_ms);
    table_number(table, row->epoch_cost);
    table_number(table, row->energy_kwh);
    table_string(table, predicted->device->info->name);
    if (all->request->is_parallel)
        add_parallel(table, row);
    table_number(table, samples_per_second(row));
    table_number(table, row->epoch_energy_kwh);
    if (all->request->framework)
        add_framework(table, all, predicted);
}

static enum status print_times(const struct forecast_grid *all, enum table_format format,
                               struct error *error)
{
    const int count = TIME_COLUMNS - (all->request->is_parallel ? 0 : PARALLEL_COLUMNS);
    const int framework_count = all->request->framework ? FRAMEWORK_COLUMN_COUNT : 0;
    struct table_column columns[TIME_COLUMNS + LAST_COLUMNS + FRAMEWORK_COLUMN_COUNT];
    struct table *table;
    memcpy(columns, time_columns, sizeof time_columns);
    memcpy(columns + count, last_columns, sizeof last_columns);
    memcpy(columns + count + LAST_COLUMNS, framework_columns,
           (size_t)framework_count * sizeof *columns);
    TRY(table_create(&table, columns, count + LAST_COLUMNS + framework_count, error));
    for (int i = 0; i < all->count; i++)
        add_times(table, all, &all->rows[i]);
    TRY(cli_print_table(table, format, error));
    if (format != TABLE_TEXT)
        return STATUS_OK;
    TRY(print_framework(all, error));
    return print_ranking(all, error);
}

/* ---- memory ---- */

/* NaN where a count is unknown. */
static double known(int64_t count, int64_t least)
{
    return count >= least ? (double)count : NAN;
}

static void add_count(struct table *table, int64_t count, int64_t least)
{
    if (count >= least)
        table_integer(table, count);
    else
        table_number(table, NAN);
}

static enum status print_memory(const struct forecast_grid *all, enum table_format format,
                                struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "batch_size", .title = "batch"},
        {.name = "pass", .use = COLUMN_SEVERAL},
        {.name = "optimizer", .use = COLUMN_SEVERAL},
        {.name = "parameters_bytes", .title = "parameters", .scale = SCALE_BYTES},
        {.name = "gradients_bytes", .title = "gradients", .scale = SCALE_BYTES},
        {.name = "optimizer_bytes", .title = "state", .scale = SCALE_BYTES},
        {.name = "activations_bytes", .title = "activations", .scale = SCALE_BYTES},
        {.name = "workspace_bytes", .title = "workspace", .scale = SCALE_BYTES},
        {.name = "memory_bytes", .title = "all", .scale = SCALE_BYTES},
        {.name = "device_memory_bytes", .title = "of", .scale = SCALE_BYTES, .use = COLUMN_SEVERAL},
        {.name = "fits"},
        {.name = "largest_batch_size", .title = "max batch"},
        {.name = "device", .use = COLUMN_SEVERAL, .width = 24},
        {.name = "gpus", .title = "GPUs"}}; /* only with --gpus */
    const int count = sizeof columns / sizeof *columns - (all->request->is_parallel ? 0 : 1);
    struct table *table;
    TRY(table_create(&table, columns, count, error));
    for (int i = 0; i < all->count; i++) {
        const struct forecast_grid_row *row = &all->rows[i];
        const struct network_memory *memory = &row->forecast.memory;
        add_step(table, &row->forecast);
        table_integer(table, memory->parameters_bytes);
        table_integer(table, memory->gradients_bytes);
        table_integer(table, memory->optimizer_bytes);
        table_integer(table, memory->activations_bytes);
        table_integer(table, memory->workspace_bytes);
        table_integer(table, memory->total_bytes);
        add_count(table, row->device->memory_bytes, 1);
        table_string(table, row->forecast.fits ? "yes" : "no");
        add_count(table, forecast_grid_largest_batch(all->request, row), 0);
        table_string(table, row->device->info->name);
        if (all->request->is_parallel)
            table_integer(table, row->forecast.device_count);
    }
    return cli_print_table(table, format, error);
}

/* ---- layers ---- */

static void add_layer(struct table *table, const struct forecast_grid *all,
                      const struct forecast_grid_row *row, const struct network_layer *layer,
                      const struct prediction *prediction)
{
    table_integer(table, row->forecast.batch_size);
    table_string(table, choice_name(&choice_optimizer, row->forecast.optimizer));
    table_string(table, layer->name);
    table_string(table, network_layer_kind(layer));
    table_number(table, prediction->median_ms);
    table_number(table, prediction->low_ms);
    table_number(table, prediction->high_ms);
    table_string(table, prediction->extrapolates ? "yes" : "no");
    table_string(table, predictor_of(all, prediction));
    table_string(table, choice_name(&choice_pass, row->forecast.pass));
    table_string(table, row->device->info->name);
}

static enum status print_layers(const struct forecast_grid *all, enum table_format format,
                                struct error *error)
{
    static const struct table_column columns[] = {{.name = "batch_size"},
                                                  {.name = "optimizer"},
                                                  {.name = "name"},
                                                  {.name = "layer"},
                                                  {.name = "ms", .digits = 4},
                                                  {.name = "low_ms", .digits = 4},
                                                  {.name = "high_ms", .digits = 4},
                                                  {.name = "extrapolates"},
                                                  {.name = "predictor"},
                                                  {.name = "pass"},
                                                  {.name = "device"}};
    const struct network *network = &all->request->selection.network;
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < all->count; i++)
        for (int j = 0; j < network->layer_count; j++)
            add_layer(table, all, &all->rows[i], &network->layers[j],
                      &all->rows[i].forecast.layers[j]);
    return cli_print_table(table, format, error);
}

/* ---- JSON ---- */

static void json_layers(struct json *json, const struct forecast_grid *all,
                        const struct forecast *forecast)
{
    const struct network *network = &all->request->selection.network;
    json_open(json, "layers", '[');
    for (int i = 0; i < network->layer_count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "name", network->layers[i].name);
        json_string(json, "layer", network_layer_kind(&network->layers[i]));
        json_string(json, "predictor", predictor_of(all, &forecast->layers[i]));
        json_number(json, "ms", forecast->layers[i].median_ms);
        json_number(json, "low_ms", forecast->layers[i].low_ms);
        json_number(json, "high_ms", forecast->layers[i].high_ms);
        json_bool(json, "extrapolates", forecast->layers[i].extrapolates);
        json_bool(json, "covered", forecast->layers[i].covered);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_memory(struct json *json, const struct forecast_grid *all,
                        const struct forecast_grid_row *row)
{
    const struct network_memory *memory = &row->forecast.memory;
    json_integer(json, "memory_bytes", memory->total_bytes);
    json_open(json, "memory", '{');
    json_integer(json, "parameters_bytes", memory->parameters_bytes);
    json_integer(json, "gradients_bytes", memory->gradients_bytes);
    json_integer(json, "optimizer_bytes", memory->optimizer_bytes);
    json_integer(json, "activations_bytes", memory->activations_bytes);
    json_integer(json, "workspace_bytes", memory->workspace_bytes);
    json_number(json, "device_bytes", known(row->device->memory_bytes, 1));
    json_number(json, "largest_batch_size",
                known(forecast_grid_largest_batch(all->request, row), 0));
    json_close(json, '}');
    json_bool(json, "fits", row->forecast.fits);
}

static void json_parallel(struct json *json, const struct forecast *row)
{
    json_integer(json, "gpus", row->device_count);
    json_integer(json, "device_batch_size", row->device_batch_size);
    json_integer(json, "global_batch_size", row->global_batch_size);
    json_number(json, "communication_ms", row->communication_ms);
    json_number(json, "efficiency_percent", row->efficiency_percent);
    json_number(json, "overlap_efficiency_percent", row->overlap_efficiency_percent);
}

static void json_row(struct json *json, const struct forecast_grid *all,
                     const struct forecast_grid_row *predicted)
{
    const struct forecast *row = &predicted->forecast;
    json_open(json, NULL, '{');
    json_integer(json, "batch_size", row->batch_size);
    json_string(json, "pass", choice_name(&choice_pass, row->pass));
    json_string(json, "optimizer", choice_name(&choice_optimizer, row->optimizer));
    json_string(json, "device", predicted->device->info->name);
    json_number(json, "batch_ms", row->batch_ms);
    json_number(json, "batch_low_ms", row->batch_low_ms);
    json_number(json, "batch_high_ms", row->batch_high_ms);
    json_number(json, "sample_ms", row->sample_ms);
    json_number(json, "epoch_s", row->epoch_s);
    json_number(json, "epoch_cost", row->epoch_cost);
    json_number(json, "epoch_energy_kwh", row->epoch_energy_kwh);
    json_number(json, "total_s", row->total_s);
    json_number(json, "cost", row->cost);
    json_number(json, "energy_kwh", row->energy_kwh);
    json_number(json, "samples_per_second", samples_per_second(row));
    json_memory(json, all, predicted);
    json_parallel(json, row);
    json_integer(json, "roofline_layers", row->uncovered_count);
    json_number(json, "roofline_percent", 100 * row->uncovered_ms / row->batch_ms);
    json_integer(json, "uncounted_layers", unknown_layers(&all->request->selection.network));
    json_framework(json, all, predicted);
    json_layers(json, all, row);
    json_close(json, '}');
}

static enum status print_json(const struct forecast_grid *all, const struct caveats *caveats,
                              struct error *error)
{
    struct json json;
    struct ranking ranking;
    TRY(ranking_create(&ranking, all, error));
    json_begin(&json, stdout);
    json_open(&json, NULL, '{');
    json_string(&json, "network", all->request->selection.network.name);
    json_string(&json, "device", all->request->devices[0].info->name);
    json_open(&json, "rows", '[');
    for (int i = 0; i < all->count; i++)
        json_row(&json, all, &all->rows[i]);
    json_close(&json, ']');
    json_ranking(&json, &ranking, all);
    json_caveats(&json, caveats);
    json_close(&json, '}');
    json_end(&json);
    ranking_free(&ranking);
    return STATUS_OK;
}

enum status print_predictions(const struct forecast_grid *all,
                              const struct predict_table_options *options,
                              const struct caveats *caveats, struct error *error)
{
    if (options->format == TABLE_JSON)
        return print_json(all, caveats, error);
    if (options->format == TABLE_TEXT)
        print_forecast_head(all, options->is_default_pass);
    if (options->has_layers && options->format != TABLE_TEXT)
        return print_layers(all, options->format, error);
    if (options->has_layers) {
        TRY(print_slowest_layers(all, error));
        TRY(print_framework(all, error));
        if (!options->has_memory)
            return STATUS_OK;
        putchar('\n');
    }
    return options->has_memory ? print_memory(all, options->format, error)
                               : print_times(all, options->format, error);
}
