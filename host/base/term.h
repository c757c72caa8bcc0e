/* Output on stderr: progress, warnings, colour. Library code gets a `struct progress *` (or NULL)
 * and calls progress_update; on a terminal it redraws one line at most 6 times per second,
 * otherwise it prints a line every 10 s. */
#ifndef EPOCHCAST_BASE_TERM_H
#define EPOCHCAST_BASE_TERM_H

#include <stdbool.h>
#include <stdio.h>

struct progress {
    FILE *file;
    bool terminal, quiet, drawn;
    double started_s, last_s; /* monotonic */
};

void progress_begin(struct progress *progress, FILE *file, bool quiet);
/* done of total (fraction for the bar and the ETA), then a short text ("loss 0.0123"). */
void progress_update(struct progress *progress, double done, double total, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Clears the bar; prints nothing else. */
void progress_end(struct progress *progress);

/* True when `file` is a terminal, TERM is not "dumb" and NO_COLOR is unset or empty. */
bool term_colour(FILE *file);

#endif
