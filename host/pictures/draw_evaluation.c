#include "pictures/draw.h"
#include "pictures/row_series.h"

#include "base/stats.h"

#include <stdlib.h>
#include <string.h>

enum { POINT_LIMIT_ALONE = 1500, POINT_LIMIT_BESIDE = 500, ACROSS_LIMIT = 4 };

/* A far outlier must not squeeze the panels of several predictors: times are shown up to this
 * factor beyond the measured ones. */
static const double shown_beyond = 3;

/* ---- what is drawn ---- */

static struct evaluated *find_evaluated(struct evaluated_list *all, const char *name)
{
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, name) == 0)
            return &all->list[i];
    if (all->count == EVALUATED_LIMIT)
        return NULL;
    struct evaluated *added = &all->list[all->count++];
    *added = (struct evaluated){.points = NULL};
    snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

enum status evaluated_add(struct evaluated_list *all, const char *name,
                          const struct row_forecasts *forecasts, const struct dataset_rows *rows,
                          struct error *error)
{
    struct evaluated *evaluated = find_evaluated(all, name);
    const bool by_device = row_series_by_device(rows);
    if (!evaluated)
        return FAIL(error, STATUS_USAGE, "a picture holds at most %d predictors", EVALUATED_LIMIT);
    struct evaluated_point *points = realloc(
        evaluated->points, (evaluated->count + forecasts->count + 1) * sizeof *points);
    if (!points)
        return FAIL(error, STATUS_FAILED, "no memory for a picture");
    evaluated->points = points;
    for (size_t i = 0; i < forecasts->count; i++)
        points[evaluated->count++] = (struct evaluated_point){
            .kind = (int)forecasts->rows[i]->config.kind,
            .series = row_series(forecasts->rows[i], by_device),
            .measured_ms = forecasts->rows[i]->median_ms,
            .predicted_ms = forecasts->predictions[i].median_ms};
    return STATUS_OK;
}

void evaluated_free(struct evaluated_list *all)
{
    for (int i = 0; i < all->count; i++)
        free(all->list[i].points);
    all->count = 0;
}

/* ---- a panel: one predictor, one layer kind ---- */

struct panel {
    const struct evaluated *evaluated;
    const struct dataset_rows *rows;
    int kind;
    bool is_alone;       /* the only predictor */
    size_t count, step;  /* points of the kind; every step-th is drawn */
    size_t beyond_count; /* points that the axes leave out */
    struct picture_range measured, predicted;
    double median_percent, p90_percent;
};

static size_t count_kind(const struct evaluated *evaluated, int kind)
{
    size_t count = 0;
    for (size_t i = 0; i < evaluated->count; i++)
        count += evaluated->points[i].kind == kind;
    return count;
}

static void add_to_range(struct panel *panel, double predicted_ms)
{
    const double low = panel->measured.low / shown_beyond,
                 high = panel->measured.high * shown_beyond;
    if (panel->is_alone || (predicted_ms >= low && predicted_ms <= high))
        picture_range_add(&panel->predicted, predicted_ms);
    else
        panel->beyond_count++;
}

/* Ranges, median and 90th percentile of the absolute error; `buffer` holds the points. */
static void sum_up(struct panel *panel, double *buffer)
{
    const struct evaluated *evaluated = panel->evaluated;
    size_t count = 0;
    for (size_t i = 0; i < evaluated->count; i++)
        if (evaluated->points[i].kind == panel->kind)
            picture_range_add(&panel->measured, evaluated->points[i].measured_ms);
    for (size_t i = 0; i < evaluated->count; i++) {
        const struct evaluated_point *point = &evaluated->points[i];
        if (point->kind != panel->kind)
            continue;
        add_to_range(panel, point->predicted_ms);
        buffer[count++] = 100 * fabs(point->predicted_ms / point->measured_ms - 1);
    }
    stats_sort(buffer, count);
    panel->median_percent = stats_quantile(buffer, count, 0.5);
    panel->p90_percent = stats_quantile(buffer, count, 0.9);
    const size_t limit = panel->is_alone ? POINT_LIMIT_ALONE : POINT_LIMIT_BESIDE;
    panel->step = 1 + panel->count / limit;
}

/* Data block $points<series>: measured, predicted. False: none of the series. */
static bool put_series(struct picture *picture, const struct panel *panel, int series)
{
    const struct evaluated *evaluated = panel->evaluated;
    size_t seen = 0, drawn = 0;
    fprintf(picture->script, "$points%d << EOD\n", series);
    for (size_t i = 0; i < evaluated->count; i++) {
        const struct evaluated_point *point = &evaluated->points[i];
        if (point->kind != panel->kind || seen++ % panel->step != 0 || point->series != series)
            continue;
        fprintf(picture->script, "%.4g %.4g\n", point->measured_ms, point->predicted_ms);
        drawn++;
    }
    fputs("EOD\n", picture->script);
    return drawn > 0;
}

/* Predicted = measured, and bands about it. */
static void plot_bands(struct picture *picture, bool with_titles)
{
    static const char *const titles[2][3] = {{"notitle", "notitle", "notitle"},
                                             {"title '±25 %'", "title '±10 %'", "title 'exact'"}};
    const char *const *title = titles[with_titles];
    if (picture->form != PICTURE_TERMINAL)
        fprintf(picture->script,
                "plot '+' using 1:($1*0.75):($1*1.25) with filledcurves fs solid 0.10 noborder "
                "lc rgb '#7f7f7f' %s, "
                "'+' using 1:($1*0.9):($1*1.1) with filledcurves fs solid 0.22 noborder "
                "lc rgb '#7f7f7f' %s, ",
                title[0], title[1]);
    else
        fputs("plot ", picture->script);
    fprintf(picture->script, "x with lines lc rgb '#000000' %s", title[2]);
}

static void put_heading(struct picture *picture, const struct panel *panel)
{
    char title[200], label[96] = "measured (ms)";
    const char *name = panel->evaluated->name, *kind = layer_descriptors[panel->kind]->name;
    const int median_digits = panel->median_percent < 10, p90_digits = panel->p90_percent < 10;
    size_t used = strlen(label);
    if (panel->step > 1)
        used += (size_t)snprintf(label + used, sizeof label - used, ", one of %zu rows",
                                 panel->step);
    if (panel->beyond_count > 0)
        snprintf(label + used, sizeof label - used, "; %zu beyond", panel->beyond_count);
    if (panel->is_alone)
        snprintf(title, sizeof title, "%s: error %.*f %% median, %.*f %% p90, %zu rows", kind,
                 median_digits, panel->median_percent, p90_digits, panel->p90_percent,
                 panel->count);
    else
        snprintf(title, sizeof title, "%s, %s: %.*f %% median, %.*f %% p90", kind, name,
                 median_digits, panel->median_percent, p90_digits, panel->p90_percent);
    picture_panel(picture, title, label, "predicted (ms)");
}

static void draw_panel(struct picture *picture, const struct panel *panel)
{
    const bool by_device = row_series_by_device(panel->rows);
    const int count = row_series_count(panel->rows, by_device);
    bool has_points[PICTURE_COLOURS];
    put_heading(picture, panel);
    for (int series = 0; series < count; series++)
        has_points[series] = put_series(picture, panel, series);
    struct picture_range range = panel->measured;
    picture_range_add(&range, panel->predicted.low);
    picture_range_add(&range, panel->predicted.high);
    picture_log_axis(picture, 'x', range);
    picture_log_axis(picture, 'y', range);
    plot_bands(picture, panel->is_alone);
    for (int series = 0; series < count; series++) {
        if (!has_points[series])
            continue;
        fprintf(picture->script, ", $points%d using 1:2 with points pt %d ps %g lc rgb %s title ",
                series, picture_point(series), picture_point_size(panel->count),
                picture_colour(series));
        picture_text(picture, row_series_name(panel->rows, by_device, series));
    }
    fputc('\n', picture->script);
}

/* ---- the picture ---- */

struct layout {
    int kinds, across, rows_of_kind, down;
};

static struct layout lay_out(struct picture *picture, const struct evaluated_list *all,
                             const char *title)
{
    struct layout layout = {.kinds = 0};
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        layout.kinds += all->count > 0 && count_kind(&all->list[0], kind) > 0;
    const int alone = layout.kinds > 3 ? 3 : layout.kinds > 1 ? layout.kinds : 1;
    if (all->count > 1) {
        layout.across = all->count < ACROSS_LIMIT ? all->count : ACROSS_LIMIT;
        layout.rows_of_kind = (all->count + layout.across - 1) / layout.across;
        layout.down = layout.kinds * layout.rows_of_kind;
    } else {
        layout.across = alone;
        layout.down = (layout.kinds + alone - 1) / alone;
    }
    const bool is_small = layout.across > 2;
    picture_layout(picture, layout.across, layout.down > 0 ? layout.down : 1, is_small ? 400 : 480,
                   is_small ? 430 : 480, title);
    return layout;
}

static void draw_kind(struct picture *picture, const struct evaluated_list *all, int kind,
                      const struct layout *layout, const struct dataset_rows *rows, double *buffer)
{
    const int places = layout->across * layout->rows_of_kind;
    for (int i = 0; i < all->count; i++) {
        struct panel panel = {.evaluated = &all->list[i],
                              .rows = rows,
                              .kind = kind,
                              .is_alone = all->count == 1,
                              .count = count_kind(&all->list[i], kind),
                              .measured = PICTURE_RANGE_NONE,
                              .predicted = PICTURE_RANGE_NONE};
        if (panel.count > 0) {
            sum_up(&panel, buffer);
            draw_panel(picture, &panel);
        } else if (picture->is_multiple && all->count > 1)
            fputs("set multiplot next\n", picture->script);
    }
    for (int place = all->count; place < places && picture->is_multiple; place++)
        fputs("set multiplot next\n", picture->script);
}

enum status draw_evaluation(struct picture *picture, const struct evaluated_list *all,
                            const struct dataset_rows *rows, const char *title, struct error *error)
{
    double *buffer;
    size_t most = 0;
    for (int i = 0; i < all->count; i++)
        most = all->list[i].count > most ? all->list[i].count : most;
    TRY(ALLOCATE(&buffer, most, "picture", error));
    const struct layout layout = lay_out(picture, all, title);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (all->count > 0 && count_kind(&all->list[0], kind) > 0)
            draw_kind(picture, all, kind, &layout, rows, buffer);
    free(buffer);
    return STATUS_OK;
}
