#include "kinds/reference.h"

/* Of a batch of three: elements, activation, operation, repeats, broadcast, second operand. */
#define CASE(...) TRAINED(BINARY, binary, 3, __VA_ARGS__)
#define ACTIVATIONS(elements)                                                                      \
    CASE((elements), ACTIVATION_NONE, BINARY_ADD, 1),                                              \
        CASE((elements), ACTIVATION_RELU, BINARY_ADD, 1),                                          \
        CASE((elements), ACTIVATION_TANH, BINARY_ADD, 1),                                          \
        CASE((elements), ACTIVATION_SIGMOID, BINARY_ADD, 1)
/* Rows that are repeated, elements that are, scalars, long sums. */
#define SHAPES(operation, second)                                                                  \
    CASE(50, ACTIVATION_NONE, operation, 7, BROADCAST_OUTER, second),                              \
        CASE(50, ACTIVATION_RELU, operation, 7, BROADCAST_INNER, second),                          \
        CASE(1, ACTIVATION_NONE, operation, 301, BROADCAST_OUTER, second),                         \
        CASE(3, ACTIVATION_TANH, operation, 1025, BROADCAST_INNER, second),                        \
        CASE(2100, ACTIVATION_NONE, operation, 2, BROADCAST_OUTER, second)
#define OPERATION(operation, text)                                                                 \
    CASE(73, ACTIVATION_NONE, operation, 1), CASE(3601, ACTIVATION_RELU, operation, 1),            \
        SHAPES(operation, SECOND_INPUT), SHAPES(operation, SECOND_WEIGHTS),                        \
        SHAPES(operation, SECOND_CONSTANT),                                                        \
        CASE(77, ACTIVATION_NONE, operation, 1, BROADCAST_OUTER, SECOND_WEIGHTS),                  \
        CASE(77, ACTIVATION_NONE, operation, 1, BROADCAST_OUTER, SECOND_CONSTANT),

static const struct layer_config cases[] = {ACTIVATIONS(500),  ACTIVATIONS(5),
                                            ACTIVATIONS(10),   ACTIVATIONS(73),
                                            ACTIVATIONS(3601), BINARY_LIST(OPERATION)};

static const struct layer_config narrow_cases[] = {
    CASE(500, ACTIVATION_RELU, BINARY_ADD, 1),
    CASE(500, ACTIVATION_NONE, BINARY_MULTIPLY, 1),
    CASE(500, ACTIVATION_NONE, BINARY_SUBTRACT, 1),
    CASE(60, ACTIVATION_NONE, BINARY_MULTIPLY, 7, BROADCAST_INNER),
    CASE(60, ACTIVATION_NONE, BINARY_ADD, 7, BROADCAST_OUTER, SECOND_WEIGHTS),
};

const struct kind_reference reference_binary = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic binary:batch_size=64,pass=train,optimizer=none,precision=fp32,"
            "elements=200704,activation=tanh",
            "realistic binary:batch_size=4,pass=forward,optimizer=none,precision=fp32,"
            "elements=50176,activation=relu",
            "realistic binary:batch_size=8,pass=train,optimizer=none,precision=fp32,"
            "elements=12544,activation=none",
            "log_uniform binary:batch_size=1,pass=train,optimizer=none,precision=fp32,"
            "elements=22,activation=tanh,operation=subtract,repeats=4,second=constant",
            "log_uniform binary:batch_size=20,pass=train,optimizer=none,precision=fp32,"
            "elements=550232,activation=tanh,operation=multiply",
            "log_uniform binary:batch_size=4,pass=forward,optimizer=none,precision=fp32,"
            "elements=2,activation=relu,second=constant",
        },
};
