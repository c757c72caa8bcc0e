/* What the files reference_<kind>.c share. */
#ifndef EPOCHCAST_LAYERS_REFERENCE_INTERNAL_H
#define EPOCHCAST_LAYERS_REFERENCE_INTERNAL_H

#include "layers/reference.h"

/* The gradient of what the activation is applied to: computed from two tensors, not read. */
enum { VALUE_PRODUCT_GRADIENT = VALUE_COUNT };

/* A sum and what rounding errors of its terms are relative to. */
struct reference_sum {
    double sum, squares, count;
    bool is_open;
};

static inline void reference_add(struct reference_sum *sum, double value, double size)
{
    sum->sum += value;
    sum->squares += size * size;
    sum->count++;
}

struct kind_meaning {
    /* Element `index` of the output, before bias and activation; of the gradients of input `which`
     * and of weights `which` (NULL: it has none). */
    void (*output)(struct reference_sum *sum, struct reference *reference, int64_t index);
    void (*input_gradient)(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index);
    void (*weights_gradient)(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index);
    /* Of these three results. */
    double (*terms)(const struct reference *reference, enum layer_value what, int64_t index);
    int64_t (*mate)(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word); /* or NULL */
    /* Of input, weights and output; or NULL: no device has another order than the plain one. */
    struct value_planes (*planes)(const struct layer_config *config, enum tensor_role role);
};

#define DECLARE_MEANING(KIND, kind) extern const struct kind_meaning meaning_##kind;
LAYER_KINDS(DECLARE_MEANING)
#undef DECLARE_MEANING

/* ---- reading ---- */

enum { REFERENCE_BLOCK = 1024 };

/* `count` elements, up to REFERENCE_BLOCK; zeros after an error. sizes (NULL: not wanted) is what
 * their own rounding errors are relative to. */
void reference_read(double *values, double *sizes, struct reference *reference, int what,
                    const int64_t *indices, int count);
double reference_read_one(struct reference *reference, int what, int64_t index);

/* A sum of products of elements of two tensors, read in blocks. */
struct reference_products {
    struct reference *reference;
    struct reference_sum *sum;
    int left, right, count;
    int64_t left_at[REFERENCE_BLOCK], right_at[REFERENCE_BLOCK];
};
void reference_products_begin(struct reference_products *products, struct reference_sum *sum,
                              struct reference *reference, int left, int right);
void reference_products_add(struct reference_products *products, int64_t left, int64_t right);
void reference_products_end(struct reference_products *products);

/* Adds the elements first, first + step, ..., `count` of them. */
void reference_stride(struct reference_sum *sum, struct reference *reference, int what,
                      int64_t first, int64_t step, int64_t count);

/* Zeros that live until reference_end. NULL: out of memory, which reference->status says. */
void *reference_take(struct reference *reference, size_t bytes);

/* ---- windows ---- */

/* A kernel that slides over an image, along both axes. */
struct sliding {
    struct window_axes axes;
    int dilation;
};
struct sliding reference_slide(const struct reference *reference, const struct window_axes *axes,
                               int dilation);
/* Pixel of the input under kernel cell `cell` of output pixel `pixel`; -1: padding. */
int64_t sliding_input(const struct sliding *at, int64_t pixel, int cell);
/* Output pixel whose kernel cell `cell` lies on input pixel `pixel`; -1: none. */
int64_t sliding_output(const struct sliding *at, int64_t pixel, int cell);
static inline int64_t sliding_output_count(const struct sliding *at)
{
    return (int64_t)at->axes.at[AXIS_HEIGHT].window.output_size *
           at->axes.at[AXIS_WIDTH].window.output_size;
}
static inline int64_t sliding_input_count(const struct sliding *at)
{
    return (int64_t)at->axes.at[AXIS_HEIGHT].image * at->axes.at[AXIS_WIDTH].image;
}
static inline int sliding_cell_count(const struct sliding *at)
{
    return at->axes.at[AXIS_HEIGHT].kernel * at->axes.at[AXIS_WIDTH].kernel;
}

#endif
