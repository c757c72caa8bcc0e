/* What a convolution would cost by Winograd and by FFT, and the limits at which libraries leave
 * these algorithms: workspaces (cuDNN's FFT has none above 4 GiB; frameworks set limits of their
 * own), transforms of at most 256 points a side, tiles of 32.
 */
#include "layers/encode_conv2d.h"

/* ---- Winograd ---- */

/* Tiles of an image; a convolution by Winograd F(tile x tile, k x k): (tile + k - 1)^2 products a
 * tile, as FLOPs. */
static double winograd_tiles(const struct conv_geometry *g, double tile)
{
    return tiles_of(g->side, tile) * tiles_of(g->side_width, tile);
}

static double winograd_flops(const struct conv_geometry *g, double tile)
{
    const double points = (tile + g->kernel - 1) * (tile + g->kernel_width - 1);
    return 2 * g->rows * winograd_tiles(g, tile) * points * g->in * g->group_out;
}

void emit_winograd(struct columns *columns, const struct conv_geometry *g)
{
    const double tiles_2 = winograd_tiles(g, 2), tiles_4 = winograd_tiles(g, 4);
    const double flops_2 = winograd_flops(g, 2), flops_4 = winograd_flops(g, 4);
    const bool applies = g->square_kernel == 3 && g->conv->stride == 1 && g->is_plain;
    emit(columns, "log_winograd_tiles_2", log_size(g->rows * tiles_2));
    emit(columns, "log_winograd_tiles_4", log_size(g->rows * tiles_4));
    emit(columns, "log_winograd_flops_2", log_size(flops_2));
    emit(columns, "log_winograd_flops_4", log_size(flops_4));
    emit(columns, "log_winograd_gain_2", applies * log2(g->direct_flops / flops_2));
    emit(columns, "log_winograd_gain_4", applies * log2(g->direct_flops / flops_4));
}

/* ---- FFT ---- */

enum { TILE = 32 }; /* points a side, of a tiled FFT */

/* A convolution by 2-D FFT of high x wide points over `tiles` pieces of an image: real transforms
 * of inputs, filters and outputs (2.5 n log2 n FLOPs for n = high wide points), then complex
 * products (8 FLOPs) of half the frequencies. */
struct fft {
    double transform_flops, product_flops;
    double workspace_bytes; /* of the transformed tensors */
};

static struct fft fft_of(const struct conv_geometry *g, double high, double wide, double tiles)
{
    const double points = high * wide, pieces = g->rows * tiles, pairs = g->in * g->group_out;
    const double planes = pieces * g->in + pairs + pieces * g->out;
    return (struct fft){
        .transform_flops = 2.5 * points * log2(points) * planes,
        .product_flops = 8 * pieces * pairs * high * (wide / 2 + 1),
        .workspace_bytes = 8 * planes * high * (wide / 2 + 1),
    };
}

/* Tiles of TILE points that yield so many cells; a tile yields TILE + 1 - kernel, an axis. */
static double fft_tiles(const struct conv_geometry *g, double high, double wide)
{
    return tiles_of(high, fmax(TILE + 1 - g->kernel, 1)) *
           tiles_of(wide, fmax(TILE + 1 - g->kernel_width, 1));
}

/* Transforms need stride 1, and a kernel of 1 is a product already. */
static bool transforms_apply(const struct conv_geometry *g)
{
    return g->conv->stride == 1 && g->kernel * g->kernel_width > 1 && g->is_plain;
}

static double fft_side(double cells)
{
    return exp2(ceil(log2(fmax(cells, 2))));
}

void emit_fft_of_kernel(struct columns *columns, const struct conv_geometry *g)
{
    const double high = fft_side(g->image + g->kernel - 1);
    const double wide = fft_side(g->image_width + g->kernel_width - 1);
    const double tiles = fft_tiles(g, g->side, g->side_width);
    const struct fft full = fft_of(g, high, wide, 1), tiled = fft_of(g, TILE, TILE, tiles);
    const bool applies = transforms_apply(g);
    const double full_flops = full.transform_flops + full.product_flops;
    const double tiled_flops = tiled.transform_flops + tiled.product_flops;
    emit(columns, "log_fft_size", log2(high * wide) / 2);
    emit(columns, "log_fft_transform_flops", log_size(full.transform_flops));
    emit(columns, "log_fft_product_flops", log_size(full.product_flops));
    emit(columns, "log_fft_gain", applies * log2(g->direct_flops / full_flops));
    emit(columns, "log_fft_32_transform_flops", log_size(tiled.transform_flops));
    emit(columns, "log_fft_32_product_flops", log_size(tiled.product_flops));
    emit(columns, "log_fft_32_gain", applies * log2(g->direct_flops / tiled_flops));
    emit(columns, "log_fft_workspace_bytes", log_size(full.workspace_bytes));
    emit(columns, "log_fft_32_workspace_bytes", log_size(tiled.workspace_bytes));
    emit(columns, "log_fft_32_tiles", log_size(sqrt(tiles)));
}

/* ---- the same, and the limits ---- */

/* log2 of bytes, in which a limit is likely. */
static const double workspace_limits[] = {28, 29, 30, 31, 31.5, 32, 32.5, 33, 34};
enum { LIMIT_COUNT = sizeof workspace_limits / sizeof *workspace_limits };

struct fft_names {
    const char *transform_flops, *product_flops, *flops, *gain, *workspace;
    const char *fits; /* it applies, in at most 4 GiB */
    const char *above[LIMIT_COUNT];
};
#define FFT_NAMES(what)                                                                            \
    {                                                                                              \
        .transform_flops = "log_" what "_transform_flops",                                         \
        .product_flops = "log_" what "_product_flops", .flops = "log_" what "_flops",              \
        .gain = "log_" what "_gain", .workspace = "log_" what "_workspace_bytes",                  \
        .fits = what "_fits_4_gib", .above = {                                                     \
            what "_workspace_bytes>2^28",                                                          \
            what "_workspace_bytes>2^29",                                                          \
            what "_workspace_bytes>2^30",                                                          \
            what "_workspace_bytes>2^31",                                                          \
            what "_workspace_bytes>2^31.5",                                                        \
            what "_workspace_bytes>2^32",                                                          \
            what "_workspace_bytes>2^32.5",                                                        \
            what "_workspace_bytes>2^33",                                                          \
            what "_workspace_bytes>2^34"                                                           \
        }                                                                                          \
    }
static const struct fft_names full_names = FFT_NAMES("full_fft");
static const struct fft_names output_names = FFT_NAMES("fft_32");
static const struct fft_names input_names = FFT_NAMES("input_fft_32");

static void emit_fft(struct columns *columns, const struct conv_geometry *g, const struct fft *fft,
                     const struct fft_names *names, bool applies)
{
    const double flops = fft->transform_flops + fft->product_flops;
    const double log_bytes = log2(fft->workspace_bytes);
    emit(columns, names->transform_flops, log_size(fft->transform_flops));
    emit(columns, names->product_flops, log_size(fft->product_flops));
    emit(columns, names->flops, log_size(flops));
    emit(columns, names->gain, applies * log2(g->direct_flops / flops));
    emit(columns, names->workspace, log_bytes);
    emit(columns, names->fits, applies && log_bytes <= 32);
    for (int i = 0; i < LIMIT_COUNT; i++)
        emit(columns, names->above[i], log_bytes > workspace_limits[i]);
}

static double power_of_two_from(double size)
{
    double power = 2;
    while (power < size)
        power *= 2;
    return power;
}

static double padded_size(const struct window_axis *axis)
{
    return axis->image + axis->window.pad_before + axis->window.pad_after;
}

/* The whole image with its zeros, then tiles of 32 by the outputs and by the inputs that they
 * yield. */
static void emit_ffts(struct columns *columns, const struct conv_geometry *g)
{
    const double high = power_of_two_from(padded_size(&g->high));
    const double wide = power_of_two_from(padded_size(&g->wide)), size = fmax(high, wide);
    const double output_tiles = fft_tiles(g, g->side, g->side_width);
    const double input_tiles = fft_tiles(g, g->image, g->image_width);
    const bool applies = transforms_apply(g);
    const struct fft full = fft_of(g, high, wide, 1);
    const struct fft by_output = fft_of(g, TILE, TILE, output_tiles);
    const struct fft by_input = fft_of(g, TILE, TILE, input_tiles);
    emit(columns, "padded_image_size", padded_size(&g->high));
    emit(columns, "log_full_fft_size", log2(high * wide) / 2);
    emit(columns, "full_fft_size<=32", size <= 32);
    emit(columns, "full_fft_size<=64", size <= 64);
    emit(columns, "full_fft_size<=128", size <= 128);
    emit(columns, "full_fft_size<=256", size <= 256);
    emit(columns, "full_fft_size<=512", size <= 512);
    emit(columns, "log_fft_32_tiles", log_size(sqrt(output_tiles)));
    emit(columns, "log_input_fft_32_tiles", log_size(sqrt(input_tiles)));
    emit_fft(columns, g, &full, &full_names, applies && size <= 256);
    emit_fft(columns, g, &by_output, &output_names, applies);
    emit_fft(columns, g, &by_input, &input_names, applies);
}

#define IM2COL_LIMIT(power)                                                                        \
    {                                                                                              \
        power, "im2col_bytes>2^" #power                                                            \
    }
#define ROW_LIMIT(power)                                                                           \
    {                                                                                              \
        power, "im2col_row_bytes>2^" #power                                                        \
    }
static const struct size_limit im2col_limits[] = {
    IM2COL_LIMIT(26), IM2COL_LIMIT(27), IM2COL_LIMIT(28), IM2COL_LIMIT(29), IM2COL_LIMIT(30),
    IM2COL_LIMIT(31), IM2COL_LIMIT(32), IM2COL_LIMIT(33), IM2COL_LIMIT(34), IM2COL_LIMIT(35)};
static const struct size_limit row_limits[] = {ROW_LIMIT(16), ROW_LIMIT(18), ROW_LIMIT(20),
                                               ROW_LIMIT(22), ROW_LIMIT(24), ROW_LIMIT(26),
                                               ROW_LIMIT(28)};

static void emit_lowering(struct columns *columns, const struct conv_geometry *g)
{
    const double bytes = FLOAT_BYTES * g->cells_out * g->depth_in;
    EMIT_LIMITS(emit_above, log2(bytes), im2col_limits);
    EMIT_LIMITS(emit_above, log2(bytes / g->rows), row_limits);
}

#define IN_LIMIT(most)                                                                             \
    {                                                                                              \
        most, "channels_in<=" #most                                                                \
    }
#define OUT_LIMIT(most)                                                                            \
    {                                                                                              \
        most, "channels_out<=" #most                                                               \
    }
static const struct size_limit in_limits[] = {IN_LIMIT(6),  IN_LIMIT(8),  IN_LIMIT(9),
                                              IN_LIMIT(16), IN_LIMIT(24), IN_LIMIT(32),
                                              IN_LIMIT(48), IN_LIMIT(64)};
static const struct size_limit out_limits[] = {OUT_LIMIT(4),  OUT_LIMIT(6),  OUT_LIMIT(8),
                                               OUT_LIMIT(9),  OUT_LIMIT(16), OUT_LIMIT(24),
                                               OUT_LIMIT(32), OUT_LIMIT(48), OUT_LIMIT(64)};

/* Beside those of encode_conv2d.c. */
static void emit_small(struct columns *columns, const struct conv_geometry *g)
{
    emit(columns, "kernel_size==4", g->square_kernel == 4);
    emit(columns, "kernel_size==6", g->square_kernel == 6);
    EMIT_LIMITS(emit_up_to, g->in, in_limits);
    EMIT_LIMITS(emit_up_to, g->out, out_limits);
}

void emit_transforms(struct columns *columns, const struct conv_geometry *g)
{
    emit_ffts(columns, g);
    emit_lowering(columns, g);
    emit_small(columns, g);
}
