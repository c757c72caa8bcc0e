#include "sweep/sweep.h"

#include "base/clock.h"
#include "layers/describe.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Draws of one kind, taken from the device in blocks if it can draw. */
struct drawn {
    struct layer_config *configs; /* (DRAWN_BLOCK) */
    enum stratum *strata;
    int64_t first, count;
};
enum { DRAWN_BLOCK = 4096 };

/* A sweep under way. */
struct run {
    const struct sweep_options *options;
    struct sweep_report *report;
    struct dataset *dataset;
    struct worker *worker;
    int32_t device_row;
    struct visit_queue queue;
    struct drawn drawn[LAYER_KIND_COUNT];
    double started_s;
};

/* ---- report ---- */

static double seconds_of(double time_ms)
{
    return isfinite(time_ms) ? time_ms / 1e3 : 0;
}

static void count_row(struct sweep_report *report, const struct measurement *row)
{
    report->rows++;
    report->outcome_count[row->outcome]++;
    report->measuring_s += seconds_of(row->measuring_ms);
    report->warmup_s += seconds_of(row->warmup_ms);
    report->setup_s += seconds_of(row->setup_ms);
    if (isfinite(row->eager_ms)) {
        report->sampled_ms += row->median_ms;
        report->eager_ms += row->eager_ms;
    }
}

/* "3 capped, 1 unsupported": outcomes other than ok. */
static void list_outcomes(char *text, size_t size, const int64_t counts[OUTCOME_COUNT])
{
    size_t length = 0;
    text[0] = '\0';
    for (int outcome = OUTCOME_OK + 1; outcome < OUTCOME_COUNT && length < size; outcome++)
        if (counts[outcome] > 0)
            length += (size_t)snprintf(text + length, size - length, ", %lld %s",
                                       (long long)counts[outcome],
                                       choice_name(&choice_outcome, outcome));
}

static double spent_s(const struct run *run)
{
    return run->report->earlier_s + run->report->seconds;
}

/* After the last round, time that is left goes to the least certain configs. */
static void name_round(char *text, size_t size, const struct run *run)
{
    if (run->queue.round < run->options->rounds)
        snprintf(text, size, "round %d of %d", run->queue.round + 1, run->options->rounds);
    else
        snprintf(text, size, "refining");
}

static void show_progress(const struct run *run)
{
    const struct sweep_report *report = run->report;
    const double rate = (double)report->rows / fmax(report->seconds, 1e-3);
    char outcomes[160], round[40];
    if (!run->options->progress)
        return;
    list_outcomes(outcomes, sizeof outcomes, run->queue.outcome_count);
    name_round(round, sizeof round, run);
    progress_update(run->options->progress, visit_queue_done(&run->queue, spent_s(run)), 1,
                    "%s, %lld configs, %.*f rounds/s%s", round,
                    (long long)visit_queue_config_count(&run->queue), rate < 100 ? 1 : 0, rate,
                    outcomes);
}

/* ---- positions and draws ---- */

/* Position p of a shard is draw p * shard_count + shard of the sweep, which belongs to kind draw %
 * domain_count and is that kind's draw draw / domain_count; with a selection, it is the chosen one
 * of SELECTION_DRAWS draws from SELECTION_DRAWS * (draw / domain_count). */
static int64_t draw_of(const struct sweep_options *options, int64_t position)
{
    return position * options->shard_count + options->shard;
}

static int64_t draws_a_visit(const struct sweep_options *options)
{
    return options->selection ? SELECTION_DRAWS : 1;
}

static int64_t sample_count(const struct sweep_options *options)
{
    const int64_t after = options->samples - options->shard;
    return after > 0 ? (after + options->shard_count - 1) / options->shard_count : 0;
}

static enum status fill_drawn(struct run *run, int which, int64_t index, struct error *error)
{
    struct drawn *drawn = &run->drawn[which];
    const int64_t first = index - index % DRAWN_BLOCK, left = (int64_t)UINT32_MAX - first;
    if (!drawn->configs) {
        TRY(ALLOCATE(&drawn->configs, DRAWN_BLOCK, "draws", error));
        TRY(ALLOCATE(&drawn->strata, DRAWN_BLOCK, "draws", error));
    }
    drawn->first = first;
    drawn->count = left < DRAWN_BLOCK ? left : DRAWN_BLOCK;
    return worker_draw(drawn->configs, drawn->strata, run->worker, &run->options->domains[which],
                       run->options->seed, (uint32_t)first, (uint32_t)drawn->count, error);
}

/* The first round takes draws in order, from the device; later rounds need them in any order. */
static enum status draw_config(struct layer_config *config, enum stratum *stratum, struct run *run,
                               int which, int64_t index, struct error *error)
{
    const struct drawn *drawn = &run->drawn[which];
    const bool is_drawn = index >= drawn->first && index < drawn->first + drawn->count;
    if (index >= UINT32_MAX)
        return FAIL(error, STATUS_USAGE, "a seed has at most 2^32 draws per kind");
    if (!worker_can_draw(run->worker) || run->options->domains[which].template_count > 0 ||
        (run->queue.round > 0 && !is_drawn))
        return sample_draw(config, stratum, &run->options->domains[which], run->options->seed,
                           (uint32_t)index, error);
    if (!is_drawn)
        TRY(fill_drawn(run, which, index, error));
    *config = drawn->configs[index - drawn->first];
    *stratum = drawn->strata[index - drawn->first];
    return STATUS_OK;
}

/* The config of draw `draw` of the sweep; *index: its number within the kind. */
static enum status pick_config(struct layer_config *config, enum stratum *stratum, int64_t *index,
                               struct run *run, int64_t draw, struct error *error)
{
    const struct sweep_options *options = run->options;
    const int which = (int)(draw % options->domain_count);
    struct layer_config configs[SELECTION_DRAWS];
    enum stratum strata[SELECTION_DRAWS];
    int chosen = 0;
    *index = draw / options->domain_count * draws_a_visit(options);
    for (int i = 0; i < draws_a_visit(options); i++)
        TRY(draw_config(&configs[i], &strata[i], run, which, *index + i, error));
    if (options->selection)
        TRY(options->selection->choose(&chosen, options->selection->payload, configs,
                                       SELECTION_DRAWS, error));
    *config = configs[chosen];
    *stratum = strata[chosen];
    *index += chosen;
    return STATUS_OK;
}

/* ---- what was measured before ---- */

/* A sweep takes its draws in order and flushes them together: no index is far above their number.
 */
enum { HOLE_LIMIT = 4096 };

static enum status not_of_this_sweep(const struct measurement *row, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "draw %lld of %s in the file does not belong to this sweep",
         (long long)row->draw, layer_descriptors[row->config.kind]->name);
    return HINT(error, STATUS_BAD_FILE, "choose another name, or add --overwrite");
}

static enum status note_done(struct run *run, const struct measurement *row, struct error *error)
{
    const struct sweep_options *options = run->options;
    int which = 0;
    while (which < options->domain_count && options->domains[which].kind != row->config.kind)
        which++;
    const bool is_draw = row->draw >= 0 && row->draw < UINT32_MAX;
    const int64_t turn = is_draw ? row->draw / draws_a_visit(options) : 0;
    const int64_t draw = turn * options->domain_count + which;
    const int64_t position = draw / options->shard_count;
    const bool is_ours = is_draw && which < options->domain_count &&
                         draw % options->shard_count == options->shard &&
                         position < (int64_t)options->done->count + HOLE_LIMIT &&
                         row->cache == options->measure.cache;
    if (!is_ours)
        return not_of_this_sweep(row, error);
    run->report->earlier_s += seconds_of(row->setup_ms) + seconds_of(row->warmup_ms) +
                              seconds_of(row->measuring_ms);
    return visit_queue_note(&run->queue, position, row, error);
}

/* Draws one config in a hundred again: a header may be forged, but then the draws do not match. */
static enum status check_done(struct run *run, const struct measurement *row, struct error *error)
{
    struct layer_config config;
    enum stratum stratum;
    for (int i = 0; i < run->options->domain_count; i++)
        if (run->options->domains[i].kind == row->config.kind)
            TRY(sample_draw(&config, &stratum, &run->options->domains[i], run->options->seed,
                            (uint32_t)row->draw, error));
    return memcmp(&config, &row->config, sizeof config) == 0 ? STATUS_OK
                                                             : not_of_this_sweep(row, error);
}

static enum status take_done(struct run *run, struct error *error)
{
    const struct dataset_rows *done = run->options->done;
    for (size_t i = 0; done && i < done->count; i++) {
        TRY(note_done(run, &done->rows[i], error));
        if (i % 100 == 0)
            TRY(check_done(run, &done->rows[i], error));
    }
    return STATUS_OK;
}

/* ---- measuring ---- */

/* The first round takes the fewest samples: all configs are measured before any is measured well.
 */
static struct measure_options options_of(const struct run *run, const struct visit *visit)
{
    struct measure_options options = run->options->measure;
    options.cap_ms /= run->options->rounds;
    if (visit->round == 0 && run->options->rounds > 1)
        options.maximum_samples = options.minimum_samples;
    return options;
}

/* Once per config: the same plan would compute the same in its later rounds. */
static bool is_to_check(const struct run *run, const struct visit *visit,
                        const struct layer_config *config)
{
    return visit->round == 0 && check_is_due(config, run->options->seed, run->options->check_every);
}

static void note_check(struct sweep_report *report, const struct check *check,
                       const struct layer_config *config)
{
    char text[256];
    report->checked += check->is_checked;
    report->incorrect += check->is_incorrect;
    report->check_s += check->ms / 1e3;
    if (!check->is_incorrect)
        return;
    describe_config(text, sizeof text, config);
    term_message(stderr, "warning: wrong result of %s: %s\n", text, check->finding);
}

static enum status measure_visit(struct run *run, const struct visit *visit, struct error *error)
{
    const struct measure_options options = options_of(run, visit);
    struct measurement row;
    struct layer_config config;
    enum stratum stratum;
    int64_t index;
    TRY(pick_config(&config, &stratum, &index, run, draw_of(run->options, visit->position), error));
    struct check check = {.is_checked = false};
    TRY(worker_measure_and_check(&row, is_to_check(run, visit, &config) ? &check : NULL,
                                 run->worker, &config, &options, error));
    note_check(run->report, &check, &config);
    row.stratum = (int32_t)stratum;
    row.draw = index;
    row.device = run->device_row;
    row.round = visit->round;
    TRY(visit_queue_note(&run->queue, visit->position, &row, error));
    TRY(dataset_append(run->dataset, &row, error));
    count_row(run->report, &row);
    return STATUS_OK;
}

static enum status measure_canary(struct run *run, struct error *error)
{
    struct canary canary;
    const double started_s = monotonic_s();
    TRY(worker_canary(&canary, run->worker, error));
    canary.device = run->device_row;
    run->report->canary_s += monotonic_s() - started_s;
    return isfinite(canary.unix_time_s) && canary.unix_time_s > 0
               ? dataset_add_canary(run->dataset, &canary, error)
               : STATUS_OK;
}

static enum status sweep_until_over(struct run *run, struct error *error)
{
    struct visit visit;
    bool is_first = true;
    for (; visit_queue_next(&visit, &run->queue, spent_s(run)); is_first = false) {
        if (is_first) // the queue has passed what earlier runs did
            progress_resume(run->options->progress, visit_queue_done(&run->queue, spent_s(run)), 1);
        if (run->report->rows % CANARY_INTERVAL == 0)
            TRY(measure_canary(run, error));
        TRY(measure_visit(run, &visit, error));
        run->report->seconds = monotonic_s() - run->started_s;
        show_progress(run);
        if (run->options->interrupted && *run->options->interrupted)
            return FAIL(error, STATUS_INTERRUPTED, "interrupted");
    }
    return run->report->rows ? measure_canary(run, error) : STATUS_OK;
}

static void begin(struct run *run)
{
    const struct sweep_options *options = run->options;
    const struct visit_queue_options wanted = {
        .samples = options->samples > 0 ? sample_count(options) : 0,
        .time_budget_s = options->time_budget_s,
        .rounds = options->rounds,
        .target_percent = 100 * options->measure.relative_ci,
        .seed = options->seed,
    };
    run->started_s = monotonic_s();
    visit_queue_begin(&run->queue, &wanted);
}

static void end(struct run *run)
{
    run->report->configs = visit_queue_config_count(&run->queue);
    memcpy(run->report->config_count, run->queue.outcome_count, sizeof run->report->config_count);
    visit_queue_free(&run->queue);
    for (int i = 0; i < LAYER_KIND_COUNT; i++) {
        free(run->drawn[i].configs);
        free(run->drawn[i].strata);
    }
}

static enum status check_options(const struct sweep_options *options, struct error *error)
{
    if (options->domain_count < 1 || (options->samples <= 0 && !(options->time_budget_s > 0)))
        return FAIL(error, STATUS_USAGE,
                    "a sweep needs a layer kind, and a number of samples or a time");
    if (options->samples > 0 && sample_count(options) == 0)
        return FAIL(error, STATUS_USAGE, "%lld samples leave nothing for shard %d of %d",
                    (long long)options->samples, options->shard + 1, options->shard_count);
    return STATUS_OK;
}

enum status sweep_run(struct sweep_report *report, struct dataset *dataset, int32_t device_row,
                      struct worker *worker, const struct sweep_options *options,
                      struct error *error)
{
    *report = (struct sweep_report){.rows = 0};
    TRY(check_options(options, error));
    struct run run = {.options = options,
                      .report = report,
                      .dataset = dataset,
                      .worker = worker,
                      .device_row = device_row};
    begin(&run);
    enum status status = take_done(&run, error);
    if (status == STATUS_OK)
        status = sweep_until_over(&run, error);
    end(&run);
    if (status == STATUS_OK)
        return dataset_flush(dataset, error);
    dataset_flush(dataset, NULL); /* keeps measured rows; the first error is reported */
    return status;
}

bool sweep_is_complete(struct sweep_report *report, const struct sweep_options *options)
{
    struct visit visit;
    struct run run = {.options = options, .report = report};
    *report = (struct sweep_report){.rows = 0};
    if (check_options(options, NULL) != STATUS_OK)
        return false;
    begin(&run);
    const bool is_complete = take_done(&run, NULL) == STATUS_OK &&
                             !visit_queue_next(&visit, &run.queue, spent_s(&run));
    end(&run);
    return is_complete;
}
