/* recurrent: the simple cell; LSTM: Hochreiter, Schmidhuber 1997, with forget gates (Gers et al.
 * 2000); GRU: Cho et al., arXiv 1406.1078, with the reset behind the product, as cuDNN and PyTorch
 * define it. A sample's recurrence is computed as a whole, once, and kept until reference_end.
 */
#include "layers/recurrence.h"

#include <math.h>

/* Rounding errors are relative to 1, of which size gates are, and come from the sums of all steps
 * before; a step has several functions one after the other. */
enum { STATE_SIZE = 3 };

static double additions_of(const struct recurrent_sizes *sizes)
{
    const int64_t later = (sizes->layers - 1) * (sizes->width + sizes->hidden);
    return (double)(sizes->positions * (sizes->inputs + sizes->hidden + later));
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct recurrent_sizes sizes = recurrent_sizes_of(&reference->config);
    const int64_t row = index / sizes.width, position = row / sizes.batch;
    const struct recurrence_sample *sample = recurrence_forward(reference, row % sizes.batch);
    if (!sample)
        return;
    const double *last = sample->outputs + (sizes.layers - 1) * sizes.positions * sizes.width;
    reference_add(sum, last[position * sizes.width + index % sizes.width], STATE_SIZE);
    sum->count += additions_of(&sizes);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const struct recurrent_sizes sizes = recurrent_sizes_of(&reference->config);
    const int64_t row = index / sizes.inputs, position = row / sizes.batch;
    const struct recurrence_sample *sample = recurrence_backward(reference, row % sizes.batch);
    if (!sample)
        return;
    const struct recurrence *recurrence = reference->kept;
    const int64_t rows = sizes.gates * sizes.hidden, input = index % sizes.inputs;
    double squares = 0;
    for (int64_t i = 0; i < sizes.directions; i++) {
        const struct recurrence_stack stack = recurrence_stack_of(recurrence, 0, i);
        const double scale = sample->scales[stack.first + position];
        for (int64_t k = 0; k < rows; k++)
            squares += pow(stack.input_weights[input * rows + k] * scale, 2);
    }
    reference_add(sum, sample->input_gradient[position * sizes.inputs + input],
                  STATE_SIZE * sqrt(squares));
    sum->count += 2 * additions_of(&sizes);
}

/* An element of the parameters: its layer and direction, the row (an input, a neuron of the state,
 * one of two biases), gate and neuron. */
struct parameter {
    struct recurrence_stack stack;
    int64_t row, column;
};

static struct parameter parameter_at(const struct recurrence *recurrence,
                                     enum recurrent_parameters what, int64_t index)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const int64_t rows[RECURRENT_PARAMETER_COUNT] = {sizes->inputs, sizes->hidden, sizes->width, 2};
    const int64_t columns = sizes->gates * sizes->hidden, row = index / columns;
    const int64_t number = row / rows[what], later = what == RECURRENT_LATER_WEIGHTS;
    return (struct parameter){.stack = recurrence_stack_of(recurrence,
                                                           number / sizes->directions + later,
                                                           number % sizes->directions),
                              .row = row % rows[what],
                              .column = index % columns};
}

/* What the parameter is multiplied with at a step: a number and the size that its error has. */
static double factor_of(double *size, const struct recurrence *recurrence,
                        const struct recurrence_sample *sample, const struct parameter *parameter,
                        enum recurrent_parameters what, int64_t step)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const struct recurrence_stack *stack = &parameter->stack;
    const double *state = recurrence_state_before(recurrence, sample, stack, step);
    double factor = 1;
    if (what == RECURRENT_STATE_WEIGHTS)
        factor = state ? state[parameter->row] : 0;
    else if (what != RECURRENT_BIASES)
        factor = recurrence_inputs(recurrence, sample, stack,
                                   recurrence_position(sizes, stack, step))[parameter->row];
    *size = fmax(1, fabs(factor));
    return factor;
}

static void add_sample(struct reference_sum *sum, const struct recurrence *recurrence,
                       const struct recurrence_sample *sample, const struct parameter *parameter,
                       enum recurrent_parameters what)
{
    const struct recurrent_sizes *sizes = &recurrence->sizes;
    const struct recurrence_stack *stack = &parameter->stack;
    const bool is_of_state = what == RECURRENT_STATE_WEIGHTS ||
                             (what == RECURRENT_BIASES && parameter->row == 1);
    const double *sides = is_of_state ? sample->state_side : sample->input_side;
    for (int64_t step = 0; step < sizes->positions; step++) {
        const int64_t cell = stack->first + recurrence_position(sizes, stack, step);
        double size;
        const double factor = factor_of(&size, recurrence, sample, parameter, what, step);
        const double gradient = sides[cell * sizes->gates * sizes->hidden + parameter->column];
        reference_add(sum, factor * gradient, size * sample->scales[cell]);
    }
}

static enum recurrent_parameters what_is(const struct recurrent_sizes *sizes, int which)
{
    return which == recurrent_biases_place(sizes) ? RECURRENT_BIASES
                                                  : (enum recurrent_parameters)which;
}

static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    const struct recurrent_sizes sizes = recurrent_sizes_of(&reference->config);
    const enum recurrent_parameters what = what_is(&sizes, which);
    for (int64_t i = 0; i < sizes.batch; i++) {
        const struct recurrence_sample *sample = recurrence_backward(reference, i);
        if (!sample)
            return;
        const struct parameter parameter = parameter_at(reference->kept, what, index);
        add_sample(sum, reference->kept, sample, &parameter, what);
    }
    sum->count += 2 * additions_of(&sizes);
}

/* Parameters are read once, then a sample's recurrence is so many multiply-adds, of which sixteen
 * take the time of a read. */
static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    enum { PRODUCTS_OF_A_READ = 16 };
    const struct recurrent_sizes sizes = recurrent_sizes_of(&reference->config);
    const double positions = (double)sizes.positions;
    double parameters = 0;
    for (int i = 0; i < RECURRENT_PARAMETER_COUNT; i++)
        parameters += (double)recurrent_parameter_count(&sizes, (enum recurrent_parameters)i);
    (void)index;
    const double forward = positions * ((double)sizes.inputs + parameters / PRODUCTS_OF_A_READ);
    const double backward = positions * ((double)sizes.width + 2 * parameters / PRODUCTS_OF_A_READ);
    if (what == VALUE_OUTPUT)
        return parameters + forward;
    return parameters +
           (forward + backward) * (double)(what == VALUE_INPUT_GRADIENT ? 1 : sizes.batch);
}

/* One of the same sample; of the parameters all. */
static int64_t mate(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word)
{
    const struct recurrent_sizes sizes = recurrent_sizes_of(&reference->config);
    const int64_t width = what == VALUE_OUTPUT ? sizes.width : sizes.inputs;
    if (what != VALUE_OUTPUT && what != VALUE_INPUT_GRADIENT)
        return word % layer_value_count(&reference->config, what);
    const int64_t sample = index / width % sizes.batch;
    const int64_t place = word % (sizes.positions * width);
    return (place / width * sizes.batch + sample) * width + place % width;
}

const struct kind_meaning meaning_recurrent = {
    .output = output,
    .input_gradient = input_gradient,
    .weights_gradient = weights_gradient,
    .terms = terms,
    .mate = mate,
};
