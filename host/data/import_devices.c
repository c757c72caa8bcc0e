/* The devices of imported rows: the paper's six, unknown ones, those of the catalogue. */
#include "data/import_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Justus et al. 2018, hardware table, as coded by its authors (one GPU of the M60 and K80 cards).
 * Caches: NVIDIA's white papers. */
struct known_device {
    const char *name, *technology, *connectivity;
    double core_count, clock_mhz, bandwidth_gbps;
    int memory_gib, cache_kib;
};
static const struct known_device known_devices[] = {
    {"V100", "Volta", "NVLink", 5120, 1455, 900, 16, 6144},
    {"P100", "Pascal", "PCIe3 x16", 3584, 1303, 732, 16, 4096},
    {"1080Ti", "Pascal", "PCIe3 x16", 3584, 1582, 484, 11, 2816},
    {"M60", "Maxwell", "PCIe3 x16", 2048, 1178, 160, 8, 2048},
    {"K80", "Kepler", "PCIe3 x16", 2496, 875, 240, 12, 1536},
    {"K40", "Kepler", "PCIe3 x16", 2880, 875, 288, 12, 1536},
};

enum { KNOWN_DEVICE_COUNT = sizeof known_devices / sizeof *known_devices };

static enum status unknown_device(const char *name, struct error *error)
{
    char known[256];
    size_t length = 0;
    for (size_t i = 0; i < KNOWN_DEVICE_COUNT && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   known_devices[i].name);
    FAIL(error, STATUS_USAGE, "unknown device '%.60s'", name);
    error_hint(error, "known: %s", known);
    return STATUS_USAGE;
}

enum status import_known_device(struct device_info *info, const char *name, struct error *error)
{
    for (size_t i = 0; i < KNOWN_DEVICE_COUNT; i++) {
        const struct known_device *known = &known_devices[i];
        if (strcmp(known->name, name) != 0)
            continue;
        *info = (struct device_info){.backend = "import",
                                     .library = "TensorFlow 1.10",
                                     .source = "justus2018",
                                     .device_count = 1,
                                     .thread_count = 1,
                                     .memory_bytes = (int64_t)known->memory_gib << 30,
                                     .cache_bytes = (int64_t)known->cache_kib << 10,
                                     .clock_mhz = known->clock_mhz,
                                     .bandwidth_gbps = known->bandwidth_gbps,
                                     .core_count = known->core_count,
                                     .peak_gflops = 2 * known->core_count * known->clock_mhz / 1e3,
                                     .measured_copy_gbps = NAN,
                                     .measured_sgemm_gflops = NAN,
                                     .measured_call_latency_us = NAN};
        snprintf(info->name, sizeof info->name, "%s", known->name);
        snprintf(info->technology, sizeof info->technology, "%s", known->technology);
        snprintf(info->connectivity, sizeof info->connectivity, "%s", known->connectivity);
        return STATUS_OK;
    }
    return unknown_device(name, error);
}

struct device_info import_unknown_device(const char *name)
{
    struct device_info info = {.backend = "import",
                               .device_count = 1,
                               .thread_count = 1,
                               .clock_mhz = NAN,
                               .bandwidth_gbps = NAN,
                               .core_count = NAN,
                               .peak_gflops = NAN,
                               .measured_copy_gbps = NAN,
                               .measured_sgemm_gflops = NAN,
                               .measured_call_latency_us = NAN};
    snprintf(info.name, sizeof info.name, "%s", name);
    return info;
}

enum status import_complete_device(struct device_info *device,
                                   const struct device_catalogue *catalogue, const struct csv *csv,
                                   struct error *error)
{
    char nearest[64];
    if (!*device->name)
        return STATUS_OK;
    const struct catalogue_device *known = device_catalogue_find(catalogue, device->name);
    if (known) {
        device_catalogue_complete(device, known);
        return STATUS_OK;
    }
    FAIL(error, STATUS_BAD_FILE, "%s:%d: the catalogue has no device '%s'", csv->path, csv->line,
         device->name);
    if (device_catalogue_nearest(nearest, catalogue, device->name))
        error_hint(error, "did you mean '%s'? 'epochcast show devices' lists them", nearest);
    return STATUS_BAD_FILE;
}
