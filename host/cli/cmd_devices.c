#include "cli/cli.h"

#include "bench/backend.h"

static const struct table_column columns[] = {
    {.name = "device"},
    {.name = "name"},
    {.name = "technology"},
    {.name = "library"},
    {.name = "connectivity"},
    {.name = "device_count", .title = "devices"},
    {.name = "thread_count", .title = "threads"},
    {.name = "memory_bytes", .title = "memory", .scale = SCALE_BYTES},
    {.name = "cache_bytes", .title = "cache", .scale = SCALE_BYTES},
    {.name = "clock_mhz", .digits = 4, .title = "clock", .scale = SCALE_MHZ},
    {.name = "core_count", .title = "cores", .scale = SCALE_NUMBER},
    {.name = "peak_gflops", .digits = 4, .title = "peak", .scale = SCALE_GFLOPS},
    {.name = "bandwidth_gbps", .digits = 4, .title = "bandwidth", .scale = SCALE_GBPS},
    {.name = "measured_copy_gbps", .digits = 4, .title = "measured copy", .scale = SCALE_GBPS},
    {.name = "measured_sgemm_gflops",
     .digits = 4,
     .title = "measured sgemm",
     .scale = SCALE_GFLOPS},
    {.name = "measured_call_latency_us", .title = "measured call", .scale = SCALE_US},
};

static void add_row(struct table *table, const char *device, const struct device_info *info)
{
    table_string(table, device);
    table_string(table, info->name);
    table_string(table, info->technology);
    table_string(table, info->library);
    table_string(table, info->connectivity);
    table_integer(table, info->device_count);
    table_integer(table, info->thread_count);
    table_integer(table, info->memory_bytes);
    table_integer(table, info->cache_bytes);
    table_number(table, info->clock_mhz);
    table_number(table, info->core_count);
    table_number(table, info->peak_gflops);
    table_number(table, info->bandwidth_gbps);
    table_number(table, info->measured_copy_gbps);
    table_number(table, info->measured_sgemm_gflops);
    table_number(table, info->measured_call_latency_us);
}

static enum status add_device(struct table *table, const char *name,
                              const struct settings *settings, struct error *error)
{
    struct device *device;
    struct device_info info;
    const struct device_options wanted = {
        .thread_count = settings->threads > 0 ? (int)settings->threads : 0};
    TRY(device_open(&device, name, &wanted, error));
    enum status status = device->backend->describe(device, !settings->no_measure, &info, error);
    device_close(device);
    if (status == STATUS_OK)
        add_row(table, name, &info);
    return status;
}

/* The requested device, or all devices; stderr names backends that cannot run here. */
static enum status add_devices(struct table *table, const struct settings *settings,
                               struct error *error)
{
    if (settings->device)
        return add_device(table, settings->device, settings, error);
    for (int i = 0; backends[i]; i++) {
        int count = 0;
        struct error reason = {0};
        if (backends[i]->device_count(&count, &reason) != STATUS_OK && !settings->quiet)
            fprintf(stderr, "%s\n", reason.message);
        for (int index = 0; index < count; index++) {
            char name[48];
            snprintf(name, sizeof name, index ? "%s:%d" : "%s", backends[i]->name, index);
            TRY(add_device(table, name, settings, error));
        }
    }
    return STATUS_OK;
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    enum status status = add_devices(table, settings, error);
    if (status == STATUS_OK)
        return cli_print_table(table, settings->format, error);
    table_free(table);
    return status;
}

static const char *const takes[] = {"device", "threads", "no-measure", NULL};
static const struct option_help helps[] = {
    {"device", "NAME", "device to describe: cpu, cuda or fake (default: all)"}, {NULL, NULL, NULL}};
const struct command command_devices = {
    .name = "devices",
    .summary = "list the devices of this machine and their hardware features",
    .operands = "",
    .examples = "  epochcast devices\n  epochcast devices --device cpu --threads 2 -o json\n",
    .options = takes,
    .helps = helps,
    .run = run,
};
