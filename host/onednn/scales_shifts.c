/* The parameters of a normalisation: scales and shifts are one fp32 array (2, width), so that one
 * update goes through both.
 */
#include "onednn/cpu_plan.h"

enum status cpu_scales_shifts_create(struct cpu_tensor *parameters, struct cpu_plan *plan,
                                     int32_t width, float amplitude, struct error *error)
{
    const dnnl_dim_t dimensions[] = {2, width};
    const struct cpu_layout *layout;
    TRY(cpu_plain_layout(&layout, plan, 2, dimensions, dnnl_f32, error));
    return cpu_tensor_create(parameters, plan, layout, amplitude, error);
}

enum status cpu_scales_shifts_add(struct cpu_plan *plan, int32_t width, struct error *error)
{
    TRY(cpu_scales_shifts_create(&plan->tensor[CPU_WEIGHTS], plan, width, 0.1f, error));
    float *scales = plan->tensor[CPU_WEIGHTS].data;
    for (int32_t i = 0; i < width; i++)
        scales[i] += 1;
    return STATUS_OK;
}

enum status cpu_scales_shifts_view(struct cpu_tensor *scales, struct cpu_tensor *shifts,
                                   struct cpu_plan *plan, const struct cpu_tensor *parameters,
                                   struct error *error)
{
    const dnnl_dim_t width = (dnnl_dim_t)(cpu_layout_bytes(parameters->layout) / 2 / sizeof(float));
    float *values = parameters->data;
    const struct cpu_layout *layout;
    TRY(cpu_plain_layout(&layout, plan, 1, &width, dnnl_f32, error));
    TRY(cpu_tensor_view(scales, plan, layout, values, error));
    return cpu_tensor_view(shifts, plan, layout, values + width, error);
}
