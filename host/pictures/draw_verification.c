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

/* Data block $run<series>: batch size, measured and half-width, predicted, low, high, roofline. */
static void put_data(struct picture *picture, const struct run *run)
{
    fprintf(picture->script, "$run%d << EOD\n", run->series);
    for (int i = 0; i < run->count; i++) {
        const struct verified_step *step = &run->steps[i];
        fprintf(picture->script, "%d %.9g %.9g %.9g %.9g %.9g %.9g\n", step->batch_size,
                step->measured_ms, isfinite(step->measured_ci_ms) ? step->measured_ci_ms : 0,
                step->predicted_ms, step->predicted_low_ms, step->predicted_high_ms,
                step->roofline_ms);
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

static void plot_times(struct picture *picture, const struct run *run, int32_t pass)
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
    put_title(picture, "predicted", run, pass);
    fprintf(script, ", '' using 1:7 with lines lw 1 dt 2 lc rgb %s", colour);
    put_title(picture, "roofline", run, pass);
    fprintf(script, ", '' using 1:2:3 with yerrorbars pt %d ps 0.9 lw 1.2 lc rgb %s",
            picture_point(number), colour);
    put_title(picture, "measured", run, pass);
}

static void plot_errors(struct picture *picture, const struct run *run, int32_t pass)
{
    fprintf(picture->script,
            "%s$run%d using 1:(100*($4-$2)/$2) with linespoints lw 1.5 pt %d ps 0.9 lc rgb %s",
            run->series ? ", " : "plot ", run->series, picture_point(run->series),
            picture_colour(run->series));
    put_title(picture, "", run, pass);
}

static void set_axes(struct picture *picture, const struct verified_step *steps, int count,
                     bool of_times)
{
    struct picture_range sizes = PICTURE_RANGE_NONE, times = PICTURE_RANGE_NONE;
    for (int i = 0; i < count; i++) {
        const struct verified_step *step = &steps[i];
        const double shown_ms[] = {step->measured_ms, step->predicted_ms, step->predicted_low_ms,
                                   step->predicted_high_ms, step->roofline_ms};
        picture_range_add(&sizes, step->batch_size);
        for (size_t j = 0; j < sizeof shown_ms / sizeof *shown_ms; j++)
            picture_range_add(&times, shown_ms[j]);
    }
    picture_batch_axis(picture, sizes);
    if (of_times)
        picture_log_axis(picture, 'y', times);
}

/* A line at 0, and in a drawing what a forecast is wanted to keep to. */
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

void draw_verification(struct picture *picture, const struct verified_step *steps, int count,
                       const char *network, const char *device, int32_t pass)
{
    char title[256];
    struct run run = before_first_run;
    snprintf(title, sizeof title, "%s, %s on %s", network, choice_name(&choice_pass, pass), device);
    picture_layout(picture, 2, 1, 520, 440, title);
    while (next_run(&run, steps, count))
        put_data(picture, &run);
    picture_panel(picture, "a whole step, measured and predicted", "batch size", "time (ms)");
    set_axes(picture, steps, count, true);
    for (run = before_first_run; next_run(&run, steps, count);)
        plot_times(picture, &run, pass);
    fputc('\n', picture->script);
    picture_panel(picture, "error of the forecast", "batch size", "predicted - measured (%)");
    set_axes(picture, steps, count, false);
    mark_goal(picture);
    for (run = before_first_run; next_run(&run, steps, count);)
        plot_errors(picture, &run, pass);
    fputc('\n', picture->script);
}
