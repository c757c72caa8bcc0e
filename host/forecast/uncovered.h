/* Why a model does not forecast a layer. */
#ifndef EPOCHCAST_FORECAST_UNCOVERED_H
#define EPOCHCAST_FORECAST_UNCOVERED_H

#include "forecast/forecast.h"

enum uncovered_reason {
    UNCOVERED_KIND,       /* not trained on it */
    UNCOVERED_SIZE,       /* more rows or elements than benchmarks take */
    UNCOVERED_DEVICE,     /* trained on the kind, but not on this device */
    UNCOVERED_GROUPED,    /* convolutions of groups */
    UNCOVERED_DILATED,    /* convolutions */
    UNCOVERED_NOT_SQUARE, /* of operators that are a kind when their images are square */
    UNCOVERED_UNMEASURED, /* of other operators */
    UNCOVERED_UNKNOWN,    /* operators that the program does not know */
    UNCOVERED_REASON_COUNT
};
/* "of operators that no benchmark covers" */
const char *uncovered_reason_text(enum uncovered_reason reason);

/* Of a layer that the forecast does not cover. */
enum uncovered_reason uncovered_reason_of(const struct network_layer *layer,
                                          const struct forecast *forecast,
                                          const struct predictor *predictor);
/* Times of the layers that the forecast does not cover, by reason. */
void uncovered_by_reason(double ms[UNCOVERED_REASON_COUNT], const struct forecast *forecast,
                         const struct network *network, const struct predictor *predictor);

#endif
