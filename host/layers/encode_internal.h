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
    bool with_steps;    /* as of struct encode_layout (encode_plan.h) */
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

void encode_physical(struct columns *columns, const struct layer_descriptor *descriptor,
                     const struct layer_config *config, bool with_hardware,
                     const struct encode_hardware *hardware);

/* A kind's own choices as columns of their names; the activation, which all layers have in their
 * work, is left out. */
void emit_own_choices(struct columns *columns, const struct layer_descriptor *descriptor,
                      const struct layer_config *config);

/* Hardware with the unknown members replaced by those of a middling GPU (V100-like). */
struct encode_hardware hardware_known(const struct encode_hardware *hardware);

/* The optimizer that a column is of: adamw moves what adam moves, and sweeps draw it only when they
 * are told to. */
static inline int32_t optimizer_column(int32_t optimizer)
{
    return optimizer == OPTIMIZER_ADAMW ? OPTIMIZER_ADAM : optimizer;
}

/* The precision that a column is of: amp computes as fp16 does; what it moves on top is in the
 * bytes.
 */
static inline int32_t precision_column(int32_t precision)
{
    return precision == PRECISION_AMP ? PRECISION_FP16 : precision;
}

/* One-hots of the paper's encoding, which codes `none` as all zeros. */
void emit_paper_activation(struct columns *columns, int32_t activation);
void emit_paper_choices(struct columns *columns, int32_t optimizer, int32_t activation);

/* The smallest config of a kind: any will do where only names and counts are asked. */
struct layer_config encode_smallest(enum layer_kind kind);

/* The columns of a config whose kind is described by `descriptor`. */
void encode_columns(struct columns *columns, enum encoding encoding,
                    const struct layer_descriptor *descriptor, const struct layer_config *config,
                    bool with_hardware, const struct encode_hardware *hardware);

#endif
