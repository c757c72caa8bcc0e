/* A small net whose output is the logarithm of a sum of terms, each an offset from a ceiling that
 * is given for the row: ln t' = ln sum over heads h of exp(ceiling_h + head_h(inputs)). Two hidden
 * layers of HEAD_NET_WIDTH, ReLU; trained by AdamW on (ln t - ln t')^2, one thread. */
#ifndef EPOCHCAST_TRAINER_HEAD_NET_H
#define EPOCHCAST_TRAINER_HEAD_NET_H

#include "base/error.h"
#include "trainer/mlp.h"

enum { HEAD_NET_WIDTH = 128, HEAD_NET_HEAD_LIMIT = 16 };

/* Training rows. heads: the last width of the shape. */
struct head_rows {
    float *inputs, *ceilings, *targets; /* (count, columns), (count, heads), (count): ln t */
    size_t count, columns;
    void *memory;
};

struct mlp_shape head_net_shape(int32_t columns, int32_t heads);

/* Makes and trains the parameters (mlp_parameter_count). hidden_column is read as 0 in every row.
 * seed: of the first weights and of the order of the rows. */
enum status head_net_train(float *parameters, const struct mlp_shape *shape,
                           const struct head_rows *rows, size_t hidden_column, uint64_t seed,
                           struct error *error);

/* ln t'. */
double head_net_forecast(const float *inputs, const float *ceilings, const struct mlp_shape *shape,
                         const float *parameters);

#endif
