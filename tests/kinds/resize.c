#include "kinds/reference.h"

/* Batch; image, output, channels, interpolation, widths of both. */
#define CASE(...) TRAINED(RESIZE, resize, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(2, 4, 8, 3, INTERPOLATION_NEAREST),        CASE(2, 4, 8, 3, INTERPOLATION_BILINEAR),
    CASE(1, 7, 14, 20, INTERPOLATION_BILINEAR),     CASE(1, 8, 16, 32, INTERPOLATION_NEAREST),
    CASE(2, 5, 13, 2, INTERPOLATION_NEAREST),       CASE(2, 33, 129, 1, INTERPOLATION_BILINEAR),
    CASE(1, 16, 4, 3, INTERPOLATION_NEAREST),       CASE(1, 9, 4, 16, INTERPOLATION_BILINEAR),
    CASE(2, 1, 6, 5, INTERPOLATION_BILINEAR),       CASE(2, 6, 6, 2, INTERPOLATION_BILINEAR),
    CASE(2, 4, 8, 3, INTERPOLATION_BILINEAR, 5, 7), CASE(2, 4, 8, 3, INTERPOLATION_NEAREST, 3, 12),
    CASE(1, 6, 1, 4, INTERPOLATION_NEAREST),
};

static const struct layer_config narrow_cases[] = {
    CASE(2, 7, 14, 16, INTERPOLATION_NEAREST),
    CASE(2, 7, 14, 16, INTERPOLATION_BILINEAR),
    CASE(1, 9, 5, 3, INTERPOLATION_BILINEAR, 4, 11),
};

const struct kind_reference reference_resize = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic "
            "resize:batch_size=16,pass=forward,optimizer=none,precision=fp32,image_size=64,output_"
            "size=112,channels=256,interpolation=bilinear,image_width=0,output_width=0",
            "realistic "
            "resize:batch_size=16,pass=train,optimizer=none,precision=fp32,image_size=28,output_"
            "size=50,channels=128,interpolation=nearest,image_width=0,output_width=0",
            "uniform "
            "resize:batch_size=10,pass=forward,optimizer=none,precision=fp32,image_size=62,output_"
            "size=126,channels=14,interpolation=nearest,image_width=0,output_width=0",
            "realistic "
            "resize:batch_size=32,pass=train,optimizer=none,precision=fp32,image_size=128,output_"
            "size=256,channels=3,interpolation=bilinear,image_width=0,output_width=0",
            "log_uniform "
            "resize:batch_size=2,pass=train,optimizer=none,precision=fp32,image_size=8,output_size="
            "5,channels=11,interpolation=nearest,image_width=0,output_width=0",
            "realistic "
            "resize:batch_size=1,pass=train,optimizer=none,precision=fp32,image_size=7,output_size="
            "32,channels=19,interpolation=bilinear,image_width=0,output_width=0",
        },
};
