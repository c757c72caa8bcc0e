/* What own loops (cpu_plan.h) share: elements of any storage in blocks of floats, and compilation
 * for wide vectors. Blocks of fp32 are used where they lie, 16 bits go through a buffer that stays
 * in the L1 cache.
 */
#ifndef EPOCHCAST_ONEDNN_LOOP_STORAGE_H
#define EPOCHCAST_ONEDNN_LOOP_STORAGE_H

#include <dnnl_types.h>
#include <stdint.h>
#include <string.h>

/* Compiles a function for AVX-512, AVX2 and the base instruction set; one is picked at load time.
 * For functions that get a block at a time: they are not inlined. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define LOOP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LOOP_CLONES
#endif

enum { LOOP_BLOCK = 512 }; /* elements */

static inline uint32_t loop_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline float loop_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Finite numbers; the exponents' bias differs by 112. */
static inline float loop_of_fp16(uint16_t from)
{
    const float size = loop_float((uint32_t)(from & 0x7fff) << 13) * 0x1p112f;
    return loop_float(loop_bits(size) | (uint32_t)(from & 0x8000) << 16);
}
/* To the nearest, ties to even; beyond fp16's range infinity. */
static inline uint16_t loop_to_fp16(float from)
{
    const uint32_t sign = loop_bits(from) >> 16 & 0x8000;
    const uint32_t size = loop_bits(loop_float(loop_bits(from) & 0x7fffffff) * 0x1p-112f);
    const uint32_t rounded = (size + 0xfff + (size >> 13 & 1)) >> 13;
    return (uint16_t)(sign | (rounded < 0x7c00 ? rounded : 0x7c00));
}
static inline float loop_of_bf16(uint16_t from)
{
    return loop_float((uint32_t)from << 16);
}
static inline uint16_t loop_to_bf16(float from)
{
    const uint32_t bits = loop_bits(from);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline int64_t loop_element_bytes(dnnl_data_type_t type)
{
    return type == dnnl_f32 ? 4 : 2;
}

/* Elements first .. first + count - 1 of `from`: there, or in `block` (LOOP_BLOCK). */
static inline const float *loop_load(float *block, const void *from, int64_t first, int count,
                                     dnnl_data_type_t type)
{
    const uint16_t *narrow = (const uint16_t *)from + first;
    if (type == dnnl_f32)
        return (const float *)from + first;
    if (type == dnnl_f16)
        for (int i = 0; i < count; i++)
            block[i] = loop_of_fp16(narrow[i]);
    else
        for (int i = 0; i < count; i++)
            block[i] = loop_of_bf16(narrow[i]);
    return block;
}

/* Where a loop writes elements first .. of `to`, which loop_store then finishes. */
static inline float *loop_target(float *block, void *to, int64_t first, dnnl_data_type_t type)
{
    return type == dnnl_f32 ? (float *)to + first : block;
}
static inline void loop_store(void *to, int64_t first, const float *block, int count,
                              dnnl_data_type_t type)
{
    uint16_t *narrow = (uint16_t *)to + first;
    if (type == dnnl_f16)
        for (int i = 0; i < count; i++)
            narrow[i] = loop_to_fp16(block[i]);
    else if (type == dnnl_bf16)
        for (int i = 0; i < count; i++)
            narrow[i] = loop_to_bf16(block[i]);
}

#endif
