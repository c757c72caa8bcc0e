#include "pictures/forecast_panels.h"

#include <string.h>

const struct forecast_grid_row *grid_row(const struct forecast_grid *all, int device, int step,
                                         int gpus, int batch)
{
    const struct network_selection *selection = &all->request->selection;
    return &all->rows[((device * selection->step_count + step) * all->request->gpus_count + gpus) *
                          selection->batch_count +
                      batch];
}

int grid_largest_batch(const struct forecast_grid *all)
{
    const struct network_selection *selection = &all->request->selection;
    int largest = 0;
    for (int i = 1; i < selection->batch_count; i++)
        if (selection->batch_sizes[i] > selection->batch_sizes[largest])
            largest = i;
    return largest;
}

void step_name(char name[STEP_NAME_SIZE], int32_t pass, int32_t optimizer)
{
    if (pass == PASS_TRAIN)
        snprintf(name, STEP_NAME_SIZE, "train, %s", choice_name(&choice_optimizer, optimizer));
    else
        snprintf(name, STEP_NAME_SIZE, "%s", choice_name(&choice_pass, pass));
}

/* ---- quantities, at a time of the step ---- */

static double throughput(const struct forecast *forecast, double ms)
{
    return 1000 * (double)forecast->global_batch_size / ms;
}

static double time_of(const struct forecast *forecast, double ms)
{
    (void)forecast;
    return ms;
}

static double cost_of(const struct forecast *forecast, double ms)
{
    const double cost = isnan(forecast->cost) ? forecast->epoch_cost : forecast->cost;
    return cost * ms / forecast->batch_ms;
}

static const struct quantity {
    double (*value)(const struct forecast *forecast, double ms);
    enum unit_scale scale;
    const char *title, *label;
} quantities[] = {
    [QUANTITY_THROUGHPUT] = {throughput, SCALE_NUMBER, "throughput", "samples per second"},
    [QUANTITY_TIME] = {time_of, SCALE_MS, "time of a step", "time"},
    [QUANTITY_COST] = {cost_of, SCALE_MONEY, "cost of an epoch", "cost"},
};

bool grid_has_cost(const struct forecast_grid *all)
{
    for (int i = 0; i < all->count; i++)
        if (isnan(all->rows[i].forecast.epoch_cost))
            return false;
    return true;
}

const char *quantity_title(const struct forecast_grid *all, enum forecast_quantity quantity)
{
    const bool is_run = quantity == QUANTITY_COST && !isnan(all->rows[0].forecast.cost);
    return is_run ? "cost of all epochs" : quantities[quantity].title;
}

/* ---- the curves of a panel ---- */

struct curves {
    const struct forecast_grid *all;
    const struct curve_panel *panel;
    const struct quantity *quantity;
    int count, point_count;    /* curves; points of each */
    struct picture_range x, y; /* y: without the intervals */
    double interval_high;
};

static const struct forecast_grid_row *point_of(const struct curves *curves, int curve, int point)
{
    const struct curve_panel *panel = curves->panel;
    const int device = panel->step < 0 ? 0 : curve, step = panel->step < 0 ? curve : panel->step;
    return panel->by_gpus
               ? grid_row(curves->all, device, step, point, grid_largest_batch(curves->all))
               : grid_row(curves->all, device, step, 0, point);
}

static double x_of(const struct curves *curves, const struct forecast *forecast)
{
    return curves->panel->by_gpus ? forecast->device_count : forecast->batch_size;
}

/* The quantity at an end of the interval; a time of 0 is no time. */
static double at_bound(const struct curves *curves, const struct forecast *forecast, double ms)
{
    static const double least_share = 0.02;
    return curves->quantity->value(forecast,
                                   isnan(ms) ? NAN : fmax(ms, least_share * forecast->batch_ms));
}

static void add_to_ranges(struct curves *curves, const struct forecast *forecast)
{
    const double low = at_bound(curves, forecast, forecast->batch_low_ms),
                 high = at_bound(curves, forecast, forecast->batch_high_ms);
    picture_range_add(&curves->x, x_of(curves, forecast));
    picture_range_add(&curves->y, curves->quantity->value(forecast, forecast->batch_ms));
    curves->interval_high = fmax(curves->interval_high, fmax(low, high));
}

static struct curves curves_of(const struct forecast_grid *all, const struct curve_panel *panel)
{
    const struct forecast_request *request = all->request;
    const int count = panel->step < 0 ? request->selection.step_count : request->device_count;
    struct curves curves = {.all = all,
                            .panel = panel,
                            .quantity = &quantities[panel->quantity],
                            .count = count < PICTURE_COLOURS ? count : PICTURE_COLOURS,
                            .point_count = panel->by_gpus ? request->gpus_count
                                                          : request->selection.batch_count,
                            .x = PICTURE_RANGE_NONE,
                            .y = PICTURE_RANGE_NONE};
    for (int curve = 0; curve < curves.count; curve++)
        for (int point = 0; point < curves.point_count; point++)
            add_to_ranges(&curves, &point_of(&curves, curve, point)->forecast);
    return curves;
}

/* ---- data ---- */

/* Data blocks $curve<i>: x, value, both ends of the interval, the first value times the number of
 * devices; $large<i>: x and value of points that do not fit in memory. */
static void put_data(struct picture *picture, const struct curves *curves, int curve)
{
    FILE *script = picture->script;
    const struct forecast *first = &point_of(curves, curve, 0)->forecast;
    const double first_value = curves->quantity->value(first, first->batch_ms);
    fprintf(script, "$curve%d << EOD\n", curve);
    for (int point = 0; point < curves->point_count; point++) {
        const struct forecast *one = &point_of(curves, curve, point)->forecast;
        fprintf(script, "%g %.9g %.9g %.9g %.9g\n", x_of(curves, one),
                curves->quantity->value(one, one->batch_ms),
                at_bound(curves, one, one->batch_low_ms), at_bound(curves, one, one->batch_high_ms),
                first_value * one->device_count / first->device_count);
    }
    fprintf(script, "EOD\n$large%d << EOD\n", curve);
    for (int point = 0; point < curves->point_count; point++) {
        const struct forecast *one = &point_of(curves, curve, point)->forecast;
        if (!one->fits)
            fprintf(script, "%g %.9g\n", x_of(curves, one),
                    curves->quantity->value(one, one->batch_ms));
    }
    fputs("EOD\n", script);
}

static bool has_large(const struct curves *curves, int curve)
{
    for (int point = 0; point < curves->point_count; point++)
        if (!point_of(curves, curve, point)->forecast.fits)
            return true;
    return false;
}

/* ---- the knee, and the memory's limit ---- */

/* The smallest batch size of nearly the highest throughput; -1: too few points to have one. */
static int knee_of(const struct curves *curves, int curve)
{
    enum { POINTS_LEAST = 4 };
    static const double share = 0.9;
    double best = 0;
    int knee = -1;
    if (curves->panel->quantity != QUANTITY_THROUGHPUT || curves->panel->by_gpus ||
        curves->point_count < POINTS_LEAST)
        return -1;
    for (int point = 0; point < curves->point_count; point++) {
        const struct forecast *one = &point_of(curves, curve, point)->forecast;
        best = fmax(best, throughput(one, one->batch_ms));
    }
    for (int point = 0; point < curves->point_count; point++) {
        const struct forecast *one = &point_of(curves, curve, point)->forecast;
        const bool is_smaller = knee < 0 || one->batch_size <
                                                point_of(curves, curve, knee)->forecast.batch_size;
        if (is_smaller && throughput(one, one->batch_ms) >= share * best)
            knee = point;
    }
    return knee;
}

static void put_knees(struct picture *picture, const struct curves *curves)
{
    fputs("$knees << EOD\n", picture->script);
    for (int curve = 0; curve < curves->count; curve++) {
        const int knee = knee_of(curves, curve);
        if (knee < 0)
            continue;
        const struct forecast *one = &point_of(curves, curve, knee)->forecast;
        fprintf(picture->script, "%g %.9g\n", x_of(curves, one), throughput(one, one->batch_ms));
    }
    fputs("EOD\n", picture->script);
}

/* A line at the largest batch size that fits, in the curve's colour. False: none within the axis.
 */
static bool mark_limit(struct picture *picture, const struct curves *curves, int curve)
{
    const struct forecast_grid_row *row = point_of(curves, curve, 0);
    const double largest = curves->panel->by_gpus
                               ? -1
                               : (double)forecast_grid_largest_batch(curves->all->request, row);
    if (!(largest >= curves->x.low && largest <= curves->x.high))
        return false;
    fprintf(picture->script,
            "set arrow from first %g, graph 0 to first %g, graph 1 nohead dt 3 lw 1.5 lc rgb %s\n",
            largest, largest, picture_colour(curve));
    return true;
}

/* ---- drawing ---- */

static void set_axes(struct picture *picture, const struct curves *curves)
{
    static const double linear_ratio = 30, interval_share = 1.5;
    const bool is_scaling = curves->panel->by_gpus &&
                            curves->panel->quantity == QUANTITY_THROUGHPUT;
    const bool is_log = is_scaling || curves->panel->quantity == QUANTITY_TIME ||
                        curves->y.high > linear_ratio * curves->y.low;
    struct picture_range shown = curves->y;
    const double high = fmin(curves->interval_high, interval_share * curves->y.high);
    picture_range_add(&shown, high);
    picture_batch_axis(picture, curves->x);
    if (is_log)
        picture_log_axis(picture, 'y', shown, curves->quantity->scale);
    else
        picture_linear_axis(picture, 'y', 1.08 * shown.high, curves->quantity->scale);
}

static void put_name(struct picture *picture, const struct curves *curves, int curve)
{
    const struct forecast_grid_row *row = point_of(curves, curve, 0);
    char name[STEP_NAME_SIZE];
    step_name(name, row->forecast.pass, row->forecast.optimizer);
    fputs(" title ", picture->script);
    picture_text(picture, curves->panel->step < 0 ? name : row->device->info->name);
}

static void plot_curve(struct picture *picture, const struct curves *curves, int curve)
{
    FILE *script = picture->script;
    const char *colour = picture_colour(curve);
    fputs(curve ? ", " : "plot ", script);
    if (picture->form != PICTURE_TERMINAL)
        fprintf(script,
                "$curve%d using 1:3:4 with filledcurves fs transparent solid 0.16 noborder "
                "lc rgb %s notitle, ",
                curve, colour);
    else
        fprintf(script, "$curve%d using 1:2:3:4 with yerrorbars pt %s lc rgb %s notitle, ", curve,
                picture_point(picture, curve), colour);
    if (curves->panel->by_gpus && curves->panel->quantity == QUANTITY_THROUGHPUT)
        fprintf(script, "$curve%d using 1:5 with lines lw 1 dt 2 lc rgb '#7f7f7f' %s, ", curve,
                curve ? "notitle" : "title 'without communication'");
    fprintf(script, "$curve%d using 1:2 with linespoints lw 1.5 pt %s ps 0.7 lc rgb %s", curve,
            picture_point(picture, curve), colour);
    put_name(picture, curves, curve);
}

static void plot_marks(struct picture *picture, const struct curves *curves, bool has_limit)
{
    FILE *script = picture->script;
    bool is_named = false;
    for (int curve = 0; curve < curves->count; curve++)
        if (has_large(curves, curve)) {
            fprintf(script, ", $large%d using 1:2 with points pt 2 ps 1.4 lw 1.5 lc rgb '#000000' ",
                    curve);
            fputs(is_named ? "notitle" : "title 'does not fit in memory'", script);
            is_named = true;
        }
    if (knee_of(curves, 0) >= 0)
        fputs(", $knees using 1:2 with points pt 6 ps 1.7 lw 1.2 lc rgb '#000000' "
              "title '90 % of the highest'",
              script);
    if (has_limit)
        fputs(", keyentry with lines dt 3 lw 1.5 lc rgb '#7f7f7f' title 'largest that fits'",
              script);
    fputc('\n', script);
}

static void put_heading(struct picture *picture, const struct curves *curves)
{
    const struct forecast_grid *all = curves->all;
    const struct forecast *first = &point_of(curves, 0, 0)->forecast;
    char title[200], step[STEP_NAME_SIZE] = "", where[64] = "";
    if (curves->panel->step >= 0)
        step_name(step, first->pass, first->optimizer);
    if (curves->panel->by_gpus)
        snprintf(where, sizeof where, ", batch size %d", first->batch_size);
    else if (all->request->is_parallel)
        snprintf(where, sizeof where, ", %d GPU%s", first->device_count,
                 first->device_count > 1 ? "s" : "");
    snprintf(title, sizeof title, "%s%s%s%s", quantity_title(all, curves->panel->quantity),
             *step ? ": " : "", step, where);
    picture_panel(picture, title, curves->panel->by_gpus ? "GPUs" : "batch size",
                  curves->quantity->label);
}

void draw_curves(struct picture *picture, const struct forecast_grid *all,
                 const struct curve_panel *panel)
{
    const struct curves curves = curves_of(all, panel);
    bool has_limit = false;
    put_heading(picture, &curves);
    set_axes(picture, &curves);
    for (int curve = 0; curve < curves.count; curve++) {
        put_data(picture, &curves, curve);
        has_limit |= mark_limit(picture, &curves, curve);
    }
    put_knees(picture, &curves);
    for (int curve = 0; curve < curves.count; curve++)
        plot_curve(picture, &curves, curve);
    plot_marks(picture, &curves, has_limit);
}
