#include "layers/recurrence.h"

#include <math.h>
#include <string.h>

enum { GATE_LIMIT = 4 };
enum lstm_gate { LSTM_INPUT, LSTM_FORGET, LSTM_CELL, LSTM_OUTPUT };
enum gru_gate { GRU_UPDATE, GRU_RESET, GRU_NEW };

/* ---- memory ---- */

static double *take(struct reference *reference, int64_t count)
{
    return reference_take(reference, (size_t)count * sizeof(double));
}

static int place_of(const struct recurrent_sizes *sizes, enum recurrent_parameters what)
{
    return what == RECURRENT_BIASES ? recurrent_biases_place(sizes) : (int)what;
}

static const double *read_all(struct reference *reference, int what, int64_t first, int64_t count)
{
    double *values = take(reference, count);
    int64_t indices[REFERENCE_BLOCK];
    for (int64_t done = 0; values && done < count; done += REFERENCE_BLOCK) {
        const int here = (int)(count - done < REFERENCE_BLOCK ? count - done : REFERENCE_BLOCK);
        for (int i = 0; i < here; i++)
            indices[i] = first + done + i;
        reference_read(values + done, NULL, reference, what, indices, here);
    }
    return values;
}

/* NULL: out of memory, or the source's error. */
static struct recurrence *recurrence_of(struct reference *reference)
{
    if (reference->kept)
        return reference->kept;
    struct recurrence *recurrence = reference_take(reference, sizeof *recurrence);
    if (!recurrence)
        return NULL;
    recurrence->sizes = recurrent_sizes_of(&reference->config);
    recurrence->cell = reference->config.as.recurrent.cell;
    for (int i = 0; i < RECURRENT_PARAMETER_COUNT; i++) {
        const int64_t count = recurrent_parameter_count(&recurrence->sizes,
                                                        (enum recurrent_parameters)i);
        const int place = place_of(&recurrence->sizes, (enum recurrent_parameters)i);
        if (count > 0)
            recurrence->parameters[i] = read_all(reference, VALUE_WEIGHTS + place, 0, count);
    }
    recurrence->samples = reference_take(reference, (size_t)recurrence->sizes.batch *
                                                        sizeof *recurrence->samples);
    if (reference->status != STATUS_OK)
        return NULL;
    reference->kept = recurrence;
    return recurrence;
}

/* ---- places ---- */

struct recurrence_stack recurrence_stack_of(const struct recurrence *recurrence, int64_t layer,
                                            int64_t direction)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const int64_t rows = sizes->gates * sizes->hidden;
    const int64_t number = layer * sizes->directions + direction;
    struct recurrence_stack stack = {.layer = layer,
                                     .direction = direction,
                                     .depth = layer ? sizes->width : sizes->inputs,
                                     .first = number * sizes->positions};
    stack.input_weights = layer ? recurrence->parameters[RECURRENT_LATER_WEIGHTS] +
                                      (number - sizes->directions) * sizes->width * rows
                                : recurrence->parameters[RECURRENT_INPUT_WEIGHTS] +
                                      number * sizes->inputs * rows;
    stack.state_weights = recurrence->parameters[RECURRENT_STATE_WEIGHTS] +
                          number * sizes->hidden * rows;
    if (sizes->has_bias)
        stack.biases = recurrence->parameters[RECURRENT_BIASES] + number * 2 * rows;
    return stack;
}

static double *cell_at(const struct recurrence *recurrence, const struct recurrence_sample *sample,
                       const struct recurrence_stack *stack, int64_t position)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    return sample->cells + (stack->first + position) * (sizes->gates + 2) * sizes->hidden;
}

/* The cell before, or NULL: the state is zero. */
static const double *cell_before(const struct recurrence *recurrence,
                                 const struct recurrence_sample *sample,
                                 const struct recurrence_stack *stack, int64_t step)
{
    return step > 0 ? cell_at(recurrence, sample, stack,
                              recurrence_position(&recurrence->sizes, stack, step - 1))
                    : NULL;
}

const double *recurrence_state_before(const struct recurrence *recurrence,
                                      const struct recurrence_sample *sample,
                                      const struct recurrence_stack *stack, int64_t step)
{
    const double *before = cell_before(recurrence, sample, stack, step);
    return before ? before + (recurrence->sizes.gates + 1) * recurrence->sizes.hidden : NULL;
}

const double *recurrence_inputs(const struct recurrence *recurrence,
                                const struct recurrence_sample *sample,
                                const struct recurrence_stack *stack, int64_t position)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    return stack->layer
               ? sample->outputs + ((stack->layer - 1) * sizes->positions + position) * sizes->width
               : sample->x + position * sizes->inputs;
}

/* ---- forward ---- */

/* sums = bias + values * weights; weights (depth, count). */
static void multiply(double *sums, const double *bias, const double *values, int64_t depth,
                     const double *weights, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        sums[k] = bias ? bias[k] : 0;
    for (int64_t i = 0; i < depth && values; i++)
        for (int64_t k = 0; k < count; k++)
            sums[k] += values[i] * weights[i * count + k];
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* Neuron k of a cell, from its sums of the inputs and of the state. */
static void step_rnn(double *cell, const double *in, const double *st, const double *before,
                     int64_t k, int64_t hidden)
{
    (void)before;
    cell[k] = cell[2 * hidden + k] = tanh(in[k] + st[k]);
}

static void step_lstm(double *cell, const double *in, const double *st, const double *before,
                      int64_t k, int64_t hidden)
{
    double gates[GATE_LIMIT];
    for (int g = 0; g < 4; g++) {
        const double sum = in[g * hidden + k] + st[g * hidden + k];
        cell[g * hidden + k] = gates[g] = g == LSTM_CELL ? tanh(sum) : sigmoid(sum);
    }
    const double kept = before ? gates[LSTM_FORGET] * before[4 * hidden + k] : 0;
    const double c = kept + gates[LSTM_INPUT] * gates[LSTM_CELL];
    cell[4 * hidden + k] = c;
    cell[5 * hidden + k] = gates[LSTM_OUTPUT] * tanh(c);
}

static void step_gru(double *cell, const double *in, const double *st, const double *before,
                     int64_t k, int64_t hidden)
{
    const double u = sigmoid(in[k] + st[k]), r = sigmoid(in[hidden + k] + st[hidden + k]);
    const double product = st[GRU_NEW * hidden + k];
    const double n = tanh(in[GRU_NEW * hidden + k] + r * product);
    cell[k] = u;
    cell[hidden + k] = r;
    cell[GRU_NEW * hidden + k] = n;
    cell[3 * hidden + k] = product;
    cell[4 * hidden + k] = (before ? u * before[4 * hidden + k] : 0) + (1 - u) * n;
}

static void (*const steps[CELL_COUNT])(double *cell, const double *in, const double *st,
                                       const double *before, int64_t k, int64_t hidden) = {
    [CELL_RNN] = step_rnn,
    [CELL_LSTM] = step_lstm,
    [CELL_GRU] = step_gru,
};

/* in, st: scratch, (gates, hidden). */
static void run_stack(const struct recurrence *recurrence, struct recurrence_sample *sample,
                      const struct recurrence_stack *stack, double *in, double *st)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const int64_t hidden = sizes->hidden, rows = sizes->gates * hidden;
    const double *biases = stack->biases;
    for (int64_t step = 0; step < sizes->positions; step++) {
        const int64_t position = recurrence_position(sizes, stack, step);
        const double *before = cell_before(recurrence, sample, stack, step);
        const double *state = recurrence_state_before(recurrence, sample, stack, step);
        double *cell = cell_at(recurrence, sample, stack, position);
        multiply(in, biases, recurrence_inputs(recurrence, sample, stack, position), stack->depth,
                 stack->input_weights, rows);
        multiply(st, biases ? biases + rows : NULL, state, hidden, stack->state_weights, rows);
        for (int64_t k = 0; k < hidden; k++)
            steps[recurrence->cell](cell, in, st, before, k, hidden);
        memcpy(sample->outputs + (stack->layer * sizes->positions + position) * sizes->width +
                   stack->direction * hidden,
               cell + (sizes->gates + 1) * hidden, (size_t)hidden * sizeof *cell);
    }
}

static bool take_sample(struct reference *reference, const struct recurrence *recurrence,
                        struct recurrence_sample *sample, int64_t number)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const int64_t cells = sizes->layers * sizes->directions * sizes->positions * sizes->hidden;
    double *x = take(reference, sizes->positions * sizes->inputs);
    sample->cells = take(reference, cells * (sizes->gates + 2));
    sample->outputs = take(reference, sizes->layers * sizes->positions * sizes->width);
    if (!x || !sample->cells || !sample->outputs)
        return false;
    for (int64_t t = 0; t < sizes->positions; t++) {
        const double *row = read_all(reference, VALUE_INPUT,
                                     (t * sizes->batch + number) * sizes->inputs, sizes->inputs);
        if (row)
            memcpy(x + t * sizes->inputs, row, (size_t)sizes->inputs * sizeof *row);
    }
    sample->x = x;
    return reference->status == STATUS_OK;
}

/* The sample's forward pass; NULL: an error. */
const struct recurrence_sample *recurrence_forward(struct reference *reference, int64_t number)
{
    struct recurrence *recurrence = recurrence_of(reference);
    struct recurrence_sample *sample = recurrence ? &recurrence->samples[number] : NULL;
    if (!sample || sample->has_forward)
        return sample;
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const int64_t rows = sizes->gates * sizes->hidden;
    double *scratch = take(reference, 2 * rows);
    if (!scratch || !take_sample(reference, recurrence, sample, number))
        return NULL;
    for (int64_t i = 0; i < sizes->layers * sizes->directions; i++) {
        const struct recurrence_stack stack = recurrence_stack_of(recurrence, i / sizes->directions,
                                                                  i % sizes->directions);
        run_stack(recurrence, sample, &stack, scratch, scratch + rows);
    }
    sample->has_forward = true;
    return sample;
}

/* ---- backward ---- */

/* What a step back carries: gradients by h and c. */
struct carried {
    double *state, *memory; /* (hidden) */
};

/* Neuron k: `in` and `st` are gradients by the two sums, h_gradient by the output; leaves in
 * `carried` what does not go through the product with the state. */
static void back_rnn(double *in, double *st, const struct carried *carried, const double *cell,
                     const double *before, double h_gradient, int64_t k, int64_t hidden)
{
    (void)before, (void)hidden;
    in[k] = st[k] = h_gradient * (1 - cell[k] * cell[k]);
    carried->state[k] = 0;
}

static void back_lstm(double *in, double *st, const struct carried *carried, const double *cell,
                      const double *before, double h_gradient, int64_t k, int64_t hidden)
{
    const double i = cell[k], f = cell[hidden + k], g = cell[2 * hidden + k];
    const double o = cell[3 * hidden + k], t = tanh(cell[4 * hidden + k]);
    const double c_before = before ? before[4 * hidden + k] : 0;
    const double c_gradient = carried->memory[k] + h_gradient * o * (1 - t * t);
    const double gates[GATE_LIMIT] = {
        [LSTM_INPUT] = c_gradient * g * i * (1 - i),
        [LSTM_FORGET] = c_gradient * c_before * f * (1 - f),
        [LSTM_CELL] = c_gradient * i * (1 - g * g),
        [LSTM_OUTPUT] = h_gradient * t * o * (1 - o),
    };
    for (int gate = 0; gate < 4; gate++)
        in[gate * hidden + k] = st[gate * hidden + k] = gates[gate];
    carried->memory[k] = c_gradient * f;
    carried->state[k] = 0;
}

static void back_gru(double *in, double *st, const struct carried *carried, const double *cell,
                     const double *before, double h_gradient, int64_t k, int64_t hidden)
{
    const double u = cell[k], r = cell[hidden + k], n = cell[2 * hidden + k];
    const double h_before = before ? before[4 * hidden + k] : 0;
    const double by_new = h_gradient * (1 - u) * (1 - n * n);
    in[k] = st[k] = h_gradient * (h_before - n) * u * (1 - u);
    in[hidden + k] = st[hidden + k] = by_new * cell[3 * hidden + k] * r * (1 - r);
    in[2 * hidden + k] = by_new;
    st[2 * hidden + k] = by_new * r;
    carried->state[k] = h_gradient * u;
}

static void (*const backs[CELL_COUNT])(double *in, double *st, const struct carried *carried,
                                       const double *cell, const double *before, double h_gradient,
                                       int64_t k, int64_t hidden) = {
    [CELL_RNN] = back_rnn,
    [CELL_LSTM] = back_lstm,
    [CELL_GRU] = back_gru,
};

/* gradients += weights * sums; weights (depth, count). */
static void multiply_back(double *gradients, const double *weights, int64_t depth,
                          const double *sums, int64_t count)
{
    for (int64_t i = 0; i < depth; i++)
        for (int64_t k = 0; k < count; k++)
            gradients[i] += weights[i * count + k] * sums[k];
}

/* outputs: gradients by the layer's outputs, (positions, width); inputs: by its inputs, to which
 * this direction's are added, (positions, depth). */
static void back_stack(const struct recurrence *recurrence, struct recurrence_sample *sample,
                       const struct recurrence_stack *stack, const double *outputs, double *inputs,
                       const struct carried *carried)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const int64_t hidden = sizes->hidden, rows = sizes->gates * hidden;
    memset(carried->state, 0, (size_t)hidden * sizeof *carried->state);
    memset(carried->memory, 0, (size_t)hidden * sizeof *carried->memory);
    for (int64_t step = sizes->positions; step-- > 0;) {
        const int64_t position = recurrence_position(sizes, stack, step);
        const int64_t number = stack->first + position;
        const double *from = outputs + position * sizes->width + stack->direction * hidden;
        const double *cell = cell_at(recurrence, sample, stack, position);
        const double *before = cell_before(recurrence, sample, stack, step);
        double *in = sample->input_side + number * rows, *st = sample->state_side + number * rows;
        for (int64_t k = 0; k < hidden; k++) {
            const double gradient = from[k] + carried->state[k];
            sample->scales[number] = fmax(sample->scales[number],
                                          fabs(gradient) + fabs(carried->memory[k]));
            backs[recurrence->cell](in, st, carried, cell, before, gradient, k, hidden);
        }
        multiply_back(carried->state, stack->state_weights, hidden, st, rows);
        multiply_back(inputs + position * stack->depth, stack->input_weights, stack->depth, in,
                      rows);
    }
}

static bool take_gradients(struct reference *reference, const struct recurrent_sizes *sizes,
                           struct recurrence_sample *sample)
{
    const int64_t cells = sizes->layers * sizes->directions * sizes->positions;
    sample->input_side = take(reference, cells * sizes->gates * sizes->hidden);
    sample->state_side = take(reference, cells * sizes->gates * sizes->hidden);
    sample->scales = take(reference, cells);
    return sample->input_side && sample->state_side && sample->scales;
}

/* From the last layer to the first: by a layer's outputs, then by its inputs, which are the
 * outputs of the layer below. */
static void back_layers(struct reference *reference, const struct recurrence *recurrence,
                        struct recurrence_sample *sample, double *outputs)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    double *scratch = take(reference, 2 * sizes->hidden);
    if (!scratch)
        return;
    const struct carried carried = {scratch, scratch + sizes->hidden};
    for (int64_t layer = sizes->layers; layer-- > 0;) {
        double *inputs = take(reference, sizes->positions * (layer ? sizes->width : sizes->inputs));
        for (int64_t i = 0; i < sizes->directions && inputs; i++) {
            const struct recurrence_stack stack = recurrence_stack_of(recurrence, layer, i);
            back_stack(recurrence, sample, &stack, outputs, inputs, &carried);
        }
        outputs = inputs;
    }
    sample->input_gradient = outputs;
}

const struct recurrence_sample *recurrence_backward(struct reference *reference, int64_t number)
{
    struct recurrence_sample *sample = (struct recurrence_sample *)recurrence_forward(reference,
                                                                                      number);
    if (!sample || sample->has_backward)
        return sample;
    const struct recurrence *recurrence = reference->kept;
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    double *outputs = take(reference, sizes->positions * sizes->width);
    if (!outputs || !take_gradients(reference, sizes, sample))
        return NULL;
    for (int64_t t = 0; t < sizes->positions; t++) {
        const double *row = read_all(reference, VALUE_OUTPUT_GRADIENT,
                                     (t * sizes->batch + number) * sizes->width, sizes->width);
        if (row)
            memcpy(outputs + t * sizes->width, row, (size_t)sizes->width * sizeof *row);
    }
    back_layers(reference, recurrence, sample, outputs);
    sample->has_backward = reference->status == STATUS_OK;
    return sample->has_backward ? sample : NULL;
}
