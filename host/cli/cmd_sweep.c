#include "cli/cli.h"
#include "cli/device_choice.h"
#include "cli/sweep_request.h"
#include "cli/sweep_result.h"

#include "base/scratch_file.h"
#include "bench/device_identity.h"
#include "layers/describe.h"
#include "sweep/identity.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_DRAWS = 10, ARGUMENT_LIMIT = 16 };

/* ---- --dry-run ---- */

/* Time of a sweep of slow layers: per config the cap, and per round warm-up and 5 ms of setup. */
static double longest_s(const struct sweep_options *wanted, double configs)
{
    const double config_ms = wanted->rounds * (wanted->measure.warmup_ms + 5) +
                             wanted->measure.cap_ms;
    return configs * config_ms / 1e3;
}

/* Prints the request above the draws, only in text form: other forms stay one document. */
static void print_request(const struct sweep_request *request, const struct settings *settings)
{
    const struct sweep_options *wanted = &request->options;
    char time[HUMAN_TEXT_SIZE];
    if (settings->format != TABLE_TEXT)
        return;
    printf("%s%s%s%s\n", request->header.domain, request->header.protocol,
           *request->header.shard ? ", shard " : "", request->header.shard);
    if (wanted->samples > 0)
        printf("%lld configs, about %s at most\n", (long long)wanted->samples,
               human_text(time, SCALE_S,
                          longest_s(wanted, (double)wanted->samples / wanted->shard_count), 0));
    if (wanted->time_budget_s > 0)
        printf("time budget %s\n", human_text(time, SCALE_S, wanted->time_budget_s, 0));
    printf("\n");
}

static enum status print_draws(const struct sweep_request *request, const struct settings *settings,
                               struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "draw"},
        {.name = "stratum"},
        {.name = "flops", .title = "work", .scale = SCALE_FLOP},
        {.name = "memory_bytes", .title = "memory", .scale = SCALE_BYTES},
        {.name = "config"}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int i = 0; i < SHOWN_DRAWS; i++) {
        struct layer_config config;
        enum stratum stratum;
        char text[512];
        const int draw = i * request->options.shard_count + request->options.shard;
        const struct sample_domain *domain = &request->domains[draw % request->domain_count];
        enum status status = sample_draw(&config, &stratum, domain, (uint64_t)settings->seed,
                                         (uint32_t)(draw / request->domain_count), error);
        if (status != STATUS_OK) {
            table_free(table);
            return status;
        }
        describe_config(text, sizeof text, &config);
        table_integer(table, draw / request->domain_count);
        table_string(table, choice_name(&choice_stratum, stratum));
        table_number(table, layer_cost(&config).flops);
        table_integer(table, layer_cost(&config).memory_bytes);
        table_string(table, text);
    }
    return cli_print_table(table, settings->format, error);
}

/* Limits of the device; where it is missing (on a cluster's front end) those of a processor. */
static struct sweep_limits limits_here(const struct settings *settings)
{
    struct device_options wanted = device_options_of(settings);
    struct device *device;
    struct device_info info = {.thread_count = 1};
    struct error reason;
    wanted.arena_bytes = 1 << 20;
    enum status status = device_open(&device, device_name_of(settings), &wanted, &reason);
    if (status == STATUS_OK) {
        status = device->backend->describe(device, false, &info, &reason);
        device_close(device);
    }
    if (status != STATUS_OK && !settings->quiet &&
        (isnan(settings->max_flops) || isnan(settings->max_memory_bytes)))
        fprintf(stderr, "note: limits of a processor thread, the device has others: %s\n",
                reason.message);
    return sweep_limits_of(&info);
}

static enum status print_plan(struct sweep_request *request, const struct settings *settings,
                              struct error *error)
{
    const struct sweep_limits limits = limits_here(settings);
    TRY(sweep_request_limit(request, settings, &limits, error));
    print_request(request, settings);
    return print_draws(request, settings, error);
}

/* ---- the file: new, or resumed ---- */

/* Unless --cache is given a sweep goes on as it began. */
static void keep_cache(struct sweep_request *request, const struct dataset_rows *done,
                       const struct settings *settings)
{
    const char *path = settings->output;
    const int32_t begun = done->device_count > 0 ? done->devices[0].cache : CACHE_HOT;
    if (settings->cache >= 0 || begun == request->options.measure.cache)
        return;
    request->options.measure.cache = begun;
    if (!settings->quiet)
        fprintf(stderr, "note: '%s' was begun with --cache %s, which it keeps\n", path,
                choice_name(&choice_cache, begun));
}

/* So are its draws what they were. */
static void keep_sampler(struct sweep_request *request, const struct dataset_rows *done)
{
    for (int i = 0; i < request->domain_count; i++)
        request->domains[i].is_first = sweep_is_first(&done->header);
}

/* The limits are those of the file, whatever the device: its draws continue. */
static const char *difference_from(const struct dataset_rows *done, struct sweep_request *request,
                                   const struct settings *settings)
{
    struct sweep_limits limits = {NAN, NAN};
    sweep_limits_read(&limits, done->header.domain);
    if (sweep_request_limit(request, settings, &limits, NULL) != STATUS_OK)
        return "--max-flops or --max-memory";
    return sweep_difference(&done->header, &request->header);
}

/* STATUS_USAGE unless the file belongs to the same sweep. */
static enum status read_earlier(struct dataset_rows *done, struct sweep_request *request,
                                const struct settings *settings, struct error *error)
{
    struct error reason;
    const char *path = settings->output;
    TRY(scratch_file_check_unused(path, error));
    const enum status status = dataset_read_rounds(done, path, &reason);
    if (status == STATUS_OK) {
        keep_cache(request, done, settings);
        keep_sampler(request, done);
    }
    const char *what = status == STATUS_OK ? difference_from(done, request, settings) : NULL;
    if (status == STATUS_OK && !what)
        return STATUS_OK;
    if (what)
        FAIL(error, STATUS_USAGE, "'%s' belongs to a different sweep: different %s", path, what);
    else
        FAIL(error, STATUS_USAGE, "'%s' exists and is not a sweep that can be resumed (%.300s)",
             path, reason.message);
    dataset_rows_free(done);
    return HINT(error, STATUS_USAGE, "choose another name, or add --overwrite");
}

static enum status same_device(const struct dataset_rows *done, const struct device_info *info,
                               const char *path, struct error *error)
{
    if (done->device_count == 1 && device_is_same(&done->devices[0], info))
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "'%s' holds rows of device '%s', not of '%s'", path,
         done->device_count ? done->devices[0].name : "none", info->name);
    return HINT(error, STATUS_USAGE, "choose another name, or add --overwrite");
}

static enum status open_dataset(struct dataset **dataset, int32_t *device_row,
                                const struct dataset_rows *done,
                                const struct sweep_request *request, const struct device_info *info,
                                const struct settings *settings, struct error *error)
{
    *device_row = 0;
    if (done)
        return dataset_resume(dataset, settings->output, done, error);
    TRY(dataset_create(dataset, settings->output, &request->header, settings->overwrite, true,
                       error));
    const enum status status = dataset_add_device(*dataset, info, device_row, error);
    if (status != STATUS_OK)
        dataset_close(*dataset);
    return status;
}

/* ---- running ---- */

/* This program again, as the worker. numbers: room for texts. */
static void fill_command(const char *command[ARGUMENT_LIMIT], char numbers[2][32],
                         const struct settings *settings)
{
    int count = 0;
    command[count++] = "/proc/self/exe";
    command[count++] = "worker";
    if (settings->device) {
        command[count++] = "--device";
        command[count++] = settings->device;
    }
    snprintf(numbers[0], 32, "--seed=%lld", (long long)settings->seed);
    command[count++] = numbers[0];
    snprintf(numbers[1], 32, "--threads=%lld", (long long)settings->threads);
    if (settings->threads > 0)
        command[count++] = numbers[1];
    if (settings->autotune)
        command[count++] = "--autotune";
    command[count] = NULL;
}

static enum status measure_into(struct sweep_report *report, struct dataset *dataset,
                                int32_t device_row, struct worker *worker,
                                struct sweep_options wanted, const struct settings *settings,
                                struct error *error)
{
    struct progress progress;
    wanted.progress = &progress;
    wanted.interrupted = &cli_interrupted;
    progress_begin(&progress, stderr, settings->quiet);
    const enum status status = sweep_run(report, dataset, device_row, worker, &wanted, error);
    progress_end(&progress);
    TRY(status);
    return dataset_finish(dataset, error);
}

/* The worker's device, with the sweep's state of the caches. */
static struct device_info device_of(const struct worker *worker,
                                    const struct sweep_request *request)
{
    struct device_info info = *worker_device(worker);
    info.cache = request->options.measure.cache;
    return info;
}

static enum status sweep_with(struct sweep_report *report, struct worker *worker,
                              const struct sweep_request *request, const struct dataset_rows *done,
                              const struct settings *settings, struct error *error)
{
    struct dataset *dataset;
    struct sweep_options wanted = request->options;
    int32_t device_row;
    wanted.done = done;
    const struct device_info info = device_of(worker, request);
    TRY(open_dataset(&dataset, &device_row, done, request, &info, settings, error));
    const enum status status = measure_into(report, dataset, device_row, worker, wanted, settings,
                                            error);
    dataset_close(dataset);
    int64_t failures;
    const char *failure = worker_failure(&failures, worker);
    if (failures > 0 && !settings->quiet)
        fprintf(stderr, "epochcast: the worker failed %lld times, last with: %s\n",
                (long long)failures, failure);
    return status;
}

/* Continues with the file's rows, if they are of this device and incomplete. */
static enum status go_on_with(struct sweep_report *report, struct worker *worker,
                              const struct sweep_request *request, const struct dataset_rows *done,
                              const struct settings *settings, struct error *error)
{
    struct sweep_options wanted = request->options;
    wanted.done = done;
    const struct device_info info = device_of(worker, request);
    TRY(same_device(done, &info, settings->output, error));
    const bool is_complete = !done->is_growing && sweep_is_complete(report, &wanted);
    if (is_complete && !settings->quiet)
        fprintf(stderr, "epochcast: '%s' is complete; --overwrite measures it again\n",
                settings->output);
    if (is_complete)
        return STATUS_OK;
    if (!settings->quiet)
        fprintf(stderr, "epochcast: resuming '%s' after %zu rows\n", settings->output, done->count);
    return sweep_with(report, worker, request, done, settings, error);
}

/* A new sweep has the limits of its device. */
static enum status begin_with(struct sweep_report *report, struct worker *worker,
                              struct sweep_request *request, const struct settings *settings,
                              struct error *error)
{
    const struct sweep_limits limits = sweep_limits_of(worker_device(worker));
    TRY(sweep_request_limit(request, settings, &limits, error));
    return sweep_with(report, worker, request, NULL, settings, error);
}

static enum status start_and_sweep(struct sweep_report *report, struct sweep_request *request,
                                   const struct dataset_rows *done, const struct settings *settings,
                                   struct error *error)
{
    const char *command[ARGUMENT_LIMIT];
    char numbers[2][32];
    struct worker *worker;
    fill_command(command, numbers, settings);
    const struct worker_options wanted = {
        .command = command, .grace_s = isnan(settings->timeout_s) ? 0 : settings->timeout_s};
    TRY(worker_start(&worker, &wanted, error));
    const enum status status = done ? go_on_with(report, worker, request, done, settings, error)
                                    : begin_with(report, worker, request, settings, error);
    worker_close(worker);
    return status;
}

static enum status run_sweep(struct sweep_report *report, struct sweep_request *request,
                             const struct settings *settings, struct error *error)
{
    struct dataset_rows done;
    if (settings->overwrite || access(settings->output, F_OK) != 0)
        return start_and_sweep(report, request, NULL, settings, error);
    TRY(read_earlier(&done, request, settings, error));
    const enum status status = start_and_sweep(report, request, &done, settings, error);
    dataset_rows_free(&done);
    return status;
}

static enum status measure(struct sweep_request *request, const struct settings *settings,
                           struct error *error)
{
    struct sweep_report report = {0};
    if (!settings->output)
        return FAIL(error, STATUS_USAGE, "sweep needs -O FILE (or --dry-run)");
    cli_catch_signals("layer", "the rows written so far are safe, the same command resumes");
    const enum status status = run_sweep(&report, request, settings, error);
    if (status == STATUS_INTERRUPTED)
        error_hint(error, "the rows so far are in '%s'; resume: %.400s", settings->output,
                   settings->command_line);
    TRY(status);
    TRY(sweep_result_print(&report, settings, error));
    return sweep_result_judge(&report, settings, error);
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct sweep_request request;
    TRY(sweep_request_make(&request, settings, error));
    cli_note_threads(settings);
    enum status status;
    if (settings->dry_run)
        status = print_plan(&request, settings, error);
    else
        status = measure(&request, settings, error);
    sweep_request_free(&request);
    return status;
}

static const char *const takes[] = {
    "device",        "layer",     "configs",        "time-budget", "seed",      "set",
    "threads",       "cap-ms",    "cache",          "dry-run",     "output",    "overwrite",
    "licence",       "citation",  "target-percent", "autotune",    "rounds",    "shard",
    "from-networks", "dimension", "active",         "timeout",     "max-flops", "max-memory",
    "check-every",   NULL};
static const struct option_help helps[] = {
    {"rounds", "N",
     "rounds over all configs, each in its own order; then, as time is left, the "
     "least certain configs again (default: 3)"},
    {"layer", "KINDS", "layer kinds to time, in turns, separated by commas (default: all)"},
    {"output", "DATA.h5", "dataset to write; an unfinished one of the same sweep is resumed"},
    {NULL, NULL, NULL}};
const struct command command_sweep = {
    .name = "sweep",
    .summary = "time randomly drawn layers on a device and write a dataset",
    .operands = "",
    .examples =
        "  epochcast sweep --time-budget 60s --seed 1 -O cpu.h5\n"
        "  epochcast sweep --layer conv2d --set kernel_size=3,5 --set image_size=7..56 -n 500 -O "
        "conv.h5\n"
        "  epochcast sweep --from-networks vgg16,resnet50 -n 3000 --cap-ms 50 -O nets.h5\n"
        "  epochcast sweep --active model.h5 --time-budget 10m -O more.h5\n"
        "  epochcast sweep -n 50000 --shard 2/8 -O part2.h5\n"
        "  epochcast sweep --layer dense --set stratum=log_uniform --dry-run\n",
    .options = takes,
    .helps = helps,
    .writes = FILE_DATASET,
    .resumes = true,
    .run = run,
};
