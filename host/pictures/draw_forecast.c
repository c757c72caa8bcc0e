#include "pictures/draw.h"

#include <stdlib.h>

enum { BARS_ALONE = 40, BARS_BESIDE = 24, NAME_SIZE = 96, NAME_CHARACTERS = 32 };
enum { OTHER_STYLE = PICTURE_COLOURS - 1 };

/* ---- bars of layers ---- */

struct bar {
    char name[NAME_SIZE];
    int series; /* enum layer_kind, or LAYER_KIND_COUNT: an operator */
    double ms, low_ms, high_ms;
};

struct bars {
    struct bar *bars;
    int count;
    int other_count; /* layers without a bar */
    double other_ms;
};

static int compare_down(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left < right) - (left > right);
}

/* A layer slower than this has a bar, at most `limit` of them. */
static double slowest_other_ms(const struct forecast *forecast, int layer_count, int limit,
                               double *buffer)
{
    if (layer_count <= limit)
        return -1;
    for (int i = 0; i < layer_count; i++)
        buffer[i] = forecast->layers[i].median_ms;
    qsort(buffer, (size_t)layer_count, sizeof *buffer, compare_down);
    return buffer[limit];
}

/* Keeps the end of a long name: it distinguishes layers. */
static void shorten(char name[NAME_SIZE], const char *text)
{
    size_t characters = 0;
    for (const char *at = text; *at; at++)
        characters += (*at & 0xc0) != 0x80;
    const bool is_long = characters > NAME_CHARACTERS;
    for (; characters > NAME_CHARACTERS; text++)
        characters -= (text[1] & 0xc0) != 0x80;
    snprintf(name, NAME_SIZE, "%s%s", is_long ? "…" : "", text);
}

static void add_bar(struct bars *bars, const struct network_layer *layer,
                    const struct prediction *prediction)
{
    struct bar *bar = &bars->bars[bars->count++];
    shorten(bar->name, layer->name);
    bar->series = network_layer_is_operator(layer) ? LAYER_KIND_COUNT : (int)layer->config.kind;
    bar->ms = prediction->median_ms;
    bar->low_ms = isnan(prediction->low_ms) ? bar->ms : prediction->low_ms;
    bar->high_ms = isnan(prediction->high_ms) ? bar->ms : prediction->high_ms;
}

static void collect_bars(struct bars *bars, const struct forecast *forecast,
                         const struct network *network, double other_ms)
{
    for (int i = 0; i < network->layer_count; i++)
        if (forecast->layers[i].median_ms > other_ms)
            add_bar(bars, &network->layers[i], &forecast->layers[i]);
        else {
            bars->other_ms += forecast->layers[i].median_ms;
            bars->other_count++;
        }
}

/* Data blocks $bars<series>: time, place from above, low, high. */
static void put_bar_data(struct picture *picture, const struct bars *bars, int series)
{
    fprintf(picture->script, "$bars%d << EOD\n", series);
    for (int i = 0; i < bars->count; i++)
        if (bars->bars[i].series == series)
            fprintf(picture->script, "%.9g %d %.9g %.9g\n", bars->bars[i].ms, i,
                    bars->bars[i].low_ms, bars->bars[i].high_ms);
    fputs("EOD\n", picture->script);
}

static bool has_series(const struct bars *bars, int series)
{
    for (int i = 0; i < bars->count; i++)
        if (bars->bars[i].series == series)
            return true;
    return false;
}

static const char *series_name(int series)
{
    return series == LAYER_KIND_COUNT ? "operators (roofline)" : layer_descriptors[series]->name;
}

static void plot_bars(struct picture *picture, const struct bars *bars)
{
    FILE *script = picture->script;
    const bool is_drawn = picture->form != PICTURE_TERMINAL;
    const char *separator = "plot ";
    for (int series = 0; series <= LAYER_KIND_COUNT; series++) {
        if (!has_series(bars, series))
            continue;
        const int style = series == LAYER_KIND_COUNT ? OTHER_STYLE : series;
        fprintf(script, "%s$bars%d using %s lc rgb %s title ", separator, series,
                is_drawn ? "(0):2:(0):1:($2-0.36):($2+0.36) with boxxyerror fs solid noborder"
                         : "(0):2:1:(0) with vectors nohead",
                picture_colour(style));
        picture_text(picture, series_name(series));
        if (is_drawn)
            fprintf(script,
                    ", $bars%d using 1:2:3:4 with xerrorbars pt 0 lc rgb '#000000' notitle"
                    ", '' using 4:2:(sprintf($1 < 1000 ? '%%.3g' : '%%.0f', $1)) with labels left "
                    "offset 0.7,0 notitle",
                    series);
        separator = ", ";
    }
    fputc('\n', script);
}

static void draw_bars(struct picture *picture, const struct bars *bars,
                      const struct forecast *forecast)
{
    char title[128], label[128] = "time (ms), with interval";
    double end_ms = 0;
    if (bars->other_count)
        snprintf(label, sizeof label, "time (ms), with interval; %d faster layers: %.3g ms",
                 bars->other_count, bars->other_ms);
    snprintf(title, sizeof title, "layers, batch size %d%s%s: %.*f ms in total",
             forecast->batch_size, forecast->pass == PASS_TRAIN ? ", " : "",
             forecast->pass == PASS_TRAIN ? choice_name(&choice_optimizer, forecast->optimizer)
                                          : "",
             forecast->batch_ms < 100 ? 2 : 0, forecast->batch_ms);
    picture_panel(picture, title, label, "");
    for (int i = 0; i < bars->count; i++)
        end_ms = fmax(end_ms, bars->bars[i].high_ms);
    fprintf(picture->script, "set xrange [0:%.6g]\nset yrange [%d.5:-0.5]\nset ytics (",
            end_ms > 0 ? 1.2 * end_ms : 1, bars->count - 1);
    for (int i = 0; i < bars->count; i++) {
        fputs(i ? ", " : "", picture->script);
        picture_tic_text(picture, bars->bars[i].name);
        fprintf(picture->script, " %d", i);
    }
    fputs(")\n", picture->script);
    for (int series = 0; series <= LAYER_KIND_COUNT; series++)
        if (has_series(bars, series))
            put_bar_data(picture, bars, series);
    plot_bars(picture, bars);
}

/* ---- the curve of batch sizes ---- */

static int put_curve_data(struct picture *picture, const struct forecast *forecasts, int count,
                          int first)
{
    int end = first;
    fprintf(picture->script, "$curve%d << EOD\n", first);
    for (; end < count && forecasts[end].optimizer == forecasts[first].optimizer; end++)
        fprintf(picture->script, "%d %.9g %.9g %.9g\n", forecasts[end].batch_size,
                forecasts[end].batch_ms, forecasts[end].batch_low_ms, forecasts[end].batch_high_ms);
    fputs("EOD\n", picture->script);
    return end;
}

/* Data block $too_large: batches that do not fit the device's memory; false: none. */
static bool put_too_large(struct picture *picture, const struct forecast *forecasts, int count)
{
    bool has_some = false;
    fputs("$too_large << EOD\n", picture->script);
    for (int i = 0; i < count; i++)
        if (!forecasts[i].fits) {
            fprintf(picture->script, "%d %.9g\n", forecasts[i].batch_size, forecasts[i].batch_ms);
            has_some = true;
        }
    fputs("EOD\n", picture->script);
    return has_some;
}

static void set_curve_axes(struct picture *picture, const struct forecast *forecasts, int count)
{
    struct picture_range sizes = PICTURE_RANGE_NONE, times = PICTURE_RANGE_NONE;
    for (int i = 0; i < count; i++) {
        picture_range_add(&sizes, forecasts[i].batch_size);
        picture_range_add(&times, forecasts[i].batch_ms);
        picture_range_add(&times, forecasts[i].batch_low_ms);
        picture_range_add(&times, forecasts[i].batch_high_ms);
    }
    picture_batch_axis(picture, sizes);
    picture_log_axis(picture, 'y', times);
}

static void plot_curve(struct picture *picture, const struct forecast *forecast, int first,
                       int series, bool too_large)
{
    FILE *script = picture->script;
    const char *name = forecast->pass == PASS_FORWARD
                           ? "forward"
                           : choice_name(&choice_optimizer, forecast->optimizer);
    fputs(series ? ", " : "plot ", script);
    if (picture->form != PICTURE_TERMINAL)
        fprintf(script,
                "$curve%d using 1:3:4 with filledcurves fs transparent solid 0.18 noborder "
                "lc rgb %s notitle, ",
                first, picture_colour(series));
    fprintf(script, "$curve%d using 1:2 with linespoints lw 1.5 pt %d ps 0.7 lc rgb %s title ",
            first, picture_point(series), picture_colour(series));
    picture_text(picture, name);
    if (series == 0 && too_large)
        fputs(", $too_large using 1:2 with points pt 2 ps 1.4 lw 1.5 lc rgb '#000000' "
              "title 'does not fit in memory'",
              script);
}

static void draw_curves(struct picture *picture, const struct forecast *forecasts, int count)
{
    int series = 0;
    picture_panel(picture, "time of a batch, with interval", "batch size", "time (ms)");
    set_curve_axes(picture, forecasts, count);
    for (int first = 0; first < count;)
        first = put_curve_data(picture, forecasts, count, first);
    const bool too_large = put_too_large(picture, forecasts, count);
    for (int i = 0; i < count; i++)
        if (i == 0 || forecasts[i].optimizer != forecasts[i - 1].optimizer)
            plot_curve(picture, &forecasts[i], i, series++, too_large);
    fputc('\n', picture->script);
}

/* ---- the picture ---- */

static const struct forecast *largest_batch(const struct forecast *forecasts, int count)
{
    const struct forecast *largest = forecasts;
    for (int i = 1; i < count; i++)
        if (forecasts[i].batch_size > largest->batch_size)
            largest = &forecasts[i];
    return largest;
}

static bool has_batch_sizes(const struct forecast *forecasts, int count)
{
    for (int i = 1; i < count; i++)
        if (forecasts[i].batch_size != forecasts[0].batch_size)
            return true;
    return false;
}

static void lay_out(struct picture *picture, const struct bars *bars, bool with_curves,
                    const struct forecast *forecast, const char *network, const char *device)
{
    char title[256];
    const int height = 150 + 17 * bars->count;
    snprintf(title, sizeof title, "%s, %s on %s", network,
             choice_name(&choice_pass, forecast->pass), device);
    if (picture->rows < bars->count + 8) /* one line per bar */
        picture->rows = bars->count + 8;
    picture_layout(picture, with_curves ? 2 : 1, 1, with_curves ? 560 : 760,
                   height > 400 ? height : 400, title);
}

enum status draw_forecasts(struct picture *picture, const struct forecast *forecasts, int count,
                           const struct network *network, const char *device, struct error *error)
{
    struct bars bars = {0};
    void *memory, *buffer;
    const bool with_curves = has_batch_sizes(forecasts, count);
    const struct forecast *shown = largest_batch(forecasts, count);
    const size_t layer_count = (size_t)network->layer_count;
    TRY(error_allocate(&buffer, layer_count, sizeof(double), "picture", error));
    const enum status status = error_allocate(&memory, layer_count + 1, sizeof *bars.bars,
                                              "picture", error);
    if (status == STATUS_OK) {
        bars.bars = memory;
        collect_bars(&bars, shown, network,
                     slowest_other_ms(shown, network->layer_count,
                                      with_curves ? BARS_BESIDE : BARS_ALONE, buffer));
        lay_out(picture, &bars, with_curves, shown, network->name, device);
        draw_bars(picture, &bars, shown);
        if (with_curves)
            draw_curves(picture, forecasts, count);
        free(bars.bars);
    }
    free(buffer);
    return status;
}
