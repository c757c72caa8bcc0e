#include "predictors/operator_answer.h"

#include <math.h>

static bool has_products(const struct layer_work *work)
{
    for (int i = 0; i < work->operation_count; i++)
        if (work->operations[i].type == OPERATION_PRODUCT)
            return true;
    return false;
}

/* By the kind's smallest layer: all layers of a kind do the same sort of work. */
static bool kind_has_products(enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    struct layer_config config;
    struct layer_work work;
    layer_begin(&config, kind);
    for (int i = 0; i < descriptor->feature_count; i++)
        layer_set(&config, &descriptor->features[i], descriptor->features[i].minimum);
    layer_work(&work, &config);
    return has_products(&work);
}

struct mean {
    double log_sum;
    int count;
};

static void mean_add(struct mean *mean, double ms)
{
    if (isnan(ms))
        return;
    mean->log_sum += log(ms);
    mean->count++;
}

double operator_ms(const struct baseline_law *law, const void *const *states,
                   const struct layer_question *question, const struct device_info *device)
{
    const bool is_product = has_products(question->work);
    struct mean alike = {0, 0}, all = {0, 0};
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        if (!states[kind])
            continue;
        const double ms = law->forecast_ms(states[kind], question, device);
        mean_add(&all, ms);
        if (kind_has_products((enum layer_kind)kind) == is_product)
            mean_add(&alike, ms);
    }
    const struct mean *used = alike.count > 0 ? &alike : &all;
    return used->count > 0 ? exp(used->log_sum / used->count) : NAN;
}
