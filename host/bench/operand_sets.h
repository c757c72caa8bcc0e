/* Operands as a layer finds them within a step: between two uses of a tensor the other layers have
 * filled the last-level cache with theirs. A layer that is timed alone therefore takes turns on
 * several sets of operands, which together fill that cache several times, and its phases work on
 * different sets: as in a step, the backward pass no longer finds in the cache what the forward
 * pass wrote.
 *
 * Other ways, for resnet18 at batch 4 with SGD on a processor with 32 MiB of last-level cache: sum
 * of the layers' times less the step's, in percent of that, forward and training; and the layers of
 * single kinds in the forward pass of training against their times within the step.
 *
 *                                           forward  training   pool2d  batch_norm  addition
 *   one set (hot)                              -8.0      -2.5      -21         -27       -66
 *   sets in turn, all phases on one            -0.5      -0.1       +1         +30        +9
 *   sets in turn, phase by phase (here)        -0.6      +0.1       -1         +18        +2
 *   the same, inputs read just before          -1.7      -0.4      -25         -11       -22
 *   the same, outputs written before as well   -3.9      -1.2      -21         -14       -55
 *
 * Of a few MiB that the layer before has just written, presumably, not all is in the cache, and its
 * way to memory competes with the reads: with warm inputs the layers come out too fast.
 */
#ifndef EPOCHCAST_BENCH_OPERAND_SETS_H
#define EPOCHCAST_BENCH_OPERAND_SETS_H

#include "bench/backend.h"

enum {
    OPERAND_CACHE_FILLS = 3, /* one between the uses of a tensor by two phases */
    OPERAND_SET_LIMIT = 256, /* a set costs about 10 us to make */
    OPERAND_ROOM_SHARE = 2,  /* sets take at most this fraction of the free arena: 1 / 2 */
    OPERAND_PHASE_COUNT = 3, /* enum phase */
};

/* Sets for a plan whose set has that many bytes, 1..OPERAND_SET_LIMIT: as many as fill the cache
 * OPERAND_CACHE_FILLS times; one of unknown size counts as 32 MiB. */
int operand_set_count(int64_t operand_bytes, const struct operand_room *room);

/* The set on which a phase (0..2: forward, backward, update) works in call 0, 1, ... In the first
 * calls a phase stays on the set of the phase before it, whose results it needs. */
int operand_set_of(int64_t call, int phase, int set_count);

#endif
