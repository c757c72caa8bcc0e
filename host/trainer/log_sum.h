/* Output `sum` of a net: ln t' = ln sum over heads h of exp(z_h + offset_h). d ln t' / d z_h is the
 * head's share of the sum. Shared by both trainer engines and the forecast; compiles as C and as
 * CUDA.
 */
#ifndef EPOCHCAST_TRAINER_LOG_SUM_H
#define EPOCHCAST_TRAINER_LOG_SUM_H

#include "trainer/activation.h"

#include <math.h>

/* Heads this far below the highest (10^-20 of it) count as 0: their shares would end as denormal
 * numbers, which slow products down. */
#define LOG_SUM_DEPTH 46.0f

/* ln t' of one row. shares (heads), unless NULL: each head's part of the sum; may be z. */
PHILOX_FUNCTION float log_sum(float *shares, const float *z, const float *offsets, int32_t heads)
{
    float highest = z[0] + offsets[0], sum = 0;
    for (int32_t h = 1; h < heads; h++)
        highest = z[h] + offsets[h] > highest ? z[h] + offsets[h] : highest;
    for (int32_t h = 0; h < heads; h++) {
        float depth = z[h] + offsets[h] - highest;
        float part = depth < -LOG_SUM_DEPTH ? 0 : activation_exp(depth); /* NaN stays NaN */
        sum += part;
        if (shares)
            shares[h] = part;
    }
    for (int32_t h = 0; h < heads && shares; h++)
        shares[h] /= sum;
    return highest + logf(sum);
}

#endif
