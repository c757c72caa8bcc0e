#include "layers/encode_gemm.h"
#include "layers/function.h"
#include "layers/kind_internal.h"

/* ReLUs of VGG's and AlexNet's dense layers, of ResNets; MobileNetV2's and EfficientNet's expanded
 * images and squeezed channels; hidden rows of BERT, ViT, Whisper, GPT-2. The paper has none. */
static const struct sample_shapes element_shapes = {
    .values = {8,      32,     960,    4096,   4096,   9216,   25088,   28224,   47040,   62720,
               75264,  100352, 112896, 112896, 150528, 200704, 200704,  301056,  301056,  393216,
               401408, 451584, 605184, 605184, 802816, 802816, 1204224, 1572864, 2304000, 3145728},
    .paper_minimum = 1,
    .paper_maximum = 1000000,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(activation, elements), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 4194304, .shapes = &element_shapes,
     .help = "elements of one row"},
    {OWN(activation, function), NAMED(choice_function, FUNCTION_COUNT),
     .help = "what is computed of each element"},
};
DESCRIBES_ALL(activation, features);

/* Backward: the output's gradient and what is kept. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct activation *of = &config->as.activation;
    const struct function_traits *traits = function_traits_of(of->function);
    const double elements = (double)config->batch_size * of->elements;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work->in_place = traits->keeps_output ? IN_PLACE_ALWAYS : IN_PLACE_FORWARD;
    work_stream(work, WORK_FORWARD,
                (struct work_operation){.flops = traits->forward_flops * elements});
    work_stream(
        work, WORK_BACKWARD_DATA,
        (struct work_operation){.flops = traits->backward_flops * elements, .read = elements});
}

/* ---- columns for predictors ---- */

static void emit_function(struct columns *columns, int32_t function)
{
#define FUNCTION_COLUMN(value, text) emit(columns, "function=" text, function == (value));
    FUNCTION_LIST(FUNCTION_COLUMN)
}

/* Not in the paper; coded in its manner. */
static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "elements", config->as.activation.elements);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_function(columns, config->as.activation.function);
}

static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    (void)work;
    emit_function(columns, config->as.activation.function);
    emit_stream(columns, config, config->as.activation.elements, units);
}

static const struct layer_case cases[] = {
    /* 20 elements, one operation each */
    {"activation:batch_size=2,elements=10,function=relu",
     {20, 80, 80, 0, 80, 80, 160},
     UINT64_C(0x60bfd32d86d05daa)},
    /* backward 20 more: gradient and output are read, the input's gradient is written; memory: four
     * tensors */
    {"activation:batch_size=2,elements=10,function=relu,pass=train",
     {40, 240, 160, 0, 80, 80, 320},
     UINT64_C(0x48ea1a4e0718596d)},
    /* 16 forward, 20 backward */
    {"activation:batch_size=2,elements=10,function=gelu,pass=train",
     {720, 240, 160, 0, 80, 80, 320},
     UINT64_C(0x7ab60d3c383a2968)},
    {.text = NULL},
};

const struct layer_descriptor layer_activation = {
    .name = "activation",
    .help = "a function of every element, as a layer of its own",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
