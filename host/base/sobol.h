/* Scrambled Sobol32, bit-identical to cuRAND's CURAND_RNG_QUASI_SCRAMBLED_SOBOL32 (direction
 * vectors CURAND_SCRAMBLED_DIRECTION_VECTORS_32_JOEKUO6 and its scramble constants; Joe & Kuo
 * 2008).
 */
#ifndef EPOCHCAST_BASE_SOBOL_H
#define EPOCHCAST_BASE_SOBOL_H

#include <stdint.h>

enum { SOBOL_DIMENSION_LIMIT = 32 };

/* Direction vectors (dimension, bit) and scramble constants (dimension). */
extern const uint32_t sobol_directions[SOBOL_DIMENSION_LIMIT][32];
extern const uint32_t sobol_scramble_constants[SOBOL_DIMENSION_LIMIT];

/* Word `index` of `dimension` (0..SOBOL_DIMENSION_LIMIT-1), equal to what curandGenerate gives at
 * offset `index`; random access, about 32 operations. */
uint32_t sobol32(uint32_t index, int dimension);

#endif
