/* The output of verify. */
#ifndef EPOCHCAST_CLI_VERIFY_TABLE_H
#define EPOCHCAST_CLI_VERIFY_TABLE_H

#include "base/table.h"
#include "cli/verify_run.h"

/* Prints one row per measured step on stdout; with_kinds: also layer kinds. */
enum status print_verification(const struct verification *all, enum table_format format,
                               bool with_kinds, struct error *error);

#endif
