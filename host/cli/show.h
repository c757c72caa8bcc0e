/* The file kinds of `show`. */
#ifndef EPOCHCAST_CLI_SHOW_H
#define EPOCHCAST_CLI_SHOW_H

#include "cli/cli.h"

/* True when the file begins as a model file does; anything else is taken for a dataset. */
bool file_is_model(const char *path);
enum status show_model(const char *path, const struct settings *settings, struct error *error);
/* Every violation of the format; STATUS_BAD_FILE when there is one. */
enum status show_check(const char *path, const struct settings *settings, struct error *error);
enum status show_dataset(const char *path, const struct settings *settings, struct error *error);

#endif
