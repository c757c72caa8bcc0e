/* The process that a sweep starts to measure: standard input is the socket. */
#include "cli/cli.h"
#include "cli/device_choice.h"

#include "bench/worker.h"

#include <unistd.h>

static enum status run(const struct settings *settings, struct error *error)
{
    const struct device_options wanted = device_options_of(settings);
    return worker_serve(STDIN_FILENO, device_name_of(settings), &wanted, error);
}

static const char *const takes[] = {"device", "threads", "seed", "autotune", NULL};
const struct command command_worker = {.name = "worker",
                                       .summary = "measure configs for a sweep",
                                       .operands = "",
                                       .examples = "",
                                       .options = takes,
                                       .run = run};
