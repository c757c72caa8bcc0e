/* The column writer that both encodings share: one emit = one column. A row is written either as
 * values (encode_row) or as names (encode_column_name); both run the same straight-line code, so
 * that names and values cannot drift apart.
 */
#ifndef EPOCHCAST_LAYERS_ENCODE_INTERNAL_H
#define EPOCHCAST_LAYERS_ENCODE_INTERNAL_H

#include "layers/encode.h"

#include <assert.h>
#include <math.h>

struct columns {
    float *values;      /* or NULL */
    const char **names; /* or NULL; ENCODE_COLUMN_LIMIT of them */
    int count;
};

/* `name` must live forever: a literal. */
static inline void emit(struct columns *columns, const char *name, double value)
{
    assert(columns->count < ENCODE_COLUMN_LIMIT);
    if (columns->names)
        columns->names[columns->count] = name;
    if (columns->values) /* NaN and infinity cannot enter a model */
        columns->values[columns->count] = fabs(value) <= 1e30 ? (float)value : 0.0f;
    columns->count++;
}

/* log2 of a size: 0 for nothing, as for 1. */
static inline double log_size(double value)
{
    return value > 1 ? log2(value) : 0;
}

void encode_physical(struct columns *columns, const struct layer_config *config, bool with_hardware,
                     const struct encode_hardware *hardware);

/* Hardware with the unknown members replaced by those of a middling GPU (V100-like). */
struct encode_hardware hardware_known(const struct encode_hardware *hardware);

/* The kind's own columns. `units` is the number of units that tiles are dealt out to. */
void encode_physical_dense(struct columns *columns, const struct layer_config *config,
                           double units);
void encode_physical_conv2d(struct columns *columns, const struct layer_config *config,
                            double units);
void encode_physical_pool2d(struct columns *columns, const struct layer_config *config,
                            double units);
void encode_physical_batch_norm(struct columns *columns, const struct layer_config *config,
                                double units);
void encode_physical_addition(struct columns *columns, const struct layer_config *config,
                              double units);

#endif
