/* Data-parallel training on several equal devices: every device computes the gradients of its own
 * part of the batch; an all-reduce adds them up before every update.
 *
 * Communication as in Qi, Sparks, Talwalkar, "Paleo: a performance model for deep neural networks",
 * ICLR 2017, and its published program. With D bytes of gradients, n devices and a link with an
 * effective bandwidth of B bytes per second, t(D) = D / B and
 *
 *   ring        2 (n - 1) / n t(D)    not Paleo's: Patarasuk, Yuan, "Bandwidth optimal all-reduce
 *                                     algorithms for clusters of workstations", JPDC 2009; that of
 *                                     NCCL for large messages, and the default
 *   butterfly   ceil(log2 n) t(D)     recursive doubling; Paleo's
 *   tree        2 ceil(log2 n) t(D)   up and down a binary tree
 *   one_to_all  2 t(D (n - 1))        one device collects and sends
 *
 * Latency is left out, as in Paleo: gradients are large. The effective bandwidth of a named link is
 * `LINK_SHARE` of the nominal one of one direction: the share that NeuSight (Lee, Phanishayee,
 * Mahajan, ASPLOS 2025) uses for all-reduces; Paleo's "platform percent of peak" of communication
 * is 0.56 to 0.75.
 *
 * Overlap: none is assumed, as in Paleo. A step is computation, then communication: an upper bound.
 * Frameworks send the gradients of late layers while early ones are still computed; at best a step
 * takes max(computation, communication), from which overlap_efficiency_percent follows.
 *
 * Weak scaling: every device has the requested batch, the whole batch grows with n. Efficiency =
 * one device's step / the step of n. Strong scaling: the requested batch is divided. Efficiency =
 * one device's step with the whole batch / (n times the step of n).
 */
#ifndef EPOCHCAST_FORECAST_PARALLEL_H
#define EPOCHCAST_FORECAST_PARALLEL_H

#include "base/choice.h"
#include "base/error.h"

#include <stdint.h>

#define ALL_REDUCE_LIST(X)                                                                         \
    X(ALL_REDUCE_RING, "ring")                                                                     \
    X(ALL_REDUCE_BUTTERFLY, "butterfly")                                                           \
    X(ALL_REDUCE_TREE, "tree")                                                                     \
    X(ALL_REDUCE_ONE_TO_ALL, "one_to_all")
#define SCALING_LIST(X) X(SCALING_WEAK, "weak") X(SCALING_STRONG, "strong")

enum all_reduce { ALL_REDUCE_LIST(CHOICE_ENUMERATOR) };
enum scaling { SCALING_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_all_reduce, choice_scaling;

#define LINK_SHARE 0.72
enum { PARALLEL_DEVICE_LIMIT = 65536 };

struct parallel_options {
    int32_t device_count;    /* 0 or 1: one device, no communication */
    int32_t all_reduce;      /* enum all_reduce */
    int32_t scaling;         /* enum scaling */
    double link_bytes_per_s; /* effective; above 0 */
};

/* Effective bandwidth of the link `name` ("nvlink", "pcie", "10gbe", ...); a number in GB/s is
 * taken unchanged. STATUS_USAGE lists the names. */
enum status link_bytes_per_s(double *bytes_per_s, const char *name, struct error *error);

/* 0 for one device. */
double all_reduce_ms(const struct parallel_options *options, double gradients_bytes);

#endif
