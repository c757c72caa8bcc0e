/* Work of an operator that no benchmark covers: what a roofline forecast and the memory count need.
 * Element counts are of one sample, so that batch size and precision can be asked later.
 */
#ifndef EPOCHCAST_NETWORK_OPERATOR_H
#define EPOCHCAST_NETWORK_OPERATOR_H

#include "layers/layer.h"

struct operator_work {
    double input_count, output_count; /* activations read and written, elements of one sample */
    double kept_count;      /* activations and gradients that the backward pass reads beside the
                             * output's gradient, of one sample */
    double parameter_count; /* trained elements, shared by the batch */
    double parameter_reads; /* elements of parameters that a pass reads, once a batch */
    double forward_flops, backward_flops; /* of one sample; a multiply-add counts as 2 */
};

/* The members as named columns: for files and tables. */
struct operator_column {
    const char *name, *help;
    size_t offset; /* of the double in struct operator_work */
};
enum { OPERATOR_COLUMN_COUNT = 7 };
extern const struct operator_column operator_columns[OPERATOR_COLUMN_COUNT];

static inline double *operator_value(struct operator_work *work,
                                     const struct operator_column *column)
{
    return (double *)((char *)work + column->offset);
}

/* No count may be larger: sums and products with batch and element sizes stay within int64_t. */
#define OPERATOR_COUNT_LIMIT 0x1p42
#define OPERATOR_FLOPS_LIMIT 1e21

/* Of the whole pass, as layer_cost:
 *   forward:  reads inputs and parameter_reads, writes outputs
 *   backward: reads the output's gradient, kept_count and parameter_reads, writes the input's
 *             gradient and the parameters' gradients
 *   update:   the optimizer's arrays. */
struct cost operator_cost(const struct operator_work *work, int32_t batch_size, int32_t pass,
                          int32_t optimizer, int32_t precision);

#endif
