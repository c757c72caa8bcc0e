/* --plot FILE.svg|png|-: a picture of what a command prints. */
#ifndef EPOCHCAST_CLI_PLOT_OPTION_H
#define EPOCHCAST_CLI_PLOT_OPTION_H

#include "cli/cli.h"
#include "pictures/picture.h"

/* Before the work: name and form go together, gnuplot runs, the file can be written. Without --plot
 * nothing. */
enum status plot_check(const struct settings *settings, struct error *error);
/* An empty picture in the form that was asked for. */
enum status plot_begin(struct picture *picture, const struct settings *settings,
                       struct error *error);
/* Unless `status` says that drawing failed: writes it to the file or the terminal. Frees it. */
enum status plot_end(struct picture *picture, enum status status, const struct settings *settings,
                     struct error *error);

#endif
