/* What bounds a layer's time: seven ceilings, each the time of one sort of work at a device's full
 * rates. `fitted_ceilings` multiplies them with fitted factors, `ceilings` with learnt ones. */
#ifndef EPOCHCAST_PREDICTORS_CEILING_HEADS_H
#define EPOCHCAST_PREDICTORS_CEILING_HEADS_H

#include "predictors/predictor.h"
#include "predictors/predictor_roofline.h"

enum ceiling_head {
    HEAD_FORWARD_COMPUTE,
    HEAD_FORWARD_MEMORY,
    HEAD_BACKWARD_COMPUTE,
    HEAD_BACKWARD_MEMORY,
    HEAD_UPDATE_MEMORY,
    HEAD_FORWARD_FIXED, /* of either pass */
    HEAD_TRAIN_FIXED,   /* of training only */
    CEILING_HEADS
};

/* What the heads cannot take from the work. */
struct ceiling_scale {
    double fixed_ms;   /* ceiling of the fixed heads */
    double absent_log; /* value of a head that the layer has no work for */
};

/* log_ms[CEILING_HEADS]: ln of each ceiling in ms; NaN where a rate is. The question has all
 * members set; its config may be NULL. */
void ceiling_heads(double *log_ms, const struct layer_question *question,
                   const struct device_rates *rates, const struct ceiling_scale *scale);

#endif
