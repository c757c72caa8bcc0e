/* The files that a command writes, checked before any work, for every command alike: the option
 * table says which options name files, the command what its --output holds. */
#ifndef EPOCHCAST_CLI_OUTPUT_CHECK_H
#define EPOCHCAST_CLI_OUTPUT_CHECK_H

#include "cli/cli.h"

/* STATUS_USAGE: an output is also an input (the same file, also over links), exists without
 * --overwrite, or is a file of another kind, which --overwrite does not replace either.
 * STATUS_FAILED: it cannot be written there. Creates nothing. */
enum status outputs_check(const struct settings *settings, const struct command *command,
                          struct error *error);

#endif
