/* What verify prints. */
#ifndef EPOCHCAST_CLI_VERIFY_TABLE_H
#define EPOCHCAST_CLI_VERIFY_TABLE_H

#include "cli/verify_run.h"

/* A measured step a row; --layers: a layer kind a row, too. On stdout. */
enum status print_verification(const struct verification *all, const struct settings *settings,
                               struct error *error);
/* Median and worst errors, on stderr. */
enum status print_verify_summary(const struct verification *all, struct error *error);

#endif
