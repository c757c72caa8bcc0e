#include "kinds/reference.h"

/* Batch, image, kernel, channels in, channels out, stride, padding, bias, activation. */
#define CASE(...) TRAINED(CONV_TRANSPOSE2D, conv_transpose2d, __VA_ARGS__, .image_width = 0)
/* The same, then image width, kernel width. */
#define FORM(...) TRAINED(CONV_TRANSPOSE2D, conv_transpose2d, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(1, 5, 2, 5, 18, 2, PADDING_VALID, 1, ACTIVATION_RELU),
    CASE(2, 7, 2, 16, 32, 2, PADDING_VALID, 1, ACTIVATION_NONE), /* U-Net */
    CASE(2, 4, 4, 32, 16, 2, PADDING_SAME, 0, ACTIVATION_RELU),  /* DCGAN */
    CASE(3, 1, 4, 20, 16, 1, PADDING_VALID, 0, ACTIVATION_NONE),
    CASE(2, 8, 4, 16, 3, 2, PADDING_SAME, 1, ACTIVATION_TANH),
    CASE(2, 6, 3, 8, 5, 2, PADDING_SAME, 1, ACTIVATION_NONE), /* zeros: 0 before, 1 after */
    CASE(2, 5, 3, 4, 7, 2, PADDING_VALID, 0, ACTIVATION_SIGMOID),
    CASE(2, 6, 3, 16, 16, 1, PADDING_SAME, 1, ACTIVATION_RELU),
    CASE(2, 5, 2, 6, 4, 1, PADDING_SAME, 1, ACTIVATION_NONE),
    CASE(1, 3, 16, 5, 5, 8, PADDING_SAME, 0, ACTIVATION_NONE), /* FCN */
    CASE(2, 4, 1, 6, 7, 2, PADDING_SAME, 1, ACTIVATION_RELU), /* three in four outputs are biases */
    CASE(2, 4, 2, 6, 7, 3, PADDING_SAME, 1, ACTIVATION_TANH),
    CASE(2, 4, 2, 6, 7, 3, PADDING_VALID, 0, ACTIVATION_NONE),
    /* images and kernels that are no squares */
    FORM(2, 4, 2, 16, 8, 2, PADDING_VALID, 1, ACTIVATION_RELU, 9, 0),
    FORM(2, 5, 3, 5, 6, 2, PADDING_SAME, 1, ACTIVATION_TANH, 3, 4),
    FORM(1, 6, 1, 4, 3, 2, PADDING_SAME, 0, ACTIVATION_NONE, 0, 5),
    /* 1-D: the only row stays the only one */
    FORM(2, 1, 1, 16, 8, 8, PADDING_SAME, 1, ACTIVATION_NONE, 6, 16),
    FORM(2, 1, 1, 5, 7, 4, PADDING_VALID, 1, ACTIVATION_RELU, 11, 8),
};

static const struct layer_config narrow_cases[] = {
    CASE(2, 7, 2, 16, 32, 2, PADDING_VALID, 1, ACTIVATION_NONE),
    CASE(2, 4, 4, 32, 16, 2, PADDING_SAME, 0, ACTIVATION_RELU),
    FORM(2, 1, 1, 16, 8, 8, PADDING_SAME, 1, ACTIVATION_NONE, 6, 16),
};

const struct kind_reference reference_conv_transpose2d = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic "
            "conv_transpose2d:batch_size=4,pass=train,optimizer=adagrad,precision=fp32,image_size="
            "14,kernel_size=2,channels_in=3,channels_out=192,stride=2,padding=same,use_bias=yes,"
            "activation=tanh",
            "log_uniform "
            "conv_transpose2d:batch_size=3,pass=train,optimizer=adam,precision=fp32,image_size=8,"
            "kernel_size=4,channels_in=2,channels_out=53,stride=2,padding=same,use_bias=yes,"
            "activation=relu",
            "realistic "
            "conv_transpose2d:batch_size=1,pass=forward,optimizer=none,precision=fp32,image_size="
            "52,kernel_size=2,channels_in=512,channels_out=256,stride=2,padding=valid,use_bias=yes,"
            "activation=none",
            "uniform "
            "conv_transpose2d:batch_size=29,pass=train,optimizer=sgd,precision=fp32,image_size=10,"
            "kernel_size=4,channels_in=85,channels_out=84,stride=3,padding=valid,use_bias=yes,"
            "activation=tanh",
            "realistic "
            "conv_transpose2d:batch_size=64,pass=forward,optimizer=none,precision=fp32,image_size="
            "8,kernel_size=4,channels_in=21,channels_out=192,stride=2,padding=same,use_bias=yes,"
            "activation=relu",
            "log_uniform "
            "conv_transpose2d:batch_size=38,pass=forward,optimizer=none,precision=fp32,image_size="
            "16,kernel_size=10,channels_in=34,channels_out=23,stride=7,padding=same,use_bias=no,"
            "activation=none",
        },
};
