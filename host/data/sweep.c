#include "data/sweep.h"

#include <stdbool.h>

static bool is_over(const struct sweep_report *report, const struct sweep_options *options)
{
    return (options->samples && report->rows >= options->samples) ||
           (options->time_budget_s > 0 && report->seconds >= options->time_budget_s);
}

static void count_row(struct sweep_report *report, const struct measurement *row)
{
    report->rows++;
    report->outcome_count[row->outcome]++;
    report->measuring_s += row->measuring_ms / 1e3;
    report->warmup_s += row->warmup_ms / 1e3;
    report->setup_s += row->setup_ms / 1e3;
}

static void show_progress(const struct sweep_report *report, const struct sweep_options *options)
{
    double by_count = options->samples ? (double)report->rows / (double)options->samples : 0;
    double by_time = options->time_budget_s > 0 ? report->seconds / options->time_budget_s : 0;
    if (options->progress)
        progress_update(options->progress, by_count > by_time ? by_count : by_time, 1,
                        "%lld configs, %.0f a minute, %lld capped", (long long)report->rows,
                        60 * (double)report->rows / (report->seconds + 1e-9),
                        (long long)report->outcome_count[OUTCOME_CAPPED]);
}

/* Draw i belongs to kind i % domain_count and is that kind's draw i / domain_count. */
static enum status measure_draw(struct measurement *row, int64_t draw, struct device *device,
                                const struct sweep_options *options, struct error *error)
{
    const struct sample_domain *domain = &options->domains[draw % options->domain_count];
    int64_t index = draw / options->domain_count;
    struct layer_config config;
    enum stratum stratum;
    TRY(sample_draw(&config, &stratum, domain, options->seed, (uint32_t)index, error));
    TRY(measure_config(row, device, &config, &options->measure, error));
    device->backend->reset(device);
    row->stratum = (int32_t)stratum;
    row->draw = index;
    return STATUS_OK;
}

enum status sweep_run(struct sweep_report *report, struct dataset *dataset, int32_t device_row,
                      struct device *device, const struct sweep_options *options,
                      struct error *error)
{
    double started_s = monotonic_s();
    *report = (struct sweep_report){.rows = 0};
    for (int64_t draw = 0; !is_over(report, options); draw++) {
        struct measurement row;
        TRY(measure_draw(&row, draw, device, options, error));
        row.device = device_row;
        TRY(dataset_append(dataset, &row, error));
        count_row(report, &row);
        report->seconds = monotonic_s() - started_s;
        show_progress(report, options);
        if (options->interrupted && *options->interrupted) {
            TRY(dataset_flush(dataset, error));
            return FAIL(error, STATUS_INTERRUPTED, "interrupted");
        }
    }
    return dataset_flush(dataset, error);
}
