/* Work of an operator that no benchmark covers, in the seven counts that files hold and a network
 * of many layers keeps. Element counts are of one sample, so that batch size and precision can be
 * asked later; operator_layer_work makes a layer's work of them.
 */
#ifndef EPOCHCAST_NETWORK_OPERATOR_H
#define EPOCHCAST_NETWORK_OPERATOR_H

#include "layers/layer.h"

struct operator_work {
    double input_count, output_count; /* activations read and written, elements of one sample */
    double kept_count;      /* activations and gradients that the backward pass reads beside the
                             * output's gradient, of one sample */
    double parameter_count; /* trained elements, shared by the batch */
    double parameter_reads; /* elements of parameters that a pass reads for a batch, as often as it
                             * does: a recurrent operator those of its state at each step */
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
double operator_limit(const struct operator_column *column);

/* The work of a whole batch: costs, memory and predictors ask for it. `name` says two things that
 * the counts do not: whether it works in place, and whether the backward pass needs tensors that no
 * other layer sees. Costs of a pass:
 *
 *   forward:  reads inputs and parameter_reads, writes outputs
 *   backward: reads the output's gradient, kept_count and parameter_reads, writes the input's
 *             gradient and the parameters' gradients
 *   update:   the optimizer's arrays
 */
void operator_layer_work(struct layer_work *work, const struct operator_work *counts,
                         const char *name, int32_t batch_size);

#endif
