/* dense with oneDNN: inner product with bias, activation apart. */
#include "onednn/cpu_plan.h"

/* Layouts of the library's choice; weights (outputs, inputs). Their gradient is fp32 in any
 * precision. */
static enum status describe(struct cpu_inner_product *product, struct cpu_plan *plan,
                            dnnl_prop_kind_t pass, struct error *error)
{
    const struct dense *d = &plan->config.as.dense;
    const dnnl_data_type_t storage = cpu_storage(plan);
    const dnnl_dim_t input[] = {plan->config.batch_size, d->inputs};
    const dnnl_dim_t weights[] = {d->outputs, d->inputs};
    const dnnl_dim_t output[] = {plan->config.batch_size, d->outputs};
    *product = (struct cpu_inner_product){.pass = pass};
    TRY(cpu_any_layout(&product->input, plan, 2, input, storage, error));
    TRY(cpu_any_layout(&product->weights, plan, 2, weights,
                       pass == dnnl_backward_weights ? dnnl_f32 : storage, error));
    if (d->use_bias)
        TRY(cpu_plain_layout(&product->bias, plan, 1, weights, dnnl_f32, error));
    return cpu_any_layout(&product->output, plan, 2, output, storage, error);
}

static enum status create_pd(dnnl_primitive_desc_t *pd, struct cpu_plan *plan,
                             dnnl_prop_kind_t pass, const_dnnl_primitive_desc_t forward,
                             struct error *error)
{
    struct cpu_inner_product product;
    TRY(describe(&product, plan, pass, error));
    return cpu_check(plan,
                     cpu_inner_product_descriptor(pd, &plan->device->target, &product, forward),
                     "inner product", error);
}

enum status cpu_fill_dense(struct cpu_plan *plan, struct plan *const *inputs, struct error *error)
{
    return cpu_weighted_fill(plan, plan->config.as.dense.activation, plan->config.as.dense.use_bias,
                             create_pd, inputs, error);
}
