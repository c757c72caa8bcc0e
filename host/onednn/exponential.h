/* Exponentials of arrays, by vectors of 4, 8 or 16 floats: glibc's libmvec, within 4 units in the
 * last place (elsewhere expf). */
#ifndef EPOCHCAST_ONEDNN_EXPONENTIAL_H
#define EPOCHCAST_ONEDNN_EXPONENTIAL_H

#include <stdint.h>

/* vector_floats: processor_vector_floats() or less. */

/* The sum of exp(x - shift). */
float exponential_sum(const float *x, int64_t count, float shift, int64_t vector_floats);
/* to = scale exp(x - shift) */
void exponentials(float *to, const float *x, int64_t count, float shift, float scale,
                  int64_t vector_floats);

#endif
