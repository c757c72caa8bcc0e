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
#define MULTIPLES_OF_4(X) \
    X(4) X(8) X(12) X(16) X(20) X(24) X(28) X(32) X(36) X(40) X(44) X(48) X(52) X(56) X(60)
#define MULTIPLES_OF_16(X) \
    X(16) X(32) X(48) X(64) X(80) X(96) X(112) X(128) X(144) X(160) X(176) X(192) X(208) X(224) \
    X(240) X(256) X(272) X(288) X(304) X(320) X(336) X(352) X(368) X(384) X(400) X(416) X(432) \
    X(448) X(464) X(480) X(496) X(512) X(528) X(544) X(560) X(576) X(592) X(608) X(624) X(640) \
    X(656) X(672) X(688) X(704) X(720) X(736) X(752) X(768) X(784) X(800) X(816) X(832) X(848) \
    X(864) X(880) X(896) X(912) X(928) X(944) X(960) X(976) X(992) X(1008) X(1024) X(1040) X(1056) \
    X(1072) X(1088) X(1104) X(1120) X(1136) X(1152) X(1168) X(1184) X(1200) X(1216) X(1232) \
    X(1248) X(1264) X(1280) X(1296) X(1312) X(1328) X(1344) X(1360) X(1376) X(1392) X(1408) \
    X(1424) X(1440) X(1456) X(1472) X(1488) X(1504) X(1520) X(1536) X(1552) X(1568) X(1584) \
    X(1600) X(1616) X(1632) X(1648) X(1664) X(1680) X(1696) X(1712) X(1728) X(1744) X(1760) \
    X(1776) X(1792) X(1808) X(1824) X(1840) X(1856) X(1872) X(1888) X(1904) X(1920) X(1936) \
    X(1952) X(1968) X(1984) X(2000) X(2016) X(2032) X(2048) X(2064) X(2080) X(2096) X(2112) \
    X(2128) X(2144) X(2160) X(2176) X(2192) X(2208) X(2224) X(2240) X(2256) X(2272) X(2288) \
    X(2304) X(2320) X(2336) X(2352) X(2368) X(2384) X(2400) X(2416) X(2432) X(2448) X(2464) \
    X(2480) X(2496) X(2512) X(2528) X(2544) X(2560) X(2576) X(2592) X(2608) X(2624) X(2640) \
    X(2656) X(2672) X(2688) X(2704) X(2720) X(2736) X(2752) X(2768) X(2784) X(2800) X(2816) \
    X(2832) X(2848) X(2864) X(2880) X(2896) X(2912) X(2928) X(2944) X(2960) X(2976) X(2992) \
    X(3008) X(3024) X(3040) X(3056) X(3072) X(3088) X(3104) X(3120) X(3136) X(3152) X(3168) \
    X(3184) X(3200) X(3216) X(3232) X(3248) X(3264) X(3280) X(3296) X(3312) X(3328) X(3344) \
    X(3360) X(3376) X(3392) X(3408) X(3424) X(3440) X(3456) X(3472) X(3488) X(3504) X(3520) \
    X(3536) X(3552) X(3568) X(3584) X(3600) X(3616) X(3632) X(3648) X(3664) X(3680) X(3696) \
    X(3712) X(3728) X(3744) X(3760) X(3776) X(3792) X(3808) X(3824) X(3840) X(3856) X(3872) \
    X(3888) X(3904) X(3920) X(3936) X(3952) X(3968) X(3984) X(4000) X(4016) X(4032) X(4048) \
    X(4064) X(4080)
/* clang-format on */

/* Hard steps: where the time jumps, as a library takes another kernel or begins another tile. A net
 * learns each jump by itself if it sees many rows. */
struct size_limit {
    double size;
    const char *name;
};

static inline void emit_above(struct columns *columns, double size, const struct size_limit *limits,
                              size_t count)
{
    for (size_t i = 0; i < count; i++)
        emit(columns, limits[i].name, size > limits[i].size);
}

static inline void emit_up_to(struct columns *columns, double size, const struct size_limit *limits,
                              size_t count)
{
    for (size_t i = 0; i < count; i++)
        emit(columns, limits[i].name, size <= limits[i].size);
}
/* emit: one of the two; limits: an array. */
#define EMIT_LIMITS(emit, size, limits)                                                            \
    emit(columns, size, limits, sizeof(limits) / sizeof *(limits))

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
/* Of a kind that goes through its elements one after the other: nothing but their number and the
 * caches that hold them decides. */
void emit_stream(struct columns *columns, const struct layer_config *config, int32_t row_elements,
                 double units);

#endif
