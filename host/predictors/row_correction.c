#include "predictors/row_correction.h"

#include "base/least_squares.h"

#include <math.h>
#include <stdlib.h>

static const double offset_deviation = 0.3, slope_deviation = 0.1;
static const double balance_deviation = 0.1, smooth_deviation = 0.1, noise_deviation = 0.1;
static const double smooth_distance = 1.5;
static const double least_deviation = 0.5; /* of a number: few rows may be alike by chance */
static const double shortest_ms = 1e-6;    /* a forecast of nothing has no logarithm */

enum { BALANCE, FIRST_FEATURE, NUMBER_LIMIT = FIRST_FEATURE + FEATURE_LIMIT };

/* A layer and its forecast, as the kernel sees them. */
struct place {
    double numbers[NUMBER_LIMIT]; /* BALANCE: ln FLOPs per byte; then log2 of numeric features */
    double log_ms;                /* ln of the forecast, less its mean */
    int32_t pass;
};

struct row_correction {
    double mean_log_ms;
    double means[NUMBER_LIMIT], inverse_deviations[NUMBER_LIMIT];
    int number_count;
    size_t count;
    double *weights; /* (count), behind the places */
    struct place places[];
};

/* Numbers and times as they are: neither scaled nor centred. */
static struct place place_of(int *number_count, const struct layer_config *config,
                             double predicted_ms)
{
    const struct layer_descriptor *descriptor = layer_descriptors[config->kind];
    struct place place = {.log_ms = log(fmax(predicted_ms, shortest_ms)), .pass = config->pass};
    const struct cost cost = layer_cost(config);
    int count = FIRST_FEATURE;
    place.numbers[BALANCE] = log((1 + cost.flops) / (1 + cost.bytes_read + cost.bytes_written));
    for (int i = 0; i < descriptor->feature_count; i++)
        if (!descriptor->features[i].choice)
            place.numbers[count++] = log2(fmax(layer_get(config, &descriptor->features[i]), 1));
    *number_count = count;
    return place;
}

static void standardise(struct place *place, const struct row_correction *correction)
{
    place->log_ms -= correction->mean_log_ms;
    for (int i = 0; i < correction->number_count; i++)
        place->numbers[i] = (place->numbers[i] - correction->means[i]) *
                            correction->inverse_deviations[i];
}

static double covariance(const struct place *a, const struct place *b, int number_count)
{
    double value = offset_deviation * offset_deviation +
                   slope_deviation * slope_deviation * a->log_ms * b->log_ms;
    if (a->pass != b->pass)
        return value;
    double squares = 0;
    for (int i = FIRST_FEATURE; i < number_count; i++)
        squares += (a->numbers[i] - b->numbers[i]) * (a->numbers[i] - b->numbers[i]);
    return value +
           balance_deviation * balance_deviation * a->numbers[BALANCE] * b->numbers[BALANCE] +
           smooth_deviation * smooth_deviation *
               exp(-squares / (2 * smooth_distance * smooth_distance));
}

static void find_scale(struct row_correction *correction, int number)
{
    const double count = (double)correction->count;
    double sum = 0, squares = 0;
    for (size_t row = 0; row < correction->count; row++)
        sum += correction->places[row].numbers[number];
    const double mean = sum / count;
    for (size_t row = 0; row < correction->count; row++) {
        const double difference = correction->places[row].numbers[number] - mean;
        squares += difference * difference;
    }
    correction->means[number] = mean;
    correction->inverse_deviations[number] = 1 / fmax(sqrt(squares / count), least_deviation);
}

static void find_scales(struct row_correction *correction)
{
    double sum_ms = 0;
    for (size_t row = 0; row < correction->count; row++)
        sum_ms += correction->places[row].log_ms;
    correction->mean_log_ms = sum_ms / (double)correction->count;
    for (int i = 0; i < correction->number_count; i++)
        find_scale(correction, i);
}

/* The weights, from the residuals that stand in their place. */
static enum status fit(struct row_correction *correction, struct error *error)
{
    void *memory;
    const size_t count = correction->count;
    find_scales(correction);
    for (size_t i = 0; i < count; i++)
        standardise(&correction->places[i], correction);
    TRY(error_allocate(&memory, count * count, sizeof(double), "correction", error));
    double *matrix = memory;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++)
            matrix[i * count + j] = covariance(&correction->places[i], &correction->places[j],
                                               correction->number_count);
        matrix[i * count + i] += noise_deviation * noise_deviation;
    }
    cholesky_solve(matrix, correction->weights, (int)count);
    free(matrix);
    return STATUS_OK;
}

enum status row_correction_create(struct row_correction **out,
                                  const struct measurement *const *rows, const double *predicted_ms,
                                  size_t count, struct error *error)
{
    void *memory;
    *out = NULL;
    if (count > CORRECTION_ROW_LIMIT)
        count = CORRECTION_ROW_LIMIT;
    TRY(error_allocate(
        &memory, 1, sizeof(struct row_correction) + count * (sizeof(struct place) + sizeof(double)),
        "correction", error));
    struct row_correction *correction = memory;
    *correction = (struct row_correction){.count = count};
    correction->weights = (double *)(void *)(correction->places + count);
    for (size_t i = 0; i < count; i++) {
        correction->places[i] = place_of(&correction->number_count, &rows[i]->config,
                                         predicted_ms[i]);
        correction->weights[i] = log(rows[i]->median_ms / fmax(predicted_ms[i], shortest_ms));
    }
    const enum status status = count > 0 ? fit(correction, error) : STATUS_OK;
    if (status == STATUS_OK)
        *out = correction;
    else
        free(correction);
    return status;
}

void row_correction_free(struct row_correction *correction)
{
    free(correction);
}

double row_correction_factor(const struct row_correction *correction,
                             const struct layer_config *config, double predicted_ms)
{
    int number_count;
    struct place place = place_of(&number_count, config, predicted_ms);
    standardise(&place, correction);
    double log_factor = 0;
    for (size_t i = 0; i < correction->count; i++)
        log_factor += correction->weights[i] *
                      covariance(&place, &correction->places[i], correction->number_count);
    return exp(log_factor);
}
