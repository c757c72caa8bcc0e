#include "layers/layer.h"

#include "base/hash.h"
#include "layers/kind_internal.h"

#include <string.h>

int layer_kind_find(const char *name)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct layer_descriptor *descriptor = layer_descriptors[kind];
        if (strcmp(descriptor->name, name) == 0 ||
            (descriptor->former_name && strcmp(descriptor->former_name, name) == 0))
            return kind;
    }
    return -1;
}

const struct feature *layer_feature_find(enum layer_kind kind, const char *name)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < descriptor->feature_count; i++)
        if (strcmp(descriptor->features[i].name, name) == 0)
            return &descriptor->features[i];
    return NULL;
}

const char *unit_name(enum unit unit)
{
#define UNIT_NAME(value, text) [value] = (text),
    static const char *const names[] = {UNIT_LIST(UNIT_NAME)};
    return names[unit];
}

void layer_begin(struct layer_config *config, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    memset(config, 0, sizeof *config); /* unused bytes, too: configs compare as bytes */
    config->kind = kind;
    for (int i = 0; i < descriptor->feature_count; i++)
        if (feature_is_optional(&descriptor->features[i]))
            layer_set(config, &descriptor->features[i], descriptor->features[i].missing);
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

struct window window_of(int32_t image_size, int32_t kernel_size, int32_t stride, int32_t padding)
{
    if (padding == PADDING_VALID) {
        const int32_t last_start = image_size - kernel_size;
        return (struct window){.output_size = last_start < 0 ? 0 : last_start / stride + 1};
    }
    const int32_t output_size = (image_size + stride - 1) / stride;
    const int32_t covered = (output_size - 1) * stride + kernel_size;
    const int32_t zeros = covered - smaller(covered, image_size);
    return (struct window){
        .output_size = output_size, .pad_before = zeros / 2, .pad_after = zeros - zeros / 2};
}

static struct window_axis axis_of(int32_t image, int32_t kernel, int32_t dilation, int32_t stride,
                                  int32_t padding)
{
    const int32_t span = (kernel - 1) * dilation + 1;
    return (struct window_axis){image, kernel, span, stride,
                                window_of(image, span, stride, padding)};
}

struct window_axes conv2d_axes(const struct conv2d *conv)
{
    const int32_t width = conv->image_width ? conv->image_width : conv->image_size;
    const int32_t kernel_width = conv->kernel_width ? conv->kernel_width : conv->kernel_size;
    return (struct window_axes){
        {axis_of(conv->image_size, conv->kernel_size, conv->dilation, conv->stride, conv->padding),
         axis_of(width, kernel_width, conv->dilation, conv->stride, conv->padding)}};
}

struct window_axes pool2d_axes(const struct pool2d *pool)
{
    const struct window_axis axis = axis_of(pool->image_size, pool->kernel_size, 1, pool->stride,
                                            pool->padding);
    return (struct window_axes){{axis, axis}};
}

static struct window_axis turned_axis(int32_t input, int32_t kernel, int32_t stride,
                                      int32_t padding)
{
    const int32_t output = padding == PADDING_SAME ? input * stride : (input - 1) * stride + kernel;
    return axis_of(output, kernel, 1, stride, padding);
}

struct window_axes conv_transpose2d_axes(const struct conv_transpose2d *conv)
{
    const int32_t width = conv->image_width ? conv->image_width : conv->image_size;
    const int32_t kernel_width = conv->kernel_width ? conv->kernel_width : conv->kernel_size;
    const bool is_flat = conv->image_size == 1 && conv->kernel_size == 1 && conv->image_width > 0;
    return (struct window_axes){{turned_axis(conv->image_size, conv->kernel_size,
                                             is_flat ? 1 : conv->stride, conv->padding),
                                 turned_axis(width, kernel_width, conv->stride, conv->padding)}};
}

bool window_is_valid(int32_t image_size, int32_t kernel_size, int32_t stride, int32_t padding,
                     const char **reason)
{
    if (padding == PADDING_VALID && kernel_size > image_size)
        *reason = "kernel_size is larger than image_size (padding valid)";
    else if (kernel_size > 2 * image_size)
        *reason = "kernel_size is larger than twice image_size";
    else if (stride > 4 && stride > kernel_size)
        *reason = "stride is larger than 4 and than kernel_size: it would skip the image";
    else
        return true;
    return false;
}

static enum status check_bounds(const struct layer_config *config, struct error *error)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const int32_t value = layer_get(config, feature);
        if (value < feature->minimum || value > feature->maximum)
            return FAIL(error, STATUS_USAGE, "%s: %s = %d is outside %d..%d", descriptor->name,
                        feature->name, value, feature->minimum, feature->maximum);
        if (!feature_applies(feature, config) && value != feature->missing)
            return FAIL(error, STATUS_USAGE, "%s: %s = %d needs %s", descriptor->name,
                        feature->name, value, feature->condition->text);
    }
    return STATUS_OK;
}

static enum status check_training(const struct layer_config *config, const struct layer_work *work,
                                  struct error *error)
{
    const char *name = layer_descriptors[config->kind]->name;
    if (config->optimizer == OPTIMIZER_NONE)
        return STATUS_OK;
    const char *optimizer = choice_name(&choice_optimizer, config->optimizer);
    if (config->pass == PASS_FORWARD) {
        FAIL(error, STATUS_USAGE, "%s: optimizer %s with pass forward", name, optimizer);
        return HINT(error, STATUS_USAGE,
                    "a forward pass updates nothing: use optimizer none or pass train");
    }
    if (work_elements(work, TENSOR_WEIGHTS) + work_elements(work, TENSOR_BIAS) == 0) {
        FAIL(error, STATUS_USAGE, "%s: optimizer %s, but the layer has no parameters", name,
             optimizer);
        return HINT(error, STATUS_USAGE, "use optimizer none");
    }
    return STATUS_OK;
}

enum status layer_check(const struct layer_config *config, struct error *error)
{
    if ((int)config->kind < 0 || config->kind >= LAYER_KIND_COUNT)
        return FAIL(error, STATUS_USAGE, "no layer kind %d", (int)config->kind);
    TRY(check_bounds(config, error));
    struct layer_work work;
    layer_work(&work, config);
    TRY(check_training(config, &work, error));
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    const char *reason = "";
    if ((descriptor->is_valid && !descriptor->is_valid(config, &reason)) ||
        !work_fits(&work, &reason))
        return FAIL(error, STATUS_USAGE, "%s: %s", descriptor->name, reason);
    return STATUS_OK;
}

bool layer_is_valid(const struct layer_config *config)
{
    return layer_check(config, NULL) == STATUS_OK;
}

void layer_work(struct layer_work *work, const struct layer_config *config)
{
    work_begin(work);
    layer_descriptors[config->kind]->work(work, config);
}

struct cost layer_cost(const struct layer_config *config)
{
    struct layer_work work;
    layer_work(&work, config);
    return cost_of_work(&work, config->pass, config->optimizer, config->precision);
}

int layer_input_count(const struct layer_config *config)
{
    struct layer_work work;
    int count = 0;
    layer_work(&work, config);
    for (int i = 0; i < work.tensor_count; i++)
        count += work.tensors[i].role == TENSOR_INPUT && !work.tensors[i].is_constant;
    return count;
}

int64_t layer_input_elements(const struct layer_config *config, int index)
{
    struct layer_work work;
    layer_work(&work, config);
    const struct layer_tensor *input = work_find(&work, TENSOR_INPUT, index);
    return input ? (int64_t)input->count : 0;
}

int64_t layer_output_elements(const struct layer_config *config)
{
    struct layer_work work;
    layer_work(&work, config);
    return (int64_t)work_elements(&work, TENSOR_OUTPUT);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1); /* with its end: "a", "bc" is not "ab", "c" */
}

static uint64_t hash_integer(uint64_t hash, int32_t value)
{
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)((uint32_t)value >> (8 * i)); /* the same on every machine */
    return hash_bytes(hash, bytes, sizeof bytes);
}

/* The value is that of the feature for which `missing` stands. */
static bool is_stood_for(const struct layer_config *config, const struct feature *feature)
{
    return feature->stands_for &&
           layer_get(config, feature) ==
               layer_get(config, layer_feature_find(config->kind, feature->stands_for));
}

/* The feature came later and says what files without it mean. */
static bool is_unsaid(const struct layer_config *config, const struct feature *feature)
{
    return feature->since > 1 &&
           (layer_get(config, feature) == feature->missing || is_stood_for(config, feature));
}

/* No feature that came later says anything. */
static bool is_early(const struct layer_config *config)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    bool is_early = true;
    for (int i = 0; i < descriptor->feature_count; i++)
        is_early &= descriptor->features[i].since <= 1 ||
                    is_unsaid(config, &descriptor->features[i]);
    return is_early;
}

uint64_t layer_hash(const struct layer_config *config)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    const bool has_former_name = descriptor->former_name && is_early(config);
    uint64_t hash = hash_text(HASH_SEED,
                              has_former_name ? descriptor->former_name : descriptor->name);
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const int32_t value = layer_get(config, feature);
        if (is_unsaid(config, feature))
            continue;
        hash = hash_text(hash, feature->name);
        hash = feature->choice ? hash_text(hash, choice_name(feature->choice, value))
                               : hash_integer(hash, value);
    }
    return hash_mix(hash);
}
