#include "pictures/draw.h"
#include "pictures/row_series.h"

#include "predictors/row_selection.h"

/* More points than this would hide each other: an even selection is drawn. */
enum { PANEL_POINT_LIMIT = 1500 };

struct coverage {
    const struct dataset_rows *rows;
    enum layer_kind kind;
    bool by_device;
    size_t usable, step; /* rows of the kind; every step-th is drawn */
};

static bool is_shown(const struct coverage *coverage, const struct measurement *row)
{
    return row->config.kind == coverage->kind && row_is_usable(row);
}

static double noise_percent(const struct measurement *row)
{
    return isfinite(row->ci_ms) ? 100 * row->ci_ms / row->median_ms : NAN;
}

/* Data blocks $rows<series>: work, time, noise. */
static void put_series(struct picture *picture, const struct coverage *coverage, int series,
                       struct picture_range ranges[3])
{
    size_t seen = 0;
    fprintf(picture->script, "$rows%d << EOD\n", series);
    for (size_t i = 0; i < coverage->rows->count; i++) {
        const struct measurement *row = &coverage->rows->rows[i];
        if (!is_shown(coverage, row) || seen++ % coverage->step != 0 ||
            row_series(row, coverage->by_device) != series)
            continue;
        const double shown[] = {layer_cost(&row->config).flops, row->median_ms, noise_percent(row)};
        for (int j = 0; j < 3; j++)
            picture_range_add(&ranges[j], shown[j]);
        fprintf(picture->script, "%.4g %.4g %.4g\n", shown[0], shown[1],
                shown[2] > 0 ? shown[2] : NAN);
    }
    fputs("EOD\n", picture->script);
}

static void plot_series(struct picture *picture, const struct coverage *coverage,
                        const char *columns)
{
    const int count = row_series_count(coverage->rows, coverage->by_device);
    for (int series = 0; series < count; series++) {
        fprintf(picture->script, "%s$rows%d using %s with points pt %d ps %g lc rgb %s title ",
                series ? ", " : "plot ", series, columns, picture_point(series),
                picture_point_size(coverage->usable), picture_colour(series));
        picture_text(picture, row_series_name(coverage->rows, coverage->by_device, series));
    }
    fputc('\n', picture->script);
}

static struct coverage coverage_of(const struct dataset_rows *rows, int kind)
{
    struct coverage coverage = {
        .rows = rows, .kind = (enum layer_kind)kind, .by_device = row_series_by_device(rows)};
    for (size_t i = 0; i < rows->count; i++)
        coverage.usable += is_shown(&coverage, &rows->rows[i]);
    coverage.step = 1 + coverage.usable / PANEL_POINT_LIMIT;
    return coverage;
}

static void draw_times(struct picture *picture, const struct coverage *coverage,
                       struct picture_range ranges[3])
{
    char title[128], note[64] = "";
    if (coverage->step > 1)
        snprintf(note, sizeof note, ", one of %zu shown", coverage->step);
    snprintf(title, sizeof title, "%s: %zu timed rows%s", layer_descriptors[coverage->kind]->name,
             coverage->usable, note);
    picture_panel(picture, title, "work (FLOP)", "time (ms)");
    const int count = row_series_count(coverage->rows, coverage->by_device);
    for (int series = 0; series < count; series++)
        put_series(picture, coverage, series, ranges);
    picture_log_axis(picture, 'x', ranges[0]);
    fputs("set format x '%.0s%c'\n", picture->script);
    picture_log_axis(picture, 'y', ranges[1]);
    plot_series(picture, coverage, "1:2");
}

static void draw_noise(struct picture *picture, const struct coverage *coverage,
                       const struct picture_range ranges[3])
{
    char title[128];
    snprintf(title, sizeof title, "%s: noise", layer_descriptors[coverage->kind]->name);
    if (!(ranges[2].high > 0))
        return; /* an import without noise */
    picture_panel(picture, title, "time (ms)", "half-width of the 95 % interval (%)");
    picture_log_axis(picture, 'x', ranges[1]);
    picture_log_axis(picture, 'y', ranges[2]);
    fputs("set key off\n", picture->script);
    plot_series(picture, coverage, "2:3");
}

void draw_dataset(struct picture *picture, const struct dataset_rows *rows, const char *title)
{
    int kinds = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        kinds += coverage_of(rows, kind).usable > 0;
    picture_layout(picture, 2, kinds > 0 ? kinds : 1, 480, 360, title);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct coverage coverage = coverage_of(rows, kind);
        struct picture_range ranges[3] = {PICTURE_RANGE_NONE, PICTURE_RANGE_NONE,
                                          PICTURE_RANGE_NONE};
        if (!coverage.usable)
            continue;
        draw_times(picture, &coverage, ranges);
        draw_noise(picture, &coverage, ranges);
    }
}
