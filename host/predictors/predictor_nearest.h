/* Internals of the `nearest` predictor, shared by forecasting (predictor_nearest.c) and storing
 * (predictor_nearest_file.c).
 */
#ifndef EPOCHCAST_PREDICTORS_PREDICTOR_NEAREST_H
#define EPOCHCAST_PREDICTORS_PREDICTOR_NEAREST_H

#include "layers/layer.h"

#include <math.h>

struct model_place;

enum { NEIGHBOUR_LIMIT = 64, ROW_LIMIT = 1 << 16, DIMENSION_LIMIT = FEATURE_LIMIT + 2 };

struct point {
    float numbers[DIMENSION_LIMIT];
    uint8_t choices[FEATURE_LIMIT];
};

struct nearest_state {
    struct point *points; /* numbers scaled */
    float *log_ms;
    size_t count;
    int number_count, choice_count;
    double inverse_deviations[DIMENSION_LIMIT];
    int32_t neighbours;
    double choice_distance;
    uint32_t lacking; /* bit i: the kind's feature i is later, and `missing` in all rows */
};
_Static_assert(FEATURE_LIMIT <= 32, "a bit for every feature");

/* The coordinate of a numeric feature; 0 for values below 1. */
static inline float nearest_log(int32_t value)
{
    return value > 0 ? log2f((float)value) : 0;
}

/* Place of a feature among a point's numbers or choices. */
int nearest_place(const struct layer_descriptor *descriptor, int feature);
/* Sets nearest->lacking. */
void nearest_find_lacking(struct nearest_state *nearest, enum layer_kind kind);

/* Of baseline_law: the points with the names of their features, and back, in today's order. A later
 * feature (`since` above 1) that the file lacks was `missing` in all rows. */
enum status nearest_save(const void *state, enum layer_kind kind, const struct model_place *place,
                         struct error *error);
enum status nearest_load(void *state, enum layer_kind kind, const struct model_place *place,
                         struct error *error);

#endif
