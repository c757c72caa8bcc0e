#include "layers/encode_gemm.h"
#include "layers/kind_internal.h"

/* Channels whose pixels are averaged, positions whose rows are, a whole sample. */
static const struct sample_shapes outer_shapes = {
    .values = {1,   1,   1,   1,   1,   12,  32,   64,   96,   128, 197,
               256, 480, 512, 512, 768, 960, 1024, 1280, 1280, 2048},
    .paper_minimum = 1,
    .paper_maximum = 64,
};
/* Pixels of 7x7 to 56x56 images, positions of sequences, rows of hidden values, classes. */
static const struct sample_shapes length_shapes = {
    .values = {12,  49,  49,  49,  64,  128,  128,  196,  196,  197,
               256, 512, 512, 768, 784, 1000, 1024, 1500, 2048, 3136},
    .paper_minimum = 1,
    .paper_maximum = 2048,
};
static const struct sample_shapes inner_shapes = {
    .values = {1, 1, 1, 1, 1, 1, 1, 1, 64, 96, 128, 384, 512, 768, 768, 1024},
    .paper_minimum = 1,
    .paper_maximum = 32,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(reduction, outer), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 65536, .shapes = &outer_shapes,
     .help = "results of one row that lie apart: elements before the axis"},
    {OWN(reduction, length), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1000000000),
     .sample_minimum = 2, .sample_maximum = 65536, .shapes = &length_shapes,
     .help = "elements along the axis, which become one"},
    {OWN(reduction, inner), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 16384, .shapes = &inner_shapes,
     .help = "results that lie together: elements behind the axis"},
    {OWN(reduction, reduce), NAMED(choice_reduce, REDUCE_COUNT),
     .help = "what of the elements is computed"},
};
DESCRIBES_ALL(reduction, features);

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct reduction *of = &config->as.reduction;
    *reason = "the sizes of one row would have more than 2^31 - 1 elements";
    return (double)of->outer * of->length * of->inner <= INT32_MAX;
}

/* Backward, a sum's gradient is copied to all its elements, that of the largest goes to one of
 * them, zeros to the others; a norm's needs input and output. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct reduction *of = &config->as.reduction;
    const double results = (double)config->batch_size * of->outer * of->inner;
    const double elements = results * of->length;
    const bool has_winners = of->reduce == REDUCE_MAX || of->reduce == REDUCE_MIN;
    const bool is_norm = of->reduce == REDUCE_NORM;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_tensor(work, TENSOR_OUTPUT, "y", results);
    work_add_tensor(work, (struct layer_tensor){.name = "winners",
                                                .role = TENSOR_KEPT,
                                                .storage = STORAGE_INT32,
                                                .count = has_winners ? results : 0});
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = (is_norm ? 2 : 1) * elements});
    work_stream(
        work, WORK_BACKWARD_DATA,
        (struct work_operation){.flops = elements, .read = is_norm ? elements + results : 0});
}

/* ---- columns for predictors ---- */

static void emit_reduce(struct columns *columns, int32_t reduce, double factor)
{
#define REDUCE_COLUMN(value, text) emit(columns, "reduce=" text, reduce == (value));
#define TRAIN_COLUMN(value, text)                                                                  \
    emit(columns, "is_train*reduce=" text, factor *(reduce == (value)));
    REDUCE_LIST(REDUCE_COLUMN)
    REDUCE_LIST(TRAIN_COLUMN)
}

static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    (void)work;
    const struct reduction *of = &config->as.reduction;
    const double is_train = config->pass == PASS_TRAIN;
    const double elements = (double)config->batch_size * of->outer * of->length * of->inner;
    emit_reduce(columns, of->reduce, is_train);
    emit_numbers(columns, &layer_reduction, config);
    emit(columns, "log_elements", log_size(elements));
    emit(columns, "is_train*log_elements", is_train * log_size(elements));
    emit(columns, "log_waves", log_size(ceil_size(elements / 256 / units)));
    EMIT_RAMP("elements", elements, 1024);
    EMIT_RAMP("elements", elements, 32768);
    EMIT_RAMP("elements", elements, 1048576);
    emit(columns, "inner=1", of->inner == 1);
    emit(columns, "inner=1*log_length", (of->inner == 1) * log_size(of->length));
    emit(columns, "is_train*inner=1", is_train * (of->inner == 1));
    EMIT_RAMP("length", of->length, 16);
    EMIT_RAMP("length", of->length, 2048);
    EMIT_RAMP("inner", of->inner, 16);
    EMIT_RAMP("inner", of->inner, 2048);
}

/* Not in the paper; coded in its manner. */
static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    const struct reduction *of = &config->as.reduction;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "outer", of->outer);
    emit(columns, "length", of->length);
    emit(columns, "inner", of->inner);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_reduce(columns, of->reduce, config->pass == PASS_TRAIN);
}

static const struct layer_case cases[] = {
    /* 2 x 3 x 4 x 5 = 120 elements become 30 */
    {"reduction:batch_size=2,outer=3,length=4,inner=5,reduce=mean",
     {120, 480, 120, 0, 480, 120, 600},
     UINT64_C(0x2e9c3b07e44b6fee)},
    /* backward 120: reads 30, writes 120 */
    {"reduction:batch_size=2,outer=3,length=4,inner=5,reduce=sum,pass=train",
     {240, 600, 600, 0, 480, 120, 1200},
     UINT64_C(0xe03d431a76b005d2)},
    /* 30 winners are kept */
    {"reduction:batch_size=2,outer=3,length=4,inner=5,reduce=max,pass=train",
     {240, 720, 720, 0, 480, 240, 1320},
     UINT64_C(0x9a251e99373f139e)},
    /* squares and sums; backward reads input and output, too */
    {"reduction:batch_size=2,outer=3,length=4,inner=5,reduce=norm,pass=train",
     {360, 1200, 600, 0, 480, 120, 1200},
     UINT64_C(0x8ff2ea6a23e10560)},
    {.text = NULL},
};

const struct layer_descriptor layer_reduction = {
    .name = "reduction",
    .help = "mean, sum, largest, smallest or norm along one axis",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
