/* A worker: a process that opens the device and measures, one config at a time, so that a hung,
 * crashed or poisoned device costs one row and not the sweep. The parent owns the file; it talks to
 * the worker through a socket, kills it when it does not answer, and starts the next.
 */
#ifndef EPOCHCAST_BENCH_WORKER_H
#define EPOCHCAST_BENCH_WORKER_H

#include "bench/canary.h"

struct worker;

struct worker_options {
    /* Ended by NULL; runs with the socket as standard input and must call worker_serve. Borrowed as
     * long as the worker lives. */
    const char *const *command;
    double grace_s; /* added to ten times the usual limit of a config; 0: 10 s */
};

/* Starts the process and waits until its device is open and described, measured features included.
 * The device's own error when it cannot be opened. */
enum status worker_start(struct worker **worker, const struct worker_options *options,
                         struct error *error);
/* Kills the process. NULL is allowed. */
void worker_close(struct worker *worker);

const struct device_info *worker_device(const struct worker *worker);

/* As measure_config. A worker that hangs, dies or reports that its device is unusable is ended: the
 * row has outcome timeout, crashed or out_of_memory (killed by the system), and the next call
 * starts a new worker. A worker that died between two calls costs no row. STATUS_FAILED after
 * WORKER_FAILURE_LIMIT failures without a row between them. */
enum { WORKER_FAILURE_LIMIT = 5 };
enum status worker_measure(struct measurement *row, struct worker *worker,
                           const struct layer_config *config, const struct measure_options *options,
                           struct error *error);
/* As measure_and_check; the finding is in *check. */
enum status worker_measure_and_check(struct measurement *row, struct check *check,
                                     struct worker *worker, const struct layer_config *config,
                                     const struct measure_options *options, struct error *error);
/* As canary_measure; NaN times when the worker failed. */
enum status worker_canary(struct canary *canary, struct worker *worker, struct error *error);

/* True when the device draws configs itself and has not failed to. */
bool worker_can_draw(const struct worker *worker);
/* Draws on the device. Once the device has failed, prints a note on stderr and draws on the host:
 * the draws are the same. */
enum status worker_draw(struct layer_config *configs, enum stratum *strata, struct worker *worker,
                        const struct sample_domain *domain, uint64_t seed, uint32_t first,
                        uint32_t count, struct error *error);

/* Number of failed workers, and the message or cause of the last failure; "" when none failed. */
const char *worker_failure(int64_t *count, const struct worker *worker);

/* The worker's side: opens the device, answers requests from the socket until it closes. */
enum status worker_serve(int socket, const char *device, const struct device_options *options,
                         struct error *error);

#endif
