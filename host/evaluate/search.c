#include "evaluate/search.h"

#include "base/philox.h"
#include "data/split.h"
#include "evaluate/evaluate.h"
#include "predictors/predictor_mlp.h"
#include "predictors/row_selection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_SHARE = 3, RUNG_LIMIT = 3 }; /* a third advances; rungs of 1/9, 1/3, all epochs */
enum { TRIALS_AT_ONCE = 8 };             /* each has its own encoded rows in memory */

/* ---- drawing ---- */

enum draw {
    DRAW_LAYERS,
    DRAW_WIDTH,
    DRAW_TAPER,
    DRAW_ACTIVATION,
    DRAW_DROPOUT,
    DRAW_L2,
    DRAW_LOSS,
    DRAW_RATE,
    DRAW_BETA2,
    DRAW_DECAY,
    DRAW_BATCH,
};

struct drawer {
    uint64_t seed;
    uint32_t trial;
};

static double uniform(const struct drawer *drawer, enum draw draw)
{
    return (double)philox_uniform(
        philox(drawer->trial, (uint32_t)draw, 0, PHILOX_SEARCH, drawer->seed).word[0]);
}

static int pick(const struct drawer *drawer, enum draw draw, int count)
{
    const int index = (int)(uniform(drawer, draw) * count);
    return index < count ? index : count - 1;
}

static float log_uniform(const struct drawer *drawer, enum draw draw, double low, double high)
{
    return (float)(low * pow(high / low, uniform(drawer, draw)));
}

/* One width, or the paper's shape: doubling towards it. */
static void draw_hidden(struct mlp_options *options, const struct drawer *drawer)
{
    static const int32_t widths[] = {32, 64, 96, 128, 192, 256};
    enum { WIDTH_COUNT = sizeof widths / sizeof *widths, LAYERS = 6, NARROWEST = 16 };
    const int32_t width = widths[pick(drawer, DRAW_WIDTH, WIDTH_COUNT)];
    const bool tapers = pick(drawer, DRAW_TAPER, 3) == 0;
    options->several_hidden_count = 0;
    options->hidden_count = 1 + pick(drawer, DRAW_LAYERS, LAYERS);
    for (int i = 0; i < options->hidden_count; i++) {
        const int32_t narrow = width >> (options->hidden_count - 1 - i);
        options->hidden[i] = !tapers ? width : narrow > NARROWEST ? narrow : NARROWEST;
    }
}

static void draw_recipe(struct mlp_options *options, const struct drawer *drawer)
{
    static const float dropouts[] = {0, 0, 0.05f, 0.1f, 0.2f};
    static const float penalties[] = {0, 0, 1e-6f, 1e-5f, 1e-4f}; /* L2 */
    static const float scales[] = {0.05f, 0.1f, 0.3f};            /* of log-cosh; else squared */
    static const int32_t batches[] = {64, 128, 256, 512};
    struct train_options *train = &options->train;
    draw_hidden(options, drawer);
    options->activation = pick(drawer, DRAW_ACTIVATION, choice_mlp_activation.count);
    train->dropout = dropouts[pick(drawer, DRAW_DROPOUT, 5)];
    train->l2 = penalties[pick(drawer, DRAW_L2, 5)];
    const int loss = pick(drawer, DRAW_LOSS, 4);
    train->loss = loss < 3 ? LOSS_LOG_COSH : LOSS_SQUARED;
    train->loss_scale = loss < 3 ? scales[loss] : 0;
    train->learning_rate = log_uniform(drawer, DRAW_RATE, 1e-3, 3e-2);
    train->beta2 = pick(drawer, DRAW_BETA2, 2) ? 0.999f : 0.99f;
    train->weight_decay = log_uniform(drawer, DRAW_DECAY, 1e-2, 0.5);
    train->batch_size = batches[pick(drawer, DRAW_BATCH, 4)];
}

/* ---- trying ---- */

/* Geometric means over the kinds, for rows of all passes (and devices). */
static enum status score(struct search_trial *trial, const struct predictor *predictor,
                         const struct dataset_rows *rows, struct error *error)
{
    struct evaluation evaluation;
    double mape = 0, rmse = 0;
    int kinds = 0, last_kind = -1;
    TRY(evaluate_predictor(&evaluation, predictor, rows, SPLIT_TEST, error));
    for (size_t i = 0; i < evaluation.count; i++) {
        const struct evaluation_row *row = &evaluation.rows[i];
        if (row->layer == last_kind) /* the first entry of a kind is that of all its rows */
            continue;
        last_kind = row->layer;
        mape += log(row->errors.mape_percent);
        rmse += log(row->errors.rmse_ms);
        kinds++;
    }
    evaluation_free(&evaluation);
    trial->mape_percent = exp(mape / kinds);
    trial->rmse_ms = exp(rmse / kinds);
    return STATUS_OK;
}

/* Scores the predictor trained with the trial's recipe. */
static enum status finish_trial(struct search_trial *trial, struct mlp_fitting *fitting,
                                const struct dataset_rows *rows)
{
    if (fitting->status != STATUS_OK)
        return fitting->status;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        trial->seconds += fitting->reports[kind].seconds;
    const enum status status = score(trial, fitting->predictor, rows, &fitting->error);
    fitting->predictor->type->free(fitting->predictor);
    return status;
}

/* Trains the recipes of `count` trials side by side, for `share` of base's epochs, and scores them.
 * statuses and errors (count): of each. */
static enum status try_recipes(struct search_trial *trials, enum status *statuses,
                               struct error *errors, int count, const struct dataset_rows *rows,
                               const struct mlp_options *base, double share, struct error *error)
{
    struct mlp_fitting fittings[TRIALS_AT_ONCE] = {{0}};
    struct fit_report reports[TRIALS_AT_ONCE][LAYER_KIND_COUNT];
    for (int i = 0; i < count; i++) {
        trials[i].options.epoch_share = share;
        trials[i].options.minimum_steps = (int32_t)(share * base->minimum_steps);
        trials[i].mape_percent = trials[i].rmse_ms = INFINITY;
        /* Not as one literal: gcc 12 at -O3 splits the loop and clears the rest of it last. */
        fittings[i].rows = rows;
        fittings[i].options = &trials[i].options;
        fittings[i].reports = reports[i];
    }
    enum status status = mlp_predictors_fit(fittings, count, error);
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        statuses[i] = finish_trial(&trials[i], &fittings[i], rows);
        errors[i] = fittings[i].error;
    }
    return status;
}

static int compare_trials(const void *first, const void *second)
{
    const struct search_trial *a = first, *b = second;
    if (a->rung != b->rung)
        return a->rung > b->rung ? -1 : 1;
    return (a->mape_percent > b->mape_percent) - (a->mape_percent < b->mape_percent);
}

/* A recipe that cannot be trained (its loss diverged) only ranks last; at least one must train. */
static enum status run_rung(struct search *search, int count, int32_t rung, double share,
                            const struct dataset_rows *rows, const struct mlp_options *base,
                            struct error *error)
{
    int failed = 0;
    for (int first = 0; first < count; first += TRIALS_AT_ONCE) {
        const int left = count - first, wave = left < TRIALS_AT_ONCE ? left : TRIALS_AT_ONCE;
        struct search_trial *trials = search->trials + first;
        enum status statuses[TRIALS_AT_ONCE];
        struct error errors[TRIALS_AT_ONCE];
        const enum status status = try_recipes(trials, statuses, errors, wave, rows, base, share,
                                               error);
        for (int i = 0; i < wave && status == STATUS_OK; i++) {
            trials[i].rung = rung;
            failed += statuses[i] == STATUS_FAILED;
            if (statuses[i] == STATUS_OK || (statuses[i] == STATUS_FAILED && failed < count))
                continue;
            if (error)
                *error = errors[i];
            return statuses[i];
        }
        TRY(status);
    }
    qsort(search->trials, (size_t)search->count, sizeof *search->trials, compare_trials);
    return STATUS_OK;
}

static void draw_trials(struct search *search, const struct mlp_options *base)
{
    for (int i = 0; i < search->count; i++) {
        const struct drawer drawer = {base->seed, (uint32_t)i};
        search->trials[i] = (struct search_trial){.options = *base};
        search->trials[i].options.ensemble = 1;
        search->trials[i].options.fine_tune[0] = '\0';
        search->trials[i].options.last_share = 0; /* test rows rank */
        search->trials[i].options.folds = 0;
        if (i > 0)
            draw_recipe(&search->trials[i].options, &drawer);
    }
}

/* Without folds a kind of few rows cannot be trained: the others rank the recipes. With none of
 * them left all stay, and training says what is missing. The caller frees kept->rows. */
static enum status keep_trainable(struct dataset_rows *kept, const struct dataset_rows *rows,
                                  struct error *error)
{
    size_t counts[LAYER_KIND_COUNT] = {0};
    *kept = *rows;
    kept->count = 0;
    TRY(ALLOCATE(&kept->rows, rows->count, "rows of a search", error));
    for (size_t i = 0; i < rows->count; i++)
        counts[rows->rows[i].config.kind] += row_is_usable(&rows->rows[i]) &&
                                             split_of(&rows->rows[i].config) == SPLIT_TRAIN;
    for (size_t i = 0; i < rows->count; i++)
        if (counts[rows->rows[i].config.kind] >= TRAIN_ROWS_MINIMUM)
            kept->rows[kept->count++] = rows->rows[i];
    if (kept->count > 0)
        return STATUS_OK;
    memcpy(kept->rows, rows->rows, rows->count * sizeof *rows->rows);
    kept->count = rows->count;
    return STATUS_OK;
}

static enum status run_rungs(struct search *search, const struct dataset_rows *rows,
                             const struct mlp_options *base, int count, struct error *error)
{
    int rungs = 1;
    for (int left = count; left >= KEPT_SHARE && rungs < RUNG_LIMIT; left /= KEPT_SHARE)
        rungs++;
    for (int rung = 0; rung < rungs; rung++) {
        TRY(run_rung(search, count, rung, pow(KEPT_SHARE, rung - rungs + 1), rows, base, error));
        count = (count + KEPT_SHARE - 1) / KEPT_SHARE;
    }
    return STATUS_OK;
}

enum status search_run(struct search *search, const struct dataset_rows *rows,
                       const struct mlp_options *base, int count, struct error *error)
{
    struct dataset_rows kept;
    *search = (struct search){.count = count};
    TRY(ALLOCATE(&search->trials, (unsigned long)count, "search", error));
    draw_trials(search, base);
    enum status status = keep_trainable(&kept, rows, error);
    if (status == STATUS_OK)
        status = run_rungs(search, &kept, base, count, error);
    free(kept.rows);
    if (status != STATUS_OK)
        search_free(search);
    return status;
}

void search_free(struct search *search)
{
    free(search->trials);
    *search = (struct search){0};
}

struct mlp_options search_recipe(const struct search_trial *trial, const struct mlp_options *base)
{
    struct mlp_options recipe = trial->options;
    recipe.ensemble = base->ensemble;
    recipe.minimum_steps = base->minimum_steps;
    recipe.last_share = base->last_share;
    recipe.epoch_share = base->epoch_share;
    recipe.folds = base->folds;
    memcpy(recipe.fine_tune, base->fine_tune, sizeof recipe.fine_tune);
    return recipe;
}
