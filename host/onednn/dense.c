/* dense with oneDNN: inner product with bias, activation apart. */
#include "onednn/cpu_plan.h"

/* The layer's tensors as the library's descriptors want them; weights (outputs, inputs) in oneDNN's
 * order. */
struct geometry {
    dnnl_memory_desc_t input, weights, bias, output;
};

static struct geometry geometry_of(const struct layer_config *config)
{
    const struct dense *d = &config->as.dense;
    const dnnl_dim_t input[] = {config->batch_size, d->inputs};
    const dnnl_dim_t weights[] = {d->outputs, d->inputs};
    const dnnl_dim_t output[] = {config->batch_size, d->outputs};
    return (struct geometry){
        .input = cpu_desc(2, input, true),
        .weights = cpu_desc(2, weights, true),
        .bias = d->use_bias ? cpu_desc(1, weights, false) : (dnnl_memory_desc_t){0},
        .output = cpu_desc(2, output, true),
    };
}

static dnnl_status_t describe(dnnl_inner_product_desc_t *desc, const struct layer_config *config,
                              enum cpu_pass pass)
{
    struct geometry g = geometry_of(config);
    const dnnl_memory_desc_t *bias = g.bias.ndims ? &g.bias : NULL;
    if (pass == CPU_BACKWARD_DATA)
        return dnnl_inner_product_backward_data_desc_init(desc, &g.input, &g.weights, &g.output);
    if (pass == CPU_BACKWARD_WEIGHTS)
        return dnnl_inner_product_backward_weights_desc_init(desc, &g.input, &g.weights, bias,
                                                             &g.output);
    dnnl_prop_kind_t kind = config->pass == PASS_TRAIN ? dnnl_forward_training
                                                       : dnnl_forward_inference;
    return dnnl_inner_product_forward_desc_init(desc, kind, &g.input, &g.weights, bias, &g.output);
}

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan, enum cpu_pass pass,
                             const_dnnl_primitive_desc_t forward, struct error *error)
{
    dnnl_inner_product_desc_t desc;
    DNNL_TRY(plan, error, describe(&desc, &plan->config, pass));
    return cpu_check(plan,
                     dnnl_primitive_desc_create(pd, &desc, plan->device->attributes,
                                                plan->device->engine, forward),
                     "inner product", error);
}

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    return cpu_weighted_prepare(out, device, config, config->as.dense.activation,
                                config->as.dense.use_bias, create_pd, producer_of(inputs, 0),
                                outcome, error);
}

const struct bench cpu_bench_dense = {
    .prepare = prepare, .enqueue = cpu_plan_enqueue, .release = cpu_plan_release};
