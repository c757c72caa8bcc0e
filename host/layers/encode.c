#include "layers/encode.h"

#include "layers/encode_internal.h"

#define ENCODING_NAME(value, text) text,
static const char *const encoding_names[] = {ENCODING_LIST(ENCODING_NAME)};
const struct choice choice_encoding = {
    .name = "encoding",
    .names = encoding_names,
    .count = sizeof encoding_names / sizeof *encoding_names,
};

void emit_paper_activation(struct columns *columns, int32_t activation)
{
#define ACTIVATION_COLUMN(value, text)                                                             \
    if ((value) != ACTIVATION_NONE)                                                                \
        emit(columns, "activation=" text, activation == (value));
    ACTIVATION_LIST(ACTIVATION_COLUMN)
}

void emit_paper_choices(struct columns *columns, int32_t optimizer, int32_t activation)
{
#define OPTIMIZER_COLUMN(value, text)                                                              \
    if ((value) != OPTIMIZER_NONE && (value) == optimizer_column(value))                           \
        emit(columns, "optimizer=" text, optimizer_column(optimizer) == (value));
    OPTIMIZER_LIST(OPTIMIZER_COLUMN)
    emit_paper_activation(columns, activation);
}

static bool is_own_choice(const struct feature *feature)
{
    return feature->choice && feature->choice != &choice_activation;
}

void emit_own_choices(struct columns *columns, const struct layer_descriptor *descriptor,
                      const struct layer_config *config)
{
    for (int i = COMMON_FEATURE_COUNT; i < descriptor->feature_count; i++)
        if (is_own_choice(&descriptor->features[i]))
            emit(columns, descriptor->features[i].name,
                 layer_get(config, &descriptor->features[i]));
}

/* In the manner of the paper, of a kind without an `encode_paper` of its own. */
static void emit_paper_features(struct columns *columns, const struct layer_descriptor *descriptor,
                                const struct layer_config *config)
{
    struct layer_work work;
    work_begin(&work);
    descriptor->work(&work, config);
    for (int i = 0; i < descriptor->feature_count; i++)
        if (!descriptor->features[i].choice)
            emit(columns, descriptor->features[i].name,
                 layer_get(config, &descriptor->features[i]));
    emit_own_choices(columns, descriptor, config);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_choices(columns, config->optimizer, work.activation);
}

struct encode_hardware hardware_known(const struct encode_hardware *hardware)
{
    struct encode_hardware known = {.bandwidth_gbps = 900, .core_count = 5120, .clock_mhz = 1455};
    if (hardware && hardware->bandwidth_gbps > 0) /* false for NaN */
        known.bandwidth_gbps = hardware->bandwidth_gbps;
    if (hardware && hardware->core_count > 0)
        known.core_count = hardware->core_count;
    if (hardware && hardware->clock_mhz > 0)
        known.clock_mhz = hardware->clock_mhz;
    /* a multiply-add per core and cycle */
    known.peak_gflops = 2 * known.core_count * known.clock_mhz / 1000;
    if (hardware && hardware->peak_gflops > 0)
        known.peak_gflops = hardware->peak_gflops;
    return known;
}

static void encode_paper(struct columns *columns, const struct layer_descriptor *descriptor,
                         const struct layer_config *config, bool with_hardware,
                         const struct encode_hardware *hardware)
{
    if (descriptor->encode_paper)
        descriptor->encode_paper(columns, config);
    else
        emit_paper_features(columns, descriptor, config);
    if (!with_hardware)
        return;
    const struct encode_hardware known = hardware_known(hardware);
    emit(columns, "bandwidth_gbps", known.bandwidth_gbps);
    emit(columns, "core_count", known.core_count);
    emit(columns, "clock_mhz", known.clock_mhz);
}

void encode_columns(struct columns *columns, enum encoding encoding,
                    const struct layer_descriptor *descriptor, const struct layer_config *config,
                    bool with_hardware, const struct encode_hardware *hardware)
{
    if (encoding == ENCODING_PAPER)
        encode_paper(columns, descriptor, config, with_hardware, hardware);
    else
        encode_physical(columns, descriptor, config, with_hardware, hardware);
}

struct layer_config encode_smallest(enum layer_kind kind)
{
    struct layer_config config;
    layer_begin(&config, kind);
    for (int i = 0; i < layer_descriptors[kind]->feature_count; i++) {
        const struct feature *feature = &layer_descriptors[kind]->features[i];
        layer_set(&config, feature, feature->minimum);
    }
    return config;
}

int encode_column_names(const char **names, enum encoding encoding, enum layer_kind kind,
                        bool with_hardware)
{
    const struct layer_config config = encode_smallest(kind);
    struct columns columns = {.names = names};
    encode_columns(&columns, encoding, layer_descriptors[kind], &config, with_hardware, NULL);
    return columns.count;
}

int encode_column_count(enum encoding encoding, enum layer_kind kind, bool with_hardware)
{
    return encode_column_names(NULL, encoding, kind, with_hardware);
}

const char *encode_column_name(enum encoding encoding, enum layer_kind kind, bool with_hardware,
                               int column)
{
    const char *names[ENCODE_COLUMN_LIMIT];
    const int count = encode_column_names(names, encoding, kind, with_hardware);
    return column >= 0 && column < count ? names[column] : NULL;
}

void encode_row(float *row, enum encoding encoding, const struct layer_config *config,
                bool with_hardware, const struct encode_hardware *hardware)
{
    struct columns columns = {.values = row};
    encode_columns(&columns, encoding, layer_descriptors[config->kind], config, with_hardware,
                   hardware);
}
