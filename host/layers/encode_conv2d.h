/* Columns of convolutions: sizes, the implicit matrix products of the three passes, what tiles and
 * waves waste (kind_conv2d.c), what transform algorithms (Winograd, FFT) would cost, and the
 * conditions by which libraries choose among them (encode_transforms.c).
 */
#ifndef EPOCHCAST_LAYERS_ENCODE_CONV2D_H
#define EPOCHCAST_LAYERS_ENCODE_CONV2D_H

#include "layers/encode_gemm.h"

struct conv_geometry {
    const struct conv2d *conv;
    struct window window;
    double is_train, rows, image, kernel, in, out, stride, side; /* side of the output */
    double cells_in, cells_out;                                  /* rows * side^2 */
    double depth_in, depth_out;                                  /* kernel^2 * channels */
    double direct_flops;                                         /* of the forward product */
};

void emit_winograd(struct columns *columns, const struct conv_geometry *g);

/* FFTs of image + kernel - 1 cells a side, whatever the padding: the columns of models without
 * steps. */
void emit_fft_of_kernel(struct columns *columns, const struct conv_geometry *g);

/* In their place, with steps: FFTs of the padded image and of tiles of 32, their workspaces against
 * limits that libraries set, the sizes of im2col, and few channels. */
void emit_transforms(struct columns *columns, const struct conv_geometry *g);

#endif
