#include "layers/encode.h"

#include "layers/encode_internal.h"

#include <string.h>

#define ENCODING_NAME(value, text) text,
static const char *const encoding_names[] = {ENCODING_LIST(ENCODING_NAME)};
const struct choice choice_encoding = {
    .name = "encoding",
    .names = encoding_names,
    .count = sizeof encoding_names / sizeof *encoding_names,
};

/* The paper codes `none` (and with it the forward pass) as all zeros. */
static void emit_paper_activation(struct columns *columns, int32_t activation)
{
#define ACTIVATION_COLUMN(value, text)                                                             \
    if ((value) != ACTIVATION_NONE)                                                                \
        emit(columns, "activation=" text, activation == (value));
    ACTIVATION_LIST(ACTIVATION_COLUMN)
}

static void emit_paper_choices(struct columns *columns, int32_t optimizer, int32_t activation)
{
#define OPTIMIZER_COLUMN(value, text)                                                              \
    if ((value) != OPTIMIZER_NONE)                                                                 \
        emit(columns, "optimizer=" text, optimizer == (value));
    OPTIMIZER_LIST(OPTIMIZER_COLUMN)
    emit_paper_activation(columns, activation);
}

static void paper_dense(struct columns *columns, const struct layer_config *config)
{
    const struct dense *dense = &config->as.dense;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "inputs", dense->inputs);
    emit(columns, "outputs", dense->outputs);
    emit_paper_choices(columns, config->optimizer, dense->activation);
}

static void paper_conv2d(struct columns *columns, const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "image_size^2", (double)conv->image_size * conv->image_size);
    emit(columns, "kernel_size^2", (double)conv->kernel_size * conv->kernel_size);
    emit(columns, "channels_in", conv->channels_in);
    emit(columns, "channels_out", conv->channels_out);
    emit(columns, "padding=same", conv->padding == PADDING_SAME);
    emit(columns, "stride", conv->stride);
    emit(columns, "use_bias=yes", conv->use_bias == SWITCH_YES);
    emit_paper_choices(columns, config->optimizer, conv->activation);
}

/* The paper published no pooling; coded in its manner. Pooling has no optimizer, hence `pass`. */
static void paper_pool2d(struct columns *columns, const struct layer_config *config)
{
    const struct pool2d *pool = &config->as.pool2d;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "image_size^2", (double)pool->image_size * pool->image_size);
    emit(columns, "kernel_size^2", (double)pool->kernel_size * pool->kernel_size);
    emit(columns, "channels", pool->channels);
    emit(columns, "padding=same", pool->padding == PADDING_SAME);
    emit(columns, "stride", pool->stride);
    emit(columns, "pooling=average", pool->pooling == POOLING_AVERAGE);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_activation(columns, pool->activation);
}

/* Neither of these is in the paper; coded in its manner. */
static void paper_batch_norm(struct columns *columns, const struct layer_config *config)
{
    const struct batch_norm *norm = &config->as.batch_norm;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "image_size^2", (double)norm->image_size * norm->image_size);
    emit(columns, "channels", norm->channels);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_choices(columns, config->optimizer, norm->activation);
}

static void paper_addition(struct columns *columns, const struct layer_config *config)
{
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "elements", config->as.addition.elements);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_activation(columns, config->as.addition.activation);
}

#define PAPER_ENCODER(KIND, kind) [LAYER_##KIND] = paper_##kind,
static void (*const paper_encoders[LAYER_KIND_COUNT])(struct columns *,
                                                      const struct layer_config *) = {
    LAYER_KINDS(PAPER_ENCODER)};

struct encode_hardware hardware_known(const struct encode_hardware *hardware)
{
    struct encode_hardware known = {.bandwidth_gbps = 900, .core_count = 5120, .clock_mhz = 1455};
    if (hardware && hardware->bandwidth_gbps > 0) /* false for NaN */
        known.bandwidth_gbps = hardware->bandwidth_gbps;
    if (hardware && hardware->core_count > 0)
        known.core_count = hardware->core_count;
    if (hardware && hardware->clock_mhz > 0)
        known.clock_mhz = hardware->clock_mhz;
    /* a multiply-add a core and cycle */
    known.peak_gflops = 2 * known.core_count * known.clock_mhz / 1000;
    if (hardware && hardware->peak_gflops > 0)
        known.peak_gflops = hardware->peak_gflops;
    return known;
}

static void encode_paper(struct columns *columns, const struct layer_config *config,
                         bool with_hardware, const struct encode_hardware *hardware)
{
    paper_encoders[config->kind](columns, config);
    if (!with_hardware)
        return;
    const struct encode_hardware known = hardware_known(hardware);
    emit(columns, "bandwidth_gbps", known.bandwidth_gbps);
    emit(columns, "core_count", known.core_count);
    emit(columns, "clock_mhz", known.clock_mhz);
}

static void encode(struct columns *columns, enum encoding encoding,
                   const struct layer_config *config, bool with_hardware,
                   const struct encode_hardware *hardware)
{
    if (encoding == ENCODING_PAPER)
        encode_paper(columns, config, with_hardware, hardware);
    else
        encode_physical(columns, config, with_hardware, hardware);
}

/* The smallest config: any will do where only names and counts are asked. */
static struct layer_config smallest_config(enum layer_kind kind)
{
    struct layer_config config;
    memset(&config, 0, sizeof config);
    config.kind = kind;
    for (int i = 0; i < layer_descriptors[kind]->feature_count; i++) {
        const struct feature *feature = &layer_descriptors[kind]->features[i];
        layer_set(&config, feature, feature->minimum);
    }
    return config;
}

static int name_columns(const char **names, enum encoding encoding, enum layer_kind kind,
                        bool with_hardware)
{
    const struct layer_config config = smallest_config(kind);
    struct columns columns = {.names = names};
    encode(&columns, encoding, &config, with_hardware, NULL);
    return columns.count;
}

int encode_column_count(enum encoding encoding, enum layer_kind kind, bool with_hardware)
{
    return name_columns(NULL, encoding, kind, with_hardware);
}

const char *encode_column_name(enum encoding encoding, enum layer_kind kind, bool with_hardware,
                               int column)
{
    const char *names[ENCODE_COLUMN_LIMIT];
    const int count = name_columns(names, encoding, kind, with_hardware);
    return column >= 0 && column < count ? names[column] : NULL;
}

void encode_row(float *row, enum encoding encoding, const struct layer_config *config,
                bool with_hardware, const struct encode_hardware *hardware)
{
    struct columns columns = {.values = row};
    encode(&columns, encoding, config, with_hardware, hardware);
}
