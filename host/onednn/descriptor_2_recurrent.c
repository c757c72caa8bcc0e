/* oneDNN 2.6: recurrent layers, which have many tensors. */
#include <dnnl_version.h>

#if DNNL_VERSION_MAJOR == 2

#include "onednn/descriptor.h"

static const dnnl_memory_desc_t *library(const struct cpu_layout *layout)
{
    return (const dnnl_memory_desc_t *)layout;
}

/* The library's layouts of a recurrent layer. */
struct recurrent_layouts {
    const dnnl_memory_desc_t *input, *input_weights, *state_weights, *bias, *output, *state,
        *memory;
};

static struct recurrent_layouts library_of(const struct cpu_recurrent_layouts *from)
{
    return (struct recurrent_layouts){library(from->input),         library(from->input_weights),
                                      library(from->state_weights), library(from->bias),
                                      library(from->output),        library(from->state),
                                      library(from->memory)};
}

static dnnl_status_t start_rnn(dnnl_rnn_desc_t *operation, const struct cpu_recurrent *r)
{
    const struct recurrent_layouts of = library_of(&r->of), by = library_of(&r->gradient);
    if (r->pass == dnnl_backward)
        return dnnl_vanilla_rnn_backward_desc_init(
            operation, r->pass, dnnl_eltwise_tanh, r->direction, of.input, of.state,
            of.input_weights, of.state_weights, of.bias, of.output, NULL, by.input, by.state,
            by.input_weights, by.state_weights, by.bias, by.output, NULL, dnnl_rnn_flags_undef, 0,
            0);
    return dnnl_vanilla_rnn_forward_desc_init(
        operation, r->pass, dnnl_eltwise_tanh, r->direction, of.input, of.state, of.input_weights,
        of.state_weights, of.bias, of.output, NULL, dnnl_rnn_flags_undef, 0, 0);
}

static dnnl_status_t start_lstm(dnnl_rnn_desc_t *operation, const struct cpu_recurrent *r)
{
    const struct recurrent_layouts of = library_of(&r->of), by = library_of(&r->gradient);
    if (r->pass == dnnl_backward)
        return dnnl_lstm_backward_desc_init(operation, r->pass, r->direction, of.input, of.state,
                                            of.memory, of.input_weights, of.state_weights, of.bias,
                                            of.output, NULL, NULL, by.input, by.state, by.memory,
                                            by.input_weights, by.state_weights, by.bias, by.output,
                                            NULL, NULL, dnnl_rnn_flags_undef);
    return dnnl_lstm_forward_desc_init(operation, r->pass, r->direction, of.input, of.state,
                                       of.memory, of.input_weights, of.state_weights, of.bias,
                                       of.output, NULL, NULL, dnnl_rnn_flags_undef);
}

static dnnl_status_t start_gru(dnnl_rnn_desc_t *operation, const struct cpu_recurrent *r)
{
    const struct recurrent_layouts of = library_of(&r->of), by = library_of(&r->gradient);
    if (r->pass == dnnl_backward)
        return dnnl_lbr_gru_backward_desc_init(
            operation, r->pass, r->direction, of.input, of.state, of.input_weights,
            of.state_weights, of.bias, of.output, NULL, by.input, by.state, by.input_weights,
            by.state_weights, by.bias, by.output, NULL, dnnl_rnn_flags_undef);
    return dnnl_lbr_gru_forward_desc_init(operation, r->pass, r->direction, of.input, of.state,
                                          of.input_weights, of.state_weights, of.bias, of.output,
                                          NULL, dnnl_rnn_flags_undef);
}

dnnl_status_t cpu_recurrent_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                       const struct cpu_recurrent *recurrent,
                                       const_dnnl_primitive_desc_t forward)
{
    dnnl_rnn_desc_t operation;
    const dnnl_status_t status = recurrent->cell == dnnl_vanilla_lstm
                                     ? start_lstm(&operation, recurrent)
                                 : recurrent->cell == dnnl_lbr_gru
                                     ? start_gru(&operation, recurrent)
                                     : start_rnn(&operation, recurrent);
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(pd, &operation, target->attributes, target->engine, forward);
}

#endif
