/* Facts that a reader of forecasts needs beside the numbers: one list, which predict, report,
 * verify and the C library show. */
#ifndef EPOCHCAST_FORECAST_CAVEATS_H
#define EPOCHCAST_FORECAST_CAVEATS_H

#include "forecast/forecast.h"

#define CAVEAT_LIST(X)                                                                             \
    X(CAVEAT_BATCH, "batch")               /* which axis of an ONNX model is it */                 \
    X(CAVEAT_UNKNOWN, "unknown_operators") /* their operations count as 0 */                       \
    X(CAVEAT_FOLDED, "folded_norms")       /* a training step of a file exported for inference? */ \
    X(CAVEAT_UNSEEN, "unseen_choices")     /* no training row had them: no interval */             \
    X(CAVEAT_DEVICE, "unmeasured_device")  /* the model has no rows of it */                       \
    X(CAVEAT_BOUNDS, "bounds")             /* layers with the roofline alone: at least */          \
    X(CAVEAT_NO_HIGH, "no_upper_bound")    /* of some of them */                                   \
    X(CAVEAT_EXTRAPOLATES, "extrapolates") /* layers beyond the training rows */                   \
    X(CAVEAT_ERRORS, "held_out_errors")    /* of the kinds, on rows left out of the training */    \
    X(CAVEAT_FEW_ROWS, "few_rows")         /* behind the intervals of some kinds */                \
    X(CAVEAT_NO_INTERVAL, "no_interval")   /* the model has none for some layers */
enum caveat_kind { CAVEAT_LIST(CHOICE_ENUMERATOR) };
enum { CAVEAT_COUNT = 0 CAVEAT_LIST(CHOICE_ONE) };
extern const struct choice choice_caveat;

struct caveat {
    enum caveat_kind kind;
    bool is_loud;   /* to be read before the numbers */
    char text[768]; /* one sentence without its capital and full stop */
};
struct caveats {
    struct caveat list[CAVEAT_COUNT]; /* in the order of the enumeration, each at most once */
    int count;
};

/* Of a network alone: batch, unknown operators. */
enum status caveats_of_network(struct caveats *caveats, const struct network *network,
                               struct error *error);
/* Of count >= 1 forecasts of one network by one predictor: all. */
enum status caveats_of(struct caveats *caveats, const struct forecast *const *forecasts, int count,
                       const struct network *network, const struct predictor *predictor,
                       struct error *error);

#endif
