/* conv_transpose2d with oneDNN's deconvolution, activation apart. The library's weights are
 * (channels out, channels in, ...), those of the layer's definition (channels in, channels out,
 * ...). */
#include "onednn/cpu_plan.h"

/* Layouts of the library's choice. The gradient of the weights is fp32 in any precision. */
static enum status describe(struct cpu_convolution *deconvolution, struct cpu_plan *plan,
                            dnnl_prop_kind_t pass, struct error *error)
{
    const struct layer_config *config = &plan->config;
    const struct conv_transpose2d *c = &config->as.conv_transpose2d;
    const dnnl_data_type_t storage = cpu_storage(plan);
    const struct window_axes axes = conv_transpose2d_axes(c);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    const dnnl_dim_t input[] = {config->batch_size, c->channels_in, high->window.output_size,
                                wide->window.output_size};
    const dnnl_dim_t weights[] = {c->channels_out, c->channels_in, high->kernel, wide->kernel};
    const dnnl_dim_t output[] = {config->batch_size, c->channels_out, high->image, wide->image};
    *deconvolution = (struct cpu_convolution){
        .pass = pass,
        .is_transposed = true,
        .strides = {high->stride, wide->stride},
        .pad_before = {high->window.pad_before, wide->window.pad_before},
        .pad_after = {high->window.pad_after, wide->window.pad_after},
    };
    TRY(cpu_any_layout(&deconvolution->input, plan, 4, input, storage, error));
    TRY(cpu_any_layout(&deconvolution->weights, plan, 4, weights,
                       pass == dnnl_backward_weights ? dnnl_f32 : storage, error));
    if (c->use_bias)
        TRY(cpu_plain_layout(&deconvolution->bias, plan, 1, weights, dnnl_f32, error));
    return cpu_any_layout(&deconvolution->output, plan, 4, output, storage, error);
}

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                             dnnl_prop_kind_t pass, const_dnnl_primitive_desc_t forward,
                             struct error *error)
{
    struct cpu_convolution deconvolution;
    plan->turns_weights = true;
    TRY(describe(&deconvolution, plan, pass, error));
    return cpu_check(plan,
                     cpu_convolution_descriptor(pd, &plan->device->target, &deconvolution, forward),
                     "deconvolution", error);
}

enum status cpu_fill_conv_transpose2d(struct cpu_plan *plan, struct plan *const *inputs,
                                      struct error *error)
{
    return cpu_weighted_fill(plan, plan->config.as.conv_transpose2d.activation,
                             plan->config.as.conv_transpose2d.use_bias, create_pd, inputs, error);
}
