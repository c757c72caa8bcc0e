/* The functions of the layer kind `activation`: what they are, and what they cost. leaky_relu's
 * slope below 0 is 0.01, elu's alpha 1, quick_gelu is x sigmoid(1.702 x), relu6 clips to [0, 6]:
 * what PyTorch takes by default. gelu is the one with erf, gelu_tanh its approximation (Hendrycks,
 * Gimpel, arXiv 1606.08415).
 */
#ifndef EPOCHCAST_LAYERS_FUNCTION_H
#define EPOCHCAST_LAYERS_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

struct function_traits {
    double forward_flops, backward_flops; /* of one element; an exponential counts as one */
    bool keeps_output; /* its backward pass reads its output, as frameworks' do; else its input */
};
/* function: enum function, here and below. */
const struct function_traits *function_traits_of(int32_t function);

double function_value(int32_t function, double x);
/* f'(x), from what the backward pass reads: f(x) or x. */
double function_slope(int32_t function, double kept);

#endif
