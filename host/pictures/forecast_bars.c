#include "pictures/forecast_panels.h"

#include "predictors/interval.h"

#include <stdlib.h>
#include <string.h>

static const char bound_name[] = "roofline (at least)";
static const char mark_name[] = "beyond the range of the training rows";

static void begin_bars(struct bars *bars)
{
    *bars = (struct bars){.scale = SCALE_MS,
                          .series_count = PICTURE_COLOURS,
                          .bound_name = bound_name,
                          .mark_name = mark_name};
}

/* Operators have the last colour. */
static int series_of(const struct network_layer *layer)
{
    return network_layer_is_operator(layer) ? PICTURE_COLOURS - 1
                                            : (int)layer->config.kind % (PICTURE_COLOURS - 1);
}

static struct bar *add_bar(struct bars *bars, const struct network_layer *layer,
                           const struct prediction *prediction)
{
    struct bar *bar = &bars->list[bars->count++];
    *bar = (struct bar){.series = series_of(layer), .is_bound = !prediction->covered};
    bars->series_names[bar->series] = network_layer_is_operator(layer) ? "operators"
                                                                       : network_layer_kind(layer);
    return bar;
}

/* ---- one bar per layer ---- */

static void add_layers(struct bars *bars, const struct forecast *forecast,
                       const struct network *network)
{
    for (int i = 0; i < network->layer_count; i++) {
        const struct prediction *prediction = &forecast->layers[i];
        struct bar *bar = add_bar(bars, &network->layers[i], prediction);
        bar_name(bar, network->layers[i].name);
        bar->is_marked = prediction->extrapolates || prediction->is_unseen;
        bar->value = prediction->median_ms;
        bar->low = prediction->low_ms;
        bar->high = prediction->high_ms;
    }
}

/* ---- one bar per kind ---- */

/* A layer within the order of groups: by kind or operator, forecasts before bounds, equal configs
 * together (their errors are equal). */
struct grouped {
    const struct network_layer *layer;
    const struct prediction *prediction;
    uint64_t hash;
};

static int compare_groups(const struct grouped *one, const struct grouped *other)
{
    const int order = strcmp(network_layer_kind(one->layer), network_layer_kind(other->layer));
    return order ? order : other->prediction->covered - one->prediction->covered;
}

static int compare_grouped(const void *a, const void *b)
{
    const struct grouped *one = a, *other = b;
    const int order = compare_groups(one, other);
    return order ? order : (one->hash > other->hash) - (one->hash < other->hash);
}

static void fill_grouped(struct grouped *layers, const struct forecast *forecast,
                         const struct network *network)
{
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        layers[i] = (struct grouped){
            .layer = layer,
            .prediction = &forecast->layers[i],
            .hash = network_layer_is_operator(layer) ? (uint64_t)i : layer_hash(&layer->config)};
    }
    qsort(layers, (size_t)network->layer_count, sizeof *layers, compare_grouped);
}

/* Time and interval of `count` layers of one group, as forecast_network adds them up. A bound's
 * interval begins at the bound: it is summed with correlation 1. */
static void sum_group(struct bar *bar, const struct grouped *layers, int count)
{
    struct interval_sum below = {0}, above = {0};
    double correlation = bar->is_bound;
    for (int i = 0, first = 0; i < count; i++) {
        const struct prediction *one = layers[i].prediction;
        first = layers[i].hash == layers[first].hash ? first : i;
        const bool is_last = i + 1 == count || layers[i + 1].hash != layers[i].hash;
        const int times = i + 1 - first;
        bar->value += one->median_ms;
        bar->is_marked |= one->extrapolates || one->is_unseen;
        correlation = fmax(correlation, one->correlation);
        if (is_last) {
            interval_sum_add(&below, times * (one->median_ms - one->low_ms));
            interval_sum_add(&above, times * (one->high_ms - one->median_ms));
        }
    }
    bar->low = bar->value - sqrt(interval_sum_square(&below, correlation));
    bar->high = bar->value + sqrt(interval_sum_square(&above, correlation));
}

static int compare_bars_down(const void *a, const void *b)
{
    const double one = ((const struct bar *)a)->value, other = ((const struct bar *)b)->value;
    return (one < other) - (one > other);
}

/* The last bar holds what finds no place of its own. */
static void add_rest(struct bar *last, const struct bar *bar)
{
    snprintf(last->name, sizeof last->name, "other kinds");
    last->value += bar->value;
    last->is_bound |= bar->is_bound;
    last->is_marked |= bar->is_marked;
    last->low = last->high = NAN;
}

static void add_groups(struct bars *bars, const struct grouped *layers, int layer_count)
{
    for (int first = 0, end; first < layer_count; first = end) {
        struct bar rest = {.value = 0};
        for (end = first + 1; end < layer_count; end++)
            if (compare_groups(&layers[end], &layers[first]) != 0)
                break;
        const bool has_place = bars->count < BAR_LIMIT;
        struct bar *bar = has_place ? add_bar(bars, layers[first].layer, layers[first].prediction)
                                    : &rest;
        bar->is_bound = !layers[first].prediction->covered;
        sum_group(bar, &layers[first], end - first);
        snprintf(bar->name, sizeof bar->name, "%s \u00d7%d",
                 network_layer_kind(layers[first].layer), end - first);
        if (!has_place)
            add_rest(&bars->list[BAR_LIMIT - 1], &rest);
    }
    qsort(bars->list, (size_t)bars->count, sizeof *bars->list, compare_bars_down);
}

enum status layer_bars(struct bars *bars, const struct forecast *forecast,
                       const struct network *network, struct error *error)
{
    struct grouped *layers;
    begin_bars(bars);
    if (network->layer_count <= BAR_LIMIT) {
        add_layers(bars, forecast, network);
        return STATUS_OK;
    }
    TRY(ALLOCATE(&layers, (unsigned long)network->layer_count, "layers of a picture", error));
    fill_grouped(layers, forecast, network);
    add_groups(bars, layers, network->layer_count);
    free(layers);
    return STATUS_OK;
}

/* ---- the panel ---- */

void draw_layer_bars(struct picture *picture, const struct bars *bars,
                     const struct forecast *forecast, const struct network *network,
                     const char *device)
{
    char title[200], what[40], step[STEP_NAME_SIZE], time[HUMAN_TEXT_SIZE];
    double sum_ms = 0;
    for (int i = 0; i < bars->count; i++)
        sum_ms += bars->list[i].value;
    snprintf(what, sizeof what, network->layer_count > BAR_LIMIT ? "%d layers by kind" : "layers",
             network->layer_count);
    step_name(step, forecast->pass, forecast->optimizer);
    snprintf(title, sizeof title, "%s%s%.80s, %s, batch size %d: %s", what, *device ? ", " : "",
             device, step, forecast->device_batch_size, human_text(time, SCALE_MS, sum_ms, 3));
    draw_bars(picture, bars, title, "time, with interval");
}

/* ---- one bar per device and step ---- */

static void name_bar(struct bar *bar, const struct forecast_grid *all, int device, int step)
{
    const struct forecast_request *request = all->request;
    char name[STEP_NAME_SIZE];
    step_name(name, request->selection.steps[step].pass, request->selection.steps[step].optimizer);
    if (request->device_count > 1)
        snprintf(bar->name, sizeof bar->name, "%.60s: %s", request->devices[device].info->name,
                 name);
    else
        snprintf(bar->name, sizeof bar->name, "%s", name);
}

void comparison_bars(struct bars *bars, const struct forecast_grid *all,
                     enum forecast_quantity quantity)
{
    static const char *const names[PASS_COUNT] = {"forward", "train"};
    const struct forecast_request *request = all->request;
    begin_bars(bars);
    bars->scale = quantity == QUANTITY_COST ? SCALE_MONEY : SCALE_MS;
    memcpy(bars->series_names, names, sizeof names);
    for (int device = 0; device < request->device_count; device++)
        for (int step = 0; step < request->selection.step_count && bars->count < BAR_LIMIT;
             step++) {
            const struct forecast *forecast = &grid_row(all, device, step, 0, 0)->forecast;
            struct bar *bar = &bars->list[bars->count++];
            const double cost = isnan(forecast->cost) ? forecast->epoch_cost : forecast->cost;
            const double scale = quantity == QUANTITY_COST ? cost / forecast->batch_ms : 1;
            *bar = (struct bar){.series = forecast->pass,
                                .value = scale * forecast->batch_ms,
                                .low = scale * forecast->batch_low_ms,
                                .high = scale * forecast->batch_high_ms};
            name_bar(bar, all, device, step);
        }
}
