/* Time on a CUDA stream, and recordings of work whose replays are timed. */
#ifndef EPOCHCAST_CUDA_TIMER_H
#define EPOCHCAST_CUDA_TIMER_H

#include "base/error.h"

#include <cuda_runtime.h>
#include <stdbool.h>

struct cuda_timer {
    cudaStream_t stream;                   /* borrowed */
    cudaEvent_t started, stopped;          /* around what the host enqueues */
    cudaEvent_t first_node, last_node;     /* of a recording */
    cudaGraphExec_t recording;             /* or NULL */
    int replay_count;                      /* since the start */
    bool spins;                            /* a kernel holds the device while the host launches */
    double inside_error_ms, spin_error_ms; /* of a replay's time; INFINITY: not looked at */
};

/* Creates the events. Close it in any case; a zeroed one may be closed, too. */
enum status cuda_timer_open(struct cuda_timer *timer, cudaStream_t stream, struct error *error);
void cuda_timer_close(struct cuda_timer *timer);

/* Asks this device how replays are to be timed: K empty kernels beside 2 K of them tell what a
 * replay's time holds beside its kernels. Above 2 us (1 % of the shortest sample) with the events
 * inside the recording, and less with events behind a kernel that spins: `spins`. */
enum status cuda_timer_calibrate(struct cuda_timer *timer, struct error *error);

/* As in struct backend. A replay alone between start and stop is timed from its first node to its
 * last. Recording again drops the recording before. */
enum status cuda_timer_start(struct cuda_timer *timer, struct error *error);
enum status cuda_timer_stop(struct cuda_timer *timer, double *elapsed_ms, struct error *error);
enum status cuda_timer_record_start(struct cuda_timer *timer, struct error *error);
enum status cuda_timer_record_stop(struct cuda_timer *timer, struct error *error);
enum status cuda_timer_replay(struct cuda_timer *timer, struct error *error);
void cuda_timer_forget(struct cuda_timer *timer); /* the recording */

#endif
