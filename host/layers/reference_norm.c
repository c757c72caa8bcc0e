#include "layers/reference_norm.h"

#include <math.h>

static const double epsilon = 1e-5;

/* ---- the elements of a group ---- */

static void read_block(struct norm_block *block, struct reference *reference,
                       const struct norm_group *group, bool with_gradients, int64_t first,
                       int64_t position)
{
    int64_t places[REFERENCE_BLOCK], scales[REFERENCE_BLOCK];
    for (int i = 0; i < block->count; i++) {
        places[i] = first + (position + i) * group->step;
        scales[i] = norm_scale(group, position + i);
    }
    reference_read(block->inputs, NULL, reference, VALUE_INPUT, places, block->count);
    if (!with_gradients)
        return;
    reference_read(block->gradients, block->sizes, reference, VALUE_PRODUCT_GRADIENT, places,
                   block->count);
    if (group->scale_step < group->length)
        reference_read(block->scales, NULL, reference, VALUE_WEIGHTS, scales, block->count);
}

void norm_each(struct reference *reference, const struct norm_group *group, bool with_gradients,
               norm_take *take, void *payload)
{
    struct norm_block block;
    if (with_gradients && group->scale_step >= group->length) {
        const double scale = reference_read_one(reference, VALUE_WEIGHTS, group->first_scale);
        for (int i = 0; i < REFERENCE_BLOCK; i++)
            block.scales[i] = scale;
    }
    for (int64_t segment = 0; segment < group->segments; segment++)
        for (int64_t at = 0; at < group->length; at += REFERENCE_BLOCK) {
            const int64_t left = group->length - at;
            block.count = (int)(left < REFERENCE_BLOCK ? left : REFERENCE_BLOCK);
            read_block(&block, reference, group, with_gradients,
                       group->first + segment * group->segment_step, at);
            take(payload, &block);
        }
}

/* ---- statistics ---- */

struct moments {
    double sum, squares;
};

static void take_moments(void *payload, const struct norm_block *block)
{
    struct moments *moments = payload;
    for (int i = 0; i < block->count; i++) {
        moments->sum += block->inputs[i];
        moments->squares += block->inputs[i] * block->inputs[i];
    }
}

void norm_statistics(struct reference *reference, const struct norm_group *group)
{
    struct reference_statistics *statistics = &reference->statistics;
    struct moments moments = {0, 0};
    const double count = norm_group_size(group);
    if (statistics->group == group->id)
        return;
    norm_each(reference, group, false, take_moments, &moments);
    statistics->group = group->id;
    statistics->mean = group->has_mean ? moments.sum / count : 0;
    const double variance = fmax(0, moments.squares / count - statistics->mean * statistics->mean);
    statistics->inverse = 1 / sqrt(variance + epsilon);
    statistics->size = group->has_mean ? sqrt(moments.squares) / count + fabs(statistics->mean) : 0;
}

void norm_given_statistics(struct reference *reference, const struct norm_group *group)
{
    const double mean = reference_read_one(reference, VALUE_MEAN, group->id);
    const double variance = reference_read_one(reference, VALUE_VARIANCE, group->id);
    reference->statistics.mean = mean;
    reference->statistics.inverse = 1 / sqrt(variance + epsilon);
    reference->statistics.size = fabs(mean);
}

/* ---- elements ---- */

void norm_output(struct reference_sum *sum, struct reference *reference,
                 const struct norm_group *group, int64_t index, int64_t parameter)
{
    const struct reference_statistics *at = &reference->statistics;
    const double input = reference_read_one(reference, VALUE_INPUT, index);
    const double scale = reference_read_one(reference, VALUE_WEIGHTS, parameter);
    const double normal = (input - at->mean) * at->inverse;
    reference_add(sum, normal * scale, scale * normal);
    if (group->has_mean) {
        const double shift = reference_read_one(reference, VALUE_WEIGHTS,
                                                group->parameter_count + parameter);
        reference_add(sum, shift, shift);
    }
    reference_add(sum, 0, scale * at->inverse * input);
    reference_add(sum, 0, scale * at->inverse * at->size);
    sum->count += norm_group_size(group);
}

/* Sums over a group of h = gradient * scale, and of h times the normal input. */
struct gradient_sums {
    const struct reference_statistics *at;
    struct reference_sum plain, product;
};

static void take_gradients(void *payload, const struct norm_block *block)
{
    struct gradient_sums *sums = payload;
    for (int i = 0; i < block->count; i++) {
        const double h = block->gradients[i] * block->scales[i];
        const double size = block->sizes[i] * block->scales[i];
        const double normal = (block->inputs[i] - sums->at->mean) * sums->at->inverse;
        reference_add(&sums->plain, h, size);
        reference_add(&sums->product, h * normal, size * normal);
    }
}

/* The sums of a group by its size, and their sizes. */
static void sum_gradients(struct reference *reference, const struct norm_group *group)
{
    struct reference_statistics *at = &reference->statistics;
    struct gradient_sums sums = {.at = at};
    const double count = norm_group_size(group);
    if (at->gradient_group == group->id)
        return;
    norm_each(reference, group, true, take_gradients, &sums);
    at->gradient_group = group->id;
    at->gradient_sum = sums.plain.sum / count;
    at->gradient_product = sums.product.sum / count;
    at->gradient_sum_size = (sqrt(sums.plain.squares) + fabs(sums.plain.sum)) / count;
    at->gradient_product_size = (sqrt(sums.product.squares) + fabs(sums.product.sum)) / count;
}

void norm_input_gradient(struct reference_sum *sum, struct reference *reference,
                         const struct norm_group *group, int64_t index, int64_t parameter)
{
    const struct reference_statistics *at = &reference->statistics;
    double gradient, size;
    sum_gradients(reference, group);
    reference_read(&gradient, &size, reference, VALUE_PRODUCT_GRADIENT, &index, 1);
    const double scale = reference_read_one(reference, VALUE_WEIGHTS, parameter);
    const double input = reference_read_one(reference, VALUE_INPUT, index);
    const double normal = (input - at->mean) * at->inverse;
    reference_add(sum, at->inverse * gradient * scale, at->inverse * size * scale);
    if (group->has_mean)
        reference_add(sum, -at->inverse * at->gradient_sum, at->inverse * at->gradient_sum_size);
    reference_add(sum, -at->inverse * normal * at->gradient_product,
                  at->inverse * fmax(fabs(normal), fabs(input) * at->inverse) *
                      at->gradient_product_size);
    sum->count += norm_group_size(group);
}
