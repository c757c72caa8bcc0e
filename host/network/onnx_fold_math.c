/* Folded values that are computed element by element, and reductions. */
#include "network/onnx_fold.h"

#include "network/onnx_shape.h"

#include <math.h>

static double element(const struct onnx_call *call, int input, int i)
{
    const struct onnx_value *value = onnx_input(call, input);
    return value->folded[onnx_broadcast_element(onnx_output(call, 0), value, i)];
}

static int output_count(const struct onnx_call *call)
{
    return (int)onnx_output(call, 0)->count;
}

void onnx_fold_where(const struct onnx_call *call)
{
    double *out = onnx_fold_output(call, 0, 3);
    for (int i = 0; out && i < output_count(call); i++)
        out[i] = element(call, element(call, 0, i) != 0 ? 1 : 2, i);
}

/* ---- of one ---- */

static void fold_unary(const struct onnx_call *call, double (*function)(double))
{
    double *out = onnx_fold_output(call, 0, 1);
    for (int i = 0; out && i < output_count(call); i++)
        out[i] = function(element(call, 0, i));
}

#define FOLD_UNARY(name, expression)                                                               \
    static double name##_of(double a)                                                              \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    void onnx_fold_##name(const struct onnx_call *call)                                            \
    {                                                                                              \
        fold_unary(call, name##_of);                                                               \
    }
FOLD_UNARY(floor, floor(a))
FOLD_UNARY(ceil, ceil(a))
FOLD_UNARY(round, rint(a))
FOLD_UNARY(sqrt, sqrt(a))
FOLD_UNARY(neg, -a)
FOLD_UNARY(abs, fabs(a))
FOLD_UNARY(sign, (a > 0) - (a < 0))
FOLD_UNARY(not, a == 0)
FOLD_UNARY(exp, exp(a))
FOLD_UNARY(log, log(a))
FOLD_UNARY(reciprocal, 1 / a)

/* ---- of two or more ---- */

/* function(function(a, b), c) ... over all inputs. */
static void fold_joined(const struct onnx_call *call, double (*function)(double, double))
{
    double *out = onnx_fold_output(call, 0, call->node->input_count);
    const bool is_whole = out && !onnx_type_is_floating(onnx_input(call, 0)->type);
    for (int i = 0; out && i < output_count(call); i++) {
        out[i] = element(call, 0, i);
        for (int k = 1; k < call->node->input_count; k++)
            out[i] = function(out[i], element(call, k, i));
        if (is_whole)
            out[i] = trunc(out[i]);
    }
}

#define FOLD_JOINED(name, expression)                                                              \
    static double name##_of(double a, double b)                                                    \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    void onnx_fold_##name(const struct onnx_call *call)                                            \
    {                                                                                              \
        fold_joined(call, name##_of);                                                              \
    }
FOLD_JOINED(add, a + b)
FOLD_JOINED(sum, a + b)
FOLD_JOINED(sub, a - b)
FOLD_JOINED(mul, a *b)
FOLD_JOINED(div, a / b)
FOLD_JOINED(mod, a - b * floor(a / b))
FOLD_JOINED(pow, pow(a, b))
FOLD_JOINED(max, fmax(a, b))
FOLD_JOINED(min, fmin(a, b))
FOLD_JOINED(equal, a == b)
FOLD_JOINED(less, a < b)
FOLD_JOINED(less_or_equal, a <= b)
FOLD_JOINED(greater, a > b)
FOLD_JOINED(greater_or_equal, a >= b)
FOLD_JOINED(and, a != 0 && b != 0)
FOLD_JOINED(or, a != 0 || b != 0)
FOLD_JOINED(xor, (a != 0) != (b != 0))

/* A bound of Clip: attribute until opset 10, then an input. False: not known. */
static bool clip_bound(const struct onnx_call *call, const char *name, int i, double *bound)
{
    const struct onnx_value *input = onnx_input(call, i);
    *bound = onnx_number(call, name, *bound);
    if (input && input->folded && input->count == 1)
        *bound = input->folded[0];
    return !input || (input->folded && input->count == 1);
}

void onnx_fold_clip(const struct onnx_call *call)
{
    double low = -INFINITY, high = INFINITY;
    double *out = clip_bound(call, "min", 1, &low) && clip_bound(call, "max", 2, &high)
                      ? onnx_fold_output(call, 0, 1)
                      : NULL;
    for (int i = 0; out && i < output_count(call); i++)
        out[i] = fmin(fmax(element(call, 0, i), low), high);
}

/* ---- reductions ---- */

/* The output's element that element i of the input goes into. */
static int reduced_element(const struct onnx_call *call, const bool *is_reduced, int i)
{
    const struct onnx_value *input = onnx_input(call, 0);
    int64_t index[ONNX_RANK_LIMIT];
    int element = 0;
    onnx_unravel(input, i, index);
    for (int axis = 0; axis < input->rank; axis++)
        if (!is_reduced[axis])
            element = (int)(element * input->dims[axis] + index[axis]);
    return element;
}

static void fold_reduced(const struct onnx_call *call, double start,
                         double (*function)(double, double))
{
    bool is_reduced[ONNX_RANK_LIMIT];
    double *out = onnx_reduced_axes(call, is_reduced) == STATUS_OK ? onnx_fold_output(call, 0, 1)
                                                                   : NULL;
    for (int i = 0; out && i < output_count(call); i++)
        out[i] = start;
    for (int i = 0; out && i < (int)onnx_input(call, 0)->count; i++) {
        double *into = &out[reduced_element(call, is_reduced, i)];
        *into = function(*into, onnx_folded(call, 0)[i]);
    }
}

void onnx_fold_reduce_product(const struct onnx_call *call)
{
    fold_reduced(call, 1, mul_of);
}

void onnx_fold_reduce_sum(const struct onnx_call *call)
{
    fold_reduced(call, 0, add_of);
}

void onnx_fold_reduce_max(const struct onnx_call *call)
{
    fold_reduced(call, -INFINITY, max_of);
}

void onnx_fold_reduce_min(const struct onnx_call *call)
{
    fold_reduced(call, INFINITY, min_of);
}

void onnx_fold_reduce_mean(const struct onnx_call *call)
{
    fold_reduced(call, 0, add_of);
    const struct onnx_value *input = onnx_input(call, 0), *output = onnx_output(call, 0);
    for (int i = 0; output && output->folded && i < (int)output->count; i++)
        output->folded[i] *= output->count / input->count;
}
