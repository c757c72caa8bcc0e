/* VECTOR_CLONES: compiles a function for AVX-512, AVX2 and the base instruction set and picks at
 * load time. For loops without reordered sums, so that every clone gives the same bits. Loops with
 * a square root need -fno-math-errno to be vectorised.
 */
#ifndef EPOCHCAST_TRAINER_VECTOR_H
#define EPOCHCAST_TRAINER_VECTOR_H

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTOR_CLONES
#endif

#endif
