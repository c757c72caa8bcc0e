#include "data/sweep.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { DRAWN_BLOCK = 4096 };

static bool is_over(const struct sweep_report *report, const struct sweep_options *options)
{
    return (options->samples > 0 && report->rows >= options->samples) ||
           (options->time_budget_s > 0 && report->seconds >= options->time_budget_s);
}

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

/* "3 capped, 1 unsupported": what did not go smoothly. */
static void list_outcomes(char *text, size_t size, const struct sweep_report *report)
{
    size_t length = 0;
    text[0] = '\0';
    for (int outcome = OUTCOME_OK + 1; outcome < OUTCOME_COUNT && length < size; outcome++)
        if (report->outcome_count[outcome] > 0)
            length += (size_t)snprintf(text + length, size - length, ", %lld %s",
                                       (long long)report->outcome_count[outcome],
                                       choice_name(&choice_outcome, outcome));
}

static void show_progress(const struct sweep_report *report, const struct sweep_options *options)
{
    char outcomes[160];
    if (!options->progress)
        return;
    const double by_count = options->samples > 0 ? (double)report->rows / (double)options->samples
                                                 : 0;
    const double by_time = options->time_budget_s > 0 ? report->seconds / options->time_budget_s
                                                      : 0;
    list_outcomes(outcomes, sizeof outcomes, report);
    progress_update(options->progress, fmax(by_count, by_time), 1, "%lld rows, %.1f rows/s%s",
                    (long long)report->rows, (double)report->rows / fmax(report->seconds, 1e-3),
                    outcomes);
}

/* Draws of one kind, taken from the device a block at a time where it can draw. */
struct drawn {
    struct layer_config *configs; /* (DRAWN_BLOCK) */
    enum stratum *strata;
    int64_t first, count;
};

static enum status fill_drawn(struct drawn *drawn, int64_t index, struct device *device,
                              const struct sample_domain *domain, uint64_t seed,
                              struct error *error)
{
    int64_t left = (int64_t)UINT32_MAX - index;
    drawn->first = index;
    drawn->count = left < DRAWN_BLOCK ? left : DRAWN_BLOCK;
    return device->backend->draw(device, drawn->configs, drawn->strata, domain, seed,
                                 (uint32_t)index, (uint32_t)drawn->count, error);
}

static enum status draw_config(struct layer_config *config, enum stratum *stratum,
                               struct drawn *drawn, int64_t index, struct device *device,
                               const struct sample_domain *domain, uint64_t seed,
                               struct error *error)
{
    if (!device->backend->draw)
        return sample_draw(config, stratum, domain, seed, (uint32_t)index, error);
    if (index < drawn->first || index >= drawn->first + drawn->count)
        TRY(fill_drawn(drawn, index, device, domain, seed, error));
    *config = drawn->configs[index - drawn->first];
    *stratum = drawn->strata[index - drawn->first];
    return STATUS_OK;
}

/* Draw i belongs to kind i % domain_count and is that kind's draw i / domain_count. */
static enum status measure_draw(struct measurement *row, struct drawn *drawn, int64_t draw,
                                struct device *device, const struct sweep_options *options,
                                struct error *error)
{
    const struct sample_domain *domain = &options->domains[draw % options->domain_count];
    const int64_t index = draw / options->domain_count;
    struct layer_config config;
    enum stratum stratum;
    if (index >= UINT32_MAX)
        return FAIL(error, STATUS_USAGE, "a seed has no more than 2^32 draws of a kind");
    TRY(draw_config(&config, &stratum, &drawn[draw % options->domain_count], index, device, domain,
                    options->seed, error));
    TRY(measure_config(row, device, &config, &options->measure, error));
    device->backend->reset(device);
    row->stratum = (int32_t)stratum;
    row->draw = index;
    return STATUS_OK;
}

static enum status sweep_until_over(struct sweep_report *report, struct dataset *dataset,
                                    int32_t device_row, struct device *device,
                                    const struct sweep_options *options, struct drawn *drawn,
                                    struct error *error)
{
    const double started_s = monotonic_s();
    for (int64_t draw = 0; !is_over(report, options); draw++) {
        struct measurement row;
        TRY(measure_draw(&row, drawn, draw, device, options, error));
        row.device = device_row;
        TRY(dataset_append(dataset, &row, error));
        count_row(report, &row);
        report->seconds = monotonic_s() - started_s;
        show_progress(report, options);
        if (options->interrupted && *options->interrupted)
            return FAIL(error, STATUS_INTERRUPTED, "interrupted");
    }
    return STATUS_OK;
}

static enum status allocate_drawn(struct drawn *drawn, struct error *error)
{
    void *configs, *strata;
    TRY(error_allocate(&configs, DRAWN_BLOCK, sizeof *drawn->configs, "drawn configs", error));
    drawn->configs = configs;
    TRY(error_allocate(&strata, DRAWN_BLOCK, sizeof *drawn->strata, "drawn configs", error));
    drawn->strata = strata;
    return STATUS_OK;
}

static enum status draw_and_measure(struct sweep_report *report, struct dataset *dataset,
                                    int32_t device_row, struct device *device,
                                    const struct sweep_options *options, struct error *error)
{
    struct drawn drawn[LAYER_KIND_COUNT] = {{0}};
    enum status status = STATUS_OK;
    for (int i = 0; i < options->domain_count && status == STATUS_OK && device->backend->draw; i++)
        status = allocate_drawn(&drawn[i], error);
    if (status == STATUS_OK)
        status = sweep_until_over(report, dataset, device_row, device, options, drawn, error);
    for (int i = 0; i < LAYER_KIND_COUNT; i++) {
        free(drawn[i].configs);
        free(drawn[i].strata);
    }
    return status;
}

enum status sweep_run(struct sweep_report *report, struct dataset *dataset, int32_t device_row,
                      struct device *device, const struct sweep_options *options,
                      struct error *error)
{
    *report = (struct sweep_report){.rows = 0};
    if (options->domain_count < 1 || (options->samples <= 0 && !(options->time_budget_s > 0)))
        return FAIL(error, STATUS_USAGE,
                    "a sweep needs a layer, and a number of samples or a time");
    const enum status status = draw_and_measure(report, dataset, device_row, device, options,
                                                error);
    if (status == STATUS_OK)
        return dataset_flush(dataset, error);
    dataset_flush(dataset, NULL); /* what was measured is kept; the first error is told */
    return status;
}
