/* conv2d with oneDNN: direct convolution with bias, activation apart, as a framework runs it
 * eagerly. */
#include "onednn/cpu_plan.h"

/* The layer's tensors as the library's descriptors want them, layouts of its choice. */
struct geometry {
    dnnl_memory_desc_t input, weights, bias, output;
    dnnl_dims_t strides, pad_before, pad_after;
};

static struct geometry geometry_of(const struct layer_config *config)
{
    const struct conv2d *c = &config->as.conv2d;
    struct window window = window_of(c->image_size, c->kernel_size, c->stride, c->padding);
    const dnnl_dim_t input[] = {config->batch_size, c->channels_in, c->image_size, c->image_size};
    const dnnl_dim_t weights[] = {c->channels_out, c->channels_in, c->kernel_size, c->kernel_size};
    const dnnl_dim_t output[] = {config->batch_size, c->channels_out, window.output_size,
                                 window.output_size};
    return (struct geometry){
        .input = cpu_desc(4, input, true),
        .weights = cpu_desc(4, weights, true),
        .bias = c->use_bias ? cpu_desc(1, weights, false) : (dnnl_memory_desc_t){0},
        .output = cpu_desc(4, output, true),
        .strides = {c->stride, c->stride},
        .pad_before = {window.pad_before, window.pad_before},
        .pad_after = {window.pad_after, window.pad_after},
    };
}

static dnnl_status_t describe(dnnl_convolution_desc_t *desc, const struct layer_config *config,
                              enum cpu_pass pass)
{
    struct geometry g = geometry_of(config);
    const dnnl_memory_desc_t *bias = g.bias.ndims ? &g.bias : NULL;
    if (pass == CPU_BACKWARD_DATA)
        return dnnl_convolution_backward_data_desc_init(desc, dnnl_convolution_direct, &g.input,
                                                        &g.weights, &g.output, g.strides,
                                                        g.pad_before, g.pad_after);
    if (pass == CPU_BACKWARD_WEIGHTS)
        return dnnl_convolution_backward_weights_desc_init(desc, dnnl_convolution_direct, &g.input,
                                                           &g.weights, bias, &g.output, g.strides,
                                                           g.pad_before, g.pad_after);
    dnnl_prop_kind_t kind = config->pass == PASS_TRAIN ? dnnl_forward_training
                                                       : dnnl_forward_inference;
    return dnnl_convolution_forward_desc_init(desc, kind, dnnl_convolution_direct, &g.input,
                                              &g.weights, bias, &g.output, g.strides, g.pad_before,
                                              g.pad_after);
}

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan, enum cpu_pass pass,
                             const_dnnl_primitive_desc_t forward, struct error *error)
{
    dnnl_convolution_desc_t desc;
    DNNL_TRY(plan, error, describe(&desc, &plan->config, pass));
    return cpu_check(plan,
                     dnnl_primitive_desc_create(pd, &desc, plan->device->attributes,
                                                plan->device->engine, forward),
                     "convolution", error);
}

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    return cpu_weighted_prepare(out, device, config, config->as.conv2d.activation,
                                config->as.conv2d.use_bias, create_pd, producer_of(inputs, 0),
                                outcome, error);
}

const struct bench cpu_bench_conv2d = {
    .prepare = prepare, .enqueue = cpu_plan_enqueue, .release = cpu_plan_release};
