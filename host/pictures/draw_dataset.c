#include "pictures/device_names.h"
#include "pictures/draw.h"
#include "pictures/row_series.h"

#include "predictors/row_selection.h"

/* More points than this would hide each other: an even selection is drawn. */
enum { PANEL_POINT_LIMIT = 1500 };

struct coverage {
    const struct dataset_rows *rows;
    enum layer_kind kind;
    bool by_device;
    bool by_bytes;       /* the work: of kinds that move elements and compute nothing */
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

static double work_of(const struct coverage *coverage, const struct measurement *row)
{
    const struct cost cost = layer_cost(&row->config);
    return coverage->by_bytes ? cost.bytes_read + cost.bytes_written : cost.flops;
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
        const double shown[] = {work_of(coverage, row), row->median_ms, noise_percent(row)};
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
        fprintf(picture->script, "%s$rows%d using %s with points pt %s ps %g lc rgb %s title ",
                series ? ", " : "plot ", series, columns, picture_point(picture, series),
                picture_point_size(coverage->usable), picture_colour(series));
        picture_text(picture, row_series_name(coverage->rows, coverage->by_device, series));
    }
    fputc('\n', picture->script);
}

static struct coverage coverage_of(const struct dataset_rows *rows, int kind)
{
    struct coverage coverage = {
        .rows = rows, .kind = (enum layer_kind)kind, .by_device = row_series_by_device(rows)};
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        if (!is_shown(&coverage, row))
            continue;
        coverage.usable++;
        coverage.by_bytes |= !(layer_cost(&row->config).flops > 0);
    }
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
    picture_panel(picture, title, coverage->by_bytes ? "bytes moved" : "work (FLOP)", "time");
    const int count = row_series_count(coverage->rows, coverage->by_device);
    for (int series = 0; series < count; series++)
        put_series(picture, coverage, series, ranges);
    picture_log_axis(picture, 'x', ranges[0], SCALE_NUMBER);
    picture_log_axis(picture, 'y', ranges[1], SCALE_MS);
    plot_series(picture, coverage, "1:2");
}

static void draw_noise(struct picture *picture, const struct coverage *coverage,
                       const struct picture_range ranges[3])
{
    char title[128];
    snprintf(title, sizeof title, "%s: noise", layer_descriptors[coverage->kind]->name);
    picture_panel(picture, title, "time", "half-width of the 95 % interval (%)");
    picture_log_axis(picture, 'x', ranges[1], SCALE_MS);
    picture_log_axis(picture, 'y', ranges[2], SCALE_NONE);
    plot_series(picture, coverage, "2:3");
}

/* An import may come without noise. */
static bool has_noise(const struct coverage *coverage)
{
    for (size_t i = 0; i < coverage->rows->count; i++)
        if (is_shown(coverage, &coverage->rows->rows[i]) &&
            noise_percent(&coverage->rows->rows[i]) > 0)
            return true;
    return false;
}

/* ---- the picture ---- */

struct kinds {
    struct coverage list[LAYER_KIND_COUNT];
    bool has_noise[LAYER_KIND_COUNT];
    int count;
    size_t usable;
};

static struct kinds kinds_of(const struct dataset_rows *rows)
{
    struct kinds kinds = {.count = 0};
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct coverage coverage = coverage_of(rows, kind);
        if (!coverage.usable)
            continue;
        kinds.has_noise[kinds.count] = has_noise(&coverage);
        kinds.list[kinds.count++] = coverage;
        kinds.usable += coverage.usable;
    }
    return kinds;
}

void name_rows(char *title, size_t size, const struct dataset_rows *rows, size_t count,
               const char *what)
{
    const struct device_info *devices[NAMED_DEVICES];
    for (int i = 0; i < rows->device_count && i < NAMED_DEVICES; i++)
        devices[i] = &rows->devices[i];
    const size_t used = name_devices(title, size, devices, rows->device_count);
    snprintf(title + used, size - used, "%s%zu %s", used ? ": " : "", count, what);
}

void draw_dataset(struct picture *picture, const struct dataset_rows *rows)
{
    const struct kinds kinds = kinds_of(rows);
    struct picture_row panels[LAYER_KIND_COUNT + 1] = {{1, 360, 0}};
    char title[PICTURE_TEXT_SIZE];
    for (int i = 0; i < kinds.count; i++)
        panels[i] = (struct picture_row){1 + kinds.has_noise[i], 360, 0};
    name_rows(title, sizeof title, rows, kinds.usable, "timed rows");
    picture_layout(picture, 960, panels, kinds.count > 0 ? kinds.count : 1, title);
    for (int i = 0; i < kinds.count; i++) {
        struct picture_range ranges[3] = {PICTURE_RANGE_NONE, PICTURE_RANGE_NONE,
                                          PICTURE_RANGE_NONE};
        draw_times(picture, &kinds.list[i], ranges);
        if (kinds.has_noise[i])
            draw_noise(picture, &kinds.list[i], ranges);
    }
    if (kinds.count == 0)
        picture_empty_panel(picture, "no timed rows");
}
