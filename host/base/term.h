/* Output on a terminal: progress, notes, colour. Library code gets a `struct progress *` (or NULL)
 * and calls progress_update; on a terminal it redraws one line at most 6 times per second, never
 * wider than the terminal is at that moment; otherwise it prints a line every 10 s. */
#ifndef EPOCHCAST_BASE_TERM_H
#define EPOCHCAST_BASE_TERM_H

#include <stdbool.h>
#include <stdio.h>

struct progress {
    FILE *file;
    bool terminal, quiet, drawn;
    double started_s, last_s;           /* monotonic */
    double stage_s, stage_share, share; /* the ETA counts from here: time, share; share now */
    int columns, bar_cells;             /* of the line drawn last */
};

void progress_begin(struct progress *progress, FILE *file, bool quiet);
/* Work that an earlier run did is no measure of this run's speed: the ETA counts from here. A share
 * that falls (the next file, the next fit) does the same. NULL is allowed, here and below. */
void progress_resume(struct progress *progress, double done, double total);
/* done of total (fraction for the bar and the ETA), then a short text ("loss 0.0123"), cut if the
 * line is longer than the terminal is wide. The beginning (done 0) is drawn at once. */
void progress_update(struct progress *progress, double done, double total, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Clears the bar; prints nothing else. */
void progress_end(struct progress *progress);

/* A whole line of its own, above the progress line if there is one; from any thread. */
void term_line(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Columns of the terminal at this moment; 80 when it says none, or `file` is none. */
int term_columns(FILE *file);

/* False when NO_COLOR is not empty; true when CLICOLOR_FORCE is neither empty nor "0"; otherwise
 * true when `file` is a terminal and TERM is not "dumb". */
bool term_colour(FILE *file);

/* Role of a text; its look on a terminal. */
enum term_style { TERM_ERROR, TERM_WARNING, TERM_NOTE, TERM_HINT, TERM_HEADING };
/* Escape sequences that begin the style and end it; "" where there is no colour. */
const char *term_style(FILE *file, enum term_style style);
const char *term_plain(FILE *file);

/* As fprintf; a first word "warning:", "note:" or "hint:" has its style. */
void term_message(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
