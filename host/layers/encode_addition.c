#include "layers/encode_gemm.h"

/* Nothing but the number of elements and the caches that hold them decides. */
void encode_physical_addition(struct columns *columns, const struct layer_config *config,
                              double units)
{
    const double is_train = config->pass == PASS_TRAIN;
    const double rows = config->batch_size, width = config->as.addition.elements;
    const double elements = rows * width;
    emit(columns, "is_train*has_activation",
         is_train * (config->as.addition.activation != ACTIVATION_NONE));
    EMIT_DIVISIBLE("elements", config->as.addition.elements);
    emit(columns, "log_batch_size", log_size(rows));
    emit(columns, "log_row_elements", log_size(width));
    emit(columns, "log_elements", log_size(elements));
    emit(columns, "is_train*log_elements", is_train * log_size(elements));
    EMIT_RAMP("elements", elements, 1024);
    EMIT_RAMP("elements", elements, 32768);
    EMIT_RAMP("elements", elements, 1048576);
    EMIT_LAST_FILL("elements", elements);
    emit(columns, "log_waves", log_size(ceil(elements / 256 / units)));
    emit(columns, "log_wave_tail", log_quantised(ceil(elements / 256), units));
}
