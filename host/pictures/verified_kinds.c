#include "pictures/verified_kinds.h"

#include <math.h>

/* The three times of a kind: one bar each. */
static const struct {
    const char *name, *colour;
    size_t offset;
} times[] = {
    {"measured within the step", "'#000000'", offsetof(struct verified_kind, in_place_ms)},
    {"predicted", "'#0072b2'", offsetof(struct verified_kind, predicted_ms)},
    {"measured alone", "'#e69f00'", offsetof(struct verified_kind, alone_ms)},
};
enum { TIME_COUNT = sizeof times / sizeof *times };

static double time_of(const struct verified_kind *kind, int which)
{
    return *(const double *)((const char *)kind + times[which].offset);
}

static int shown_count(const struct verified_step *step)
{
    for (int i = 0; i < step->kind_count; i++)
        if (isfinite(step->kinds[i].alone_ms))
            return TIME_COUNT;
    return TIME_COUNT - 1;
}

int verified_kinds_height(const struct verified_step *step)
{
    return 150 + 20 * shown_count(step) * step->kind_count;
}

int verified_kinds_lines(const struct verified_step *step)
{
    return 9 + shown_count(step) * step->kind_count;
}

/* Data blocks $kinds<which>: time, place from above, the time as a text. */
static void put_data(struct picture *picture, const struct verified_step *step, int which)
{
    const int shown = shown_count(step);
    fprintf(picture->script, "$kinds%d << EOD\n", which);
    for (int i = 0; i < step->kind_count; i++) {
        const double ms = time_of(&step->kinds[i], which);
        char text[HUMAN_TEXT_SIZE];
        if (isfinite(ms))
            fprintf(picture->script, "%.9g %.4g \"%s\"\n", ms,
                    i + 0.8 * ((which + 0.5) / shown - 0.5), human_text(text, SCALE_MS, ms, 3));
    }
    fputs("EOD\n", picture->script);
}

static void set_axes(struct picture *picture, const struct verified_step *step)
{
    double end = 0;
    for (int i = 0; i < step->kind_count; i++)
        for (int which = 0; which < TIME_COUNT; which++)
            end = fmax(end, time_of(&step->kinds[i], which));
    picture_linear_axis(picture, 'x', 1.2 * end, SCALE_MS);
    fprintf(picture->script, "set yrange [%d.5:-0.5]\nset ytics (", step->kind_count - 1);
    for (int i = 0; i < step->kind_count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s \u00d7%d", step->kinds[i].name, step->kinds[i].layer_count);
        fputs(i ? ", " : "", picture->script);
        picture_tic_text(picture, name);
        fprintf(picture->script, " %d", i);
    }
    fputs(")\nset ytics scale 0\nset grid noytics\n", picture->script);
}

void draw_verified_kinds(struct picture *picture, const struct verified_step *step,
                         const char *title)
{
    const int shown = shown_count(step);
    const bool is_drawn = picture->form != PICTURE_TERMINAL;
    picture_panel(picture, title, "time of the kind's layers", "");
    set_axes(picture, step);
    for (int which = 0; which < shown; which++)
        put_data(picture, step, which);
    for (int which = 0; which < shown; which++) {
        const double half = 0.36 / shown;
        fprintf(picture->script, "%s$kinds%d using ", which ? ", " : "plot ", which);
        if (is_drawn)
            fprintf(picture->script,
                    "(0):2:(0):1:($2-%g):($2+%g) with boxxyerror fs solid 0.85 noborder", half,
                    half);
        else
            fputs("(0):2:1:(0) with vectors nohead", picture->script);
        fprintf(picture->script, " lc rgb %s title '%s'", times[which].colour, times[which].name);
        if (is_drawn)
            fputs(", '' using 1:2:3 with labels left offset 0.4,0 notitle", picture->script);
    }
    fputc('\n', picture->script);
}
