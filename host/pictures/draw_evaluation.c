#include "pictures/draw.h"
#include "pictures/evaluation_dots.h"
#include "pictures/row_series.h"

#include "base/stats.h"

#include <stdlib.h>
#include <string.h>

enum { POINT_LIMIT = 1500, ACROSS_LIMIT = 3 };

/* A far outlier must not squeeze all panels: times are shown up to this factor beyond the measured
 * ones. */
static const double shown_beyond = 10;

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

enum status evaluated_add(struct evaluated_list *all, const char *predictor,
                          int32_t calibration_rows, const struct row_forecasts *forecasts,
                          const struct dataset_rows *rows, struct error *error)
{
    char name[EVALUATED_NAME_SIZE];
    const bool by_device = row_series_by_device(rows);
    all->predictor = all->predictor ? all->predictor : predictor;
    if (strcmp(all->predictor, predictor) != 0)
        return STATUS_OK;
    snprintf(name, sizeof name, calibration_rows < 0 ? "%s" : "%s + %d rows", predictor,
             calibration_rows);
    struct evaluated *evaluated = find_evaluated(all, name);
    if (!evaluated)
        return FAIL(error, STATUS_USAGE, "a picture holds at most %d calibrations",
                    EVALUATED_LIMIT);
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
    bool is_named;              /* beside other predictors */
    size_t count, step;         /* points of the kind; every step-th is drawn */
    size_t beyond_count;        /* points that the axes leave out */
    struct picture_range range; /* of both axes, of all panels */
    double median_percent, p90_percent;
};

static size_t count_kind(const struct evaluated *evaluated, int kind)
{
    size_t count = 0;
    for (size_t i = 0; i < evaluated->count; i++)
        count += evaluated->points[i].kind == kind;
    return count;
}

/* Of all points: the measured times, and forecasts that are not far beyond them. */
static struct picture_range range_of(const struct evaluated_list *all)
{
    struct picture_range measured = PICTURE_RANGE_NONE;
    for (int i = 0; i < all->count; i++)
        for (size_t j = 0; j < all->list[i].count; j++)
            picture_range_add(&measured, all->list[i].points[j].measured_ms);
    struct picture_range range = measured;
    for (int i = 0; i < all->count; i++)
        for (size_t j = 0; j < all->list[i].count; j++) {
            const double ms = all->list[i].points[j].predicted_ms;
            if (ms >= measured.low / shown_beyond && ms <= measured.high * shown_beyond)
                picture_range_add(&range, ms);
        }
    return range;
}

/* Counts, and the absolute errors; `buffer` holds the points. */
static void sum_up(struct panel *panel, double *buffer)
{
    const struct evaluated *evaluated = panel->evaluated;
    size_t count = 0;
    for (size_t i = 0; i < evaluated->count; i++) {
        const struct evaluated_point *point = &evaluated->points[i];
        if (point->kind != panel->kind)
            continue;
        panel->beyond_count += !(point->predicted_ms >= panel->range.low &&
                                 point->predicted_ms <= panel->range.high);
        buffer[count++] = 100 * fabs(point->predicted_ms / point->measured_ms - 1);
    }
    stats_sort(buffer, count);
    panel->median_percent = stats_quantile(buffer, count, 0.5);
    panel->p90_percent = stats_quantile(buffer, count, 0.9);
    panel->step = 1 + panel->count / POINT_LIMIT;
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

static void put_heading(struct picture *picture, const struct panel *panel)
{
    char title[200], label[96] = "measured", median[HUMAN_TEXT_SIZE], p90[HUMAN_TEXT_SIZE];
    size_t used = strlen(label);
    if (panel->step > 1)
        used += (size_t)snprintf(label + used, sizeof label - used, ", one of %zu rows",
                                 panel->step);
    if (panel->beyond_count > 0)
        snprintf(label + used, sizeof label - used, "; %zu beyond", panel->beyond_count);
    snprintf(title, sizeof title, "%s%s%s: error %s median, %s p90, %zu rows",
             layer_descriptors[panel->kind]->name, panel->is_named ? ", " : "",
             panel->is_named ? panel->evaluated->name : "",
             human_text(median, SCALE_PERCENT, panel->median_percent, 0),
             human_text(p90, SCALE_PERCENT, panel->p90_percent, 0), panel->count);
    picture_panel(picture, title, label, "predicted");
}

static void draw_panel(struct picture *picture, const struct panel *panel)
{
    const bool by_device = row_series_by_device(panel->rows);
    const int count = row_series_count(panel->rows, by_device);
    bool has_points[PICTURE_COLOURS];
    put_heading(picture, panel);
    for (int series = 0; series < count; series++)
        has_points[series] = put_series(picture, panel, series);
    picture_log_axis(picture, 'x', panel->range, SCALE_MS);
    picture_log_axis(picture, 'y', panel->range, SCALE_MS);
    plot_bands(picture);
    for (int series = 0; series < count; series++) {
        if (!has_points[series])
            continue;
        fprintf(picture->script, ", $points%d using 1:2 with points pt %s ps %g lc rgb %s title ",
                series, picture_point(picture, series), picture_point_size(panel->count),
                picture_colour(series));
        picture_text(picture, row_series_name(panel->rows, by_device, series));
    }
    fputc('\n', picture->script);
}

/* ---- the picture ---- */

enum { SCATTER_LIMIT = 2 * LAYER_KIND_COUNT };
struct scatter {
    struct panel panels[SCATTER_LIMIT];
    int count;
};

static enum status add_scatter(struct scatter *scatter, const struct evaluation_drawing *drawing,
                               struct error *error)
{
    double *buffer;
    size_t most = 0;
    const struct evaluated_list *points = drawing->points;
    const struct picture_range range = range_of(points);
    for (int i = 0; i < points->count; i++)
        most = points->list[i].count > most ? points->list[i].count : most;
    TRY(ALLOCATE(&buffer, most, "picture", error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = 0; i < points->count && scatter->count < SCATTER_LIMIT; i++) {
            struct panel panel = {.evaluated = &points->list[i],
                                  .rows = drawing->rows,
                                  .kind = kind,
                                  .is_named = points->count > 1,
                                  .count = count_kind(&points->list[i], kind),
                                  .range = range};
            if (!panel.count)
                continue;
            sum_up(&panel, buffer);
            scatter->panels[scatter->count++] = panel;
        }
    free(buffer);
    return STATUS_OK;
}

/* Rows of at most ACROSS_LIMIT panels. */
static int add_rows(struct picture_row *rows, int row_count, int panel_count, int across,
                    struct picture_row row)
{
    for (int done = 0; done < panel_count && row_count < PICTURE_ROW_LIMIT; done += across) {
        row.panels = panel_count - done < across ? panel_count - done : across;
        rows[row_count++] = row;
    }
    return row_count;
}

static void lay_out(struct picture *picture, const struct scatter *scatter,
                    const struct error_panels *errors, const char *title)
{
    struct picture_row rows[PICTURE_ROW_LIMIT];
    const struct picture_row dots = {0, errors->height, errors->lines}, points = {0, 460, 0};
    const int most = scatter->count > errors->count ? scatter->count : errors->count;
    const int across = most > ACROSS_LIMIT ? ACROSS_LIMIT : most > 1 ? most : 1;
    int row_count = add_rows(rows, 0, errors->count,
                             errors->across < across ? errors->across : across, dots);
    row_count = add_rows(rows, row_count, scatter->count, across, points);
    if (!row_count)
        rows[row_count++] = (struct picture_row){1, 460, 0};
    picture_layout(picture, across * (across > 2 ? 440 : 520), rows, row_count, title);
}

enum status draw_evaluation(struct picture *picture, const struct evaluation_drawing *drawing,
                            struct error *error)
{
    struct scatter scatter = {.count = 0};
    struct error_panels *errors;
    char title[PICTURE_TEXT_SIZE];
    const size_t row_count = drawing->points->count > 0 ? drawing->points->list[0].count : 0;
    TRY(add_scatter(&scatter, drawing, error));
    TRY(error_panels_create(&errors, drawing, error));
    if (errors->left_out_count > 0)
        picture_note(picture, "not drawn: %d more lines of errors", errors->left_out_count);
    name_rows(title, sizeof title, drawing->rows, row_count, drawing->what);
    lay_out(picture, &scatter, errors, title);
    draw_error_panels(picture, errors);
    for (int i = 0; i < scatter.count; i++)
        draw_panel(picture, &scatter.panels[i]);
    if (picture->panel_count == 0)
        picture_empty_panel(picture, "no forecasts");
    free(errors);
    return STATUS_OK;
}
