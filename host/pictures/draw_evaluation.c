#include "pictures/draw.h"
#include "pictures/row_series.h"

#include "base/stats.h"

#include <stdlib.h>

enum { PANEL_POINT_LIMIT = 1500 };

struct points {
    const struct row_forecasts *forecasts;
    const struct dataset_rows *rows;
    int kind;
    bool by_device;
    size_t count, step; /* of the kind; every step-th is drawn */
    double median_percent, p90_percent;
};

static bool is_of(const struct points *points, size_t i)
{
    return (int)points->forecasts->rows[i]->config.kind == points->kind;
}

static struct points points_of(const struct row_forecasts *forecasts,
                               const struct dataset_rows *rows, int kind)
{
    struct points points = {.forecasts = forecasts,
                            .rows = rows,
                            .kind = kind,
                            .by_device = row_series_by_device(rows)};
    for (size_t i = 0; i < forecasts->count; i++)
        points.count += is_of(&points, i);
    points.step = 1 + points.count / PANEL_POINT_LIMIT;
    return points;
}

/* Median and 90th percentile of the absolute error; `buffer` holds points->count. */
static void sum_up(struct points *points, double *buffer)
{
    size_t count = 0;
    for (size_t i = 0; i < points->forecasts->count; i++) {
        const double measured_ms = points->forecasts->rows[i]->median_ms;
        if (is_of(points, i))
            buffer[count++] = 100 *
                              fabs(points->forecasts->predictions[i].median_ms / measured_ms - 1);
    }
    stats_sort(buffer, count);
    points->median_percent = stats_quantile(buffer, count, 0.5);
    points->p90_percent = stats_quantile(buffer, count, 0.9);
}

/* Data block $points<series>: measured, predicted. */
static void put_series(struct picture *picture, const struct points *points, int series,
                       struct picture_range *range)
{
    size_t seen = 0;
    fprintf(picture->script, "$points%d << EOD\n", series);
    for (size_t i = 0; i < points->forecasts->count; i++) {
        const struct measurement *row = points->forecasts->rows[i];
        const double predicted_ms = points->forecasts->predictions[i].median_ms;
        if (!is_of(points, i) || seen++ % points->step != 0 ||
            row_series(row, points->by_device) != series)
            continue;
        picture_range_add(range, row->median_ms);
        picture_range_add(range, predicted_ms);
        fprintf(picture->script, "%.4g %.4g\n", row->median_ms, predicted_ms);
    }
    fputs("EOD\n", picture->script);
}

/* Predicted = measured, and bands about it. */
static void plot_bands(struct picture *picture)
{
    if (picture->form != PICTURE_TERMINAL)
        fputs("plot '+' using 1:($1*0.75):($1*1.25) with filledcurves fs solid 0.10 noborder "
              "lc rgb '#7f7f7f' title '±25 %', "
              "'+' using 1:($1*0.9):($1*1.1) with filledcurves fs solid 0.22 noborder "
              "lc rgb '#7f7f7f' title '±10 %', ",
              picture->script);
    else
        fputs("plot ", picture->script);
    fputs("x with lines lc rgb '#000000' title 'exact'", picture->script);
}

static void draw_panel(struct picture *picture, const struct points *points)
{
    char title[160], label[64] = "measured (ms)";
    struct picture_range range = PICTURE_RANGE_NONE;
    const int count = row_series_count(points->rows, points->by_device);
    if (points->step > 1)
        snprintf(label, sizeof label, "measured (ms), one of %zu rows", points->step);
    snprintf(title, sizeof title, "%s: error %.*f %% median, %.*f %% p90, %zu rows",
             layer_descriptors[points->kind]->name, points->median_percent < 10, /* a decimal */
             points->median_percent, points->p90_percent < 10, points->p90_percent, points->count);
    picture_panel(picture, title, label, "predicted (ms)");
    for (int series = 0; series < count; series++)
        put_series(picture, points, series, &range);
    picture_log_axis(picture, 'x', range);
    picture_log_axis(picture, 'y', range);
    plot_bands(picture);
    for (int series = 0; series < count; series++) {
        fprintf(picture->script, ", $points%d using 1:2 with points pt %d ps %g lc rgb %s title ",
                series, picture_point(series), picture_point_size(points->count),
                picture_colour(series));
        picture_text(picture, row_series_name(points->rows, points->by_device, series));
    }
    fputc('\n', picture->script);
}

enum status draw_evaluation(struct picture *picture, const struct row_forecasts *forecasts,
                            const struct dataset_rows *rows, const char *title, struct error *error)
{
    int kinds = 0;
    double *buffer;
    TRY(error_allocate((void **)&buffer, forecasts->count, sizeof *buffer, "picture", error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        kinds += points_of(forecasts, rows, kind).count > 0;
    const int across = kinds > 3 ? 3 : kinds > 1 ? kinds : 1;
    picture_layout(picture, across, (kinds + across - 1) / across, across > 2 ? 400 : 480,
                   across > 2 ? 430 : 480, title);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct points points = points_of(forecasts, rows, kind);
        if (!points.count)
            continue;
        sum_up(&points, buffer);
        draw_panel(picture, &points);
    }
    free(buffer);
    return STATUS_OK;
}
