/* A panel of horizontal bars, the first one above. A bound has a hatched bar. */
#ifndef EPOCHCAST_PICTURES_BARS_H
#define EPOCHCAST_PICTURES_BARS_H

#include "pictures/picture.h"

enum { BAR_NAME_SIZE = 128, BAR_LIMIT = 40, BAR_SERIES_LIMIT = PICTURE_COLOURS };

struct bar {
    char name[BAR_NAME_SIZE];
    int series;              /* colour, and entry of the legend */
    bool is_bound;           /* a lower bound, not a forecast */
    bool is_marked;          /* with an asterisk */
    double value, low, high; /* NaN low and high: no interval */
};

struct bars {
    struct bar list[BAR_LIMIT];
    int count;
    enum unit_scale scale; /* of the values */
    const char *series_names[BAR_SERIES_LIMIT];
    int series_count;
    const char *bound_name, *mark_name; /* entries of the legend, where a bar has it */
};

/* The bar's name; of a long text the end, which tells layers apart. */
void bar_name(struct bar *bar, const char *text);

/* Height of the panel in points; lines of a terminal. */
int bars_height(int count);
int bars_lines(int count);

/* Begins the panel, and draws it. */
void draw_bars(struct picture *picture, const struct bars *bars, const char *title,
               const char *x_label);

#endif
