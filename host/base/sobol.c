#include "base/sobol.h"

#include <assert.h>

uint32_t sobol32(uint32_t index, int dimension)
{
    assert(dimension >= 0 && dimension < SOBOL_DIMENSION_LIMIT);
    uint32_t word = sobol_scramble_constants[dimension];
    uint32_t gray = index ^ (index >> 1); // cuRAND visits the points in Gray code order
    for (int bit = 0; gray; bit++, gray >>= 1)
        word ^= gray & 1 ? sobol_directions[dimension][bit] : 0;
    return word;
}
