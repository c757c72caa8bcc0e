#include "layers/encode_gemm.h"
#include "layers/kind_internal.h"

/* Residuals of ResNets, MobileNetV2 and transformers; the paper has none: up to ResNet-50's. */
static const struct sample_shapes element_shapes = {
    .values = {768, 1280, 7840, 12544, 18816, 25088, 25088, 50176, 75264, 98304, 100352, 100352,
               200704, 200704, 401408, 786432, 802816},
    .paper_minimum = 1,
    .paper_maximum = 1000000,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(addition, elements), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 4194304, .shapes = &element_shapes,
     .help = "elements of one input, of one row"},
    {OWN(addition, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(addition, features);

static void work(struct layer_work *work, const struct layer_config *config)
{
    const double elements = (double)config->batch_size * config->as.addition.elements;
    const struct layer_tensor input = {
        .role = TENSOR_INPUT, .count = elements, .shares_gradient = true};
    struct layer_tensor a = input, b = input;
    a.name = "a";
    b.name = "b";
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work_add_tensor(work, a);
    work_add_tensor(work, b);
    work->activation = config->as.addition.activation;
    work->in_place = IN_PLACE_ALWAYS;
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = elements});
}

/* ---- columns for predictors ---- */

/* Not in the paper; coded in its manner. */
static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "elements", config->as.addition.elements);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_activation(columns, config->as.addition.activation);
}

static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    (void)work;
    emit(columns, "is_train*has_activation",
         (config->pass == PASS_TRAIN) * (config->as.addition.activation != ACTIVATION_NONE));
    emit_stream(columns, config, config->as.addition.elements, units);
}

static const struct layer_case cases[] = {
    /* two inputs of 20 */
    {"addition:batch_size=2,elements=10",
     {20, 160, 80, 0, 80, 80, 240},
     UINT64_C(0x1d6325e0cc3e5952)},
    /* nothing runs backward; memory: three tensors, the sum's gradient, which is the inputs' */
    {"addition:batch_size=2,elements=10,pass=train",
     {20, 160, 80, 0, 80, 80, 320},
     UINT64_C(0xadc8c1fdb18f1cdc)},
    /* relu 20 and 20: reads 80 and 160, writes 80 and 80; one gradient more */
    {"addition:batch_size=2,elements=10,activation=relu,pass=train",
     {60, 400, 240, 0, 80, 80, 400},
     UINT64_C(0x8125112016571c92)},
    {.text = NULL},
};

const struct layer_descriptor layer_addition = {
    .name = "addition",
    .help = "sum of a residual's two tensors, then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
