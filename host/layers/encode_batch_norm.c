#include "layers/encode_gemm.h"

/* A plane (a channel of an image) in cache between the passes over it is read from memory once. */
void encode_physical_batch_norm(struct columns *columns, const struct layer_config *config,
                                double units)
{
    const struct batch_norm *norm = &config->as.batch_norm;
    const double is_train = config->pass == PASS_TRAIN;
    const double is_relu = norm->activation == ACTIVATION_RELU;
    const double rows = config->batch_size, image = norm->image_size, channels = norm->channels;
    const double cells = rows * image * image, elements = cells * channels;
    emit(columns, "is_train*relu", is_train * is_relu);
    emit(columns, "image_size==1", norm->image_size == 1);
    emit(columns, "image_size%2==0", norm->image_size % 2 == 0);
    emit(columns, "batch_size==1", config->batch_size == 1);
    EMIT_DIVISIBLE("channels", norm->channels);
    emit(columns, "log_batch_size", log_size(rows));
    emit(columns, "log_image_size", log_size(image));
    emit(columns, "log_channels", log_size(channels));
    emit(columns, "log_elements", log_size(elements));
    emit(columns, "log_planes", log_size(rows * channels));
    emit(columns, "log_cells", log_size(cells));
    emit(columns, "log_row_bytes", log_size(4 * image));
    emit(columns, "log_plane_bytes", log_size(4 * image * image));
    emit(columns, "log_channel_bytes", log_size(4 * cells));
    emit(columns, "is_train*log_elements", is_train * log_size(elements));
    emit(columns, "is_train*log_cells", is_train * log_size(cells));
    emit(columns, "is_train*log_channels", is_train * log_size(channels));
    EMIT_RAMP("channels", channels, 8);
    EMIT_RAMP("channels", channels, 32);
    EMIT_RAMP("channels", channels, 128);
    EMIT_RAMP("image_size", image, 8);
    EMIT_RAMP("image_size", image, 32);
    EMIT_RAMP("batch_size", rows, 32);
    EMIT_QUANTISED("channels", channels);
    EMIT_QUANTISED("cells", cells);
    EMIT_LAST_FILL("channels", channels);
    emit(columns, "log_waves", log_size(ceil(elements / 256 / units)));
    emit(columns, "log_wave_tail", log_quantised(ceil(elements / 256), units));
}
