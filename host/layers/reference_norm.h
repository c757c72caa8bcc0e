/* A normalisation by mean and variance of groups of elements: of a channel (batch_norm), of a row
 * (layer_norm). Both differ in which elements a group has and which scale an element has. Without a
 * mean (and then without shifts) it is one by the mean square. */
#ifndef EPOCHCAST_LAYERS_REFERENCE_NORM_H
#define EPOCHCAST_LAYERS_REFERENCE_NORM_H

#include "layers/reference_internal.h"

/* `segments` runs of `length` elements: first + i * segment_step + j * step. */
struct norm_group {
    int64_t id, first, step, length, segments, segment_step;
    int64_t parameter_count;         /* scales, and as many shifts behind them */
    int64_t first_scale, scale_step; /* element j of a run has scale first_scale + j / scale_step */
    bool has_mean;
};

static inline int64_t norm_scale(const struct norm_group *group, int64_t element)
{
    return group->first_scale + element / group->scale_step;
}

static inline double norm_group_size(const struct norm_group *group)
{
    return (double)(group->length * group->segments);
}

/* The elements of the group in blocks: inputs, gradients before the activation with their sizes
 * (NULL: not wanted), scales. */
struct norm_block {
    int count;
    double inputs[REFERENCE_BLOCK], gradients[REFERENCE_BLOCK], sizes[REFERENCE_BLOCK],
        scales[REFERENCE_BLOCK];
};
typedef void norm_take(void *payload, const struct norm_block *block);
void norm_each(struct reference *reference, const struct norm_group *group, bool with_gradients,
               norm_take *take, void *payload);

/* Mean and 1 / sqrt(variance + epsilon) of the group's inputs into reference->statistics. */
void norm_statistics(struct reference *reference, const struct norm_group *group);
/* As given, for the group. */
void norm_given_statistics(struct reference *reference, const struct norm_group *group);

/* An element with its scale and shift, once the statistics are there. */
void norm_output(struct reference_sum *sum, struct reference *reference,
                 const struct norm_group *group, int64_t index, int64_t parameter);
void norm_input_gradient(struct reference_sum *sum, struct reference *reference,
                         const struct norm_group *group, int64_t index, int64_t parameter);

#endif
