/* The output of verify. */
#ifndef EPOCHCAST_CLI_VERIFY_TABLE_H
#define EPOCHCAST_CLI_VERIFY_TABLE_H

#include "base/table.h"
#include "cli/verify_run.h"
#include "step/verified_step.h"

/* Prints one row per measured step on stdout; with_kinds: also layer kinds. */
enum status print_verification(const struct verification *all, enum table_format format,
                               bool with_kinds, const struct caveats *caveats, struct error *error);
/* The layers of a step that were timed in place, by kind: kinds (VERIFIED_KIND_LIMIT); the count.
 */
int verified_kinds(struct verified_kind *kinds, const struct verify_row *row,
                   const struct network *network);

#endif
