/* A recurrent layer's whole recurrence in double precision, one sample at a time, forward and
 * backward: what single elements of its results are made of (reference_recurrent.c). All memory is
 * the reference's (reference_take).
 */
#ifndef EPOCHCAST_LAYERS_RECURRENCE_H
#define EPOCHCAST_LAYERS_RECURRENCE_H

#include "layers/recurrent.h"
#include "layers/reference_internal.h"

/* Of one sample. A cell is one layer, direction and position. */
struct recurrence_sample {
    double *x;       /* (positions, inputs) */
    double *cells;   /* (layers, directions, positions, gates + 2, hidden): gates; an LSTM's c, a
                      * GRU's product of n with the state; h */
    double *outputs; /* (layers, positions, width) */
    /* Gradients by what the products of the inputs and of the state give, (layers, directions,
     * positions, gates, hidden). */
    double *input_side, *state_side;
    double *scales;         /* (layers, directions, positions): the largest gradient of a state */
    double *input_gradient; /* (positions, inputs) */
    bool has_forward, has_backward;
};

struct recurrence {
    struct recurrent_sizes sizes;
    int32_t cell;
    const double *parameters[RECURRENT_PARAMETER_COUNT];
    struct recurrence_sample *samples; /* (batch) */
};

/* One direction of one layer. */
struct recurrence_stack {
    int64_t layer, direction, depth;
    const double *input_weights, *state_weights; /* (depth or hidden, gates, hidden) */
    const double *biases;                        /* (2, gates, hidden) or NULL */
    int64_t first;                               /* cell */
};
struct recurrence_stack recurrence_stack_of(const struct recurrence *recurrence, int64_t layer,
                                            int64_t direction);

/* Position number `step` of a direction's way. */
static inline int64_t recurrence_position(const struct recurrent_sizes *sizes,
                                          const struct recurrence_stack *stack, int64_t step)
{
    return stack->direction ? sizes->positions - 1 - step : step;
}
/* The state before a step, or NULL: it is zero. */
const double *recurrence_state_before(const struct recurrence *recurrence,
                                      const struct recurrence_sample *sample,
                                      const struct recurrence_stack *stack, int64_t step);
/* What the layer reads at a position. */
const double *recurrence_inputs(const struct recurrence *recurrence,
                                const struct recurrence_sample *sample,
                                const struct recurrence_stack *stack, int64_t position);

/* The sample with its forward pass, and with both, computed once; reference->kept is the
 * recurrence. NULL: an error, which reference->status has. */
const struct recurrence_sample *recurrence_forward(struct reference *reference, int64_t sample);
const struct recurrence_sample *recurrence_backward(struct reference *reference, int64_t sample);

#endif
