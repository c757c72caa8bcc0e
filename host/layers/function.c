#include "layers/function.h"

#include "base/choice.h"

#include <math.h>

static const double leaky_slope = 0.01, quick_factor = 1.702;

const struct function_traits *function_traits_of(int32_t function)
{
    static const struct function_traits traits[FUNCTION_COUNT] = {
        [FUNCTION_RELU] = {1, 1, true},         [FUNCTION_LEAKY_RELU] = {2, 2, true},
        [FUNCTION_RELU6] = {2, 2, true},        [FUNCTION_GELU] = {16, 20, false},
        [FUNCTION_GELU_TANH] = {12, 16, false}, [FUNCTION_QUICK_GELU] = {6, 6, false},
        [FUNCTION_SILU] = {5, 5, false},        [FUNCTION_TANH] = {5, 3, true},
        [FUNCTION_SIGMOID] = {4, 3, true},      [FUNCTION_EXP] = {1, 1, true},
        [FUNCTION_HARD_SWISH] = {5, 4, false},  [FUNCTION_SOFTPLUS] = {3, 4, false},
        [FUNCTION_ELU] = {3, 2, true},          [FUNCTION_MISH] = {10, 12, false},
    };
    return &traits[function];
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* The tanh of gelu's approximation, and the slope of what it is taken of. */
static double gelu_argument(double x)
{
    return sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
}

static double gelu_argument_slope(double x)
{
    return sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
}

double function_value(int32_t function, double x)
{
    switch (function) {
    case FUNCTION_RELU:
        return fmax(x, 0);
    case FUNCTION_LEAKY_RELU:
        return x > 0 ? x : leaky_slope * x;
    case FUNCTION_RELU6:
        return fmin(fmax(x, 0), 6);
    case FUNCTION_GELU:
        return x / 2 * (1 + erf(x / sqrt(2)));
    case FUNCTION_GELU_TANH:
        return x / 2 * (1 + tanh(gelu_argument(x)));
    case FUNCTION_QUICK_GELU:
        return x * logistic(quick_factor * x);
    case FUNCTION_SILU:
        return x * logistic(x);
    case FUNCTION_TANH:
        return tanh(x);
    case FUNCTION_SIGMOID:
        return logistic(x);
    case FUNCTION_EXP:
        return exp(x);
    case FUNCTION_HARD_SWISH:
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    case FUNCTION_SOFTPLUS:
        return fmax(x, 0) + log1p(exp(-fabs(x)));
    case FUNCTION_ELU:
        return x > 0 ? x : expm1(x);
    default:
        return x * tanh(function_value(FUNCTION_SOFTPLUS, x)); /* mish */
    }
}

/* x sigmoid(a x) */
static double swish_slope(double a, double x)
{
    const double s = logistic(a * x);
    return s + a * x * s * (1 - s);
}

static double gelu_slope(double x)
{
    return (1 + erf(x / sqrt(2))) / 2 + x * exp(-x * x / 2) / sqrt(2 * M_PI);
}

static double gelu_tanh_slope(double x)
{
    const double t = tanh(gelu_argument(x));
    return (1 + t) / 2 + x / 2 * (1 - t * t) * gelu_argument_slope(x);
}

static double mish_slope(double x)
{
    const double t = tanh(function_value(FUNCTION_SOFTPLUS, x));
    return t + x * (1 - t * t) * logistic(x);
}

double function_slope(int32_t function, double kept)
{
    switch (function) {
    case FUNCTION_RELU:
        return kept > 0;
    case FUNCTION_LEAKY_RELU:
        return kept > 0 ? 1 : leaky_slope;
    case FUNCTION_RELU6:
        return kept > 0 && kept < 6;
    case FUNCTION_GELU:
        return gelu_slope(kept);
    case FUNCTION_GELU_TANH:
        return gelu_tanh_slope(kept);
    case FUNCTION_QUICK_GELU:
        return swish_slope(quick_factor, kept);
    case FUNCTION_SILU:
        return swish_slope(1, kept);
    case FUNCTION_TANH:
        return 1 - kept * kept;
    case FUNCTION_SIGMOID:
        return kept * (1 - kept);
    case FUNCTION_EXP:
        return kept;
    case FUNCTION_HARD_SWISH:
        return kept <= -3 ? 0 : kept >= 3 ? 1 : (2 * kept + 3) / 6;
    case FUNCTION_SOFTPLUS:
        return logistic(kept);
    case FUNCTION_ELU:
        return kept > 0 ? 1 : kept + 1;
    default:
        return mish_slope(kept);
    }
}
