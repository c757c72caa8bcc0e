/* The device a command measures on. */
#ifndef EPOCHCAST_CLI_DEVICE_CHOICE_H
#define EPOCHCAST_CLI_DEVICE_CHOICE_H

#include "bench/measure.h"
#include "cli/cli.h"

/* --device, or the first backend other than the fake that has a device. */
const char *device_name_of(const struct settings *settings);
struct device_options device_options_of(const struct settings *settings);
/* Opens that device. */
enum status open_device(struct device **device, const struct settings *settings,
                        struct error *error);
/* --cap-ms, --target-percent, --cache. */
struct measure_options measure_options_of(const struct settings *settings);

/* "note: TEXT" on stderr. */
void cli_note(const char *text);
/* Notes more --threads than processors that this process may use; not with --quiet. */
void cli_note_threads(const struct settings *settings);
/* Notes devices whose rows were measured with more threads than their machine has cores. */
void cli_note_shared_cores(const struct device_info *devices, int count);
/* Notes which devices of one name are two, and what differs. */
void cli_note_namesakes(const struct device_info *devices, int count);

#endif
