/* oneDNN 3: recurrent layers, which have many tensors. */
#include <dnnl_version.h>

#if DNNL_VERSION_MAJOR >= 3

#include "onednn/descriptor.h"

static const_dnnl_memory_desc_t library(const struct cpu_layout *layout)
{
    return (const_dnnl_memory_desc_t)layout;
}

/* The library's layouts of a recurrent layer. */
struct recurrent_layouts {
    const_dnnl_memory_desc_t input, input_weights, state_weights, bias, output, state, memory;
};

static struct recurrent_layouts library_of(const struct cpu_recurrent_layouts *from)
{
    return (struct recurrent_layouts){library(from->input),         library(from->input_weights),
                                      library(from->state_weights), library(from->bias),
                                      library(from->output),        library(from->state),
                                      library(from->memory)};
}

static dnnl_status_t describe_rnn(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                  const struct cpu_recurrent *r,
                                  const_dnnl_primitive_desc_t forward)
{
    const struct recurrent_layouts of = library_of(&r->of), by = library_of(&r->gradient);
    if (r->pass == dnnl_backward)
        return dnnl_vanilla_rnn_backward_primitive_desc_create(
            pd, target->engine, r->pass, dnnl_eltwise_tanh, r->direction, of.input, of.state,
            of.input_weights, of.state_weights, of.bias, of.output, NULL, by.input, by.state,
            by.input_weights, by.state_weights, by.bias, by.output, NULL, dnnl_rnn_flags_undef, 0,
            0, forward, target->attributes);
    return dnnl_vanilla_rnn_forward_primitive_desc_create(
        pd, target->engine, r->pass, dnnl_eltwise_tanh, r->direction, of.input, of.state,
        of.input_weights, of.state_weights, of.bias, of.output, NULL, dnnl_rnn_flags_undef, 0, 0,
        target->attributes);
}

static dnnl_status_t describe_lstm(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                   const struct cpu_recurrent *r,
                                   const_dnnl_primitive_desc_t forward)
{
    const struct recurrent_layouts of = library_of(&r->of), by = library_of(&r->gradient);
    if (r->pass == dnnl_backward)
        return dnnl_lstm_backward_primitive_desc_create(
            pd, target->engine, r->pass, r->direction, of.input, of.state, of.memory,
            of.input_weights, of.state_weights, NULL, NULL, of.bias, of.output, NULL, NULL,
            by.input, by.state, by.memory, by.input_weights, by.state_weights, NULL, NULL, by.bias,
            by.output, NULL, NULL, dnnl_rnn_flags_undef, forward, target->attributes);
    return dnnl_lstm_forward_primitive_desc_create(
        pd, target->engine, r->pass, r->direction, of.input, of.state, of.memory, of.input_weights,
        of.state_weights, NULL, NULL, of.bias, of.output, NULL, NULL, dnnl_rnn_flags_undef,
        target->attributes);
}

static dnnl_status_t describe_gru(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                  const struct cpu_recurrent *r,
                                  const_dnnl_primitive_desc_t forward)
{
    const struct recurrent_layouts of = library_of(&r->of), by = library_of(&r->gradient);
    if (r->pass == dnnl_backward)
        return dnnl_lbr_gru_backward_primitive_desc_create(
            pd, target->engine, r->pass, r->direction, of.input, of.state, of.input_weights,
            of.state_weights, of.bias, of.output, NULL, by.input, by.state, by.input_weights,
            by.state_weights, by.bias, by.output, NULL, dnnl_rnn_flags_undef, forward,
            target->attributes);
    return dnnl_lbr_gru_forward_primitive_desc_create(
        pd, target->engine, r->pass, r->direction, of.input, of.state, of.input_weights,
        of.state_weights, of.bias, of.output, NULL, dnnl_rnn_flags_undef, target->attributes);
}

dnnl_status_t cpu_recurrent_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                       const struct cpu_recurrent *recurrent,
                                       const_dnnl_primitive_desc_t forward)
{
    if (recurrent->cell == dnnl_vanilla_lstm)
        return describe_lstm(pd, target, recurrent, forward);
    if (recurrent->cell == dnnl_lbr_gru)
        return describe_gru(pd, target, recurrent, forward);
    return describe_rnn(pd, target, recurrent, forward);
}

#endif
