/* conv2d with oneDNN: direct convolution with bias, activation apart, as a framework runs it
 * eagerly. */
#include "onednn/cpu_plan.h"

/* Layouts of the library's choice. The gradient of the weights is fp32 in any precision. */
static enum status describe(struct cpu_convolution *convolution, struct cpu_plan *plan,
                            dnnl_prop_kind_t pass, struct error *error)
{
    const struct layer_config *config = &plan->config;
    const struct conv2d *c = &config->as.conv2d;
    const dnnl_data_type_t storage = cpu_storage(plan);
    const struct window window = window_of(c->image_size, c->kernel_size, c->stride, c->padding);
    const dnnl_dim_t input[] = {config->batch_size, c->channels_in, c->image_size, c->image_size};
    const dnnl_dim_t weights[] = {c->channels_out, c->channels_in, c->kernel_size, c->kernel_size};
    const dnnl_dim_t output[] = {config->batch_size, c->channels_out, window.output_size,
                                 window.output_size};
    *convolution = (struct cpu_convolution){
        .pass = pass,
        .strides = {c->stride, c->stride},
        .pad_before = {window.pad_before, window.pad_before},
        .pad_after = {window.pad_after, window.pad_after},
    };
    TRY(cpu_any_layout(&convolution->input, plan, 4, input, storage, error));
    TRY(cpu_any_layout(&convolution->weights, plan, 4, weights,
                       pass == dnnl_backward_weights ? dnnl_f32 : storage, error));
    if (c->use_bias)
        TRY(cpu_plain_layout(&convolution->bias, plan, 1, weights, dnnl_f32, error));
    return cpu_any_layout(&convolution->output, plan, 4, output, storage, error);
}

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                             dnnl_prop_kind_t pass, const_dnnl_primitive_desc_t forward,
                             struct error *error)
{
    struct cpu_convolution convolution;
    TRY(describe(&convolution, plan, pass, error));
    return cpu_check(plan,
                     cpu_convolution_descriptor(pd, &plan->device->target, &convolution, forward),
                     "convolution", error);
}

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    return cpu_weighted_prepare(out, device, config, config->as.conv2d.activation,
                                config->as.conv2d.use_bias, create_pd, inputs, outcome, error);
}

const struct bench cpu_bench_conv2d = {
    .prepare = prepare,
    .enqueue = cpu_plan_enqueue,
    .replicate = cpu_plan_replicate,
    .release = cpu_plan_release,
    .read = cpu_plan_read_elements,
};
