/* The table of kinds. It stands alone, so that a test can link a table of its own in its place. */
#include "layers/kind_internal.h"

#define DESCRIPTOR(KIND, kind) [LAYER_##KIND] = &layer_##kind,
const struct layer_descriptor *const layer_descriptors[LAYER_KIND_COUNT] = {
    LAYER_KINDS(DESCRIPTOR)};
