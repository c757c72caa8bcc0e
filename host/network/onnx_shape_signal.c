/* Spectra: shapes, and the work of a fast Fourier transform. */
#include "network/onnx_operators.h"

#include <math.h>
#include <string.h>

/* The one value of input i, at least 1; `otherwise` where it is left out. */
static enum status known_length(const struct onnx_call *call, int i, const char *name,
                                int64_t otherwise, int64_t *length)
{
    const struct onnx_value *input = onnx_input(call, i);
    if (input && (!input->folded || input->count != 1))
        return onnx_fail(call, "%s depends on the data", name);
    *length = input ? onnx_integer_of(input->folded[0]) : otherwise;
    if (*length < 1 || *length > ONNX_DIMENSION_LIMIT)
        return onnx_fail(call, "%s is %lld", name, (long long)*length);
    return STATUS_OK;
}

static enum status frame_length(const struct onnx_call *call, int64_t *length)
{
    const struct onnx_value *window = onnx_input(call, 2);
    return known_length(call, 3, "frame_length", window && window->rank == 1 ? window->dims[0] : 0,
                        length);
}

/* Signal (batch, length, 1 or 2) -> (batch, frames, bins, 2). */
enum status onnx_shape_stft(const struct onnx_call *call)
{
    struct onnx_value *signal;
    int64_t step = 1, length = 1;
    TRY(onnx_need_input(call, 0, &signal));
    TRY(known_length(call, 1, "frame_step", 0, &step));
    TRY(frame_length(call, &length));
    if (signal->rank < 2 || signal->rank > 3 || signal->dims[1] < length)
        return onnx_fail(call, "frames of %lld in a signal of %d dimensions", (long long)length,
                         signal->rank);
    const bool is_half = onnx_integer(call, "onesided", 1);
    const int64_t dims[4] = {signal->dims[0], (signal->dims[1] - length) / step + 1,
                             is_half ? length / 2 + 1 : length, 2};
    return onnx_set_output(call, 0, signal->type, 4, dims);
}

/* (.., length, .., 1 or 2) -> (.., bins, .., 2); the axis is an input from opset 20 on. */
static enum status dft_axis(const struct onnx_call *call, const struct onnx_value *input, int *axis)
{
    const struct onnx_value *given = onnx_input(call, 2);
    if (given && (!given->folded || given->count != 1))
        return onnx_fail(call, "its axis depends on the data");
    const int64_t otherwise = onnx_integer(call, "axis", call->graph->opset < 20 ? 1 : -2);
    return onnx_axis(call, given ? onnx_integer_of(given->folded[0]) : otherwise, input->rank,
                     axis);
}

enum status onnx_shape_dft(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t length = 1, dims[ONNX_RANK_LIMIT];
    int axis;
    TRY(onnx_need_input(call, 0, &input));
    TRY(dft_axis(call, input, &axis));
    TRY(known_length(call, 1, "dft_length", input->dims[axis], &length));
    const bool is_half = onnx_integer(call, "onesided", 0);
    const bool is_inverse = onnx_integer(call, "inverse", 0);
    memcpy(dims, input->dims, sizeof dims);
    dims[axis] = is_half && !is_inverse ? length / 2 + 1 : length;
    dims[input->rank - 1] = is_half && is_inverse ? 1 : 2;
    return onnx_set_output(call, 0, input->type, input->rank, dims);
}

/* HannWindow, HammingWindow, BlackmanWindow. */
enum status onnx_shape_signal_window(const struct onnx_call *call)
{
    int64_t size = 1;
    TRY(known_length(call, 0, "size", 0, &size));
    return onnx_set_output(call, 0, ONNX_FLOAT, 1, &size);
}

enum status onnx_shape_mel_weights(const struct onnx_call *call)
{
    int64_t bins = 1, length = 1;
    TRY(known_length(call, 0, "num_mel_bins", 0, &bins));
    TRY(known_length(call, 1, "dft_length", 0, &length));
    const int64_t dims[2] = {length / 2 + 1, bins};
    return onnx_set_output(call, 0, ONNX_FLOAT, 2, dims);
}

/* ---- work ---- */

/* A transform of n complex numbers takes 5 n log2(n) operations, of real ones half of that. */
static enum status emit_transforms(struct onnx_builder *builder, const struct onnx_call *call,
                                   double length, double bins, bool is_real)
{
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    const double transforms = layer->work.output_count / (2 * bins);
    layer->work.forward_flops = (is_real ? 2.5 : 5) * transforms * length * log2(length + 1);
    layer->work.backward_flops = layer->work.forward_flops;
    return STATUS_OK;
}

enum status onnx_emit_stft(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *signal = onnx_input(call, 0);
    int64_t length = 1;
    TRY(frame_length(call, &length));
    return emit_transforms(builder, call, (double)length, (double)onnx_output(call, 0)->dims[2],
                           signal->rank == 2 || signal->dims[2] == 1);
}

enum status onnx_emit_dft(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *input = onnx_input(call, 0), *output = onnx_output(call, 0);
    int axis;
    TRY(dft_axis(call, input, &axis));
    const double bins = (double)output->dims[axis];
    const double length = fmax(bins, (double)input->dims[axis]);
    return emit_transforms(builder, call, length, bins * (output->dims[output->rank - 1] / 2.0),
                           input->dims[input->rank - 1] == 1);
}
