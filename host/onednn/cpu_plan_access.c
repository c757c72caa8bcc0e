/* A plan's tensors in plain fp32: single elements for the check of a sweep, whole ones for tests.
 */
#include "onednn/cpu_plan.h"

#include "base/half.h"

static enum cpu_role role_of(enum layer_value what)
{
    static const struct {
        enum cpu_role tensor, gradient;
    } roles[TENSOR_ROLE_COUNT] = {
        [TENSOR_INPUT] = {CPU_INPUT, CPU_INPUT_GRADIENT},
        [TENSOR_OUTPUT] = {CPU_OUTPUT, CPU_OUTPUT_GRADIENT},
        [TENSOR_WEIGHTS] = {CPU_WEIGHTS, CPU_WEIGHTS_GRADIENT},
        [TENSOR_BIAS] = {CPU_BIAS, CPU_BIAS_GRADIENT},
        [TENSOR_KEPT] = {CPU_MEAN, CPU_MEAN}, /* the variance is the next */
    };
    const struct value_place place = layer_value_place(what);
    const int first = (int)(place.is_gradient ? roles[place.role].gradient
                                              : roles[place.role].tensor);
    return (enum cpu_role)(first + place.index);
}

/* Whether the library has the first two dimensions of the tensor in the other order. */
static bool is_turned(const struct cpu_plan *plan, enum cpu_role role)
{
    return plan->turns_weights &&
           (role == CPU_WEIGHTS || role == CPU_WEIGHTS_GRADIENT || role == CPU_MASTER_WEIGHTS);
}

static void swap(dnnl_dim_t *sizes)
{
    const dnnl_dim_t first = sizes[0];
    sizes[0] = sizes[1];
    sizes[1] = first;
}

static void turn_order(struct cpu_order *order)
{
    swap(order->dimensions);
    swap(order->padded);
    swap(order->strides);
    for (int i = 0; i < order->inner_count; i++)
        if (order->inner_dimensions[i] < 2)
            order->inner_dimensions[i] = !order->inner_dimensions[i];
}

/* Where the plain element `index` lies. */
static dnnl_dim_t place_of(const struct cpu_order *order, int64_t index)
{
    dnnl_dim_t place = order->first;
    for (int i = order->rank; i-- > 0; index /= order->dimensions[i])
        place += cpu_order_offset(order, i, index % order->dimensions[i]);
    return place;
}

static float load_number(const void *data, dnnl_dim_t place, dnnl_data_type_t type)
{
    if (type == dnnl_f32)
        return ((const float *)data)[place];
    if (type == dnnl_s32)
        return (float)((const int32_t *)data)[place];
    const uint16_t bits = ((const uint16_t *)data)[place];
    return type == dnnl_f16 ? float_of_fp16(bits) : float_of_bf16(bits);
}

enum status cpu_plan_read_elements(float *values, struct plan *plan, enum layer_value what,
                                   const int64_t *indices, int count, struct error *error)
{
    const enum cpu_role role = role_of(what);
    const struct cpu_tensor *tensor = &((const struct cpu_plan *)plan)->tensor[role];
    struct cpu_order order;
    if (!tensor->memory)
        return FAIL(error, STATUS_FAILED, "cpu: the plan has no %s", layer_value_names[what]);
    if (!cpu_layout_order(&order, tensor->layout))
        return FAIL(error, STATUS_FAILED, "cpu: the library hides the order of the %s",
                    layer_value_names[what]);
    if (is_turned((const struct cpu_plan *)plan, role))
        turn_order(&order);
    const dnnl_data_type_t type = cpu_layout_type(tensor->layout);
    for (int i = 0; i < count; i++)
        values[i] = load_number(tensor->data, place_of(&order, indices[i]), type);
    return STATUS_OK;
}

static enum status plain_tensor(struct cpu_tensor *plain, struct cpu_plan *plan, enum cpu_role role,
                                float *values, struct error *error)
{
    const struct cpu_tensor *tensor = &plan->tensor[role];
    const struct cpu_layout *layout;
    if (!tensor->memory)
        return FAIL(error, STATUS_FAILED, "the plan has no such tensor");
    if (is_turned(plan, role))
        TRY(cpu_swapped_layout(&layout, plan, cpu_layout_dimensions(tensor->layout), error));
    else
        TRY(cpu_plain_layout(&layout, plan, cpu_layout_rank(tensor->layout),
                             cpu_layout_dimensions(tensor->layout), dnnl_f32, error));
    return cpu_tensor_view(plain, plan, layout, values, error);
}

enum status cpu_plan_read(float *values, struct cpu_plan *plan, enum cpu_role role,
                          struct error *error)
{
    struct cpu_tensor plain;
    TRY(plain_tensor(&plain, plan, role, values, error));
    return cpu_copy(plan, &plan->tensor[role], &plain, error);
}

enum status cpu_plan_write(struct cpu_plan *plan, enum cpu_role role, const float *values,
                           struct error *error)
{
    struct cpu_tensor plain;
    TRY(plain_tensor(&plain, plan, role, (float *)values, error));
    TRY(cpu_copy(plan, &plain, &plan->tensor[role], error));
    return cpu_settle_again(plan, error);
}
