/* resize with oneDNN's resampling, half-pixel centres. An image of one pixel is spread by a loop of
 * our own: the order of its elements is any, and oneDNN 3 takes another one than it then reads by.
 */
#include "onednn/stream_loops.h"

#include <stdio.h>

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                             const struct cpu_resampling *resampling,
                             const_dnnl_primitive_desc_t forward, struct error *error)
{
    return cpu_check(plan,
                     cpu_resampling_descriptor(pd, &plan->device->target, resampling, forward),
                     "resampling", error);
}

static enum status image_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                                const struct cpu_plan *input, int32_t height, int32_t width,
                                struct error *error)
{
    const int32_t channels = plan->config.as.resize.channels;
    const dnnl_dim_t sizes[] = {plan->config.batch_size, channels, height, width};
    if (height == width)
        return cpu_image_layout(layout, plan, input, channels, height, error);
    return cpu_plain_layout(layout, plan, 4, sizes, cpu_storage(plan), error);
}

static enum status describe(struct cpu_resampling *resampling, struct cpu_plan *plan,
                            const struct cpu_plan *input, struct error *error)
{
    const struct resize *of = &plan->config.as.resize;
    const struct resize_sides sides = resize_sides(of);
    const dnnl_dim_t output[] = {plan->config.batch_size, of->channels, sides.output_height,
                                 sides.output_width};
    *resampling = (struct cpu_resampling){.pass = cpu_forward_kind(plan),
                                          .algorithm = of->interpolation == INTERPOLATION_BILINEAR
                                                           ? dnnl_resampling_linear
                                                           : dnnl_resampling_nearest};
    TRY(cpu_any_layout(&resampling->output, plan, 4, output, cpu_storage(plan), error));
    return image_layout(&resampling->input, plan, input, sides.height, sides.width, error);
}

static enum status add_forward(struct cpu_plan *plan, const_dnnl_primitive_desc_t pd,
                               struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor *tensor = plan->tensor;
    cpu_plan_name(plan, pd);
    TRY(cpu_input(plan, inputs, 0, cpu_layout_of(pd, dnnl_query_src_md, 0), error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, cpu_layout_of(pd, dnnl_query_dst_md, 0), 0,
                          error));
    const struct cpu_argument arguments[] = {{DNNL_ARG_SRC, &tensor[CPU_INPUT]},
                                             {DNNL_ARG_DST, &tensor[CPU_OUTPUT]}};
    return cpu_step_add(plan, PHASE_FORWARD, pd, arguments, 2, error);
}

/* In the layouts that the forward pass has. */
static enum status add_backward(struct cpu_plan *plan, const struct cpu_resampling *forward_of,
                                const_dnnl_primitive_desc_t forward, struct plan *const *inputs,
                                struct error *error)
{
    struct cpu_tensor gradient;
    struct cpu_resampling backward = *forward_of;
    dnnl_primitive_desc_t pd;
    backward.pass = dnnl_backward_data;
    backward.input = plan->tensor[CPU_INPUT].layout;
    backward.output = plan->tensor[CPU_OUTPUT].layout;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, backward.input, error));
    TRY(create_pd(&pd, plan, &backward, forward, error));
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_DIFF_DST, &gradient}, {DNNL_ARG_DIFF_SRC, &plan->tensor[CPU_INPUT_GRADIENT]}};
    const enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 2, error);
    dnnl_primitive_desc_destroy(pd);
    TRY(status);
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

/* ---- images of one pixel ---- */

static enum status add_spread(struct cpu_plan *plan, int64_t images, int64_t pixels,
                              struct error *error)
{
    struct cpu_tensor x, y, *output = &plan->tensor[CPU_OUTPUT];
    TRY(cpu_widen(&x, plan, PHASE_FORWARD, &plan->tensor[CPU_INPUT], error));
    TRY(cpu_widen_result(&y, plan, output, error));
    const struct cpu_broadcast broadcast = {.map = CPU_MAP_SPREAD,
                                            .shape = {images, 1, pixels, .outer_step = 1},
                                            .factor = 1,
                                            .y = y.data,
                                            .s = x.data};
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "spread_loop");
    TRY(cpu_broadcast_add(plan, PHASE_FORWARD, &broadcast, error));
    return cpu_narrow_result(plan, PHASE_FORWARD, &y, output, error);
}

static enum status add_sums(struct cpu_plan *plan, int64_t images, int64_t pixels,
                            struct plan *const *inputs, struct error *error)
{
    struct cpu_tensor gradient, wide, sums, *to = &plan->tensor[CPU_INPUT_GRADIENT];
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, plan->tensor[CPU_INPUT].layout, error));
    TRY(cpu_widen(&wide, plan, PHASE_BACKWARD, &gradient, error));
    TRY(cpu_widen_result(&sums, plan, to, error));
    const struct cpu_reduction reduction = {.reduce = CPU_REDUCE_SUM,
                                            .outer = images,
                                            .length = pixels,
                                            .inner = 1,
                                            .factor = 1,
                                            .y = sums.data,
                                            .x = wide.data};
    TRY(cpu_reduction_add(plan, PHASE_BACKWARD, &reduction, error));
    TRY(cpu_narrow_result(plan, PHASE_BACKWARD, &sums, to, error));
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

static enum status fill_single(struct cpu_plan *plan, const struct resize_sides *sides,
                               struct plan *const *inputs, struct error *error)
{
    const int32_t channels = plan->config.as.resize.channels, batch = plan->config.batch_size;
    const int64_t images = (int64_t)batch * channels;
    const int64_t pixels = (int64_t)sides->output_height * sides->output_width;
    const dnnl_dim_t from[] = {batch, channels, 1, 1};
    const dnnl_dim_t to[] = {batch, channels, sides->output_height, sides->output_width};
    const struct cpu_layout *input, *output;
    TRY(cpu_plain_layout(&input, plan, 4, from, cpu_storage(plan), error));
    TRY(cpu_plain_layout(&output, plan, 4, to, cpu_storage(plan), error));
    TRY(cpu_input(plan, inputs, 0, input, error));
    TRY(cpu_tensor_create(&plan->tensor[CPU_OUTPUT], plan, output, 0, error));
    TRY(add_spread(plan, images, pixels, error));
    return plan->config.pass == PASS_FORWARD ? STATUS_OK
                                             : add_sums(plan, images, pixels, inputs, error);
}

enum status cpu_fill_resize(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    const struct resize_sides sides = resize_sides(&plan->config.as.resize);
    struct cpu_resampling resampling;
    dnnl_primitive_desc_t forward;
    if (sides.height * sides.width == 1)
        return fill_single(plan, &sides, inputs, error);
    TRY(describe(&resampling, plan, cpu_producer(inputs, 0), error));
    TRY(create_pd(&forward, plan, &resampling, NULL, error));
    enum status status = add_forward(plan, forward, inputs, error);
    if (status == STATUS_OK && plan->config.pass == PASS_TRAIN)
        status = add_backward(plan, &resampling, forward, inputs, error);
    dnnl_primitive_desc_destroy(forward);
    return status;
}
