/* --plot FILE.svg|png|-: a picture of a command's output. */
#ifndef EPOCHCAST_CLI_PLOT_OPTION_H
#define EPOCHCAST_CLI_PLOT_OPTION_H

#include "cli/cli.h"
#include "pictures/picture.h"

/* Checks before the work that the name fits the output form and gnuplot runs; outputs_check has
 * checked the file. Does nothing without --plot. */
enum status plot_check(const struct settings *settings, struct error *error);
/* Begins an empty picture in the requested form. */
enum status plot_begin(struct picture *picture, const struct settings *settings,
                       struct error *error);
/* Writes the picture to the file or the terminal unless `status` is an error. Frees it. */
enum status plot_end(struct picture *picture, enum status status, const struct settings *settings,
                     struct error *error);

#endif
