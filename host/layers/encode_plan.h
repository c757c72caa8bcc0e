/* The columns of a trained model among those of today's encoder, matched by name. Encoders grow: a
 * model that was trained before lacks later columns, and its own may stand in another order. It is
 * asked with its own columns; a config that sets a column which the model lacks is beyond it.
 */
#ifndef EPOCHCAST_LAYERS_ENCODE_PLAN_H
#define EPOCHCAST_LAYERS_ENCODE_PLAN_H

#include "layers/encode.h"

/* A full row: the encoder's columns, then columns of the predictor's own. At most
 * ENCODE_COLUMN_LIMIT in all. */
struct encode_layout {
    enum encoding encoding;
    enum layer_kind kind;
    bool with_hardware;
    /* Physical encoding: also the columns that pay only with many rows. dense: hard steps of its
     * sizes, in place of ramps; conv2d: exact costs of transform algorithms and their limits. */
    bool with_steps;
    const char *const *own_names; /* (own_count); borrowed: they outlive the plan */
    int own_count;
};

int encode_layout_count(const struct encode_layout *layout); /* of columns */

struct encode_plan {
    struct encode_layout layout;
    int encoded_count;                  /* slots of the full row that the encoder fills */
    int count;                          /* columns of the model */
    int16_t slots[ENCODE_COLUMN_LIMIT]; /* (count): where they stand in the full row */
    bool is_whole;                      /* the model's columns are the full row */
    /* Slots of the encoder that the model lacks. */
    int lacking_count;
    struct lacking_slot {
        int16_t slot;
        bool is_choice; /* a name of a choice, such as "optimizer=adam": 1 when set */
    } lacking[ENCODE_COLUMN_LIMIT];
};

/* The plan of a model that is trained now: the full row. */
void encode_plan_whole(struct encode_plan *plan, const struct encode_layout *layout);

/* A model that is trained now need not have columns that its rows do not tell apart. is_constant:
 * of every column of the plan. Names of choices stay: encode_plan_knows asks for them. */
void encode_plan_drop(struct encode_plan *plan, const bool *is_constant);

/* Finds every name in the full row; where one is not, in that with steps (which no model says by
 * itself). Returns -1, or the index of the first name that is not known or stands twice; the plan
 * is then useless. count <= ENCODE_COLUMN_LIMIT. */
int encode_plan_create(struct encode_plan *plan, const struct encode_layout *layout,
                       const char *const *names, int count);

/* The model's columns, (plan->count). Borrowed, static. */
void encode_plan_names(const char **names, const struct encode_plan *plan);

/* The model's columns of a config, inputs[0..plan->count). own: values of the layout's own columns,
 * or NULL when it has none. Returns encode_plan_knows. */
bool encode_plan_row(float *inputs, const struct encode_plan *plan,
                     const struct layer_config *config, const struct encode_hardware *hardware,
                     const float *own);

/* False when the config means something that the model has no column for: it sets a choice whose
 * column the model lacks, or a feature with `since` above 1 has another value than `missing` and
 * that changes such a column. */
bool encode_plan_knows(const struct encode_plan *plan, const struct layer_config *config);

#endif
