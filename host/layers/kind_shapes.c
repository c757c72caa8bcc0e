#include "layers/kind_internal.h"

const struct sample_shapes batch_shapes = {
    .values = {1, 2, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128},
    .paper_minimum = 1,
    .paper_maximum = 64,
};

const struct sample_shapes image_shapes = {
    .values = {7,  7,  8,  13, 14, 14,  16,  27,  28,  28,  32,
               32, 55, 56, 56, 64, 112, 112, 128, 224, 224, 227},
    .paper_minimum = 1,
    .paper_maximum = 512,
    .is_side = true,
};

const struct sample_shapes kernel_shapes = {
    .values = {1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 5, 5, 7, 11},
    .paper_minimum = 1,
    .paper_maximum = 7,
};

const struct sample_shapes stride_shapes = {
    .values = {1, 1, 1, 1, 2, 2, 4},
    .paper_minimum = 1,
    .paper_maximum = 4,
};

const struct sample_shapes padding_shapes = {
    .paper_minimum = INT32_MIN,
    .paper_maximum = INT32_MAX,
    .has_usual = true,
    .usual = PADDING_SAME,
};

const struct sample_shapes channel_shapes = {
    .values = {6, 16, 32, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024},
    .paper_minimum = 1,
    .paper_maximum = 10000,
    .is_per_side = true,
};
