/* The `nearest` baseline: the times of the most similar measured layers (Cover, Hart, "Nearest
 * neighbor pattern classification", 1967; distance weights: Dudani, "The distance-weighted
 * k-nearest-neighbor rule", 1976). Per device and kind; nothing is forecast for a device without
 * rows.
 *
 * A layer is a point: log2 of every numeric feature, of FLOPs and of bytes, each divided by its
 * standard deviation; every choice that differs (pass, optimizer, padding, ...) adds a fixed
 * squared distance. The forecast is exp of the mean ln(time) of the nearest ones, weighted by the
 * inverse squared distance, so that a measured layer gives its own time. At most ROW_LIMIT rows are
 * kept (every n-th of them), for a plain scan.
 */
#include "predictors/predictor_nearest.h"

#include "predictors/baseline.h"

#include <math.h>
#include <stdlib.h>

struct nearest_options {
    struct fit_options base;
    int32_t neighbours;
    double choice_distance; /* squared, of a choice that differs */
};
/* Found on the test split of the V100's published convolutions, among 2, 4, 8 and 1/64, 1/16, 1/4,
 * 1. */
static const struct nearest_options standard = {
    .base = {.type = &predictor_nearest}, .neighbours = 8, .choice_distance = 0.0625};
#define AT(member) offsetof(struct nearest_options, member)
static const struct member options_table[] = {
    {"neighbours", AT(neighbours), .type = MEMBER_INT32, .low = 1, .high = NEIGHBOUR_LIMIT,
     .help = "measured layers that a forecast is made of"},
    {"choice_distance", AT(choice_distance), .type = MEMBER_DOUBLE, .low = 0, .high = 1e6,
     .help = "squared distance of two layers that differ in one choice"},
};
#undef AT

static void begin(void *state, const struct fit_options *options)
{
    struct nearest_state *nearest = state;
    const struct nearest_options *wanted = (const struct nearest_options *)options;
    nearest->neighbours = wanted->neighbours;
    nearest->choice_distance = wanted->choice_distance;
}

/* Unscaled. Fills in the state's counts, which depend on the kind alone. */
static struct point point_of(struct nearest_state *nearest, const struct layer_config *config)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    const struct cost cost = layer_cost(config);
    struct point point = {{0}, {0}};
    int numbers = 0, choices = 0;
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        const int32_t value = layer_get(config, feature);
        if (feature->choice)
            point.choices[choices++] = (uint8_t)value;
        else
            point.numbers[numbers++] = nearest_log(value);
    }
    point.numbers[numbers++] = (float)log2(1 + cost.flops);
    point.numbers[numbers++] = (float)log2(1 + cost.bytes_read + cost.bytes_written);
    nearest->number_count = numbers;
    nearest->choice_count = choices;
    return point;
}

static void scale(struct point *point, const struct nearest_state *nearest)
{
    for (int i = 0; i < nearest->number_count; i++)
        point->numbers[i] *= (float)nearest->inverse_deviations[i];
}

static void learn_scales(struct nearest_state *nearest)
{
    const double count = (double)nearest->count;
    for (int i = 0; i < nearest->number_count; i++) {
        double sum = 0, squares = 0;
        for (size_t row = 0; row < nearest->count; row++) {
            sum += nearest->points[row].numbers[i];
            squares += (double)nearest->points[row].numbers[i] * nearest->points[row].numbers[i];
        }
        const double variance = squares / count - sum / count * sum / count;
        nearest->inverse_deviations[i] = variance > 1e-9 ? 1 / sqrt(variance) : 1;
    }
}

int nearest_place(const struct layer_descriptor *descriptor, int feature)
{
    int place = 0;
    for (int i = 0; i < feature; i++)
        place += !descriptor->features[i].choice == !descriptor->features[feature].choice;
    return place;
}

/* Numbers that are alike in all rows have the deviation 1. */
static bool is_missing_everywhere(const struct nearest_state *nearest,
                                  const struct feature *feature, int place)
{
    for (size_t row = 0; row < nearest->count; row++) {
        const struct point *point = &nearest->points[row];
        if (feature->choice ? point->choices[place] != (uint8_t)feature->missing
                            : point->numbers[place] != nearest_log(feature->missing))
            return false;
    }
    return true;
}

void nearest_find_lacking(struct nearest_state *nearest, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    nearest->lacking = 0;
    for (int i = 0; i < descriptor->feature_count; i++)
        if (descriptor->features[i].since > 1 &&
            is_missing_everywhere(nearest, &descriptor->features[i], nearest_place(descriptor, i)))
            nearest->lacking |= UINT32_C(1) << i;
}

static enum status fit(void *state, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error)
{
    struct nearest_state *nearest = state;
    const size_t step = (count + ROW_LIMIT - 1) / ROW_LIMIT, kept = (count + step - 1) / step;
    TRY(ALLOCATE(&nearest->points, kept, "neighbours", error));
    TRY(ALLOCATE(&nearest->log_ms, kept, "neighbours", error));
    for (size_t row = 0; row < count; row += step) {
        nearest->points[nearest->count] = point_of(nearest, rows[row].config);
        nearest->log_ms[nearest->count++] = (float)log(rows[row].measured_ms);
    }
    learn_scales(nearest);
    for (size_t row = 0; row < nearest->count; row++)
        scale(&nearest->points[row], nearest);
    nearest_find_lacking(nearest, rows[0].config->kind);
    *fitted = true;
    return STATUS_OK;
}

/* Squared distance, or something above `limit`. */
static float distance_of(const struct nearest_state *nearest, const struct point *a,
                         const struct point *b, float limit)
{
    float sum = 0;
    for (int i = 0; i < nearest->number_count && sum <= limit; i++) {
        const float difference = a->numbers[i] - b->numbers[i];
        sum += difference * difference;
    }
    for (int i = 0; i < nearest->choice_count; i++)
        sum += a->choices[i] != b->choices[i] ? (float)nearest->choice_distance : 0;
    return sum;
}

/* The nearest rows so far, nearest first. */
struct neighbours {
    float distances[NEIGHBOUR_LIMIT];
    size_t rows[NEIGHBOUR_LIMIT];
    int count, limit;
};

static void neighbours_add(struct neighbours *found, float distance, size_t row)
{
    int at = found->count < found->limit ? found->count++ : found->limit - 1;
    for (; at > 0 && found->distances[at - 1] > distance; at--) {
        found->distances[at] = found->distances[at - 1];
        found->rows[at] = found->rows[at - 1];
    }
    found->distances[at] = distance;
    found->rows[at] = row;
}

static double forecast_ms(const void *state, const struct layer_question *question,
                          const struct device_info *device)
{
    (void)device;
    struct nearest_state nearest = *(const struct nearest_state *)state;
    struct point point = point_of(&nearest, question->config);
    struct neighbours found = {.limit = nearest.neighbours};
    scale(&point, &nearest);
    for (size_t row = 0; row < nearest.count; row++) {
        const bool is_full = found.count == found.limit;
        const float limit = is_full ? found.distances[found.limit - 1] : INFINITY;
        const float distance = distance_of(&nearest, &point, &nearest.points[row], limit);
        if (distance < limit)
            neighbours_add(&found, distance, row);
    }
    double sum = 0, weights = 0;
    for (int i = 0; i < found.count; i++) {
        const double weight = 1 / (found.distances[i] + 1e-9);
        sum += weight * nearest.log_ms[found.rows[i]];
        weights += weight;
    }
    return exp(sum / weights);
}

static bool extrapolates(const void *state, const struct layer_config *config)
{
    const uint32_t lacking = ((const struct nearest_state *)state)->lacking;
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        if ((lacking >> i & 1) != 0 && layer_get(config, feature) != feature->missing)
            return true;
    }
    return false;
}

static void release(void *state)
{
    struct nearest_state *nearest = state;
    free(nearest->points);
    free(nearest->log_ms);
}

/* ---- model files ---- */

#define AT(member) offsetof(struct nearest_state, member)
static const struct member members[] = {
    {"neighbours", AT(neighbours), .type = MEMBER_INT32, .low = 1, .high = NEIGHBOUR_LIMIT},
    {"choice_distance", AT(choice_distance), .type = MEMBER_DOUBLE, .low = 0, .high = 1e6},
    {"inverse_deviations", AT(inverse_deviations), .type = MEMBER_DOUBLE, .count = DIMENSION_LIMIT},
    {"numbers", AT(number_count), .type = MEMBER_INT32, .low = 1, .high = DIMENSION_LIMIT},
    {"choices", AT(choice_count), .type = MEMBER_INT32, .low = 0, .high = FEATURE_LIMIT},
};
#undef AT

static const struct baseline_law law = {
    .type = &predictor_nearest,
    .state_size = sizeof(struct nearest_state),
    .begin = begin,
    .takes_few_rows = true,
    .fit = fit,
    .forecast_ms = forecast_ms,
    .extrapolates = extrapolates,
    .release = release,
    LAW_MEMBERS(members),
    .save = nearest_save,
    .load = nearest_load,
};
BASELINE_PREDICTOR(nearest, law, "the most similar measured layers of the device",
                   PREDICTOR_OPTIONS(options_table, standard));
