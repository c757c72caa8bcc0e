/* Shape inference: one function for each form of operator. It reads the inputs' shapes, which are
 * complete and not negative, and sets the outputs'; complaints name the node. (operators:
 * https://github.com/onnx/onnx/blob/main/docs/Operators.md)
 */
#ifndef EPOCHCAST_NETWORK_ONNX_SHAPE_H
#define EPOCHCAST_NETWORK_ONNX_SHAPE_H

#include "network/onnx_graph.h"

typedef enum status onnx_shape_function(const struct onnx_call *call);

/* onnx_shape.c: arithmetic */
onnx_shape_function onnx_shape_same, onnx_shape_test, onnx_shape_broadcast, onnx_shape_compare,
    onnx_shape_where, onnx_shape_cast, onnx_shape_cast_like, onnx_shape_gemm, onnx_shape_matmul,
    onnx_shape_normalization, onnx_shape_group_normalization, onnx_shape_layer_normalization,
    onnx_shape_reduce, onnx_shape_arg_reduce, onnx_shape_recurrent, onnx_shape_top_k;
/* onnx_shape_move.c: rearrangement */
onnx_shape_function onnx_shape_reshape, onnx_shape_flatten, onnx_shape_transpose, onnx_shape_concat,
    onnx_shape_slice, onnx_shape_split, onnx_shape_squeeze, onnx_shape_unsqueeze, onnx_shape_gather,
    onnx_shape_gather_elements, onnx_shape_expand, onnx_shape_tile;
/* onnx_shape_image.c: borders, sizes, places in images */
onnx_shape_function onnx_shape_pad, onnx_shape_center_crop_pad, onnx_shape_resize,
    onnx_shape_depth_to_space, onnx_shape_space_to_depth, onnx_shape_grid_sample,
    onnx_shape_affine_grid, onnx_shape_roi_pool, onnx_shape_col_to_image;
/* onnx_shape_index.c: picked by index or test, or shaped like another */
onnx_shape_function onnx_shape_gather_nd, onnx_shape_one_hot, onnx_shape_non_zero,
    onnx_shape_non_max_suppression, onnx_shape_compress, onnx_shape_unique, onnx_shape_multinomial,
    onnx_shape_like, onnx_shape_random, onnx_shape_loss, onnx_shape_determinant;
/* onnx_shape_signal.c: spectra */
onnx_shape_function onnx_shape_stft, onnx_shape_dft, onnx_shape_signal_window,
    onnx_shape_mel_weights;
/* onnx_einsum.c, onnx_standard_attention.c */
onnx_shape_function onnx_shape_einsum, onnx_shape_attention;
/* onnx_shape_constant.c: values that only shapes are made of */
onnx_shape_function onnx_shape_constant, onnx_shape_constant_of_shape, onnx_shape_shape,
    onnx_shape_size, onnx_shape_range;
/* onnx_window.c */
onnx_shape_function onnx_shape_conv, onnx_shape_conv_transpose, onnx_shape_pool,
    onnx_shape_global_pool, onnx_shape_max_unpool;

/* ---- what they share ---- */

/* Input i, which must be there; STATUS_BAD_FILE otherwise. */
enum status onnx_need_input(const struct onnx_call *call, int i, struct onnx_value **value);
/* Sets output i (which may be left out), every dimension checked. */
enum status onnx_set_output(const struct onnx_call *call, int i, int type, int rank,
                            const int64_t *dims);
/* 0 .. rank - 1 of an axis that may count from the end. */
enum status onnx_axis(const struct onnx_call *call, int64_t axis, int rank, int *out);
/* A list that old operator sets have as attribute `name`, newer ones as input i; *count -1:
 * neither. More than ONNX_LIST_LIMIT values, or an input that is not constant: an error. */
enum status onnx_list(const struct onnx_call *call, const char *name, int i,
                      int64_t values[ONNX_LIST_LIMIT], int *count);
/* Axes that a Reduce* works on. */
enum status onnx_reduced_axes(const struct onnx_call *call, bool is_reduced[ONNX_RANK_LIMIT]);
/* Cells that a Pad adds to each axis; negative: that it cuts off. */
enum status onnx_pads(const struct onnx_call *call, int64_t before[ONNX_RANK_LIMIT],
                      int64_t after[ONNX_RANK_LIMIT]);
/* Axis of an Einsum's result that an input's axis becomes; ONNX_MIXED: it is summed up. */
int onnx_einsum_axis(const struct onnx_call *call, int input, int axis);
/* A folded value as an integer: files have INT64_MAX for "to the end". */
int64_t onnx_integer_of(double value);
static inline int64_t onnx_clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* ---- windows ---- */

enum { ONNX_SPATIAL_LIMIT = 3 };
struct onnx_window {
    int axes; /* spatial ones */
    int64_t image[ONNX_SPATIAL_LIMIT], kernel[ONNX_SPATIAL_LIMIT], stride[ONNX_SPATIAL_LIMIT],
        dilation[ONNX_SPATIAL_LIMIT], before[ONNX_SPATIAL_LIMIT], after[ONNX_SPATIAL_LIMIT],
        output[ONNX_SPATIAL_LIMIT];
};
/* Of Conv and pools: the sizes, with auto_pad and ceil_mode resolved. */
enum status onnx_window_read(const struct onnx_call *call, struct onnx_window *window);
/* Of ConvTranspose. */
enum status onnx_window_read_transposed(const struct onnx_call *call, struct onnx_window *window);

#endif
