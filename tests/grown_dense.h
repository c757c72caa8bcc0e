/* A layer table of the test's own, in the place of layers/descriptors.c: `dense` as it is, or as a
 * later program could have it. Include it in one file of a test program. */
#ifndef EPOCHCAST_TESTS_GROWN_DENSE_H
#define EPOCHCAST_TESTS_GROWN_DENSE_H

#include "layers/encode_internal.h"
#include "layers/kind_internal.h"

#include <string.h>

/* Behind the members of struct dense, in bytes of the union that it leaves free. */
enum { GROWN_OFFSET = offsetof(struct layer_config, as) + sizeof(struct dense) };
_Static_assert(sizeof(struct dense) + 2 * sizeof(int32_t) <= sizeof((struct layer_config *)0)->as,
               "no room for two members");

static struct layer_descriptor switched_dense;
#define GROWN_DESCRIPTOR(KIND, kind) [LAYER_##KIND] = &layer_##kind,
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const struct layer_descriptor *const layer_descriptors[LAYER_KIND_COUNT] = {
    LAYER_KINDS(GROWN_DESCRIPTOR)[LAYER_DENSE] = &switched_dense};
#pragma GCC diagnostic pop

static const struct feature grown_features[] = {
    {.name = "groups",
     .help = "of a later program",
     .offset = GROWN_OFFSET,
     .unit = UNIT_NEURONS,
     .distribution = DISTRIBUTION_LOG_UNIFORM,
     .minimum = 1,
     .maximum = 64,
     .since = 2,
     .missing = 1},
    {.name = "padding",
     .help = "of the one after that",
     .offset = GROWN_OFFSET + sizeof(int32_t),
     .maximum = 1,
     .choice = &choice_padding,
     .since = 3,
     .missing = PADDING_SAME},
};
static const char *const longer_names[] = {"none", "gelu", "relu", "tanh", "sigmoid"};
static const struct choice longer_activation = {"activation", longer_names, 5};

static struct feature current_features[FEATURE_LIMIT];

/* The dense of a program of `schema` 1 (today's), 2 or 3. */
static inline void dense_of_schema(int schema)
{
    switched_dense = layer_dense;
    switched_dense.features = current_features;
    memcpy(current_features, layer_dense.features,
           (size_t)layer_dense.feature_count * sizeof *current_features);
    for (int i = 0; i < schema - 1; i++)
        current_features[switched_dense.feature_count++] = grown_features[i];
}

/* Its list of activations has a name more, in the middle: numbers of old files mean others. */
static inline void dense_learns_gelu(void)
{
    for (int i = 0; i < switched_dense.feature_count; i++)
        if (current_features[i].choice == &choice_activation) {
            current_features[i].choice = &longer_activation;
            current_features[i].maximum = longer_activation.count - 1;
        }
}

static const char *const appended_names[] = {"none", "relu", "tanh", "sigmoid", "gelu"};
static const struct choice appended_activation = {"activation", appended_names, 5};
enum { APPENDED_GELU = 4 };

/* Its list of activations has a name more, at the end: numbers of old files mean the same. */
static inline void dense_appends_gelu(void)
{
    for (int i = 0; i < switched_dense.feature_count; i++)
        if (current_features[i].choice == &choice_activation) {
            current_features[i].choice = &appended_activation;
            current_features[i].maximum = APPENDED_GELU;
        }
}

static inline double log_groups(const struct layer_config *config)
{
    return log_size(layer_get(config, &grown_features[0]));
}

/* The tables of costs know today's activations: gelu costs what tanh does. */
static inline void work_grown(struct layer_work *work, const struct layer_config *config)
{
    struct layer_config costed = *config;
    if (costed.as.dense.activation == APPENDED_GELU)
        costed.as.dense.activation = ACTIVATION_TANH;
    layer_dense.work(work, &costed);
}

static inline void encode_grown(struct columns *columns, const struct layer_config *config,
                                const struct layer_work *work, double units)
{
    emit(columns, "log_groups", log_groups(config));
    layer_dense.encode(columns, config, work, units);
    emit(columns, "activation=gelu", config->as.dense.activation == APPENDED_GELU);
}

static inline void encode_paper_grown(struct columns *columns, const struct layer_config *config)
{
    emit(columns, "activation=gelu", config->as.dense.activation == APPENDED_GELU);
    layer_dense.encode_paper(columns, config);
    emit(columns, "log_groups", log_groups(config));
}

/* The dense of schema 3 with gelu, whose encoder has a column for groups and one for gelu. */
static inline void dense_grows(void)
{
    dense_of_schema(3);
    dense_appends_gelu();
    switched_dense.work = work_grown;
    switched_dense.encode = encode_grown;
    switched_dense.encode_paper = encode_paper_grown;
}

static inline void emit_backwards(struct columns *columns, const struct columns *from)
{
    for (int i = from->count - 1; i >= 0; i--)
        emit(columns, from->names[i], (double)from->values[i]);
}

static inline void encode_backwards(struct columns *columns, const struct layer_config *config,
                                    const struct layer_work *work, double units)
{
    const char *names[ENCODE_COLUMN_LIMIT];
    float values[ENCODE_COLUMN_LIMIT];
    struct columns forwards = {.names = names, .values = values, .with_steps = columns->with_steps};
    layer_dense.encode(&forwards, config, work, units);
    emit_backwards(columns, &forwards);
}

static inline void encode_paper_backwards(struct columns *columns,
                                          const struct layer_config *config)
{
    const char *names[ENCODE_COLUMN_LIMIT];
    float values[ENCODE_COLUMN_LIMIT];
    struct columns forwards = {.names = names, .values = values, .with_steps = columns->with_steps};
    layer_dense.encode_paper(&forwards, config);
    emit_backwards(columns, &forwards);
}

/* Today's dense with its own features and columns in another order. */
static inline void dense_is_backwards(void)
{
    dense_of_schema(1);
    for (int i = COMMON_FEATURE_COUNT; i < switched_dense.feature_count; i++)
        current_features[i] =
            layer_dense.features[switched_dense.feature_count - 1 - (i - COMMON_FEATURE_COUNT)];
    switched_dense.encode = encode_backwards;
    switched_dense.encode_paper = encode_paper_backwards;
}

#endif
