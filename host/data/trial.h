/* Work on untrusted files, tried in a child process first: HDF5 1.10 does not survive every damaged
 * file, and a crash of the child becomes an ordinary error. */
#ifndef EPOCHCAST_DATA_TRIAL_H
#define EPOCHCAST_DATA_TRIAL_H

#include "base/error.h"

/* Runs work(payload) in a forked child and returns its status and error; its writes to memory are
 * lost. STATUS_BAD_FILE naming `path` when the child crashed or took longer than a minute. */
enum status trial_run(enum status (*work)(void *payload, struct error *error), void *payload,
                      const char *path, struct error *error);

#endif
