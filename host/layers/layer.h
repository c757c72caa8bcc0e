/* The layer table: the one source of truth about layer kinds.
 *
 * A kind is a struct of int32_t members and a descriptor: a table of features (one row per member)
 * and its work (work.h). Sampler, HDF5 type, encoder, --help, --set, CSV columns and tests derive
 * from the features; costs, memory and the baselines from the work. To add a kind: one line at the
 * end of LAYER_KINDS and one struct here, one kind_<kind>.c, one benchmark file per backend. A
 * member without a feature row fails a static assertion.
 */
#ifndef EPOCHCAST_LAYERS_LAYER_H
#define EPOCHCAST_LAYERS_LAYER_H

#include "base/choice.h"
#include "base/error.h"
#include "layers/work.h"

#include <stdbool.h>
#include <stddef.h>
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

#define UNIT_LIST(X)                                                                               \
    X(UNIT_NONE, "")                                                                               \
    X(UNIT_ROWS, "rows")                                                                           \
    X(UNIT_PIXELS, "pixels")                                                                       \
    X(UNIT_CHANNELS, "channels")                                                                   \
    X(UNIT_NEURONS, "neurons")                                                                     \
    X(UNIT_ELEMENTS, "elements")
enum unit { UNIT_LIST(CHOICE_ENUMERATOR) };
const char *unit_name(enum unit unit); /* "": it has none */

enum distribution {
    DISTRIBUTION_CHOICE,      /* uniform over the names of `choice` */
    DISTRIBUTION_LOG_UNIFORM, /* integers of [minimum, maximum] in the log-uniform stratum */
    DISTRIBUTION_UNIFORM,     /* integers of [minimum, maximum], uniform in every stratum */
};

/* What real networks and the paper draw of a feature; a later sweep of the same seed draws the
 * same only while these stay. */
enum { SAMPLE_SHAPE_LIMIT = 32 };
struct sample_shapes {
    int32_t values[SAMPLE_SHAPE_LIMIT]; /* a more usual one stands more often; ended by 0 */
    int32_t paper_minimum, paper_maximum;
    bool is_side;     /* of an image: the paper divides by it the maximum of later features.. */
    bool is_per_side; /* ..that say so */
    bool has_usual;   /* of a choice: three in four real layers have `usual` */
    int32_t usual;
    /* Of a feature with `since` above 1: of so many in a hundred log-uniform draws the value is
     * drawn; it is `missing` in all others, unless --set has a say. */
    int32_t rare_percent;
};

/* Names of the columns that a number has where its kind has no `encode` (encode_generic.c). */
enum { COLUMN_DIVISORS = 4, COLUMN_TILES = 3, COLUMN_RAMPS = 3 };
struct feature_columns {
    const char *log, *train_log; /* "log_inputs", "is_train*log_inputs" */
    const char *divisible[COLUMN_DIVISORS], *quantised[COLUMN_TILES], *ramp[COLUMN_RAMPS];
};

/* Of a feature that says something only where an earlier one, a number or a choice, has at
 * least a value. */
struct feature_condition {
    size_t offset; /* of that one's int32_t in struct layer_config */
    int32_t minimum;
    const char *text; /* where that is: "statistics group" */
};

/* One row per member. minimum and maximum are the bounds that every input is checked against
 * (command line, CSV, HDF5); [sample_minimum, sample_maximum] (0, 0: the bounds) is what a
 * sweep draws. A feature that a released kind gets later has `since` above 1 and stands last:
 * files without its column mean `missing`, and a config with that value has the hash that it
 * had without it. */
struct feature {
    const char *name, *help;
    size_t offset; /* of the int32_t in struct layer_config */
    enum unit unit;
    enum distribution distribution;
    int32_t minimum, maximum;
    int32_t sample_minimum, sample_maximum;
    const struct choice *choice; /* NULL for numbers; else minimum = 0, maximum = count - 1 */
    const struct feature_columns *columns; /* of a number */
    const struct sample_shapes *shapes;    /* NULL: nothing known, log-uniform in their place */
    bool is_fixed;   /* a sweep draws `minimum` alone unless it is told otherwise */
    int since;       /* schema that brought it: 1 (or 0) the first, 2, ... */
    int32_t missing; /* since > 1: value in files of earlier schemas */
    /* NULL: it always says something; elsewhere it is `missing`, whatever is drawn. */
    const struct feature_condition *condition;
    /* Name of the feature whose value `missing` stands for, or NULL: the hash takes that value
     * for `missing`, too. */
    const char *stands_for;
};
/* Where it says nothing it need not be given. */
static inline bool feature_is_optional(const struct feature *feature)
{
    return feature->since > 1 || feature->condition;
}

struct columns;
/* A layer with what is counted by hand: tests hold the kind to it, and take it for an example.
 */
struct layer_case {
    const char *text; /* describe.h */
    struct cost cost;
    uint64_t hash; /* layer_hash */
};

struct layer_descriptor {
    const char *name, *help;
    /* What the kind was called when its features with `since` above 1 were not yet there, or NULL:
     * it is found by either name, and a config in which those are `missing` hashes by this one. */
    const char *former_name;
    const struct feature *features; /* the common ones first */
    int feature_count;
    bool (*is_valid)(const struct layer_config *config,
                     const char **reason); /* beyond the bounds and the sizes; or NULL */
    void (*work)(struct layer_work *work, const struct layer_config *config); /* of a begun work */
    /* Whole shapes of networks, whose members depend on one another: two in five realistic
     * draws are one of them, half of these with other sizes (sample_accept.c). Their common
     * features are not read. */
    const struct layer_config *forms; /* (form_count) or NULL */
    int form_count;
    /* Makes members of a draw fit one another, which were drawn each by itself; `shape` (or
     * NULL) is what it was made of. NULL: nothing to do. */
    void (*settle)(struct layer_config *drawn, const struct layer_config *shape);
    /* Columns for predictors (encode_internal.h): of the physical encoding, beside those of any
     * layer's work, on a device of `units` (NULL: those of encode_generic.c); of the paper's
     * encoding (NULL: the features). Their number must not depend on the config. */
    void (*encode)(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units);
    void (*encode_paper)(struct columns *columns, const struct layer_config *config);
    const struct layer_case *cases; /* ended by text NULL; the last sets everything */
};

/* Rows of the features that all kinds have. */
enum common_feature {
    COMMON_BATCH_SIZE,
    COMMON_PASS,
    COMMON_OPTIMIZER,
    COMMON_PRECISION,
    COMMON_FEATURE_COUNT
};
enum { FEATURE_LIMIT = 32 };

extern const struct layer_descriptor *const layer_descriptors[LAYER_KIND_COUNT];

/* Kind called `name`, now or formerly, or -1. */
int layer_kind_find(const char *name);
const struct feature *layer_feature_find(enum layer_kind kind, const char *name); /* or NULL */

static inline int32_t layer_get(const struct layer_config *config, const struct feature *feature)
{
    return *(const int32_t *)((const char *)config + feature->offset);
}
static inline void layer_set(struct layer_config *config, const struct feature *feature,
                             int32_t value)
{
    *(int32_t *)((char *)config + feature->offset) = value;
}

/* False: the feature must be `missing` in this config. */
static inline bool feature_applies(const struct feature *feature, const struct layer_config *config)
{
    return !feature->condition ||
           *(const int32_t *)((const char *)config + feature->condition->offset) >=
               feature->condition->minimum;
}

/* A config whose features are yet to be set: zeros, those that need not be given at `missing`.
 */
void layer_begin(struct layer_config *config, enum layer_kind kind);

/* All bounds, the rules of pass and optimizer, the kind's own is_valid, the sizes of the
 * tensors. STATUS_USAGE names the feature, the value and the bound. */
enum status layer_check(const struct layer_config *config, struct error *error);
bool layer_is_valid(const struct layer_config *config);

/* What the layer does, of a whole training step, whatever the config's pass. */
void layer_work(struct layer_work *work, const struct layer_config *config);
/* Of the config's own pass. */
struct cost layer_cost(const struct layer_config *config);

/* Output side length of a window of kernel over image; pad_before is the zeros above/left,
 * pad_after below/right (may differ by one under `same`). Shared by conv2d and pool2d. */
struct window {
    int32_t output_size, pad_before, pad_after;
};
struct window window_of(int32_t image_size, int32_t kernel_size, int32_t stride, int32_t padding);

/* A window along each axis of an image: pixels, cells of the kernel, pixels that it spans. */
enum window_axis_name { AXIS_HEIGHT, AXIS_WIDTH, AXIS_COUNT };
struct window_axis {
    int32_t image, kernel, span, stride;
    struct window window;
};
struct window_axes {
    struct window_axis at[AXIS_COUNT];
};
struct window_axes conv2d_axes(const struct conv2d *conv);
struct window_axes pool2d_axes(const struct pool2d *pool);
/* Of the convolution from its output to its input: `image` is the output, `output_size` the input.
 */
struct window_axes conv_transpose2d_axes(const struct conv_transpose2d *conv);

/* Tensors that other layers feed to it; elements of input `index`, and of the output. */
int layer_input_count(const struct layer_config *config);
int64_t layer_input_elements(const struct layer_config *config, int index);
int64_t layer_output_elements(const struct layer_config *config);

/* Tensors that feed the layer; elements of input `index`, and of the output. */
int layer_input_count(const struct layer_config *config);
int64_t layer_input_elements(const struct layer_config *config, int index);
int64_t layer_output_elements(const struct layer_config *config);

/* Identity of a config (the features of its kind, by name and value; one with `since` above 1
 * only where its value is not `missing`): the same on every machine and across versions that
 * add kinds or features. Decides the split. */
uint64_t layer_hash(const struct layer_config *config);

#endif
