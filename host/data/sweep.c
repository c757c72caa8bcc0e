#include "data/sweep.h"

#include <math.h>
#include <stdbool.h>

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

/* Draw i belongs to kind i % domain_count and is that kind's draw i / domain_count. */
static enum status measure_draw(struct measurement *row, int64_t draw, struct device *device,
                                const struct sweep_options *options, struct error *error)
{
    const struct sample_domain *domain = &options->domains[draw % options->domain_count];
    const int64_t index = draw / options->domain_count;
    struct layer_config config;
    enum stratum stratum;
    if (index > UINT32_MAX)
        return FAIL(error, STATUS_USAGE, "a seed has no more than 2^32 draws of a kind");
    TRY(sample_draw(&config, &stratum, domain, options->seed, (uint32_t)index, error));
    TRY(measure_config(row, device, &config, &options->measure, error));
    device->backend->reset(device);
    row->stratum = (int32_t)stratum;
    row->draw = index;
    return STATUS_OK;
}

static enum status sweep_until_over(struct sweep_report *report, struct dataset *dataset,
                                    int32_t device_row, struct device *device,
                                    const struct sweep_options *options, struct error *error)
{
    const double started_s = monotonic_s();
    for (int64_t draw = 0; !is_over(report, options); draw++) {
        struct measurement row;
        TRY(measure_draw(&row, draw, device, options, error));
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

enum status sweep_run(struct sweep_report *report, struct dataset *dataset, int32_t device_row,
                      struct device *device, const struct sweep_options *options,
                      struct error *error)
{
    *report = (struct sweep_report){.rows = 0};
    if (options->domain_count < 1 || (options->samples <= 0 && !(options->time_budget_s > 0)))
        return FAIL(error, STATUS_USAGE,
                    "a sweep needs a layer, and a number of samples or a time");
    const enum status status = sweep_until_over(report, dataset, device_row, device, options,
                                                error);
    if (status == STATUS_OK)
        return dataset_flush(dataset, error);
    dataset_flush(dataset, NULL); /* what was measured is kept; the first error is told */
    return status;
}
