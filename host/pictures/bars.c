#include "pictures/bars.h"

#include <string.h>

enum { NAME_CHARACTERS = 32 };

void bar_name(struct bar *bar, const char *text)
{
    size_t characters = 0;
    for (const char *at = text; *at; at++)
        characters += (*at & 0xc0) != 0x80;
    const bool is_long = characters > NAME_CHARACTERS;
    for (; characters > NAME_CHARACTERS; text++)
        characters -= (text[1] & 0xc0) != 0x80;
    snprintf(bar->name, sizeof bar->name, "%s%s", is_long ? "…" : "", text);
}

int bars_height(int count)
{
    const int height = 130 + 20 * count;
    return height > 220 ? height : 220;
}

int bars_lines(int count)
{
    return count + 8;
}

/* Bars of a series that are bounds, or that are not. */
static bool has_bars(const struct bars *bars, int series, bool is_bound)
{
    for (int i = 0; i < bars->count; i++)
        if (bars->list[i].series == series && bars->list[i].is_bound == is_bound)
            return true;
    return false;
}

/* Data blocks $bars<series>_<is_bound>: value, place from above, low, high, the value as a text. */
static void put_data(struct picture *picture, const struct bars *bars, int series, bool is_bound)
{
    fprintf(picture->script, "$bars%d_%d << EOD\n", series, is_bound);
    for (int i = 0; i < bars->count; i++) {
        const struct bar *bar = &bars->list[i];
        char text[HUMAN_TEXT_SIZE];
        if (bar->series == series && bar->is_bound == is_bound)
            fprintf(picture->script, "%.9g %d %.9g %.9g \"%s%s%s\"\n", bar->value, i, bar->low,
                    bar->high, bar->is_bound ? "≥ " : "",
                    human_text(text, bars->scale, bar->value, 3), bar->is_marked ? " *" : "");
    }
    fputs("EOD\n", picture->script);
}

static void plot_series(struct picture *picture, const struct bars *bars, int series, bool is_bound)
{
    FILE *script = picture->script;
    const bool is_drawn = picture->form != PICTURE_TERMINAL;
    const bool is_named = !is_bound || !has_bars(bars, series, false);
    fprintf(script, "$bars%d_%d using %s lc rgb %s%s title ", series, is_bound,
            is_drawn ? "(0):2:(0):1:($2-0.4):($2+0.4) with boxxyerror"
                     : "(0):2:1:(0) with vectors nohead",
            picture_colour(series),
            !is_drawn  ? ""
            : is_bound ? " fs pattern 4 border"
                       : " fs solid 0.85 noborder");
    picture_text(picture, is_named ? bars->series_names[series] : "");
    if (is_drawn) /* the interval below the text */
        fprintf(script, ", '' using 1:($2+0.3):3:4 with xerrorbars pt 0 lc rgb '#000000' notitle"
                        ", '' using 1:($2-0.08):5 with labels left offset 0.4,0 notitle");
    else
        fputs(", '' using 1:2:3:4 with xerrorbars pt 'o' lc rgb '#7f7f7f' notitle"
              ", '' using ($4 > $1 ? $4 : $1):2:5 with labels left offset 1,0 notitle",
              script);
}

/* Entries for what a bar's hatching and its asterisk say. */
static void plot_keys(struct picture *picture, const struct bars *bars)
{
    const bool is_drawn = picture->form != PICTURE_TERMINAL;
    bool has_bound = false, has_mark = false;
    for (int i = 0; i < bars->count; i++) {
        has_bound |= bars->list[i].is_bound;
        has_mark |= bars->list[i].is_marked;
    }
    if (has_bound && bars->bound_name) {
        fprintf(picture->script, ", keyentry with %s lc rgb '#7f7f7f'%s title ",
                is_drawn ? "boxes" : "lines", is_drawn ? " fs pattern 4 border" : "");
        picture_text(picture, bars->bound_name);
    }
    if (has_mark && bars->mark_name) {
        fputs(", keyentry with points pt '*' lc rgb '#000000' title ", picture->script);
        picture_text(picture, bars->mark_name);
    }
    fputc('\n', picture->script);
}

static void set_axes(struct picture *picture, const struct bars *bars)
{
    double end = 0;
    for (int i = 0; i < bars->count; i++) {
        const struct bar *bar = &bars->list[i];
        end = fmax(end, fmax(1.2 * bar->value, 1.02 * bar->high)); /* fmax ignores NaN */
    }
    if (picture->form == PICTURE_TERMINAL) /* values are behind the intervals, in large letters */
        end *= 1.2;
    picture_linear_axis(picture, 'x', end, bars->scale);
    fprintf(picture->script, "set yrange [%d.5:-0.5]\nset ytics (", bars->count - 1);
    for (int i = 0; i < bars->count; i++) {
        fputs(i ? ", " : "", picture->script);
        picture_tic_text(picture, bars->list[i].name);
        fprintf(picture->script, " %d", i);
    }
    fputs(")\nset ytics scale 0\nset grid noytics\n", picture->script);
}

void draw_bars(struct picture *picture, const struct bars *bars, const char *title,
               const char *x_label)
{
    const char *separator = "plot ";
    picture_panel(picture, title, x_label, "");
    set_axes(picture, bars);
    for (int series = 0; series < bars->series_count; series++)
        for (int is_bound = 0; is_bound < 2; is_bound++)
            if (has_bars(bars, series, is_bound))
                put_data(picture, bars, series, is_bound);
    for (int series = 0; series < bars->series_count; series++)
        for (int is_bound = 0; is_bound < 2; is_bound++)
            if (has_bars(bars, series, is_bound)) {
                fputs(separator, picture->script);
                plot_series(picture, bars, series, is_bound);
                separator = ", ";
            }
    plot_keys(picture, bars);
}
