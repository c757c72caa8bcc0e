/* activation: one function of every element. The slope of a function whose output is kept is taken
 * of the output that the device has, as for the activations that other kinds have fused. */
#include "layers/function.h"
#include "layers/reference_internal.h"

#include <math.h>

/* Libraries' polynomials are right to some units in the last place of the argument or the result,
 * whichever is the larger; for e^x the argument's error is the result's relative one. */
static const double polynomial = 8;

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int32_t function = reference->config.as.activation.function;
    const double x = reference_read_one(reference, VALUE_INPUT, index);
    const double y = function_value(function, x);
    reference_add(sum, y, polynomial * fmax(fabs(x), fabs(y)));
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const int32_t function = reference->config.as.activation.function;
    const bool keeps_output = function_traits_of(function)->keeps_output;
    const double kept = reference_read_one(reference, keeps_output ? VALUE_OUTPUT : VALUE_INPUT,
                                           index);
    const double gradient = reference_read_one(reference, VALUE_OUTPUT_GRADIENT, index);
    const double slope = function_slope(function, kept);
    reference_add(sum, gradient * slope, polynomial * gradient * fmax(1, fabs(slope)));
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    (void)reference, (void)index;
    return what == VALUE_OUTPUT ? 1 : 2;
}

const struct kind_meaning meaning_activation = {
    .output = output, .input_gradient = input_gradient, .terms = terms};
