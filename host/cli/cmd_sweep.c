#include "cli/cli.h"
#include "cli/device_choice.h"
#include "cli/provenance.h"

#include "data/sweep.h"
#include "layers/describe.h"

#include <math.h>
#include <string.h>

enum { SHOWN_DRAWS = 10 };
static const double default_budget_s = 60;

/* Seconds; 0: as long as --samples takes. */
static double budget_of(const struct settings *settings)
{
    if (!isnan(settings->time_budget_s))
        return settings->time_budget_s;
    return settings->samples > 0 ? 0 : default_budget_s;
}

struct plan_of_sweep {
    struct sample_domain domains[LAYER_KIND_COUNT];
    int domain_count;
};

static enum status add_kind(void *payload, const char *name, struct error *error)
{
    struct plan_of_sweep *plan = payload;
    enum layer_kind kind;
    TRY(cli_layer_kind(&kind, name, error));
    for (int i = 0; i < plan->domain_count; i++)
        if (plan->domains[i].kind == kind)
            return FAIL(error, STATUS_USAGE, "layer '%s' is named twice", name);
    sample_domain_default(&plan->domains[plan->domain_count++], kind);
    return STATUS_OK;
}

static enum status apply_sets(struct plan_of_sweep *plan, const struct settings *settings,
                              struct error *error)
{
    for (int i = 0; i < settings->set_count; i++) {
        bool any = false;
        for (int j = 0; j < plan->domain_count; j++) {
            bool applied;
            TRY(sample_domain_set(&plan->domains[j], settings->set[i], &applied, error));
            any |= applied;
        }
        if (!any)
            return FAIL(error, STATUS_USAGE, "--set %s: no layer of this sweep has that feature",
                        settings->set[i]);
    }
    return STATUS_OK;
}

static enum status make_plan(struct plan_of_sweep *plan, const struct settings *settings,
                             struct error *error)
{
    plan->domain_count = 0;
    if (settings->layer)
        TRY(cli_each_item(settings->layer, add_kind, plan, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT && !settings->layer; kind++)
        TRY(add_kind(plan, layer_descriptors[kind]->name, error));
    TRY(apply_sets(plan, settings, error));
    for (int i = 0; i < plan->domain_count; i++) {
        struct layer_config config;
        enum stratum stratum;
        TRY(sample_draw(&config, &stratum, &plan->domains[i], (uint64_t)settings->seed, 0, error));
    }
    return STATUS_OK;
}

/* What would run, above the draws: the text form alone, so that the others stay one document. */
static void print_plan(const struct dataset_header *header, const struct settings *settings)
{
    const double cap_ms = measure_options_of(settings).cap_ms;
    if (settings->form != TABLE_TEXT)
        return;
    fputs(header->domain, stdout);
    if (settings->samples > 0)
        printf("%lld configs, at most %.4g s of timed work\n", (long long)settings->samples,
               (double)settings->samples * cap_ms / 1e3);
    if (budget_of(settings) > 0)
        printf("time budget %.4g s, at most %.4g ms of timed work a config\n", budget_of(settings),
               cap_ms);
    printf("\n");
}

static enum status print_draws(const struct plan_of_sweep *plan, const struct settings *settings,
                               struct error *error)
{
    static const struct table_column columns[] = {
        {"draw", 0}, {"stratum", 0}, {"flops", 4}, {"memory_bytes", 0}, {"config", 0}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < SHOWN_DRAWS; i++) {
        struct layer_config config;
        enum stratum stratum;
        char text[512];
        const struct sample_domain *domain = &plan->domains[i % plan->domain_count];
        enum status status = sample_draw(&config, &stratum, domain, (uint64_t)settings->seed,
                                         (uint32_t)(i / plan->domain_count), error);
        if (status != STATUS_OK) {
            table_free(table);
            return status;
        }
        describe_config(text, sizeof text, &config);
        table_integer(table, i / plan->domain_count);
        table_string(table, choice_name(&choice_stratum, stratum));
        table_number(table, layer_cost(&config).flops);
        table_integer(table, layer_cost(&config).memory_bytes);
        table_string(table, text);
    }
    return cli_print_table(table, settings, error);
}

static void describe_domain(struct dataset_header *header, const struct plan_of_sweep *plan,
                            const struct settings *settings)
{
    snprintf(header->sampler, sizeof header->sampler, "sobol32-scrambled stratified v1");
    size_t length = 0, size = sizeof header->domain;
    for (int i = 0; i < plan->domain_count && length < size; i++)
        length += (size_t)snprintf(header->domain + length, size - length,
                                   "layer %s: memory <= %.0f bytes, flops <= %.3g\n",
                                   layer_descriptors[plan->domains[i].kind]->name,
                                   plan->domains[i].memory_limit_bytes,
                                   plan->domains[i].flops_limit);
    for (int i = 0; i < settings->set_count && length < size; i++)
        length += (size_t)snprintf(header->domain + length, size - length, "set %s\n",
                                   settings->set[i]);
}

static enum status print_report(const struct sweep_report *report, const struct settings *settings,
                                struct error *error)
{
    static const struct table_column columns[] = {{"rows", 0},
                                                  {"ok", 0},
                                                  {"capped", 0},
                                                  {"slow", 0},
                                                  {"out_of_memory", 0},
                                                  {"unsupported", 0},
                                                  {"seconds", 4},
                                                  {"rows_per_minute", 5},
                                                  {"measuring_percent", 3},
                                                  {"warmup_percent", 3},
                                                  {"setup_percent", 3},
                                                  {"other_percent", 3},
                                                  {"launch_gap_percent", 3}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    double spent_s = report->measuring_s + report->warmup_s + report->setup_s;
    double percent = 100 / fmax(report->seconds, spent_s); // the fake device only simulates time
    table_integer(table, report->rows);
    for (int outcome = OUTCOME_OK; outcome <= OUTCOME_UNSUPPORTED; outcome++)
        table_integer(table, report->outcome_count[outcome]);
    table_number(table, report->seconds);
    table_number(table, 60 * (double)report->rows / report->seconds);
    table_number(table, percent * report->measuring_s);
    table_number(table, percent * report->warmup_s);
    table_number(table, percent * report->setup_s);
    table_number(table, fmax(0, 100 - percent * spent_s));
    table_number(table, report->eager_ms > 0
                            ? 100 * fmax(0, 1 - report->sampled_ms / report->eager_ms)
                            : NAN); // of an eager call's time
    return cli_print_table(table, settings, error);
}

static enum status sweep_into(struct sweep_report *report, struct dataset *dataset,
                              struct device *device, struct plan_of_sweep *plan,
                              const struct settings *settings, struct error *error)
{
    struct progress progress;
    struct device_info info;
    int32_t device_row;
    const struct sweep_options wanted = {.domains = plan->domains,
                                         .domain_count = plan->domain_count,
                                         .samples = settings->samples > 0 ? settings->samples : 0,
                                         .time_budget_s = budget_of(settings),
                                         .seed = (uint64_t)settings->seed,
                                         .measure = measure_options_of(settings),
                                         .progress = &progress,
                                         .interrupted = &cli_interrupted};
    TRY(device->backend->describe(device, true, &info, error));
    TRY(dataset_add_device(dataset, &info, &device_row, error));
    progress_begin(&progress, stderr, settings->quiet);
    enum status status = sweep_run(report, dataset, device_row, device, &wanted, error);
    progress_end(&progress);
    TRY(status);
    return dataset_finish(dataset, error);
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct plan_of_sweep plan;
    struct device *device;
    struct dataset *dataset;
    struct dataset_header header;
    struct sweep_report report = {0};
    TRY(make_plan(&plan, settings, error));
    cli_catch_signals(); // before the backend starts threads: they inherit the mask
    fill_header(&header, settings);
    describe_domain(&header, &plan, settings);
    if (settings->dry_run) {
        print_plan(&header, settings);
        return print_draws(&plan, settings, error);
    }
    if (!settings->output)
        return FAIL(error, STATUS_USAGE, "sweep needs -O FILE (or --dry-run)");
    TRY(open_device(&device, settings, error));
    enum status status = dataset_create(&dataset, settings->output, &header, settings->overwrite,
                                        true, error);
    if (status == STATUS_OK) {
        status = sweep_into(&report, dataset, device, &plan, settings, error);
        dataset_close(dataset);
    }
    device_close(device);
    if (status == STATUS_INTERRUPTED)
        error_hint(error, "the %lld rows so far are in %s", (long long)report.rows,
                   settings->output);
    TRY(status);
    return print_report(&report, settings, error);
}

static const char *const takes[] = {
    "device",  "layer",    "samples",        "time-budget", "seed",   "set",
    "threads", "cap-ms",   "cache",          "dry-run",     "output", "overwrite",
    "licence", "citation", "target-percent", "autotune",    NULL};
const struct command command_sweep = {
    .name = "sweep",
    .summary = "time randomly drawn layers on a device, into a dataset",
    .operands = "",
    .examples =
        "  epochcast sweep --time-budget 60s --seed 1 -O cpu.h5\n"
        "  epochcast sweep --layer conv2d --set kernel_size=3,5 --set image_size=7..56 -n 500 -O "
        "conv.h5\n"
        "  epochcast sweep --layer dense --set stratum=log_uniform --dry-run\n",
    .options = takes,
    .run = run,
};
