/* What a layer means: every element of its results by definition, in double precision, from the
 * elements of its operands. An element costs what its own sum has terms, however large the layer
 * is. Sweeps check by it that the work they time is the right work (bench/check.h), the tests that
 * backends are right.
 *
 * A kind has one file, reference_<kind>.c. Tensors are in plain order: rows of the batch, channels,
 * pixels; weights of dense (outputs, inputs), of conv2d (channels out, channels in of a group,
 * kernel, kernel), of conv_transpose2d (channels in, channels out, kernel, kernel), of
 * normalisations all scales, then all shifts, of recurrent layers (layers, directions, inputs,
 * gates, hidden).
 */
#ifndef EPOCHCAST_LAYERS_REFERENCE_H
#define EPOCHCAST_LAYERS_REFERENCE_H

#include "layers/layer.h"

/* Inputs and weights are families, of which a reference knows the first few: VALUE_INPUT + 1 is the
 * second input, VALUE_INPUT_GRADIENT + 1 its gradient. */
enum { VALUE_FAMILY = 4 };
enum layer_value {
    /* operands */
    VALUE_INPUT,
    VALUE_WEIGHTS = VALUE_INPUT + VALUE_FAMILY,
    VALUE_BIAS = VALUE_WEIGHTS + VALUE_FAMILY,
    VALUE_MEAN, /* statistics that batch_norm is given: its forward pass */
    VALUE_VARIANCE,
    VALUE_OUTPUT_GRADIENT, /* of the loss, by the output */
    /* results; of the output's the gradients take the activation's slope */
    VALUE_OUTPUT, /* after the activation */
    VALUE_INPUT_GRADIENT,
    VALUE_WEIGHTS_GRADIENT = VALUE_INPUT_GRADIENT + VALUE_FAMILY,
    VALUE_BIAS_GRADIENT = VALUE_WEIGHTS_GRADIENT + VALUE_FAMILY,
    VALUE_COUNT
};
extern const char *const layer_value_names[VALUE_COUNT]; /* "input gradient" */

/* Of which of the layer's tensors: number `index` of a role, or its gradient. */
struct value_place {
    int index;
    enum tensor_role role;
    bool is_gradient;
};
struct value_place layer_value_place(enum layer_value what);

/* Elements of the tensor; 0: the layer, or its pass, has none. Indices have no gradient, and inputs
 * that share one have it once, as that of the first. */
int64_t layer_value_count(const struct layer_config *config, enum layer_value what);

/* Where the elements come from; indices are read as floats, too. */
struct value_source {
    enum status (*read)(float *values, void *payload, enum layer_value what, const int64_t *indices,
                        int count, struct error *error);
    void *payload;
};

struct reference_element {
    double value;
    double size; /* of what is rounded on the way: the 2-norm of the terms and the size of their sum
                  */
    double additions; /* behind it */
    bool is_open;     /* the definition leaves it open: who wins of equal inputs */
};

/* Between two elements of one channel or row its statistics are kept. */
struct reference_statistics {
    int64_t group; /* of which channel or row; -1: none yet */
    double mean, inverse, size;
    int64_t gradient_group;
    /* Means of its gradients times scales, and of those times the normal inputs. */
    double gradient_sum, gradient_product, gradient_sum_size, gradient_product_size;
};

struct reference {
    struct layer_config config;
    struct value_source source;
    int32_t activation;
    bool pads_alike; /* windows with a stride above 1: as many zeros before as after (cuDNN) */
    int64_t bias_count, output_count;
    double reads; /* elements read so far */
    struct reference_statistics statistics;
    void *kept; /* by a kind whose elements share more than that, until reference_end */
    struct reference_block *blocks;
    enum status status; /* of the reads of an element */
    struct error *error;
};

void reference_begin(struct reference *reference, const struct layer_config *config,
                     struct value_source source, bool pads_alike);
void reference_end(struct reference *reference); /* frees what was kept */

/* Element `index` of a result. The source's error. */
enum status reference_element(struct reference_element *element, struct reference *reference,
                              enum layer_value what, int64_t index, struct error *error);

/* About how many elements are read for it, if no element before it had the same statistics. */
double reference_terms(const struct reference *reference, enum layer_value what, int64_t index);

/* An element of the result that has the statistics of element `index`, chosen by `word`; `index`
 * itself where elements share none. */
int64_t reference_mate(const struct reference *reference, enum layer_value what, int64_t index,
                       uint32_t word);

/* ---- the order of a tensor in memory ---- */

/* The plain order of a tensor is (outer, channels, inner); a device may keep channels last. */
struct value_planes {
    int64_t outer, channels; /* channels 0: every device has the plain order */
    bool is_transposed;      /* devices keep channels last in every precision: a matrix product's */
};
struct value_planes reference_planes(const struct layer_config *config, enum tensor_role role);

#endif
