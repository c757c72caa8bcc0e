#include "pictures/draw.h"
#include "pictures/verified_kinds.h"

/* Steps of one pass and optimizer. */
struct run {
    const struct verified_step *steps;
    int count, series;
};

/* The runs of one pass. */
struct pass_runs {
    const struct verified_network *verified;
    int32_t pass;
    struct run runs[OPTIMIZER_COUNT + 1];
    int count;
};

static struct pass_runs runs_of(const struct verified_network *verified, int32_t pass)
{
    struct pass_runs all = {.verified = verified, .pass = pass};
    const int limit = sizeof all.runs / sizeof *all.runs;
    for (int i = 0, end; i < verified->count; i = end) {
        const struct verified_step *first = &verified->steps[i];
        for (end = i + 1; end < verified->count; end++)
            if (verified->steps[end].pass != first->pass ||
                verified->steps[end].optimizer != first->optimizer)
                break;
        if (first->pass == pass && all.count < limit) {
            all.runs[all.count] = (struct run){first, end - i, all.count};
            all.count++;
        }
    }
    return all;
}

static const char *name_of(const struct run *run)
{
    return run->steps->pass == PASS_FORWARD ? "forward"
                                            : choice_name(&choice_optimizer, run->steps->optimizer);
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

static void put_title(struct picture *picture, const char *what, const struct run *run)
{
    char title[64];
    snprintf(title, sizeof title, "%s%s%s", name_of(run), *what ? ", " : "", what);
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
    put_title(picture, "predicted", run);
    if (verified->baseline_count > 0) {
        fprintf(script, ", '' using 1:%d with lines lw 1 dt 2 lc rgb %s", FIRST_BASELINE_COLUMN,
                colour);
        put_title(picture, verified->baselines[0], run);
    }
    fprintf(script, ", '' using 1:2:3 with yerrorbars pt %s ps 0.9 lw 1.2 lc rgb %s",
            picture_point(picture, number), colour);
    put_title(picture, "measured", run);
}

static void set_batch_axis(struct picture *picture, const struct verified_network *verified)
{
    struct picture_range sizes = PICTURE_RANGE_NONE;
    for (int i = 0; i < verified->count; i++)
        picture_range_add(&sizes, verified->steps[i].batch_size);
    picture_batch_axis(picture, sizes);
}

static void draw_times(struct picture *picture, const struct pass_runs *all)
{
    const struct verified_network *verified = all->verified;
    struct picture_range times = PICTURE_RANGE_NONE;
    char title[96];
    for (int i = 0; i < verified->count; i++) {
        const struct verified_step *step = &verified->steps[i];
        if (step->pass != all->pass)
            continue;
        picture_range_add(&times, step->measured_ms);
        picture_range_add(&times, step->predicted_ms);
        picture_range_add(&times, step->predicted_low_ms);
        picture_range_add(&times, step->predicted_high_ms);
        if (verified->baseline_count > 0)
            picture_range_add(&times, step->baselines_ms[0]);
    }
    snprintf(title, sizeof title, "%s: a whole step, measured and predicted",
             choice_name(&choice_pass, all->pass));
    picture_panel(picture, title, "batch size", "time");
    set_batch_axis(picture, verified);
    picture_log_axis(picture, 'y', times, SCALE_MS);
    for (int i = 0; i < all->count; i++)
        plot_times(picture, &all->runs[i], verified);
    fputc('\n', picture->script);
}

/* ---- errors ---- */

static double error_percent(const struct verified_step *step)
{
    return 100 * (step->predicted_ms / step->measured_ms - 1);
}

/* A line at 0, and in drawings the error that a forecast should not exceed. The axis is that of all
 * passes. */
static void mark_goal(struct picture *picture, const struct verified_network *verified)
{
    double low = -15, high = 15;
    for (int i = 0; i < verified->count; i++) {
        low = fmin(low, 1.1 * error_percent(&verified->steps[i]));
        high = fmax(high, 1.1 * error_percent(&verified->steps[i]));
    }
    if (picture->form != PICTURE_TERMINAL)
        fputs("set object 1 rectangle from graph 0, first -10 to graph 1, first 10 behind "
              "fc rgb '#009e73' fs transparent solid 0.12 noborder\n"
              "set label 1 '±10 %' at graph 0.99, first 10 right offset 0,0.6\n",
              picture->script);
    fprintf(picture->script,
            "set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead lc rgb '#000000'\n"
            "set yrange [%.6g:%.6g]\n",
            low, high);
}

static void plot_errors(struct picture *picture, const struct run *run)
{
    fprintf(picture->script,
            "%s$run%d using 1:(100*($4-$2)/$2) with linespoints lw 1.5 pt %s ps 0.9 lc rgb %s",
            run->series ? ", " : "plot ", run->series, picture_point(picture, run->series),
            picture_colour(run->series));
    put_title(picture, "", run);
}

static void draw_errors(struct picture *picture, const struct pass_runs *all)
{
    char title[96];
    snprintf(title, sizeof title, "%s: error of the forecast",
             choice_name(&choice_pass, all->pass));
    picture_panel(picture, title, "batch size", "predicted - measured (%)");
    set_batch_axis(picture, all->verified);
    mark_goal(picture, all->verified);
    for (int i = 0; i < all->count; i++)
        plot_errors(picture, &all->runs[i]);
    fputc('\n', picture->script);
}

/* ---- baselines ---- */

/* A forecast of every run, in one colour: column 4 is ours. */
static void plot_ratios(struct picture *picture, const struct pass_runs *all, int column,
                        int series, const char *name)
{
    for (int i = 0; i < all->count; i++) {
        fprintf(picture->script,
                ", $run%d using 1:($%d/$2) with linespoints lw %g dt %d pt %s ps 0.7 lc rgb %s ", i,
                column, series ? 1.0 : 2.0, 1 + series / PICTURE_COLOURS,
                picture_point(picture, series), picture_colour(series));
        fputs(i ? "notitle" : "title ", picture->script);
        if (i == 0)
            picture_text(picture, name);
    }
}

static void draw_ratios(struct picture *picture, const struct pass_runs *all)
{
    const struct verified_network *verified = all->verified;
    struct picture_range ratios = {0.8, 1.25};
    char title[96];
    for (int i = 0; i < verified->count; i++) {
        const struct verified_step *step = &verified->steps[i];
        picture_range_add(&ratios, step->predicted_ms / step->measured_ms);
        for (int baseline = 0; baseline < verified->baseline_count; baseline++)
            picture_range_add(&ratios, step->baselines_ms[baseline] / step->measured_ms);
    }
    snprintf(title, sizeof title, "%s: compared with the baselines",
             choice_name(&choice_pass, all->pass));
    picture_panel(picture, title, "batch size", "predicted / measured");
    set_batch_axis(picture, verified);
    picture_log_axis(picture, 'y', ratios, SCALE_NONE);
    fputs("plot 1 with lines lc rgb '#000000' notitle", picture->script);
    plot_ratios(picture, all, 4, 0, "forecast");
    for (int baseline = 0; baseline < verified->baseline_count; baseline++)
        plot_ratios(picture, all, FIRST_BASELINE_COLUMN + baseline, 1 + baseline,
                    verified->baselines[baseline]);
    fputc('\n', picture->script);
}

/* ---- layers by kind ---- */

enum { SPLIT_LIMIT = 6, SPLITS_ACROSS = 2 };

/* The largest batch sizes of every run whose layers were timed; all of them are counted. */
static int find_splits(const struct verified_step *splits[SPLIT_LIMIT],
                       const struct pass_runs *passes, int pass_count)
{
    int count = 0;
    for (int pass = 0; pass < pass_count; pass++)
        for (int i = 0; i < passes[pass].count; i++) {
            const struct run *run = &passes[pass].runs[i];
            const struct verified_step *largest = NULL;
            for (int step = 0; step < run->count; step++)
                if (run->steps[step].kind_count > 0 &&
                    (!largest || run->steps[step].batch_size > largest->batch_size))
                    largest = &run->steps[step];
            if (largest && count < SPLIT_LIMIT)
                splits[count] = largest;
            count += largest != NULL;
        }
    return count;
}

static void draw_split(struct picture *picture, const struct verified_step *step)
{
    char title[128];
    const struct run run = {.steps = step};
    snprintf(title, sizeof title, "layers within the step: %s%s, batch size %d",
             step->pass == PASS_TRAIN ? "train, " : "", name_of(&run), step->batch_size);
    draw_verified_kinds(picture, step, title);
}

/* ---- the picture ---- */

static int add_split_rows(struct picture_row *rows, int row_count,
                          const struct verified_step *const *splits, int count)
{
    for (int i = 0; i < count; i += SPLITS_ACROSS) {
        struct picture_row row = {.panels = count - i < SPLITS_ACROSS ? count - i : SPLITS_ACROSS};
        for (int j = i; j < i + row.panels; j++) {
            const int height = verified_kinds_height(splits[j]),
                      lines = verified_kinds_lines(splits[j]);
            row.height = height > row.height ? height : row.height;
            row.lines = lines > row.lines ? lines : row.lines;
        }
        rows[row_count++] = row;
    }
    return row_count;
}

static void draw_pass(struct picture *picture, const struct pass_runs *all)
{
    for (int i = 0; i < all->count; i++)
        put_data(picture, &all->runs[i], all->verified->baseline_count);
    draw_times(picture, all);
    draw_errors(picture, all);
    if (all->verified->baseline_count > 1)
        draw_ratios(picture, all);
}

void draw_verification(struct picture *picture, const struct verified_network *verified)
{
    char title[PICTURE_TEXT_SIZE];
    struct picture_row rows[PASS_COUNT + SPLIT_LIMIT];
    struct pass_runs passes[PASS_COUNT];
    const struct verified_step *splits[SPLIT_LIMIT];
    const int across = verified->baseline_count > 1 ? 3 : 2;
    int pass_count = 0, row_count = 0;
    for (int pass = 0; pass < PASS_COUNT; pass++) {
        passes[pass_count] = runs_of(verified, pass);
        if (passes[pass_count].count == 0)
            continue;
        pass_count++;
        rows[row_count++] = (struct picture_row){.panels = across, .height = 420};
    }
    const int found = find_splits(splits, passes, pass_count);
    const int split_count = found < SPLIT_LIMIT ? found : SPLIT_LIMIT;
    row_count = add_split_rows(rows, row_count, splits, split_count);
    if (found > split_count)
        picture_note(picture, "not drawn: layers of %d more steps", found - split_count);
    snprintf(title, sizeof title, "%.100s%s%.100s: %d measured steps", verified->network,
             *verified->device ? " on " : "", verified->device, verified->count);
    picture_layout(picture, across * (across > 2 ? 440 : 520), rows, row_count, title);
    for (int pass = 0; pass < pass_count; pass++)
        draw_pass(picture, &passes[pass]);
    for (int i = 0; i < split_count; i++)
        draw_split(picture, splits[i]);
}
