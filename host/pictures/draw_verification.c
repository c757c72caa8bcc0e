#include "pictures/draw.h"

/* Steps of one optimizer. */
struct run {
    const struct verified_step *steps;
    int first, count, series;
};

static bool next_run(struct run *run, const struct verified_step *steps, int count)
{
    const int first = run->first + run->count;
    if (first >= count)
        return false;
    *run = (struct run){.steps = steps + first, .first = first, .series = run->series + 1};
    while (first + run->count < count &&
           steps[first + run->count].optimizer == steps[first].optimizer)
        run->count++;
    return true;
}
static const struct run before_first_run = {.series = -1};

static const char *name_of(const struct run *run, int32_t pass)
{
    return pass == PASS_FORWARD ? "forward" : choice_name(&choice_optimizer, run->steps->optimizer);
}

/* Column of baseline i in the data blocks. */
enum { FIRST_BASELINE_COLUMN = 7 };

/* Data block $run<series>: batch size, measured and half-width, predicted, low, high, baselines. */
static void put_data(struct picture *picture, const struct run *run, int baseline_count)
{
    fprintf(picture->script, "$run%d << EOD\n", run->series);
    for (int i = 0; i < run->count; i++) {
        const struct verified_step *step = &run->steps[i];
        fprintf(picture->script, "%d %.9g %.9g %.9g %.9g %.9g", step->batch_size, step->measured_ms,
                isfinite(step->measured_ci_ms) ? step->measured_ci_ms : 0, step->predicted_ms,
                step->predicted_low_ms, step->predicted_high_ms);
        for (int baseline = 0; baseline < baseline_count; baseline++)
            fprintf(picture->script, " %.9g", step->baselines_ms[baseline]);
        fputc('\n', picture->script);
    }
    fputs("EOD\n", picture->script);
}

static void put_title(struct picture *picture, const char *what, const struct run *run,
                      int32_t pass)
{
    char title[64];
    snprintf(title, sizeof title, "%s%s%s", name_of(run, pass), *what ? ", " : "", what);
    fputs(" title ", picture->script);
    picture_text(picture, title);
}

/* ---- times ---- */

static void plot_times(struct picture *picture, const struct run *run,
                       const struct verified_network *verified)
{
    FILE *script = picture->script;
    const char *colour = picture_colour(run->series);
    const int number = run->series;
    fputs(number ? ", " : "plot ", script);
    if (picture->form != PICTURE_TERMINAL)
        fprintf(script,
                "$run%d using 1:5:6 with filledcurves fs transparent solid 0.18 noborder lc rgb %s "
                "notitle, ",
                number, colour);
    fprintf(script, "$run%d using 1:4 with lines lw 1.5 lc rgb %s", number, colour);
    put_title(picture, "predicted", run, verified->pass);
    if (verified->baseline_count > 0) {
        fprintf(script, ", '' using 1:%d with lines lw 1 dt 2 lc rgb %s", FIRST_BASELINE_COLUMN,
                colour);
        put_title(picture, verified->baselines[0], run, verified->pass);
    }
    fprintf(script, ", '' using 1:2:3 with yerrorbars pt %d ps 0.9 lw 1.2 lc rgb %s",
            picture_point(number), colour);
    put_title(picture, "measured", run, verified->pass);
}

static void set_batch_axis(struct picture *picture, const struct verified_network *verified)
{
    struct picture_range sizes = PICTURE_RANGE_NONE;
    for (int i = 0; i < verified->count; i++)
        picture_range_add(&sizes, verified->steps[i].batch_size);
    picture_batch_axis(picture, sizes);
}

static void draw_times(struct picture *picture, const struct verified_network *verified)
{
    struct picture_range times = PICTURE_RANGE_NONE;
    for (int i = 0; i < verified->count; i++) {
        const struct verified_step *step = &verified->steps[i];
        picture_range_add(&times, step->measured_ms);
        picture_range_add(&times, step->predicted_ms);
        picture_range_add(&times, step->predicted_low_ms);
        picture_range_add(&times, step->predicted_high_ms);
        if (verified->baseline_count > 0)
            picture_range_add(&times, step->baselines_ms[0]);
    }
    picture_panel(picture, "a whole step, measured and predicted", "batch size", "time (ms)");
    set_batch_axis(picture, verified);
    picture_log_axis(picture, 'y', times);
    for (struct run run = before_first_run; next_run(&run, verified->steps, verified->count);)
        plot_times(picture, &run, verified);
    fputc('\n', picture->script);
}

/* ---- errors ---- */

/* A line at 0, and in drawings the error that a forecast should not exceed. */
static void mark_goal(struct picture *picture)
{
    if (picture->form != PICTURE_TERMINAL)
        fputs("set object 1 rectangle from graph 0, first -10 to graph 1, first 10 behind "
              "fc rgb '#009e73' fs transparent solid 0.12 noborder\n"
              "set label 1 '±10 %' at graph 0.99, first 10 right offset 0,0.6\n",
              picture->script);
    fputs("set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead lc rgb '#000000'\n"
          "set yrange [*<-15:15<*]\n",
          picture->script);
}

static void plot_errors(struct picture *picture, const struct run *run, int32_t pass)
{
    fprintf(picture->script,
            "%s$run%d using 1:(100*($4-$2)/$2) with linespoints lw 1.5 pt %d ps 0.9 lc rgb %s",
            run->series ? ", " : "plot ", run->series, picture_point(run->series),
            picture_colour(run->series));
    put_title(picture, "", run, pass);
}

static void draw_errors(struct picture *picture, const struct verified_network *verified)
{
    picture_panel(picture, "error of the forecast", "batch size", "predicted - measured (%)");
    set_batch_axis(picture, verified);
    mark_goal(picture);
    for (struct run run = before_first_run; next_run(&run, verified->steps, verified->count);)
        plot_errors(picture, &run, verified->pass);
    fputc('\n', picture->script);
}

/* ---- baselines ---- */

/* A forecast of every run, in one colour: column 4 is ours. */
static void plot_ratios(struct picture *picture, const struct verified_network *verified,
                        int column, int series, const char *name)
{
    for (struct run run = before_first_run; next_run(&run, verified->steps, verified->count);) {
        fprintf(picture->script,
                ", $run%d using 1:($%d/$2) with linespoints lw %g dt %d pt %d ps 0.7 lc rgb %s ",
                run.series, column, series ? 1.0 : 2.0, 1 + series / PICTURE_COLOURS,
                picture_point(series), picture_colour(series));
        fputs(run.series ? "notitle" : "title ", picture->script);
        if (run.series == 0)
            picture_text(picture, name);
    }
}

static void draw_ratios(struct picture *picture, const struct verified_network *verified)
{
    struct picture_range ratios = {0.8, 1.25};
    for (int i = 0; i < verified->count; i++) {
        const struct verified_step *step = &verified->steps[i];
        picture_range_add(&ratios, step->predicted_ms / step->measured_ms);
        for (int baseline = 0; baseline < verified->baseline_count; baseline++)
            picture_range_add(&ratios, step->baselines_ms[baseline] / step->measured_ms);
    }
    picture_panel(picture, "compared with the baselines", "batch size", "predicted / measured");
    set_batch_axis(picture, verified);
    picture_log_axis(picture, 'y', ratios);
    fputs("plot 1 with lines lc rgb '#000000' notitle", picture->script);
    plot_ratios(picture, verified, 4, 0, "forecast");
    for (int baseline = 0; baseline < verified->baseline_count; baseline++)
        plot_ratios(picture, verified, FIRST_BASELINE_COLUMN + baseline, 1 + baseline,
                    verified->baselines[baseline]);
    fputc('\n', picture->script);
}

void draw_verification(struct picture *picture, const struct verified_network *verified)
{
    char title[256];
    const bool with_ratios = verified->baseline_count > 1;
    snprintf(title, sizeof title, "%.100s, %s%s%.100s", verified->network,
             choice_name(&choice_pass, verified->pass), *verified->device ? " on " : "",
             verified->device);
    picture_layout(picture, with_ratios ? 3 : 2, 1, with_ratios ? 440 : 520, 440, title);
    for (struct run run = before_first_run; next_run(&run, verified->steps, verified->count);)
        put_data(picture, &run, verified->baseline_count);
    draw_times(picture, verified);
    draw_errors(picture, verified);
    if (with_ratios)
        draw_ratios(picture, verified);
}
