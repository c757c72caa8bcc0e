/* The catalogue of devices. */
#include "cli/show.h"
#include "data/device_catalogue.h"

#include <math.h>

static const struct table_column columns[] = {
    {.name = "device"},
    {.name = "vendor", .spare = 3},
    {.name = "type", .spare = 4},
    {.name = "technology"},
    {.name = "memory_bytes", .title = "memory", .scale = SCALE_BYTES},
    {.name = "bandwidth_gbps", .title = "bandwidth", .scale = SCALE_GBPS},
    {.name = "cache_bytes", .title = "cache", .scale = SCALE_BYTES, .spare = 5},
    {.name = "unit_count", .title = "units", .spare = 6},
    {.name = "core_count", .title = "cores", .spare = 7},
    {.name = "base_mhz", .use = COLUMN_RAW},
    {.name = "boost_mhz", .title = "clock", .scale = SCALE_MHZ, .spare = 8},
    {.name = "fp32_gflops", .title = "fp32", .scale = SCALE_GFLOPS},
    {.name = "fp16_gflops", .use = COLUMN_RAW},
    {.name = "tf32_tensor_gflops", .use = COLUMN_RAW},
    {.name = "fp16_tensor_gflops", .title = "fp16 tensor", .scale = SCALE_GFLOPS},
    {.name = "bf16_tensor_gflops", .use = COLUMN_RAW},
    {.name = "fp8_tensor_gflops", .use = COLUMN_RAW},
    {.name = "link", .spare = 9},
    {.name = "tdp_watts", .title = "TDP W"},
    {.name = "year", .spare = 2},
    {.name = "aliases", .use = COLUMN_RAW}};

/* All digits. */
static void add_bytes(struct table *table, double bytes)
{
    if (isnan(bytes))
        table_number(table, bytes);
    else
        table_integer(table, (int64_t)bytes);
}

static void add_row(struct table *table, const struct catalogue_device *device)
{
    table_string(table, device->name);
    table_string(table, device->vendor);
    table_string(table, choice_name(&choice_catalogue_type, device->type));
    table_string(table, device->technology);
    add_bytes(table, device->memory_bytes);
    table_number(table, device->bandwidth_gbps);
    add_bytes(table, device->cache_bytes);
    table_number(table, device->unit_count);
    table_number(table, device->core_count);
    table_number(table, device->base_mhz);
    table_number(table, device->boost_mhz);
    table_number(table, device->fp32_gflops);
    table_number(table, device->fp16_gflops);
    table_number(table, device->tf32_tensor_gflops);
    table_number(table, device->fp16_tensor_gflops);
    table_number(table, device->bf16_tensor_gflops);
    table_number(table, device->fp8_tensor_gflops);
    table_string(table, device->link);
    table_number(table, device->tdp_watts);
    table_number(table, device->year);
    table_string(table, device->aliases);
}

enum status show_devices(enum table_format format, struct error *error)
{
    struct device_catalogue catalogue;
    struct table *table;
    TRY(device_catalogue_load(&catalogue, error));
    const enum status status = table_create(&table, columns, sizeof columns / sizeof *columns,
                                            error);
    for (int i = 0; status == STATUS_OK && i < catalogue.count; i++)
        add_row(table, &catalogue.devices[i]);
    device_catalogue_free(&catalogue);
    TRY(status);
    return cli_print_table(table, format, error);
}
