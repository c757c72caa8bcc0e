/* A picture: rows of panels, described as gnuplot commands and inline data, then drawn.
 *
 * Names are not trusted: every text goes through picture_text or picture_tic_text, which remove
 * everything that gnuplot, SVG or a terminal would interpret. Colours: Okabe & Ito's palette,
 * distinguishable with any colour blindness, each with its own shape.
 */
#ifndef EPOCHCAST_PICTURES_PICTURE_H
#define EPOCHCAST_PICTURES_PICTURE_H

#include "base/error.h"
#include "base/human.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum picture_form {
    PICTURE_SVG,      /* a separate file, white background */
    PICTURE_INLINE,   /* for an HTML page: one SVG per panel, which the page places, with title and
                         note; no background; the page restyles black and grey */
    PICTURE_PNG,      /* twice the pixels of the panels' sizes */
    PICTURE_TERMINAL, /* characters; panels below each other */
};

enum { PICTURE_ROW_LIMIT = 40, PICTURE_TEXT_SIZE = 512 };

/* Panels side by side, which share the picture's width; height in points. */
struct picture_row {
    int panels, height;
    int lines; /* in a terminal, at least; 0: as many as the terminal has */
};

struct picture {
    enum picture_form form;
    bool colour;       /* of PICTURE_TERMINAL: escape codes are understood */
    int columns, rows; /* of PICTURE_TERMINAL: characters of a panel */
    FILE *script;      /* what gnuplot will read; in memory */
    char *text;
    size_t size;
    char title[PICTURE_TEXT_SIZE], note[PICTURE_TEXT_SIZE];
    struct picture_row row_list[PICTURE_ROW_LIMIT];
    int row_count, width, height;
    int panel_count; /* begun so far */
    bool is_multiple;
};

/* ".svg", ".png", or "-" for the terminal; STATUS_USAGE: something else. */
enum status picture_form_of(enum picture_form *form, const char *path, struct error *error);

/* For a terminal, the panel's size in characters is that of stdout (else $COLUMNS, $LINES; 80 x
 * 24). */
enum status picture_create(struct picture *picture, enum picture_form form, struct error *error);
void picture_free(struct picture *picture);

/* A line below all panels: what the picture leaves out. Call before picture_layout; texts of
 * several calls are joined by "; ". On a page or in a terminal the caller shows picture->note. */
void picture_note(struct picture *picture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Call first: `width` points, rows of panels (row_count >= 1), the title above all of them. */
void picture_layout(struct picture *picture, int width, const struct picture_row *rows,
                    int row_count, const char *title);
/* Begins the next panel and resets the settings of the previous one; plot commands may follow.
 * Texts may be "". */
void picture_panel(struct picture *picture, const char *title, const char *x_label,
                   const char *y_label);

/* A panel that says why there is nothing to draw. */
void picture_empty_panel(struct picture *picture, const char *title);

/* A quoted string, for titles and labels; for the names of tics. */
void picture_text(struct picture *picture, const char *text);
void picture_tic_text(struct picture *picture, const char *text);

/* Series i's "lc rgb '#...'", and its point type; repeated after PICTURE_COLOURS. */
enum { PICTURE_COLOURS = 7 };
const char *picture_colour(int series);
const char *picture_point(const struct picture *picture, int series);
/* Point size for a cloud of `count` points. */
double picture_point_size(size_t count);

/* The range of values on an axis; begin with PICTURE_RANGE_NONE. Only values above 0 count. */
struct picture_range {
    double low, high;
};
#define PICTURE_RANGE_NONE ((struct picture_range){INFINITY, 0})
void picture_range_add(struct picture_range *range, double value);
/* A logarithmic axis ('x' or 'y') that covers the range. Tics are values of the scale: "200 us", "2
 * min"; SCALE_NONE: plain numbers. */
void picture_log_axis(struct picture *picture, char axis, struct picture_range range,
                      enum unit_scale scale);
/* A linear axis from 0 to `end`, with round tics of the scale. */
void picture_linear_axis(struct picture *picture, char axis, double end, enum unit_scale scale);
/* An axis of batch sizes or numbers of devices, to base 2. */
void picture_batch_axis(struct picture *picture, struct picture_range range);

/* Draws into `path`, completely or not at all; replaces an existing file. STATUS_FAILED: gnuplot
 * fails or draws only a part, or the file cannot be written. */
enum status picture_save(struct picture *picture, const char *path, struct error *error);
/* Draws into memory; the caller frees *text, which ends in '\0'. */
enum status picture_render(char **text, size_t *size, struct picture *picture, struct error *error);

#endif
