#include "layers/kind_internal.h"

/* Decoders of U-Nets, feature pyramids (FPN, YOLO: nearest, by 2), segmentation heads (DeepLab:
 * bilinear, by 4 to 16), inputs that are scaled down; sides and channels. */
static const struct sample_shapes from_shapes = {
    .values = {1,  7,  7,  8,  13, 14, 14, 16, 16, 20,  25,  28,  28, 32,
               32, 33, 40, 50, 56, 64, 64, 65, 80, 112, 128, 128, 256},
    .paper_minimum = 1,
    .paper_maximum = 256,
    .is_side = true,
};
static const struct sample_shapes to_shapes = {
    .values = {14, 16, 26,  28,  28,  32,  32,  33,  40,  50,  56,  64, 64,
               65, 80, 100, 112, 128, 128, 129, 160, 224, 256, 512, 513},
    .paper_minimum = 1,
    .paper_maximum = 512,
    .is_side = true,
};
static const struct sample_shapes resized_channels = {
    .values = {1, 3, 19, 21, 64, 64, 128, 128, 256, 256, 256, 320, 512, 512, 640, 1024, 1280, 2048},
    .paper_minimum = 1,
    .paper_maximum = 2048,
    .is_per_side = true,
};

#define WIDTH NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 0, 4096), .is_fixed = true

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(resize, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .shapes = &from_shapes,
     .help = "height of the input image"},
    {OWN(resize, output_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 512, .shapes = &to_shapes,
     .help = "height of the output image"},
    {OWN(resize, channels), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 2048, .shapes = &resized_channels,
     .help = "channels of input and output"},
    {OWN(resize, interpolation), NAMED(choice_interpolation, INTERPOLATION_COUNT),
     .help = "the nearest pixel, or the mean of the four around by distance"},
    {OWN(resize, image_width), WIDTH, .help = "width of the input image; 0: square"},
    {OWN(resize, output_width), WIDTH, .help = "width of the output image; 0: square"},
};
DESCRIBES_ALL(resize, features);

struct resize_sides resize_sides(const struct resize *of)
{
    return (struct resize_sides){
        .height = of->image_size,
        .width = of->image_width ? of->image_width : of->image_size,
        .output_height = of->output_size,
        .output_width = of->output_width ? of->output_width : of->output_size,
    };
}

/* A square has one way to be said. */
static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct resize *of = &config->as.resize;
    if (of->image_width != of->image_size && of->output_width != of->output_size)
        return true;
    *reason = "a width is its height: a square's is 0";
    return false;
}

/* Forward of four pixels: four products, three sums; backward the same shares go back. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct resize *of = &config->as.resize;
    const struct resize_sides sides = resize_sides(of);
    const double planes = (double)config->batch_size * of->channels;
    const double output = planes * sides.output_height * sides.output_width;
    const double flops = of->interpolation == INTERPOLATION_BILINEAR ? 7 * output : 0;
    work_tensor(work, TENSOR_INPUT, "x", planes * sides.height * sides.width);
    work_tensor(work, TENSOR_OUTPUT, "y", output);
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = flops});
    work_stream(work, WORK_BACKWARD_DATA, (struct work_operation){.flops = flops});
}

static const struct layer_case cases[] = {
    /* x 2 * 3 * 16 = 96, y 2 * 3 * 64 = 384 elements */
    {"resize:batch_size=2,image_size=4,output_size=8,channels=3",
     {0, 384, 1536, 0, 384, 1536, 1920},
     UINT64_C(0xe74f93bcfc64b208)},
    /* x 2 * 3 * 4*5 = 120, y 2 * 3 * 8*7 = 336: 2 * 7 * 336; reads 480 and 1344, writes as many */
    {"resize:batch_size=2,image_size=4,output_size=8,channels=3,interpolation=bilinear,"
     "image_width=5,output_width=7,pass=train",
     {4704, 1824, 1824, 0, 480, 1344, 3648},
     UINT64_C(0x989a0c846d75f0f1)},
    {.text = NULL},
};

const struct layer_descriptor layer_resize = {
    .name = "resize",
    .help = "images scaled up or down: decoders of U-Nets, feature pyramids, segmentation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .cases = cases,
};
