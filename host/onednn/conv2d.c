/* conv2d with oneDNN: direct convolution with bias, activation apart, as a framework runs it
 * eagerly. */
#include "onednn/cpu_plan.h"

/* Weights (groups, channels out of a group, channels in of a group, height, width), without the
 * first where there is one group. */
static enum status weights_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                                  const struct window_axes *axes, dnnl_data_type_t type,
                                  struct error *error)
{
    const struct conv2d *c = &plan->config.as.conv2d;
    const dnnl_dim_t sizes[] = {c->groups, c->channels_out / c->groups, c->channels_in / c->groups,
                                axes->at[AXIS_HEIGHT].kernel, axes->at[AXIS_WIDTH].kernel};
    const int left_out = c->groups == 1;
    return cpu_any_layout(layout, plan, 5 - left_out, sizes + left_out, type, error);
}

/* Layouts of the library's choice. The gradient of the weights is fp32 in any precision. */
static enum status describe(struct cpu_convolution *convolution, struct cpu_plan *plan,
                            dnnl_prop_kind_t pass, struct error *error)
{
    const struct layer_config *config = &plan->config;
    const struct conv2d *c = &config->as.conv2d;
    const dnnl_data_type_t storage = cpu_storage(plan);
    const struct window_axes axes = conv2d_axes(c);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    const dnnl_dim_t input[] = {config->batch_size, c->channels_in, high->image, wide->image};
    const dnnl_dim_t output[] = {config->batch_size, c->channels_out, high->window.output_size,
                                 wide->window.output_size};
    const dnnl_dim_t bias[] = {c->channels_out};
    *convolution = (struct cpu_convolution){
        .pass = pass,
        .strides = {c->stride, c->stride},
        .gaps = {c->dilation - 1, c->dilation - 1},
        .pad_before = {high->window.pad_before, wide->window.pad_before},
        .pad_after = {high->window.pad_after, wide->window.pad_after},
    };
    TRY(cpu_any_layout(&convolution->input, plan, 4, input, storage, error));
    TRY(weights_layout(&convolution->weights, plan, &axes,
                       pass == dnnl_backward_weights ? dnnl_f32 : storage, error));
    if (c->use_bias)
        TRY(cpu_plain_layout(&convolution->bias, plan, 1, bias, dnnl_f32, error));
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

enum status cpu_fill_conv2d(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    return cpu_weighted_fill(plan, plan->config.as.conv2d.activation,
                             plan->config.as.conv2d.use_bias, create_pd, inputs, error);
}
