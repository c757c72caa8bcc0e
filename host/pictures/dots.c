#include "pictures/dots.h"

/* The axis is logarithmic: errors below this have their dot here. */
static const double least_percent = 0.1;

struct dot *dots_add(struct dots *dots)
{
    if (dots->count == DOT_LIMIT) {
        dots->left_out_count++;
        return NULL;
    }
    dots->list[dots->count] = (struct dot){.coverage_percent = NAN};
    return &dots->list[dots->count++];
}

int dots_height(int count)
{
    const int height = 140 + 20 * count;
    return height > 220 ? height : 220;
}

int dots_lines(int count)
{
    return count + 9;
}

void dots_range(struct picture_range *range, const struct dots *dots)
{
    for (int i = 0; i < dots->count; i++) {
        picture_range_add(range, fmax(dots->list[i].median_percent, least_percent));
        picture_range_add(range, fmax(dots->list[i].p90_percent, least_percent));
    }
}

/* Data block $dots: median, place from above, 90th percentile, coverage. */
static void put_data(struct picture *picture, const struct dots *dots)
{
    fputs("$dots << EOD\n", picture->script);
    for (int i = 0; i < dots->count; i++) {
        const struct dot *dot = &dots->list[i];
        fprintf(picture->script, "%.6g %d %.6g %.6g\n", fmax(dot->median_percent, least_percent), i,
                fmax(dot->p90_percent, least_percent), dot->coverage_percent);
    }
    fputs("EOD\n", picture->script);
}

static void name_lines(struct picture *picture, const struct dots *dots)
{
    fprintf(picture->script, "set yrange [%d.5:-0.5]\nset ytics (", dots->count - 1);
    for (int i = 0; i < dots->count; i++) {
        fputs(i ? ", " : "", picture->script);
        picture_tic_text(picture, dots->list[i].name);
        fprintf(picture->script, " %d", i);
    }
    fputs(")\nset ytics scale 0\n", picture->script);
}

void draw_dots(struct picture *picture, const struct dots *dots, const char *title,
               struct picture_range range)
{
    picture_panel(picture, title, "absolute error", "");
    picture_log_axis(picture, 'x', range, SCALE_PERCENT);
    name_lines(picture, dots);
    put_data(picture, dots);
    fputs(picture->form == PICTURE_TERMINAL
              ? "plot "
              : "plot $dots using 1:2:($3-$1):(0) with vectors nohead lw 1.5 lc rgb '#9a9a9a' "
                "notitle, ",
          picture->script);
    fprintf(picture->script,
            "$dots using 1:2 with points pt 7 ps 0.9 lc rgb %s title 'median', "
            "'' using 3:2 with points pt 9 ps 0.9 lc rgb %s title '90th percentile'\n",
            picture_colour(0), picture_colour(1));
}

void draw_coverages(struct picture *picture, const struct dots *dots, const char *title)
{
    picture_panel(picture, title, "rows within their interval", "");
    picture_linear_axis(picture, 'x', 100, SCALE_PERCENT);
    name_lines(picture, dots);
    put_data(picture, dots);
    fprintf(picture->script, "plot $dots using 4:2 with points pt 7 ps 0.9 lc rgb %s notitle\n",
            picture_colour(2));
}
