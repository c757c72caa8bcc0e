/* gnuplot as a child process: without shell or user settings, with commands through its standard
 * input. */
#ifndef EPOCHCAST_PICTURES_GNUPLOT_H
#define EPOCHCAST_PICTURES_GNUPLOT_H

#include "base/error.h"

#include <stddef.h>

/* Runs the script and writes its picture to the descriptor `output`. STATUS_FAILED: gnuplot is not
 * on PATH (the hint names the package), or ended with an error, which the message quotes. */
enum status gnuplot_run(int output, const char *script, size_t size, struct error *error);

/* STATUS_FAILED when gnuplot does not run here. Call it before long work. */
enum status gnuplot_check(struct error *error);

#endif
