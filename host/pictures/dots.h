/* A panel of errors: one line per name, with the median and the 90th percentile as dots. */
#ifndef EPOCHCAST_PICTURES_DOTS_H
#define EPOCHCAST_PICTURES_DOTS_H

#include "pictures/picture.h"

enum { DOT_NAME_SIZE = 160, DOT_LIMIT = 40 };

struct dots {
    struct dot {
        char name[DOT_NAME_SIZE];
        double median_percent, p90_percent; /* absolute errors */
        double coverage_percent;            /* of the intervals; NaN: unknown */
    } list[DOT_LIMIT];
    int count;
    int left_out_count; /* dots beyond the limit */
};

/* The next dot, all zero, or NULL when the panel is full. */
struct dot *dots_add(struct dots *dots);
/* Height of a panel in points; lines of a terminal. */
int dots_height(int count);
int dots_lines(int count);

void dots_range(struct picture_range *range, const struct dots *dots);
/* Panels of one range have the same axis. */
void draw_dots(struct picture *picture, const struct dots *dots, const char *title,
               struct picture_range range);
/* Coverage of the intervals, 0 to 100 %. */
void draw_coverages(struct picture *picture, const struct dots *dots, const char *title);

#endif
