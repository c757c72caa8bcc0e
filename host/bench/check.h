/* Is the timed work the right work? Some elements of every result of a plan that ran, against their
 * definition (layers/reference.h) in double precision. Which elements is fixed by the config
 * (Philox). The cost does not grow with the layer: CHECK_ELEMENTS of each result at most, and no
 * more than CHECK_READS elements read for them; a result of which already one element needs more
 * (CHECK_READS_OF_ONE) is left out.
 *
 * How far a right result may be off, of n additions of terms t with sum s, by rounding alone:
 *
 *     4 (u sqrt(n) + v) (|t|_2 + |s|) + 2 w |result|
 *
 * u = 2^-24 is the unit roundoff of fp32, in which every precision accumulates; sqrt(n) u bounds a
 * sum's error with a probability near 1 for any order of summation (Higham & Mary, "A new approach
 * to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41, 2019), relative to its
 * partial sums, of which none is much above |t|_2 + |s| for random terms. v is the precision's
 * rounding of operands and of what lies between two steps: 0 in fp32, 2^-11 in tf32 and fp16, 2^-8
 * in bf16. w is that of the stored result. So a result in bf16 where fp32 was asked for is found up
 * to some ten million terms. Winograd and FFT algorithms and reductions in 16 bits, which the
 * library names, get 16 times as much.
 */
#ifndef EPOCHCAST_BENCH_CHECK_H
#define EPOCHCAST_BENCH_CHECK_H

#include "bench/backend.h"

enum { CHECK_ELEMENTS = 64, CHECK_READS = 1 << 16, CHECK_READS_OF_ONE = 1 << 20 };

struct check {
    bool is_checked;   /* at least one element was compared */
    bool is_incorrect; /* at least one is off */
    double ms;         /* that the check took, repeated phases included */
    char finding[200]; /* of the worst: "weights gradient[7] is 0.5, by definition 0.25" */
};

/* The plan has run with all phases of its config. An update changes the weights that the results
 * come from: then forward and backward phases run once more. Of several sets of operands the first
 * is looked at. Errors are those of the device's calls. */
enum status check_plan(struct check *check, struct plan *plan, struct device *device,
                       const struct layer_config *config, struct error *error);

/* Whether a sweep of this seed checks the config: one in `every`; 0: none. */
bool check_is_due(const struct layer_config *config, uint64_t seed, int64_t every);

#endif
