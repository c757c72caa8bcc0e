/* Named enumerations: a value is an index in memory and a name everywhere else (files, command
 * line, output). Each list below is the single source of enum, names, HDF5 enum and help. Append
 * only: stored files hold the index next to the name. */
#ifndef EPOCHCAST_BASE_CHOICE_H
#define EPOCHCAST_BASE_CHOICE_H

struct choice {
    const char *name;         /* "optimizer" */
    const char *const *names; /* value -> name */
    int count;
};

#define PASS_LIST(X) X(PASS_FORWARD, "forward") X(PASS_TRAIN, "train")
#define OPTIMIZER_LIST(X)                                                                          \
    X(OPTIMIZER_NONE, "none")                                                                      \
    X(OPTIMIZER_SGD, "sgd")                                                                        \
    X(OPTIMIZER_MOMENTUM, "momentum")                                                              \
    X(OPTIMIZER_ADAGRAD, "adagrad")                                                                \
    X(OPTIMIZER_ADADELTA, "adadelta")                                                              \
    X(OPTIMIZER_RMSPROP, "rmsprop")                                                                \
    X(OPTIMIZER_ADAM, "adam")                                                                      \
    X(OPTIMIZER_ADAMW, "adamw")
#define ACTIVATION_LIST(X)                                                                         \
    X(ACTIVATION_NONE, "none")                                                                     \
    X(ACTIVATION_RELU, "relu")                                                                     \
    X(ACTIVATION_TANH, "tanh")                                                                     \
    X(ACTIVATION_SIGMOID, "sigmoid")
/* What the layer kind `activation` computes; ACTIVATION_LIST is what other kinds may have fused. */
#define FUNCTION_LIST(X)                                                                           \
    X(FUNCTION_RELU, "relu")                                                                       \
    X(FUNCTION_LEAKY_RELU, "leaky_relu")                                                           \
    X(FUNCTION_RELU6, "relu6")                                                                     \
    X(FUNCTION_GELU, "gelu")                                                                       \
    X(FUNCTION_GELU_TANH, "gelu_tanh")                                                             \
    X(FUNCTION_QUICK_GELU, "quick_gelu")                                                           \
    X(FUNCTION_SILU, "silu")                                                                       \
    X(FUNCTION_TANH, "tanh")                                                                       \
    X(FUNCTION_SIGMOID, "sigmoid")                                                                 \
    X(FUNCTION_EXP, "exp")                                                                         \
    X(FUNCTION_HARD_SWISH, "hard_swish")                                                           \
    X(FUNCTION_SOFTPLUS, "softplus")                                                               \
    X(FUNCTION_ELU, "elu")                                                                         \
    X(FUNCTION_MISH, "mish")
/* Of the layer kind `binary`: what it computes, where its second operand is repeated, what that is.
 */
#define BINARY_LIST(X)                                                                             \
    X(BINARY_ADD, "add")                                                                           \
    X(BINARY_MULTIPLY, "multiply")                                                                 \
    X(BINARY_SUBTRACT, "subtract")                                                                 \
    X(BINARY_DIVIDE, "divide")
#define BROADCAST_LIST(X) X(BROADCAST_OUTER, "outer") X(BROADCAST_INNER, "inner")
#define SECOND_LIST(X)                                                                             \
    X(SECOND_INPUT, "input")                                                                       \
    X(SECOND_WEIGHTS, "weights")                                                                   \
    X(SECOND_CONSTANT, "constant")
/* Of the layer kind `reduction`. */
#define REDUCE_LIST(X)                                                                             \
    X(REDUCE_MEAN, "mean")                                                                         \
    X(REDUCE_SUM, "sum")                                                                           \
    X(REDUCE_MAX, "max")                                                                           \
    X(REDUCE_MIN, "min")                                                                           \
    X(REDUCE_NORM, "norm")
#define PRECISION_LIST(X)                                                                          \
    X(PRECISION_FP32, "fp32")                                                                      \
    X(PRECISION_TF32, "tf32")                                                                      \
    X(PRECISION_FP16, "fp16")                                                                      \
    X(PRECISION_BF16, "bf16")                                                                      \
    X(PRECISION_AMP, "amp")
#define OUTCOME_LIST(X)                                                                            \
    X(OUTCOME_OK, "ok")                                                                            \
    X(OUTCOME_CAPPED, "capped")                                                                    \
    X(OUTCOME_SLOW, "slow")                                                                        \
    X(OUTCOME_OUT_OF_MEMORY, "out_of_memory")                                                      \
    X(OUTCOME_UNSUPPORTED, "unsupported")                                                          \
    X(OUTCOME_THROTTLED, "throttled")                                                              \
    X(OUTCOME_TIMEOUT, "timeout")                                                                  \
    X(OUTCOME_CRASHED, "crashed")                                                                  \
    X(OUTCOME_INCORRECT, "incorrect")
#define TIMING_LIST(X)                                                                             \
    X(TIMING_HOST_CLOCK, "host_clock")                                                             \
    X(TIMING_GRAPH, "graph")                                                                       \
    X(TIMING_EVENTS, "events")
#define CACHE_LIST(X)   X(CACHE_HOT, "hot") X(CACHE_COLD, "cold") X(CACHE_STEP, "step")
#define PADDING_LIST(X) X(PADDING_VALID, "valid") X(PADDING_SAME, "same")
#define POOLING_LIST(X) X(POOLING_MAX, "max") X(POOLING_AVERAGE, "average")
#define STATISTICS_LIST(X)                                                                         \
    X(STATISTICS_LAYER, "layer") X(STATISTICS_RMS, "rms") X(STATISTICS_GROUP, "group")
#define SWITCH_LIST(X)   X(SWITCH_NO, "no") X(SWITCH_YES, "yes")
#define GRADIENT_LIST(X) X(GRADIENT_DENSE, "dense") X(GRADIENT_SPARSE, "sparse")
#define INTERPOLATION_LIST(X)                                                                      \
    X(INTERPOLATION_NEAREST, "nearest") X(INTERPOLATION_BILINEAR, "bilinear")
#define STRATUM_LIST(X)                                                                            \
    X(STRATUM_LOG_UNIFORM, "log_uniform")                                                          \
    X(STRATUM_REALISTIC, "realistic")                                                              \
    X(STRATUM_UNIFORM, "uniform")                                                                  \
    X(STRATUM_IMPORTED, "imported")                                                                \
    X(STRATUM_NETWORK, "network")
#define SPLIT_LIST(X)                                                                              \
    X(SPLIT_TRAIN, "train") X(SPLIT_TEST, "test") X(SPLIT_VALIDATION, "validation")
/* Of a recurrent layer; the simple one's function is tanh. */
#define CELL_LIST(X) X(CELL_RNN, "rnn") X(CELL_LSTM, "lstm") X(CELL_GRU, "gru")
/* Of works: element by element and copies; products of matrices; products of windows. */
#define WORK_FAMILY_LIST(X)                                                                        \
    X(FAMILY_STREAM, "stream")                                                                     \
    X(FAMILY_PRODUCT, "product")                                                                   \
    X(FAMILY_CONVOLUTION, "convolution")

/* every list but ACTIVATION_LIST: enum tag, LIST, choice variable */
#define TAGGED_CHOICE_LISTS(X)                                                                     \
    X(pass, PASS_LIST)                                                                             \
    X(optimizer, OPTIMIZER_LIST)                                                                   \
    X(function, FUNCTION_LIST)                                                                     \
    X(binary_operation, BINARY_LIST)                                                               \
    X(broadcast, BROADCAST_LIST)                                                                   \
    X(second_operand, SECOND_LIST)                                                                 \
    X(reduce, REDUCE_LIST)                                                                         \
    X(precision, PRECISION_LIST)                                                                   \
    X(outcome, OUTCOME_LIST)                                                                       \
    X(timing, TIMING_LIST)                                                                         \
    X(cache, CACHE_LIST)                                                                           \
    X(padding, PADDING_LIST)                                                                       \
    X(pooling, POOLING_LIST)                                                                       \
    X(statistics, STATISTICS_LIST)                                                                 \
    X(interpolation, INTERPOLATION_LIST)                                                           \
    X(switch_, SWITCH_LIST)                                                                        \
    X(gradient, GRADIENT_LIST)                                                                     \
    X(stratum, STRATUM_LIST)                                                                       \
    X(split, SPLIT_LIST)                                                                           \
    X(recurrent_cell, CELL_LIST)                                                                   \
    X(work_family, WORK_FAMILY_LIST)
#define CHOICE_LISTS(X)                TAGGED_CHOICE_LISTS(X) X(activation, ACTIVATION_LIST)

#define CHOICE_ENUMERATOR(value, text) value,
#define CHOICE_DECLARE(tag, LIST)                                                                  \
    enum tag { LIST(CHOICE_ENUMERATOR) };                                                          \
    extern const struct choice choice_##tag;
TAGGED_CHOICE_LISTS(CHOICE_DECLARE)
#undef CHOICE_DECLARE
enum { ACTIVATION_LIST(CHOICE_ENUMERATOR) }; /* struct activation, a layer kind, has its tag */
extern const struct choice choice_activation;

#define CHOICE_ONE(value, text) +1
enum {
    PASS_COUNT = 0 PASS_LIST(CHOICE_ONE),
    OPTIMIZER_COUNT = 0 OPTIMIZER_LIST(CHOICE_ONE),
    ACTIVATION_COUNT = 0 ACTIVATION_LIST(CHOICE_ONE),
    FUNCTION_COUNT = 0 FUNCTION_LIST(CHOICE_ONE),
    BINARY_COUNT = 0 BINARY_LIST(CHOICE_ONE),
    BROADCAST_COUNT = 0 BROADCAST_LIST(CHOICE_ONE),
    SECOND_COUNT = 0 SECOND_LIST(CHOICE_ONE),
    REDUCE_COUNT = 0 REDUCE_LIST(CHOICE_ONE),
    PRECISION_COUNT = 0 PRECISION_LIST(CHOICE_ONE),
    GRADIENT_COUNT = 0 GRADIENT_LIST(CHOICE_ONE),
    OUTCOME_COUNT = 0 OUTCOME_LIST(CHOICE_ONE),
    STATISTICS_COUNT = 0 STATISTICS_LIST(CHOICE_ONE),
    INTERPOLATION_COUNT = 0 INTERPOLATION_LIST(CHOICE_ONE),
    SPLIT_COUNT = 0 SPLIT_LIST(CHOICE_ONE),
    CELL_COUNT = 0 CELL_LIST(CHOICE_ONE),
    WORK_FAMILY_COUNT = 0 WORK_FAMILY_LIST(CHOICE_ONE),
};

/* Value of `name`, or -1. */
int choice_find(const struct choice *choice, const char *name);

/* Name of `value`, or "?" when it is outside the list. */
const char *choice_name(const struct choice *choice, int value);

#endif
