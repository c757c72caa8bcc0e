#include "layers/encode_gemm.h"

static void emit_flags(struct columns *columns, const struct layer_config *config)
{
    const struct pool2d *pool = &config->as.pool2d;
    const double is_train = config->pass == PASS_TRAIN;
    const double is_max = pool->pooling == POOLING_MAX;
    emit(columns, "pooling=max", is_max);
    emit(columns, "padding=same", pool->padding == PADDING_SAME);
    emit(columns, "is_train*max", is_train * is_max);
    emit(columns, "stride==1", pool->stride == 1);
    emit(columns, "stride==2", pool->stride == 2);
    emit(columns, "stride==3", pool->stride == 3);
    emit(columns, "stride==4", pool->stride == 4);
    emit(columns, "kernel_size==2", pool->kernel_size == 2);
    emit(columns, "kernel_size==3", pool->kernel_size == 3);
    emit(columns, "windows_overlap", pool->stride < pool->kernel_size);
    emit(columns, "image_size%2==0", pool->image_size % 2 == 0);
    EMIT_DIVISIBLE("channels", pool->channels);
}

void encode_physical_pool2d(struct columns *columns, const struct layer_config *config,
                            double units)
{
    const struct pool2d *pool = &config->as.pool2d;
    const struct window window = window_of(pool->image_size, pool->kernel_size, pool->stride,
                                           pool->padding);
    const double is_train = config->pass == PASS_TRAIN;
    const double rows = config->batch_size, image = pool->image_size, channels = pool->channels;
    const double kernel = pool->kernel_size, side = window.output_size;
    const double output = rows * side * side * channels;
    emit_flags(columns, config);
    emit(columns, "log_batch_size", log_size(rows));
    emit(columns, "log_image_size", log_size(image));
    emit(columns, "log_kernel_size", log_size(kernel));
    emit(columns, "log_channels", log_size(channels));
    emit(columns, "log_stride", log_size(pool->stride));
    emit(columns, "log_output_size", log_size(side));
    emit(columns, "log_planes", log_size(rows * channels));
    emit(columns, "log_output_cells", log_size(rows * side * side));
    emit(columns, "log_input_cells", log_size(rows * image * image));
    emit(columns, "log_taps", log_size(output * kernel * kernel));
    emit(columns, "log_row_bytes", log_size(4 * image));
    emit(columns, "log_plane_bytes", log_size(4 * image * image));
    emit(columns, "log_kernel/stride", log2(kernel / pool->stride));
    emit(columns, "log_kernel/image", log2(kernel / image));
    emit(columns, "is_train*log_taps", is_train * log_size(output * kernel * kernel));
    emit(columns, "padded_cells", window.pad_before + window.pad_after);
    emit(columns, "padding_is_uneven", window.pad_before != window.pad_after);
    EMIT_RAMP("channels", channels, 8);
    EMIT_RAMP("channels", channels, 32);
    EMIT_RAMP("output_size", side, 8);
    EMIT_RAMP("output_size", side, 32);
    EMIT_RAMP("batch_size", rows, 32);
    EMIT_QUANTISED("channels", channels);
    EMIT_QUANTISED("output_size", side);
    EMIT_LAST_FILL("channels", channels);
    EMIT_LAST_FILL("output_size", side);
    emit(columns, "log_waves", log_size(ceil(output / 256 / units)));
    emit(columns, "log_wave_tail", log_quantised(ceil(output / 256), units));
}
