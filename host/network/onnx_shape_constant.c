/* Operators whose outputs do not depend on the network's input but by its shape. */
#include "network/onnx_shape.h"

#include <math.h>
#include <string.h>

static enum status set_values(const struct onnx_call *call, int type, int rank,
                              const double *values, int count)
{
    const int64_t dims[1] = {count};
    struct onnx_value *output = onnx_output(call, 0);
    TRY(onnx_set_output(call, 0, type, rank, dims));
    double *folded = output ? onnx_fold_room(&call->graph->source, count) : NULL;
    if (!folded)
        return STATUS_OK;
    memcpy(folded, values, (size_t)count * sizeof *folded);
    output->folded = folded;
    return STATUS_OK;
}

static enum status constant_integers(const struct onnx_call *call)
{
    int64_t values[ONNX_LIST_LIMIT];
    double numbers[ONNX_LIST_LIMIT];
    const int count = onnx_integers(call, "value_ints", values, ONNX_LIST_LIMIT);
    for (int i = 0; i < count && i < ONNX_LIST_LIMIT; i++)
        numbers[i] = (double)values[i];
    if (count > ONNX_LIST_LIMIT) {
        const int64_t dims[1] = {count};
        return onnx_set_output(call, 0, ONNX_INT64, 1, dims);
    }
    return set_values(call, ONNX_INT64, 1, numbers, count);
}

static enum status constant_numbers(const struct onnx_call *call)
{
    double values[ONNX_LIST_LIMIT];
    const int count = onnx_numbers(call, "value_floats", values, ONNX_LIST_LIMIT);
    if (count > ONNX_LIST_LIMIT) {
        const int64_t dims[1] = {count};
        return onnx_set_output(call, 0, ONNX_FLOAT, 1, dims);
    }
    return set_values(call, ONNX_FLOAT, 1, values, count);
}

enum status onnx_shape_constant(const struct onnx_call *call)
{
    struct onnx_value *output = onnx_output(call, 0);
    if (!output)
        return STATUS_OK;
    if (onnx_has_attribute(call, "value"))
        return onnx_tensor_attribute(call, "value", output);
    if (onnx_has_attribute(call, "value_ints"))
        return constant_integers(call);
    if (onnx_has_attribute(call, "value_floats"))
        return constant_numbers(call);
    const double integer = (double)onnx_integer(call, "value_int", 0);
    const double number = onnx_number(call, "value_float", 0);
    if (onnx_has_attribute(call, "value_int"))
        return set_values(call, ONNX_INT64, 0, &integer, 1);
    if (onnx_has_attribute(call, "value_float"))
        return set_values(call, ONNX_FLOAT, 0, &number, 1);
    if (onnx_has_attribute(call, "value_string"))
        return onnx_set_output(call, 0, ONNX_STRING, 0, NULL);
    if (onnx_has_attribute(call, "value_strings")) {
        const int64_t dims[1] = {onnx_texts(call, "value_strings")};
        return onnx_set_output(call, 0, ONNX_STRING, 1, dims);
    }
    return onnx_fail(call, "it has no value");
}

enum status onnx_shape_constant_of_shape(const struct onnx_call *call)
{
    int64_t dims[ONNX_LIST_LIMIT];
    struct onnx_value value = {.name = {"value", 5}, .type = ONNX_FLOAT};
    int count;
    TRY(onnx_list(call, "shape", 0, dims, &count));
    if (onnx_has_attribute(call, "value"))
        TRY(onnx_tensor_attribute(call, "value", &value));
    if (count < 0)
        return onnx_fail(call, "it has no shape");
    return onnx_set_output(call, 0, value.type, count, dims);
}

/* 0 .. rank of an axis that may count from the end, or lie beyond either. */
static int64_t clamped(int64_t axis, int rank)
{
    return onnx_clamp(axis < 0 ? axis + rank : axis, 0, rank);
}

enum status onnx_shape_shape(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    const int64_t start = clamped(onnx_integer(call, "start", 0), input->rank);
    const int64_t end = clamped(onnx_integer(call, "end", input->rank), input->rank);
    const int64_t dims[1] = {end > start ? end - start : 0};
    return onnx_set_output(call, 0, ONNX_INT64, 1, dims);
}

enum status onnx_shape_size(const struct onnx_call *call)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, 0, &input));
    return onnx_set_output(call, 0, ONNX_INT64, 0, NULL);
}

enum status onnx_shape_range(const struct onnx_call *call)
{
    struct onnx_value *inputs[3];
    for (int i = 0; i < 3; i++) {
        TRY(onnx_need_input(call, i, &inputs[i]));
        if (!inputs[i]->folded || inputs[i]->count < 1)
            return onnx_fail(call, "its bounds depend on the data");
    }
    const double step = inputs[2]->folded[0];
    const double count = ceil((inputs[1]->folded[0] - inputs[0]->folded[0]) / step);
    if (step == 0)
        return onnx_fail(call, "its step is 0");
    const int64_t dims[1] = {count > 0 ? onnx_integer_of(count) : 0};
    return onnx_set_output(call, 0, inputs[0]->type, 1, dims);
}
