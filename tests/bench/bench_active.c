/* Does it pay to measure where the model is unsure? Measured rows as an oracle: from the same
 * start, one dataset grows by random rows, the other by those of eight of which the
 * ensemble's nets disagree most; both are judged on the validation split. A line a step.
 */
#include "data/dataset.h"
#include "data/split.h"
#include "evaluate/active_selection.h"
#include "evaluate/evaluate.h"
#include "predictors/mlp_options.h"
#include "trainer/trainer.h"

#include "base/philox.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = SELECTION_DRAWS };

struct options {
    const char *path;
    long start, add, steps, ensemble, seeds, threads;
};

/* Rows that may be bought, the bought ones first. */
struct market {
    struct dataset_rows all;    /* owns the rows */
    struct dataset_rows bought; /* (pool_count): views and copies */
    size_t *pool;               /* (pool_count), indices into all: train and test split */
    size_t pool_count;
    struct dataset_rows judges; /* validation split */
    uint64_t seed;
    uint32_t draws;
};

static void stop_at(enum status status, const struct error *error)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "bench_active: %s\n", error->message);
    exit(EXIT_FAILURE);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (!memory)
        exit(EXIT_FAILURE);
    return memory;
}

static void open_market(struct market *market, const char *path)
{
    struct error error;
    stop_at(dataset_read(&market->all, &path, 1, &error), &error);
    market->pool = allocate(market->all.count, sizeof *market->pool);
    market->bought = market->judges = market->all;
    market->bought.rows = allocate(market->all.count, sizeof(struct measurement));
    market->judges.rows = allocate(market->all.count, sizeof(struct measurement));
    market->judges.count = 0;
    for (size_t i = 0; i < market->all.count; i++) {
        const struct measurement *row = &market->all.rows[i];
        if (!measurement_is_timed(row))
            continue;
        if (split_of(&row->config) == SPLIT_VALIDATION)
            market->judges.rows[market->judges.count++] = *row;
        else
            market->pool[market->pool_count++] = i;
    }
}

static size_t random_below(struct market *market, size_t count)
{
    const uint32_t word = philox(market->draws++, 0, 0, PHILOX_STRATUM, market->seed).word[0];
    return (size_t)(((uint64_t)word * count) >> 32);
}

/* Moves a pool entry to the bought ones. */
static void buy(struct market *market, size_t position)
{
    const size_t count = market->bought.count, index = market->pool[position];
    market->pool[position] = market->pool[count];
    market->pool[count] = index;
    market->bought.rows[market->bought.count++] = market->all.rows[index];
}

static size_t random_position(struct market *market)
{
    return market->bought.count + random_below(market, market->pool_count - market->bought.count);
}

static size_t widest_position(struct market *market, const struct predictor *predictor)
{
    size_t positions[CANDIDATES], best = 0;
    struct layer_config configs[CANDIDATES];
    struct prediction forecasts[CANDIDATES];
    struct error error;
    for (size_t i = 0; i < CANDIDATES; i++) {
        positions[i] = random_position(market);
        configs[i] = market->all.rows[market->pool[positions[i]]].config;
    }
    stop_at(predict_configs(forecasts, predictor, configs, CANDIDATES, NULL, &error), &error);
    for (size_t i = 1; i < CANDIDATES; i++)
        if (forecast_doubt(&forecasts[i]) > forecast_doubt(&forecasts[best]))
            best = i;
    return positions[best];
}

static struct predictor *train(const struct market *market, const struct options *options)
{
    struct error error;
    struct mlp_options fit;
    struct predictor *predictor;
    stop_at(mlp_options_preset(&fit, "default", &error), &error);
    fit.ensemble = (int32_t)options->ensemble;
    fit.seed = market->seed;
    fit.threads = (int)options->threads;
    fit.trainer = &trainer_host;
    stop_at(predictor_mlp.fit(&predictor, &market->bought, &fit.base, NULL, &error), &error);
    return predictor;
}

static void judge(const struct market *market, const struct predictor *predictor, bool active)
{
    struct evaluation evaluation;
    struct error error;
    stop_at(evaluate_predictor(&evaluation, predictor, &market->judges, -1, &error), &error);
    const struct stats_errors *errors = &evaluation.rows[0].errors;
    printf("{\"sampling\": \"%s\", \"seed\": %llu, \"rows\": %zu, \"mape_percent\": %.4g, "
           "\"p90_ape_percent\": %.4g, \"rmse_ms\": %.4g}\n",
           active ? "active" : "random", (unsigned long long)market->seed, market->bought.count,
           errors->mape_percent, errors->p90_ape_percent, errors->rmse_ms);
    fflush(stdout);
    evaluation_free(&evaluation);
}

static void grow(struct market *market, const struct options *options, bool active)
{
    struct predictor *predictor = NULL;
    for (long step = 0; step <= options->steps; step++) {
        const long count = step ? options->add : options->start;
        for (long i = 0; i < count && market->bought.count + CANDIDATES < market->pool_count; i++)
            buy(market,
                active && predictor ? widest_position(market, predictor) : random_position(market));
        if (predictor)
            predictor->type->free(predictor);
        predictor = train(market, options);
        judge(market, predictor, active);
    }
    predictor->type->free(predictor);
}

/* Both start with the same rows: the pool is in the same order, the draws are the same. */
static void compare(struct market *market, const struct options *options, uint64_t seed)
{
    size_t *order = allocate(market->pool_count, sizeof *order);
    memcpy(order, market->pool, market->pool_count * sizeof *order);
    for (int active = 0; active < 2; active++) {
        memcpy(market->pool, order, market->pool_count * sizeof *order);
        market->seed = seed;
        market->draws = 0;
        market->bought.count = 0;
        grow(market, options, active);
    }
    free(order);
}

static bool parse(struct options *options, int count, char **arguments)
{
    const struct {
        const char *name;
        long *value;
    } known[] = {{"--start", &options->start}, {"--add", &options->add},
                 {"--steps", &options->steps}, {"--ensemble", &options->ensemble},
                 {"--seeds", &options->seeds}, {"--threads", &options->threads}};
    options->path = count > 1 ? arguments[1] : NULL;
    for (int i = 2; i + 1 < count; i += 2)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (strcmp(arguments[i], known[k].name) == 0)
                *known[k].value = strtol(arguments[i + 1], NULL, 10);
    return options->path && count % 2 == 0;
}

int main(int argument_count, char **arguments)
{
    struct options options = {
        .start = 300, .add = 300, .steps = 5, .ensemble = 4, .seeds = 3, .threads = 1};
    struct market market = {.seed = 0};
    if (!parse(&options, argument_count, arguments)) {
        fputs("usage: bench_active DATA.h5 [--start N] [--add N] [--steps N] [--ensemble K] "
              "[--seeds N] [--threads N]\n"
              "DATA.h5 has rows of one layer kind and one device\n",
              stderr);
        return STATUS_USAGE;
    }
    open_market(&market, options.path);
    for (long seed = 1; seed <= options.seeds; seed++)
        compare(&market, &options, (uint64_t)seed);
    free(market.bought.rows);
    free(market.judges.rows);
    free(market.pool);
    dataset_rows_free(&market.all);
    return EXIT_SUCCESS;
}
