/* What sizes, matrix products and their tiles cost beyond FLOPs; for all kinds. */
#ifndef EPOCHCAST_LAYERS_ENCODE_GEMM_H
#define EPOCHCAST_LAYERS_ENCODE_GEMM_H

#include "layers/encode_internal.h"

/* ceil of a size, in line: the library's is a call. */
static inline double ceil_size(double value)
{
    if (!(value < 4503599627370496)) /* 2^52: from there on all are integers; or NaN */
        return value;
    const double whole = (double)(int64_t)value;
    return whole < value ? whole + 1 : whole;
}

static inline double tiles_of(double size, double tile)
{
    return ceil_size(size / tile);
}

/* log2 of the work done for the work asked when `size` is cut into tiles: log2(ceil(x/T) T/x). */
static inline double log_quantised(double size, double tile)
{
    const double ratio = tiles_of(size, tile) * tile / size;
    return ratio == 1 ? 0 : log2(ratio); /* most sizes of networks fill their tiles */
}

/* How full the last tile is: ((x-1) mod T + 1)/T. */
static inline double last_fill(double size, double tile)
{
    return size / tile - (tiles_of(size, tile) - 1);
}

#define EMIT_QUANTISED(what, size)                                                                 \
    do {                                                                                           \
        emit(columns, "log_quantised_" what "_4", log_quantised(size, 4));                         \
        emit(columns, "log_quantised_" what "_8", log_quantised(size, 8));                         \
        emit(columns, "log_quantised_" what "_16", log_quantised(size, 16));                       \
        emit(columns, "log_quantised_" what "_32", log_quantised(size, 32));                       \
        emit(columns, "log_quantised_" what "_64", log_quantised(size, 64));                       \
        emit(columns, "log_quantised_" what "_128", log_quantised(size, 128));                     \
    } while (0)

#define EMIT_LAST_FILL(what, size)                                                                 \
    do {                                                                                           \
        emit(columns, "last_fill_" what "_8", last_fill(size, 8));                                 \
        emit(columns, "last_fill_" what "_32", last_fill(size, 32));                               \
        emit(columns, "last_fill_" what "_64", last_fill(size, 64));                               \
        emit(columns, "last_fill_" what "_128", last_fill(size, 128));                             \
    } while (0)

/* Libraries choose their kernels by such divisibilities. */
#define EMIT_DIVISIBLE(what, size)                                                                 \
    do {                                                                                           \
        emit(columns, what "%4==0", (size) % 4 == 0);                                              \
        emit(columns, what "%8==0", (size) % 8 == 0);                                              \
        emit(columns, what "%16==0", (size) % 16 == 0);                                            \
        emit(columns, what "%32==0", (size) % 32 == 0);                                            \
    } while (0)

/* Small sizes leave vector lanes and units idle. */
static inline double ramp(double size, double full)
{
    return (size < full ? size : full) / full;
}
#define EMIT_RAMP(what, size, full) emit(columns, "ramp_" what "_" #full, ramp(size, full))

/* Libraries change kernels and split sums at sizes that no formula here foresees: a column a step
 * of the size lets a net bend wherever that is. Piecewise-linear encoding of Gorishniy et al., "On
 * Embeddings for Numerical Features in Tabular Deep Learning" (2022). */
static inline double step(double size, double from, double to)
{
    const double place = (size - from) / (to - from);
    return place < 0 ? 0 : place > 1 ? 1 : place;
}
#define EMIT_STEP(what, size, from, to) emit(columns, "step_" what "_" #from, step(size, from, to))
/* clang-format off */
#define STEPS_OF_128(X) \
    X(0, 128) X(128, 256) X(256, 384) X(384, 512) X(512, 640) \
    X(640, 768) X(768, 896) X(896, 1024) X(1024, 1152) X(1152, 1280) \
    X(1280, 1408) X(1408, 1536) X(1536, 1664) X(1664, 1792) X(1792, 1920) \
    X(1920, 2048) X(2048, 2176) X(2176, 2304) X(2304, 2432) X(2432, 2560) \
    X(2560, 2688) X(2688, 2816) X(2816, 2944) X(2944, 3072) X(3072, 3200) \
    X(3200, 3328) X(3328, 3456) X(3456, 3584) X(3584, 3712) X(3712, 3840) \
    X(3840, 3968) X(3968, 4096)
#define STEPS_OF_32(X) \
    X(0, 32) X(32, 64) X(64, 96) X(96, 128) X(128, 160) X(160, 192) \
    X(192, 224) X(224, 256) X(256, 288) X(288, 320) X(320, 352) X(352, 384) \
    X(384, 416) X(416, 448) X(448, 480) X(480, 512)
#define STEPS_ABOVE_64(X) \
    X(64, 96) X(96, 128) X(128, 160) X(160, 192) X(192, 224) X(224, 256)
#define STEPS_OF_8(X) \
    X(0, 8) X(8, 16) X(16, 24) X(24, 32) X(32, 40) X(40, 48) X(48, 56) X(56, 64)
/* clang-format on */

/* ---- of any kind, from its features and its work (encode_generic.c) ---- */

enum { PRODUCTS_PER_PHASE = 4 }; /* that have columns */

/* Columns of product `index` of a phase: what tiles and waves of them waste. */
void emit_product(struct columns *columns, enum work_phase phase, int index,
                  const struct work_operation *product, double units);
/* Of the first products of every phase of the work. */
void emit_products(struct columns *columns, const struct layer_work *work, double units);
/* Of every number among the features: log2, in training, divisibility, quantisation, ramps. */
void emit_numbers(struct columns *columns, const struct layer_descriptor *descriptor,
                  const struct layer_config *config);

#endif
