/* What a kind_<kind>.c needs to write its feature table and its work. */
#ifndef EPOCHCAST_LAYERS_KIND_INTERNAL_H
#define EPOCHCAST_LAYERS_KIND_INTERNAL_H

#include "layers/layer.h"

#define COLUMNS(name)                                                                              \
    .columns = &(const struct feature_columns)                                                     \
    {                                                                                              \
        "log_" name, "is_train*log_" name,                                                         \
            {name "%4==0", name "%8==0", name "%16==0", name "%32==0"},                            \
            {"log_quantised_" name "_8", "log_quantised_" name "_32",                              \
             "log_quantised_" name "_128"},                                                        \
        {                                                                                          \
            "ramp_" name "_8", "ramp_" name "_32", "ramp_" name "_256"                             \
        }                                                                                          \
    }
#define COMMON(member)                                                                             \
    .name = #member, .offset = offsetof(struct layer_config, member), COLUMNS(#member)
#define OWN(kind, member)                                                                          \
    .name = #member, .offset = offsetof(struct layer_config, as) + offsetof(struct kind, member),  \
    COLUMNS(#member)
#define NUMBER(shape, unit_, low, high)                                                            \
    .unit = (unit_), .distribution = (shape), .minimum = (low), .maximum = (high)
#define NAMED(choice_, count) .maximum = (count)-1, .choice = &(choice_)

/* clang-format off */
#define COMMON_FEATURES                                                                            \
    {COMMON(batch_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 65536),                    \
     .sample_minimum = 1, .sample_maximum = 64, .shapes = &batch_shapes,                           \
     .help = "rows of one batch"},                                                                 \
    {COMMON(pass), NAMED(choice_pass, PASS_COUNT), .help = "forward, or a whole training step"},   \
    {COMMON(optimizer), NAMED(choice_optimizer, OPTIMIZER_COUNT),                                  \
     .sample_maximum = OPTIMIZER_ADAM, .help = "weight update of a training step"},                                                  \
    {COMMON(precision), NAMED(choice_precision, PRECISION_COUNT), .is_fixed = true,                \
     .help = "arithmetic of the matrix work; amp: fp16, fp32 weights cast in each step"}
/* clang-format on */

/* What several kinds draw; the paper's ranges are those of Justus et al. 2018, section IV. */
extern const struct sample_shapes batch_shapes, image_shapes, kernel_shapes, stride_shapes,
    padding_shapes, channel_shapes;

/* Each member of struct `kind` has its row. */
#define DESCRIBES_ALL(kind, table)                                                                 \
    _Static_assert(sizeof(table) / sizeof *(table) ==                                              \
                       COMMON_FEATURE_COUNT + sizeof(struct kind) / sizeof(int32_t),               \
                   #kind " has a member without a feature")

#define DECLARE_KIND(KIND, kind) extern const struct layer_descriptor layer_##kind;
LAYER_KINDS(DECLARE_KIND)
#undef DECLARE_KIND

/* The rules that every sliding window obeys; *reason tells which one is broken. */
bool window_is_valid(int32_t image_size, int32_t kernel_size, int32_t stride, int32_t padding,
                     const char **reason);

#endif
