/* Files that are named more than once. */
#ifndef EPOCHCAST_CLI_OPERANDS_H
#define EPOCHCAST_CLI_OPERANDS_H

#include "cli/cli.h"
#include "data/dataset.h"

/* Drops operands that name the same file (also over links) or network as an earlier one, with one
 * note. Not where the command counts repeats itself. */
void operands_once(struct settings *settings, const struct command *command);

/* Notes the rows that several datasets hold: a copy, or a part and the merged whole. */
void note_repeats(const struct dataset_rows *rows, const struct settings *settings);

#endif
