/* Which options need or exclude one another: an option that would be ignored is refused. */
#ifndef EPOCHCAST_CLI_OPTION_RULES_H
#define EPOCHCAST_CLI_OPTION_RULES_H

#include "cli/cli.h"

bool option_is_given(const struct settings *settings, const char *name);
/* The first of the names (ended by NULL) that is given, or NULL. */
const char *option_first_given(const struct settings *settings, const char *const *names);

/* STATUS_USAGE names both options. */
enum status option_rules_check(const struct settings *settings, const struct command *command,
                               struct error *error);

#endif
