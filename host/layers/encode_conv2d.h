/* Columns of convolutions: sizes, the implicit matrix products of the three passes, what tiles and
 * waves waste (encode_conv2d.c), what transform algorithms (Winograd, FFT) would cost, and the
 * conditions by which libraries choose among them (encode_transforms.c).
 */
#ifndef EPOCHCAST_LAYERS_ENCODE_CONV2D_H
#define EPOCHCAST_LAYERS_ENCODE_CONV2D_H

#include "layers/encode_gemm.h"

struct conv_geometry {
    const struct conv2d *conv;
    struct window_axis high, wide;
    double is_train, rows, image, image_width, kernel, kernel_width, in, out, stride;
    double side, side_width;    /* of the output */
    double group_in, group_out; /* channels of a group */
    double cells_in, cells_out; /* rows * side * side_width */
    double depth_in, depth_out; /* cells of the kernel * channels of a group */
    double direct_flops;        /* of the forward product */
    int square_kernel;          /* side of a square kernel without dilation, else 0 */
    bool is_plain;              /* neither groups nor dilation */
};

/* Of the kind's descriptor. */
void encode_conv2d(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units);
void encode_paper_conv2d(struct columns *columns, const struct layer_config *config);

void emit_winograd(struct columns *columns, const struct conv_geometry *g);

/* FFTs of image + kernel - 1 cells a side, whatever the padding: the columns of models without
 * steps. */
void emit_fft_of_kernel(struct columns *columns, const struct conv_geometry *g);

/* In their place, with steps: FFTs of the padded image and of tiles of 32, their workspaces against
 * limits that libraries set, the sizes of im2col, and few channels. */
void emit_transforms(struct columns *columns, const struct conv_geometry *g);

#endif
