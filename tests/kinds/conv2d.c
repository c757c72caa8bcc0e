#include "kinds/reference.h"

/* Batch, image, kernel, channels in, channels out, stride, padding, bias, activation. */
#define CASE(...) TRAINED(CONV2D, conv2d, __VA_ARGS__, .groups = 1, .dilation = 1)
/* The same, then image width, kernel width, groups, dilation. */
#define FORM(...)    TRAINED(CONV2D, conv2d, __VA_ARGS__)
#define BATCHES(...) CASE(1, __VA_ARGS__), CASE(2, __VA_ARGS__), CASE(5, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(1, 6, 3, 5, 18, 1, PADDING_VALID, 1, ACTIVATION_RELU),
    BATCHES(8, 3, 3, 16, 1, PADDING_VALID, 1, ACTIVATION_RELU),
    BATCHES(8, 3, 16, 32, 1, PADDING_SAME, 1, ACTIVATION_TANH),
    BATCHES(8, 3, 16, 16, 2, PADDING_SAME, 1, ACTIVATION_NONE), /* zeros: 0 before, 1 after */
    BATCHES(9, 2, 4, 6, 1, PADDING_SAME, 0, ACTIVATION_RELU),   /* the same */
    BATCHES(9, 4, 17, 5, 2, PADDING_SAME, 1, ACTIVATION_SIGMOID),
    BATCHES(11, 5, 8, 24, 3, PADDING_VALID, 1, ACTIVATION_NONE), /* last pixels unused */
    BATCHES(12, 5, 16, 8, 1, PADDING_SAME, 1, ACTIVATION_SIGMOID),
    BATCHES(7, 1, 32, 16, 1, PADDING_VALID, 1, ACTIVATION_RELU),
    BATCHES(7, 1, 20, 12, 2, PADDING_SAME, 0, ACTIVATION_NONE), /* most pixels unused */
    BATCHES(14, 7, 3, 10, 2, PADDING_SAME, 1, ACTIVATION_RELU),
    BATCHES(9, 7, 8, 8, 1, PADDING_SAME, 0, ACTIVATION_TANH),
    BATCHES(5, 5, 6, 7, 1, PADDING_VALID, 1, ACTIVATION_TANH),
    /* images and kernels that are no squares */
    FORM(2, 6, 3, 8, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU, 11, 0, 1, 1),
    FORM(3, 9, 3, 5, 7, 2, PADDING_SAME, 1, ACTIVATION_TANH, 4, 2, 1, 1),
    FORM(2, 10, 4, 3, 18, 3, PADDING_VALID, 0, ACTIVATION_NONE, 7, 5, 1, 1),
    FORM(2, 9, 1, 16, 16, 1, PADDING_SAME, 0, ACTIVATION_RELU, 0, 7, 1, 1),
    FORM(2, 9, 7, 16, 24, 1, PADDING_SAME, 1, ACTIVATION_NONE, 0, 1, 1, 1),
    /* 1-D; along the only row the stride skips nothing */
    FORM(3, 1, 1, 10, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU, 40, 3, 1, 1),
    FORM(2, 1, 1, 16, 8, 5, PADDING_VALID, 0, ACTIVATION_NONE, 61, 10, 1, 1),
    FORM(2, 1, 1, 6, 6, 1, PADDING_SAME, 1, ACTIVATION_SIGMOID, 33, 9, 6, 1),
    FORM(2, 30, 3, 4, 5, 2, PADDING_SAME, 0, ACTIVATION_NONE, 1, 1, 1, 1),
    /* depthwise */
    FORM(2, 8, 3, 16, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU, 0, 0, 16, 1),
    FORM(2, 9, 3, 24, 24, 2, PADDING_SAME, 0, ACTIVATION_NONE, 0, 0, 24, 1),
    FORM(3, 7, 5, 5, 5, 1, PADDING_SAME, 1, ACTIVATION_TANH, 0, 0, 5, 1),
    FORM(2, 10, 7, 19, 19, 1, PADDING_VALID, 1, ACTIVATION_NONE, 0, 0, 19, 1),
    FORM(2, 8, 4, 8, 8, 4, PADDING_SAME, 1, ACTIVATION_SIGMOID, 0, 0, 8, 1),
    FORM(2, 6, 3, 4, 12, 1, PADDING_SAME, 1, ACTIVATION_RELU, 0, 0, 4, 1), /* 3 for each */
    /* groups */
    FORM(2, 8, 3, 32, 32, 1, PADDING_SAME, 1, ACTIVATION_RELU, 0, 0, 2, 1),
    FORM(2, 8, 3, 32, 64, 2, PADDING_SAME, 0, ACTIVATION_NONE, 0, 0, 4, 1),
    FORM(3, 5, 3, 6, 15, 1, PADDING_VALID, 1, ACTIVATION_TANH, 0, 0, 3, 1),
    FORM(2, 7, 1, 12, 8, 1, PADDING_SAME, 1, ACTIVATION_NONE, 0, 0, 4, 1),
    FORM(2, 6, 3, 64, 64, 1, PADDING_SAME, 0, ACTIVATION_RELU, 0, 0, 8, 1),
    /* dilation */
    FORM(2, 12, 3, 16, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU, 0, 0, 1, 2),
    FORM(2, 13, 3, 5, 18, 1, PADDING_VALID, 0, ACTIVATION_NONE, 0, 0, 1, 6),
    FORM(2, 11, 2, 4, 6, 2, PADDING_SAME, 1, ACTIVATION_TANH, 0, 0, 1, 3), /* uneven zeros */
    FORM(2, 1, 1, 8, 8, 1, PADDING_SAME, 1, ACTIVATION_NONE, 50, 3, 1, 8),
    FORM(2, 12, 3, 16, 16, 1, PADDING_SAME, 1, ACTIVATION_NONE, 0, 0, 16, 2),
    /* everything at once */
    FORM(2, 9, 3, 12, 18, 2, PADDING_SAME, 1, ACTIVATION_SIGMOID, 14, 4, 6, 2),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 3, 16, 32, 1, PADDING_SAME, 1, ACTIVATION_RELU),
    CASE(2, 9, 4, 17, 5, 2, PADDING_SAME, 1, ACTIVATION_SIGMOID),
    CASE(2, 14, 7, 3, 10, 2, PADDING_VALID, 0, ACTIVATION_NONE),
    FORM(2, 9, 1, 16, 16, 1, PADDING_SAME, 0, ACTIVATION_RELU, 12, 7, 1, 1),
    FORM(3, 1, 1, 10, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU, 40, 3, 1, 1),
    FORM(2, 8, 3, 16, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU, 0, 0, 16, 1),
    FORM(2, 8, 3, 32, 64, 2, PADDING_SAME, 0, ACTIVATION_NONE, 0, 0, 4, 1),
    FORM(2, 12, 3, 16, 16, 1, PADDING_SAME, 1, ACTIVATION_NONE, 0, 0, 1, 2),
};

const struct kind_reference reference_conv2d = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform conv2d:batch_size=2,pass=train,optimizer=rmsprop,precision=fp32,"
            "image_size=5,kernel_size=2,channels_in=4,channels_out=701,stride=3,padding=same,"
            "use_bias=yes,activation=relu",
            "log_uniform conv2d:batch_size=32,pass=forward,optimizer=none,precision=fp32,"
            "image_size=27,kernel_size=4,channels_in=803,channels_out=13,stride=1,padding=valid,"
            "use_bias=no,activation=tanh",
            "log_uniform conv2d:batch_size=10,pass=train,optimizer=rmsprop,precision=fp32,"
            "image_size=85,kernel_size=6,channels_in=30,channels_out=1,stride=1,padding=valid,"
            "use_bias=no,activation=sigmoid",
            "log_uniform conv2d:batch_size=5,pass=forward,optimizer=none,precision=fp32,"
            "image_size=1,kernel_size=1,channels_in=125,channels_out=125,stride=3,padding=same,"
            "use_bias=yes,activation=none,groups=125",
            "realistic conv2d:batch_size=8,pass=train,optimizer=momentum,precision=fp32,"
            "image_size=13,kernel_size=3,channels_in=32,channels_out=32,stride=1,padding=same,"
            "use_bias=no,activation=none",
            "uniform conv2d:batch_size=47,pass=forward,optimizer=none,precision=fp32,"
            "image_size=251,kernel_size=6,channels_in=22,channels_out=21,stride=4,padding=same,"
            "use_bias=yes,activation=sigmoid",
        },
};
