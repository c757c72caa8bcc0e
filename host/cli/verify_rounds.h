/* What a network's steps take on a device, measured in rounds: each round visits every step once,
 * so that what disturbs the machine for a while meets different steps each time.
 */
#ifndef EPOCHCAST_CLI_VERIFY_ROUNDS_H
#define EPOCHCAST_CLI_VERIFY_ROUNDS_H

#include "cli/cli.h"
#include "step/verify.h"

struct verify_times {
    struct measurement step;        /* outcome out_of_memory: times are NaN */
    double *in_place_ms, *alone_ms; /* (layer_count) or NULL: neither asked for nor measured */
};

/* times (count), the fastest of `round_count` rounds: of the step asked[i] (batch size, pass,
 * optimizer, precision), with --layers of each layer within it, with --sum of each layer alone.
 * --cap-ms is for all rounds of a step, or of a layer, together. verify_times_free releases,
 * whatever came of it. */
enum status verify_rounds(struct verify_times *times, const struct layer_config *asked, int count,
                          int round_count, const struct network *network, struct device *device,
                          const struct settings *settings, struct error *error);
void verify_times_free(struct verify_times *times, int count);

#endif
