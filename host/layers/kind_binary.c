#include "layers/encode_gemm.h"
#include "layers/kind_internal.h"

/* Residuals of ResNets, MobileNetV2 and transformers; the paper has none: up to ResNet-50's. */
static const struct sample_shapes element_shapes = {
    .values = {768, 1280, 7840, 12544, 18816, 25088, 25088, 50176, 75264, 98304, 100352, 100352,
               200704, 200704, 401408, 786432, 802816},
    .paper_minimum = 1,
    .paper_maximum = 1000000,
};
/* Operands of one shape are the rule; the others are forms. */
static const struct sample_shapes repeat_shapes = {
    .values = {1}, .paper_minimum = 1, .paper_maximum = 1, .rare_percent = 40};
static const struct sample_shapes operation_shapes = {
    .has_usual = true, .usual = BINARY_ADD, .rare_percent = 60};
static const struct sample_shapes second_shapes = {
    .has_usual = true, .usual = SECOND_INPUT, .rare_percent = 30};

#define FORM(operation_, elements_, repeats_, broadcast_, second_)                                 \
    {                                                                                              \
        .kind = LAYER_BINARY, .as.binary = {                                                       \
            .elements = (elements_),                                                               \
            .operation = BINARY_##operation_,                                                      \
            .repeats = (repeats_),                                                                 \
            .broadcast = BROADCAST_##broadcast_,                                                   \
            .second = SECOND_##second_                                                             \
        }                                                                                          \
    }
static const struct layer_config forms[] = {
    /* squeezed channels: EfficientNet-B0, MobileNetV3 */
    FORM(MULTIPLY, 32, 12544, INNER, INPUT),
    FORM(MULTIPLY, 96, 3136, INNER, INPUT),
    FORM(MULTIPLY, 144, 784, INNER, INPUT),
    FORM(MULTIPLY, 240, 196, INNER, INPUT),
    FORM(MULTIPLY, 480, 196, INNER, INPUT),
    FORM(MULTIPLY, 672, 49, INNER, INPUT),
    FORM(MULTIPLY, 1152, 49, INNER, INPUT),
    /* LayerScale of ConvNeXt, scales of RMS norms, biases of rows */
    FORM(MULTIPLY, 96, 3136, INNER, WEIGHTS),
    FORM(MULTIPLY, 768, 49, INNER, WEIGHTS),
    FORM(MULTIPLY, 768, 1024, OUTER, WEIGHTS),
    FORM(ADD, 768, 197, OUTER, WEIGHTS),
    FORM(ADD, 3072, 128, OUTER, WEIGHTS),
    /* positions of BERT, ViT-B/16, GPT-2 */
    FORM(ADD, 98304, 1, OUTER, WEIGHTS),
    FORM(ADD, 151296, 1, OUTER, WEIGHTS),
    FORM(ADD, 786432, 1, OUTER, WEIGHTS),
    /* scores of attention: scales, masks; halves of a GELU that an exporter left */
    FORM(DIVIDE, 1, 196608, OUTER, CONSTANT),
    FORM(MULTIPLY, 1, 465708, OUTER, CONSTANT),
    FORM(MULTIPLY, 1, 393216, OUTER, CONSTANT),
    FORM(ADD, 128, 1536, OUTER, INPUT),
    FORM(ADD, 16384, 12, OUTER, CONSTANT),
    /* gates of SwiGLU and GELU; rows that are centred and scaled */
    FORM(MULTIPLY, 393216, 1, OUTER, INPUT),
    FORM(MULTIPLY, 1048576, 1, OUTER, INPUT),
    FORM(SUBTRACT, 128, 768, INNER, INPUT),
    FORM(DIVIDE, 128, 768, INNER, INPUT),
};

static const struct feature_condition where_repeated = {
    .offset = offsetof(struct layer_config, as.binary.repeats),
    .minimum = 2,
    .text = "repeats above 1"};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(binary, elements), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 4194304, .shapes = &element_shapes,
     .help = "elements of the second operand, of one row"},
    {OWN(binary, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
    {OWN(binary, operation), NAMED(choice_binary_operation, BINARY_COUNT),
     .shapes = &operation_shapes, .since = 2, .missing = BINARY_ADD,
     .help = "what is computed of two elements"},
    {OWN(binary, repeats), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 1048576, .shapes = &repeat_shapes, .since = 2,
     .missing = 1, .help = "elements of the first operand, of one row, for each of the second"},
    {OWN(binary, broadcast), NAMED(choice_broadcast, BROADCAST_COUNT), .since = 2,
     .missing = BROADCAST_OUTER, .condition = &where_repeated,
     .help = "repeats: the second operand as a whole, or each of its elements"},
    {OWN(binary, second), NAMED(choice_second_operand, SECOND_COUNT), .shapes = &second_shapes,
     .since = 2, .missing = SECOND_INPUT,
     .help = "the second operand: of every row, or one for the batch: trained or constant"},
};
DESCRIBES_ALL(binary, features);
/* Elements of the two operands. */
struct sizes {
    double first, second;
    bool is_repeated;
};

static struct sizes sizes_of(const struct layer_config *config)
{
    const struct binary *of = &config->as.binary;
    const double rows = config->batch_size, elements = of->elements;
    return (struct sizes){.first = rows * of->repeats * elements,
                          .second = of->second == SECOND_INPUT ? rows * elements : elements,
                          .is_repeated = of->repeats > 1 || of->second != SECOND_INPUT};
}

static bool is_sum(const struct binary *of)
{
    return of->operation == BINARY_ADD || of->operation == BINARY_SUBTRACT;
}

static void add_operands(struct layer_work *work, const struct binary *of,
                         const struct sizes *sizes)
{
    const bool shares = of->operation == BINARY_ADD && !sizes->is_repeated;
    work_add_tensor(work, (struct layer_tensor){.name = "a",
                                                .role = TENSOR_INPUT,
                                                .count = sizes->first,
                                                .shares_gradient = is_sum(of)});
    work_add_tensor(work, (struct layer_tensor){
                              .name = "b",
                              .role = of->second == SECOND_WEIGHTS ? TENSOR_WEIGHTS : TENSOR_INPUT,
                              .count = sizes->second,
                              .shares_gradient = shares,
                              .is_constant = of->second == SECOND_CONSTANT});
}

/* Of the second operand's gradient: a sum where it is repeated, of products with the first operand
 * unless that is added to; a quotient's is divided by the square. */
static double second_flops(const struct binary *of, const struct sizes *sizes)
{
    const double sums = sizes->is_repeated ? sizes->first : 0;
    const double negations = !sizes->is_repeated ? sizes->first : 0;
    const double flops[BINARY_COUNT] = {
        [BINARY_ADD] = sums,
        [BINARY_MULTIPLY] = sums + sizes->first,
        [BINARY_SUBTRACT] = sums + negations,
        [BINARY_DIVIDE] = sums + sizes->first + 2 * sizes->second,
    };
    return flops[of->operation];
}

/* A primitive for each operand's gradient, which goes through the output's. That of a sum's first
 * operand is the output's own. */
static void add_backward(struct layer_work *work, const struct binary *of,
                         const struct sizes *sizes)
{
    const double first = sizes->first, second = sizes->second, flops = second_flops(of, sizes);
    const double own_second = of->second == SECOND_WEIGHTS ? 0 : second; /* beside the phase's */
    if (!is_sum(of))
        work_stream(work, WORK_BACKWARD_DATA,
                    (struct work_operation){.flops = first, .read = own_second});
    const double divisor = of->operation == BINARY_DIVIDE ? second : 0;
    if (of->second == SECOND_INPUT && flops > 0)
        work_stream(
            work, WORK_BACKWARD_DATA,
            (struct work_operation){.flops = flops, .read = is_sum(of) ? 0 : 2 * first + divisor});
    if (of->second == SECOND_WEIGHTS) /* a sum's does not read the first operand */
        work_stream(work, WORK_BACKWARD_WEIGHTS,
                    (struct work_operation){.flops = flops, .read = is_sum(of) ? -first : divisor});
}

static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct binary *of = &config->as.binary;
    const struct sizes sizes = sizes_of(config);
    work_tensor(work, TENSOR_OUTPUT, "y", sizes.first);
    add_operands(work, of, &sizes);
    work->activation = of->activation;
    work->in_place = is_sum(of) ? IN_PLACE_ALWAYS : IN_PLACE_FORWARD;
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = sizes.first});
    add_backward(work, of, &sizes);
}

/* ---- columns for predictors ---- */

/* Behind the columns of plain additions. */
static void emit_broadcast(struct columns *columns, const struct binary *of)
{
#define OPERATION_COLUMN(value, text) emit(columns, "operation=" text, of->operation == (value));
#define SECOND_COLUMN(value, text)    emit(columns, "second=" text, of->second == (value));
    BINARY_LIST(OPERATION_COLUMN)
    SECOND_LIST(SECOND_COLUMN)
    emit(columns, "broadcast=inner", of->broadcast == BROADCAST_INNER);
}

/* Not in the paper; coded in its manner. */
static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    const struct binary *of = &config->as.binary;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "elements", of->elements);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_activation(columns, of->activation);
    emit(columns, "repeats", of->repeats);
    emit_broadcast(columns, of);
}

static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    (void)work;
    const struct binary *of = &config->as.binary;
    const double is_train = config->pass == PASS_TRAIN;
    const double run = of->broadcast == BROADCAST_INNER ? of->repeats : of->elements;
    emit(columns, "is_train*has_activation", is_train * (of->activation != ACTIVATION_NONE));
    emit_stream(columns, config, (double)of->elements * of->repeats, units);
    emit_broadcast(columns, of);
    emit(columns, "log_repeats", log_size(of->repeats));
    emit(columns, "log_second_elements", log_size(of->elements));
    emit(columns, "log_run", log_size(run)); /* how many in turn use one element, or all */
    emit(columns, "is_train*log_repeats", is_train * log_size(of->repeats));
    emit(columns, "is_train*log_run", is_train * log_size(run));
    EMIT_RAMP("run", run, 16);
    EMIT_RAMP("run", run, 256);
#define TRAIN_COLUMN(value, text)                                                                  \
    emit(columns, "is_train*operation=" text, is_train *(of->operation == (value)));
    BINARY_LIST(TRAIN_COLUMN)
}

static const struct layer_case cases[] = {
    /* two inputs of 20 */
    {"binary:batch_size=2,elements=10",
     {20, 160, 80, 0, 80, 80, 240},
     UINT64_C(0x1d6325e0cc3e5952)},
    /* nothing runs backward; memory: three tensors, the sum's gradient, which is the inputs' */
    {"binary:batch_size=2,elements=10,pass=train",
     {20, 160, 80, 0, 80, 80, 320},
     UINT64_C(0xadc8c1fdb18f1cdc)},
    /* relu 20 and 20: reads 80 and 160, writes 80 and 80; one gradient more */
    {"binary:batch_size=2,elements=10,activation=relu,pass=train",
     {60, 400, 240, 0, 80, 80, 400},
     UINT64_C(0x8125112016571c92)},
    /* 20 forward, 20 each gradient: each reads the sum's and the other input; memory: three tensors
     * and their gradients */
    {"binary:batch_size=2,elements=10,operation=multiply,pass=train",
     {60, 480, 240, 0, 80, 80, 480},
     UINT64_C(0xe463bab90b599039)},
    /* b of 2 x 5, a of 2 x 5 x 4 = 40: forward reads 160 + 40; a's gradient reads 160 + 40, b's 160
     * twice and adds 40 products up */
    {"binary:batch_size=2,elements=5,repeats=4,broadcast=inner,operation=multiply,pass=train",
     {160, 720, 360, 0, 160, 160, 720},
     UINT64_C(0x72eec15808bdc990)},
    /* one b of 5 for both rows, trained: forward reads 160 + 20, its gradient 160 and adds 40 up,
     * sgd 10: reads 40 */
    {"binary:batch_size=2,elements=5,repeats=4,second=weights,activation=none,operation=add,"
     "broadcast=outer,pass=train,optimizer=sgd",
     {90, 380, 200, 5, 160, 160, 520},
     UINT64_C(0x4d93bf80bd6a578d)},
    {.text = NULL},
};

const struct layer_descriptor layer_binary = {
    .name = "binary",
    .former_name = "addition",
    .help = "sum, product, difference or quotient of two tensors, then activation; the second may "
            "be repeated",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .forms = forms,
    .form_count = sizeof forms / sizeof *forms,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
