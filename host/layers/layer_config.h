/* The layer kinds, and configs: one struct per kind, its members in the order of its features
 * (layer.h).
 */
#ifndef EPOCHCAST_LAYERS_LAYER_CONFIG_H
#define EPOCHCAST_LAYERS_LAYER_CONFIG_H

#include <stdint.h>

/* New kinds go to the end: a kind's number is in the words that its draws are made of. */
#define LAYER_KINDS(X)                                                                             \
    X(DENSE, dense)                                                                                \
    X(CONV2D, conv2d)                                                                              \
    X(POOL2D, pool2d)                                                                              \
    X(BATCH_NORM, batch_norm)                                                                      \
    X(BINARY, binary)                                                                              \
    X(LAYER_NORM, layer_norm)                                                                      \
    X(SOFTMAX, softmax)                                                                            \
    X(ACTIVATION, activation)                                                                      \
    X(MATMUL, matmul)                                                                              \
    X(ATTENTION, attention)                                                                        \
    X(EMBEDDING, embedding)                                                                        \
    X(LOSS, loss)                                                                                  \
    X(RECURRENT, recurrent)                                                                        \
    X(CONV_TRANSPOSE2D, conv_transpose2d)                                                          \
    X(REDUCTION, reduction)                                                                        \
    X(TRANSPOSE, transpose)                                                                        \
    X(CONCAT, concat)                                                                              \
    X(RESIZE, resize)

#define LAYER_ENUMERATOR(KIND, kind) LAYER_##KIND,
enum layer_kind { LAYER_KINDS(LAYER_ENUMERATOR) LAYER_KIND_COUNT };

/* Fully connected: y = activation(x W + b); x (batch, inputs), W (inputs, outputs). */
struct dense {
    int32_t inputs, outputs;
    int32_t use_bias;   /* enum switch_ */
    int32_t activation; /* ACTIVATION_... */
};

/* 2-D convolution: x (batch, channels_in, image_size, image_width). padding same: output
 * ceil(image/stride), zeros split with the odd one below/right; valid: (image - span)/stride + 1,
 * where a kernel spans (kernel - 1) dilation + 1 pixels. An output channel sums over the input
 * channels of its own group: channels_in groups are a depthwise convolution. A 1-D convolution has
 * image_size and kernel_size 1. */
struct conv2d {
    int32_t image_size, kernel_size; /* heights; also the widths where those are 0 */
    int32_t channels_in, channels_out;
    int32_t stride;
    int32_t padding;                   /* enum padding */
    int32_t use_bias;                  /* enum switch_ */
    int32_t activation;                /* ACTIVATION_... */
    int32_t image_width, kernel_width; /* 0: square */
    int32_t groups;                    /* divides both numbers of channels */
    int32_t dilation;                  /* pixels from one cell of the kernel to the next */
};

/* Square 2-D pooling, then an activation; padding as conv2d; average leaves padded cells out. */
struct pool2d {
    int32_t image_size, kernel_size;
    int32_t channels;
    int32_t stride;
    int32_t padding;    /* enum padding */
    int32_t pooling;    /* enum pooling */
    int32_t activation; /* ACTIVATION_... */
};

/* Batch normalisation of square images over (batch, image, image), a scale and a shift per channel,
 * then an activation. Forward: with given statistics. Train: with those of the batch; running
 * statistics are not kept. Parameters: scales, then shifts. */
struct batch_norm {
    int32_t image_size;
    int32_t channels;
    int32_t activation; /* ACTIVATION_... */
};

/* y = activation(a operation b), element by element. `a` is (batch, repeats, elements), every row's
 * `b`, or that of all rows, (elements); broadcast inner: (batch, elements, repeats). So a residual
 * has repeats 1; a scalar elements 1; squeezed channels, a mask, are inner. Backward, operands of a
 * sum have the sum's gradient: that of an addition without broadcast is one tensor, and without an
 * activation there is no work. A repeated operand's gradient is a sum over its repetitions. (Called
 * `addition` before it had other operations: files and commands may say so.) */
struct binary {
    int32_t elements;   /* of b, of one row of the batch */
    int32_t activation; /* ACTIVATION_... */
    int32_t operation;  /* enum binary_operation */
    int32_t repeats;    /* elements of a for each of b, of one row */
    int32_t broadcast;  /* enum broadcast */
    int32_t second;     /* enum second_operand; weights or constant: the same for all rows */
};

/* Normalisation of rows, `positions` of them per sample, each by its own statistics. Of `width`
 * elements a row: layer by mean and variance, a scale and a shift per element; rms by the root of
 * the mean square, a scale per element. group: rows are groups of `width` channels of `pixels`
 * elements each, which lie together; mean and variance, a scale and a shift per channel of the
 * sample. Parameters: scales, then shifts. */
struct layer_norm {
    int32_t positions, width;
    int32_t statistics; /* enum statistics */
    int32_t pixels;     /* 1 unless statistics is group */
};

/* y = function(x), element by element, as a layer of its own: where another function than those of
 * ACTIVATION_LIST follows a layer, or a layer that fuses none. The backward pass reads the output
 * where the slope follows from it, else the input (function.h). */
struct activation {
    int32_t elements; /* of one row of the batch */
    int32_t function; /* enum function */
};

/* Rows of a table, `positions` indices per sample: y = table[index]; table (vocabulary, width).
 * gradient dense: a table of zeros to which the rows of the output's gradient are added, and an
 * update of all parameters. sparse: one row per index, those of one index summed at the first of
 * them; an update changes only rows that occur. Indices are uniform, and below EMBEDDING_INDICES.
 */
enum { EMBEDDING_INDICES = 1 << 24 }; /* a float holds them: checks read them so */
struct embedding {
    int32_t positions, vocabulary, width;
    int32_t gradient; /* enum gradient */
};
static inline int32_t embedding_indices(const struct embedding *embedding)
{
    return embedding->vocabulary < EMBEDDING_INDICES ? embedding->vocabulary : EMBEDDING_INDICES;
}

/* Softmax with cross entropy: the mean over all rows of log(sum(exp(x))) - x[label]; x (batch,
 * positions, classes), uniform labels (batch, positions). Backward: (softmax - one at the label) /
 * rows, times the gradient of the loss. The loss is one number, in fp32. */
struct loss {
    int32_t positions, classes;
};

/* Recurrent layers, stacked: x (positions, batch, inputs), y (positions, batch, directions x
 * hidden), time first, as frameworks have them; a state begins at zero. Cells: h = tanh(a); LSTM
 * with gates i, f, g, o; GRU with gates u, r, n whose reset follows the product (linear before
 * reset: PyTorch, cuDNN), h = u h + (1 - u) n. A second direction goes from the last position to
 * the first; a later layer reads the outputs of both. A gate has two biases, one beside each
 * product (of inputs, of the state), as frameworks count them.
 *
 * Parameters, each (layers, directions, inputs or hidden or 2, gates, hidden): input weights of the
 * first layer, recurrent weights of all, input weights of the later ones, biases of all. */
enum { RECURRENT_LAYER_LIMIT = 8 };
struct recurrent {
    int32_t positions, inputs, hidden;
    int32_t layers;
    int32_t cell;          /* enum recurrent_cell */
    int32_t bidirectional; /* enum switch_ */
    int32_t use_bias;      /* enum switch_ */
};

/* Matrices of blocks: x (batch, outer, rows, columns, inner), y (batch, outer, columns, rows,
 * inner). A layout of images from channels last to channels first and back has inner 1; heads
 * of attention that are split off or joined are blocks. */
struct transpose {
    int32_t outer, matrix_rows, matrix_columns, inner;
};

/* Rows of 2 to 64 parts one behind the other: input i (batch, outer, width of i), y (batch, outer,
 * sum of the widths). Joined along the channels, images have outer 1 and a width of channels times
 * pixels. The first three inputs have widths of their own; those behind, equal ones. So every
 * input's size is known: branches of Inception, skips of U-Net, dense blocks. */
struct concat {
    int32_t parts, outer;
    int32_t first, second, third, rest; /* widths; 0: there is no such input */
};
int32_t concat_width(const struct concat *concat, int input);

/* Images (batch, channels, height, width) scaled by the nearest pixel or between the four around,
 * half-pixel centres: pixel o of the output lies at (o + 1/2) input / output - 1/2. */
struct resize {
    int32_t image_size, output_size; /* heights */
    int32_t channels;
    int32_t interpolation;             /* enum interpolation */
    int32_t image_width, output_width; /* 0: as the height */
};
struct resize_sides {
    int32_t height, width, output_height, output_width;
};
struct resize_sides resize_sides(const struct resize *resize);

/* Softmax of rows of `width` elements, `positions` rows per sample. */
struct softmax {
    int32_t positions, width;
};

/* Products of activations, `matrices` per sample: (left_rows, depth) (depth, right_columns). */
struct matmul {
    int32_t matrices, left_rows, depth, right_columns;
    int32_t is_right_transposed; /* enum switch_: the right input is (right_columns, depth) */
};

/* softmax(q k' / sqrt(head_size)) v of each head; queries, keys and values are inputs of (batch,
 * heads, length, head_size). heads / key_value_heads heads in turn share keys and values. */
struct attention {
    int32_t heads, key_value_heads, query_length, key_length, head_size;
    int32_t causal; /* enum switch_ */
};

/* Transposed 2-D convolution: x (batch, channels_in, image_size, image_width), every pixel spreads
 * over a kernel of the output. padding same: output image * stride; valid: (image - 1) * stride +
 * kernel. 1-D, as conv2d: the height has stride 1 then. */
struct conv_transpose2d {
    int32_t image_size, kernel_size; /* heights; also the widths where those are 0 */
    int32_t channels_in, channels_out;
    int32_t stride;
    int32_t padding;                   /* enum padding */
    int32_t use_bias;                  /* enum switch_ */
    int32_t activation;                /* ACTIVATION_... */
    int32_t image_width, kernel_width; /* 0: square */
};

/* y (batch, outer, inner) of x (batch, outer, length, inner): what is computed along the middle
 * axis. norm: the root of the sum of squares. Backward, a largest or smallest element's gradient
 * goes to the first one that has its value. */
struct reduction {
    int32_t outer, length, inner;
    int32_t reduce; /* enum reduce */
};

#define LAYER_MEMBER(KIND, kind) struct kind kind;

/* pass forward demands optimizer none; train with optimizer none is forward + backward without
 * an update; a layer without parameters (pool2d, a sum of inputs) demands none. Unused union
 * bytes are zero, so that configs compare and hash as bytes. */
struct layer_config {
    enum layer_kind kind;
    int32_t batch_size;
    int32_t pass;      /* enum pass */
    int32_t optimizer; /* enum optimizer */
    int32_t precision; /* enum precision */
    union {
        LAYER_KINDS(LAYER_MEMBER)
    } as;
};

#endif
