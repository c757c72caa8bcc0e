/* dense: a device keeps the weights the other way round. */
#include "layers/reference_internal.h"

static int64_t inputs_of(const struct reference *reference)
{
    return reference->config.as.dense.inputs;
}

static int64_t outputs_of(const struct reference *reference)
{
    return reference->config.as.dense.outputs;
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t inputs = inputs_of(reference), outputs = outputs_of(reference);
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_WEIGHTS);
    for (int64_t i = 0; i < inputs; i++)
        reference_products_add(&products, index / outputs * inputs + i,
                               index % outputs * inputs + i);
    reference_products_end(&products);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const int64_t inputs = inputs_of(reference), outputs = outputs_of(reference);
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_WEIGHTS, VALUE_PRODUCT_GRADIENT);
    for (int64_t i = 0; i < outputs; i++)
        reference_products_add(&products, i * inputs + index % inputs,
                               index / inputs * outputs + i);
    reference_products_end(&products);
}

static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    (void)which;
    const int64_t inputs = inputs_of(reference), outputs = outputs_of(reference);
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_PRODUCT_GRADIENT);
    for (int64_t row = 0; row < reference->config.batch_size; row++)
        reference_products_add(&products, row * inputs + index % inputs,
                               row * outputs + index / inputs);
    reference_products_end(&products);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    (void)index;
    return (double)(what == VALUE_OUTPUT           ? inputs_of(reference)
                    : what == VALUE_INPUT_GRADIENT ? outputs_of(reference)
                                                   : reference->config.batch_size);
}

static struct value_planes planes(const struct layer_config *config, enum tensor_role role)
{
    return role == TENSOR_WEIGHTS ? (struct value_planes){1, config->as.dense.outputs, true}
                                  : (struct value_planes){0};
}

const struct kind_meaning meaning_dense = {
    .output = output,
    .input_gradient = input_gradient,
    .weights_gradient = weights_gradient,
    .terms = terms,
    .planes = planes,
};
