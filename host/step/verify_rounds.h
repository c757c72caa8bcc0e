/* Times of a network's steps on a device, measured in rounds: each round measures every step once,
 * so that a temporary disturbance of the machine hits different steps each time. */
#ifndef EPOCHCAST_STEP_VERIFY_ROUNDS_H
#define EPOCHCAST_STEP_VERIFY_ROUNDS_H

#include "base/term.h"
#include "step/verify.h"

#include <signal.h>

enum { VERIFY_STEP_CAP_MS = 9000 }; /* whole steps take long, and one sample has no interval */

struct verify_rounds_options {
    int round_count;                            /* >= 1 */
    struct measure_options measure;             /* cap_ms: of all rounds of a layer together; cache:
                                                 * of layers alone */
    double step_cap_ms;                         /* of all rounds of a step together */
    bool has_layers_in_place, has_layers_alone; /* time layers as well */
    struct progress *progress;                  /* or NULL */
    const volatile sig_atomic_t *interrupted;   /* or NULL; set: ends after the step */
};

struct verify_times {
    struct measurement step;        /* outcome out_of_memory: times are NaN */
    double *in_place_ms, *alone_ms; /* (layer_count) or NULL: neither asked for nor measured */
};

/* times (count), the fastest of the rounds: of the step asked[i] (batch size, pass, optimizer,
 * precision), of each layer within it, of each layer separately. STATUS_INTERRUPTED when
 * interrupted. verify_times_free releases, also after a failure. */
enum status verify_rounds(struct verify_times *times, const struct layer_config *asked, int count,
                          const struct network *network, struct device *device,
                          const struct verify_rounds_options *options, struct error *error);
void verify_times_free(struct verify_times *times, int count);

#endif
