/* gnuplot as a child process: no shell, no file of the user's settings, commands through its
 * standard input.
 */
#ifndef EPOCHCAST_PICTURES_GNUPLOT_H
#define EPOCHCAST_PICTURES_GNUPLOT_H

#include "base/error.h"

#include <stddef.h>

/* Runs the script; what it draws is written to the descriptor `output`. STATUS_FAILED: there is no
 * gnuplot on PATH (the hint says what to install), or it ended with an error, which is quoted. */
enum status gnuplot_run(int output, const char *script, size_t size, struct error *error);

/* STATUS_FAILED when gnuplot does not run here: to be asked before work that takes long. */
enum status gnuplot_check(struct error *error);

#endif
