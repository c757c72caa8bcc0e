/* The panels of errors of an evaluation: by predictor, by group, by slices of the rows. */
#ifndef EPOCHCAST_PICTURES_EVALUATION_DOTS_H
#define EPOCHCAST_PICTURES_EVALUATION_DOTS_H

#include "pictures/dots.h"
#include "pictures/draw.h"

enum { ERROR_PANEL_LIMIT = 24 };

struct error_panels {
    struct error_panel {
        struct dots dots;
        char title[DOT_NAME_SIZE];
        bool is_coverage;
    } list[ERROR_PANEL_LIMIT];
    int count, across;          /* panels; how many stand side by side */
    int height, lines;          /* of each, as in struct picture_row */
    int left_out_count;         /* lines without a place */
    struct picture_range range; /* of the errors: one axis for all */
};

/* The caller frees *panels. */
enum status error_panels_create(struct error_panels **panels,
                                const struct evaluation_drawing *drawing, struct error *error);
void draw_error_panels(struct picture *picture, const struct error_panels *panels);

#endif
