#include "layers/reference_internal.h"

#include <math.h>
#include <stdlib.h>

#define MEANING(KIND, kind) &meaning_##kind,
static const struct kind_meaning *const meanings[LAYER_KIND_COUNT] = {LAYER_KINDS(MEANING)};

const char *const layer_value_names[VALUE_COUNT] = {
    [VALUE_INPUT] = "input",
    [VALUE_INPUT + 1] = "second input",
    [VALUE_INPUT + 2] = "third input",
    [VALUE_INPUT + 3] = "fourth input",
    [VALUE_WEIGHTS] = "weights",
    [VALUE_WEIGHTS + 1] = "second weights",
    [VALUE_WEIGHTS + 2] = "third weights",
    [VALUE_WEIGHTS + 3] = "fourth weights",
    [VALUE_BIAS] = "bias",
    [VALUE_MEAN] = "mean",
    [VALUE_VARIANCE] = "variance",
    [VALUE_OUTPUT_GRADIENT] = "output gradient",
    [VALUE_OUTPUT] = "output",
    [VALUE_INPUT_GRADIENT] = "input gradient",
    [VALUE_INPUT_GRADIENT + 1] = "second input's gradient",
    [VALUE_INPUT_GRADIENT + 2] = "third input's gradient",
    [VALUE_INPUT_GRADIENT + 3] = "fourth input's gradient",
    [VALUE_WEIGHTS_GRADIENT] = "weights gradient",
    [VALUE_WEIGHTS_GRADIENT + 1] = "second weights' gradient",
    [VALUE_WEIGHTS_GRADIENT + 2] = "third weights' gradient",
    [VALUE_WEIGHTS_GRADIENT + 3] = "fourth weights' gradient",
    [VALUE_BIAS_GRADIENT] = "bias gradient",
};

struct value_place layer_value_place(enum layer_value what)
{
    static const struct value_place places[] = {
        {VALUE_INPUT, TENSOR_INPUT, false},
        {VALUE_WEIGHTS, TENSOR_WEIGHTS, false},
        {VALUE_BIAS, TENSOR_BIAS, false},
        {VALUE_MEAN, TENSOR_KEPT, false},
        {VALUE_OUTPUT_GRADIENT, TENSOR_OUTPUT, true},
        {VALUE_OUTPUT, TENSOR_OUTPUT, false},
        {VALUE_INPUT_GRADIENT, TENSOR_INPUT, true},
        {VALUE_WEIGHTS_GRADIENT, TENSOR_WEIGHTS, true},
        {VALUE_BIAS_GRADIENT, TENSOR_BIAS, true},
    };
    size_t family = sizeof places / sizeof *places - 1;
    while ((int)what < places[family].index)
        family--;
    struct value_place place = places[family];
    place.index = (int)what - place.index;
    return place;
}

/* Whether the tensor has a gradient of its own. */
static bool has_gradient(const struct layer_tensor *tensor, const struct value_place *place)
{
    return tensor_has_gradient(tensor) && !(tensor->shares_gradient && place->index > 0);
}

int64_t layer_value_count(const struct layer_config *config, enum layer_value what)
{
    const struct value_place place = layer_value_place(what);
    struct layer_work work;
    if (place.role == TENSOR_KEPT)
        return config->kind == LAYER_BATCH_NORM && config->pass == PASS_FORWARD
                   ? config->as.batch_norm.channels
                   : 0;
    layer_work(&work, config);
    const struct layer_tensor *tensor = work_find(&work, place.role, place.index);
    if (!tensor ||
        (place.is_gradient && (config->pass != PASS_TRAIN || !has_gradient(tensor, &place))))
        return 0;
    return (int64_t)(place.is_gradient && tensor->gradient_count > 0 ? tensor->gradient_count
                                                                     : tensor->count);
}

void reference_begin(struct reference *reference, const struct layer_config *config,
                     struct value_source source, bool pads_alike)
{
    struct layer_work work;
    layer_work(&work, config);
    *reference = (struct reference){.config = *config,
                                    .source = source,
                                    .activation = work.activation,
                                    .pads_alike = pads_alike,
                                    .bias_count = (int64_t)work_elements(&work, TENSOR_BIAS),
                                    .output_count = (int64_t)work_elements(&work, TENSOR_OUTPUT),
                                    .statistics = {.group = -1, .gradient_group = -1}};
}

/* ---- what is kept between elements ---- */

struct reference_block {
    struct reference_block *next;
    max_align_t memory[];
};

void *reference_take(struct reference *reference, size_t bytes)
{
    struct reference_block *block = calloc(1, sizeof *block + bytes);
    if (!block) {
        reference->status = FAIL(reference->error, STATUS_FAILED,
                                 "out of memory: %zu bytes to check results", bytes);
        return NULL;
    }
    block->next = reference->blocks;
    reference->blocks = block;
    return block->memory;
}

void reference_end(struct reference *reference)
{
    while (reference->blocks) {
        struct reference_block *block = reference->blocks;
        reference->blocks = block->next;
        free(block);
    }
    reference->kept = NULL;
}

/* ---- activations ---- */

static double activate(double x, int32_t activation)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    default:
        return x;
    }
}

/* From the activation's output y. */
static double slope(double y, int32_t activation)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return y > 0;
    case ACTIVATION_TANH:
        return 1 - y * y;
    case ACTIVATION_SIGMOID:
        return y * (1 - y);
    default:
        return 1;
    }
}

/* ---- reading ---- */

static void read_stored(float *values, struct reference *reference, enum layer_value what,
                        const int64_t *indices, int count)
{
    const struct value_source *source = &reference->source;
    reference->reads += count;
    if (reference->status == STATUS_OK)
        reference->status = source->read(values, source->payload, what, indices, count,
                                         reference->error);
    for (int i = 0; i < count && reference->status != STATUS_OK; i++)
        values[i] = 0;
}

/* Of the output that the device has: relu's slope jumps where rounding changes a sign. The slopes
 * of tanh and sigmoid near 0 are differences of larger numbers: errors are relative to the output's
 * gradient. */
static void read_product_gradient(double *values, double *sizes, struct reference *reference,
                                  const int64_t *indices, int count)
{
    float gradients[REFERENCE_BLOCK], outputs[REFERENCE_BLOCK] = {0};
    const int32_t activation = reference->activation;
    read_stored(gradients, reference, VALUE_OUTPUT_GRADIENT, indices, count);
    if (activation != ACTIVATION_NONE)
        read_stored(outputs, reference, VALUE_OUTPUT, indices, count);
    for (int i = 0; i < count; i++) {
        values[i] = (double)gradients[i] * slope((double)outputs[i], activation);
        if (sizes)
            sizes[i] = activation == ACTIVATION_RELU ? values[i] : (double)gradients[i];
    }
}

void reference_read(double *values, double *sizes, struct reference *reference, int what,
                    const int64_t *indices, int count)
{
    float stored[REFERENCE_BLOCK];
    if (what == VALUE_PRODUCT_GRADIENT) {
        read_product_gradient(values, sizes, reference, indices, count);
        return;
    }
    read_stored(stored, reference, (enum layer_value)what, indices, count);
    for (int i = 0; i < count; i++) {
        values[i] = (double)stored[i];
        if (sizes)
            sizes[i] = values[i];
    }
}

double reference_read_one(struct reference *reference, int what, int64_t index)
{
    double value;
    reference_read(&value, NULL, reference, what, &index, 1);
    return value;
}

static void products_flush(struct reference_products *products)
{
    double left[REFERENCE_BLOCK], right[REFERENCE_BLOCK], sizes[REFERENCE_BLOCK];
    const int count = products->count;
    reference_read(left, NULL, products->reference, products->left, products->left_at, count);
    reference_read(right, sizes, products->reference, products->right, products->right_at, count);
    for (int i = 0; i < count; i++)
        reference_add(products->sum, left[i] * right[i], left[i] * sizes[i]);
    products->count = 0;
}

void reference_products_begin(struct reference_products *products, struct reference_sum *sum,
                              struct reference *reference, int left, int right)
{
    products->reference = reference;
    products->sum = sum;
    products->left = left;
    products->right = right;
    products->count = 0;
}

void reference_products_add(struct reference_products *products, int64_t left, int64_t right)
{
    products->left_at[products->count] = left;
    products->right_at[products->count++] = right;
    if (products->count == REFERENCE_BLOCK)
        products_flush(products);
}

void reference_products_end(struct reference_products *products)
{
    if (products->count > 0)
        products_flush(products);
}

void reference_stride(struct reference_sum *sum, struct reference *reference, int what,
                      int64_t first, int64_t step, int64_t count)
{
    double values[REFERENCE_BLOCK], sizes[REFERENCE_BLOCK];
    int64_t indices[REFERENCE_BLOCK];
    for (int64_t start = 0; start < count; start += REFERENCE_BLOCK) {
        const int here = (int)(count - start < REFERENCE_BLOCK ? count - start : REFERENCE_BLOCK);
        for (int i = 0; i < here; i++)
            indices[i] = first + (start + i) * step;
        reference_read(values, sizes, reference, what, indices, here);
        for (int i = 0; i < here; i++)
            reference_add(sum, values[i], sizes[i]);
    }
}

/* ---- windows ---- */

struct sliding reference_slide(const struct reference *reference, const struct window_axes *axes,
                               int dilation)
{
    struct sliding at = {*axes, dilation};
    for (int i = 0; i < AXIS_COUNT && reference->pads_alike; i++)
        if (axes->at[i].stride > 1)
            at.axes.at[i].window.pad_before = at.axes.at[i].window.pad_after;
    return at;
}

/* Along one axis; -1: padding, none. */
static int64_t input_along(const struct sliding *at, int axis, int64_t output, int cell)
{
    const struct window_axis *along = &at->axes.at[axis];
    const int64_t place = output * along->stride + (int64_t)cell * at->dilation -
                          along->window.pad_before;
    return place < along->image ? place : -1;
}

static int64_t output_along(const struct sliding *at, int axis, int64_t input, int cell)
{
    const struct window_axis *along = &at->axes.at[axis];
    const int64_t from = input - (int64_t)cell * at->dilation + along->window.pad_before;
    const bool is_hit = from >= 0 && from % along->stride == 0 &&
                        from / along->stride < along->window.output_size;
    return is_hit ? from / along->stride : -1;
}

int64_t sliding_input(const struct sliding *at, int64_t pixel, int cell)
{
    const struct window_axis *wide = &at->axes.at[AXIS_WIDTH];
    const int64_t outputs = wide->window.output_size;
    const int64_t row = input_along(at, AXIS_HEIGHT, pixel / outputs, cell / wide->kernel);
    const int64_t column = input_along(at, AXIS_WIDTH, pixel % outputs, cell % wide->kernel);
    return row >= 0 && column >= 0 ? row * wide->image + column : -1;
}

int64_t sliding_output(const struct sliding *at, int64_t pixel, int cell)
{
    const struct window_axis *wide = &at->axes.at[AXIS_WIDTH];
    const int64_t row = output_along(at, AXIS_HEIGHT, pixel / wide->image, cell / wide->kernel);
    const int64_t column = output_along(at, AXIS_WIDTH, pixel % wide->image, cell % wide->kernel);
    return row >= 0 && column >= 0 ? row * wide->window.output_size + column : -1;
}

/* ---- elements ---- */

/* Outputs of one row that have the same bias. */
static int64_t plane_of(const struct reference *reference)
{
    return reference->output_count / reference->config.batch_size / reference->bias_count;
}

static void add_bias(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    if (reference->bias_count == 0)
        return;
    const int64_t at = index / plane_of(reference) % reference->bias_count;
    const double bias = reference_read_one(reference, VALUE_BIAS, at);
    reference_add(sum, bias, bias);
}

/* Of a row of the batch the plane lies together. */
static void bias_gradient(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t plane = plane_of(reference), row = plane * reference->bias_count;
    const int64_t batch = reference->config.batch_size;
    if (plane == 1) {
        reference_stride(sum, reference, VALUE_PRODUCT_GRADIENT, index, row, batch);
        return;
    }
    for (int64_t i = 0; i < batch; i++)
        reference_stride(sum, reference, VALUE_PRODUCT_GRADIENT, i * row + index * plane, 1, plane);
}

static void add_up(struct reference_sum *sum, struct reference *reference, enum layer_value what,
                   int64_t index)
{
    const struct kind_meaning *meaning = meanings[reference->config.kind];
    const struct value_place place = layer_value_place(what);
    if (what == VALUE_BIAS_GRADIENT) {
        bias_gradient(sum, reference, index);
    } else if (place.is_gradient && place.role == TENSOR_INPUT) {
        meaning->input_gradient(sum, reference, place.index, index);
    } else if (place.is_gradient) {
        meaning->weights_gradient(sum, reference, place.index, index);
    } else {
        meaning->output(sum, reference, index);
        add_bias(sum, reference, index);
    }
}

enum status reference_element(struct reference_element *element, struct reference *reference,
                              enum layer_value what, int64_t index, struct error *error)
{
    struct reference_sum sum = {.sum = 0};
    reference->status = STATUS_OK;
    reference->error = error;
    add_up(&sum, reference, what, index);
    *element = (struct reference_element){
        .value = what == VALUE_OUTPUT ? activate(sum.sum, reference->activation) : sum.sum,
        .size = sqrt(sum.squares) + fabs(sum.sum),
        .additions = sum.count,
        .is_open = sum.is_open,
    };
    return reference->status;
}

double reference_terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    if (what == VALUE_BIAS_GRADIENT)
        return (double)(reference->output_count / reference->bias_count);
    return meanings[reference->config.kind]->terms(reference, what, index);
}

int64_t reference_mate(const struct reference *reference, enum layer_value what, int64_t index,
                       uint32_t word)
{
    const struct kind_meaning *meaning = meanings[reference->config.kind];
    return meaning->mate && what != VALUE_BIAS_GRADIENT
               ? meaning->mate(reference, what, index, word)
               : index;
}

struct value_planes reference_planes(const struct layer_config *config, enum tensor_role role)
{
    const struct kind_meaning *meaning = meanings[config->kind];
    return meaning->planes ? meaning->planes(config, role) : (struct value_planes){0};
}
