#include "nvml.h"
#include "base/clock.h"

#include "base/term.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NVML_SUCCESS, NVML_CLOCK_SM = 1, NVML_TEMPERATURE_GPU = 0, NVML_LINK_LIMIT = 18 };

static const double reading_interval_s = 0.1;

struct nvml_device;
typedef int nvml_get(struct nvml_device *device, unsigned *value);
typedef int nvml_get_of(struct nvml_device *device, int which, unsigned *value);
typedef int nvml_get_events(struct nvml_device *device, unsigned long long *events);

struct nvml {
    void *library;
    struct nvml_device *device;
    bool started;
    int (*init)(void);
    int (*shutdown)(void);
    const char *(*error_text)(int code);
    int (*find)(const char *pci_bus_id, struct nvml_device **device);
    nvml_get *pcie_generation, *pcie_width;
    nvml_get_of *clock_mhz, *maximum_clock_mhz, *temperature_c;
    int (*link_state)(struct nvml_device *device, unsigned link, int *active);
    nvml_get_events *events, *older_events; /* under its newer and its older name */
    struct conditions read;                 /* the last time, at read_s */
    double read_s;
};

/* A function that is not required is NULL in a library that lacks it. */
#define FUNCTION(member, name, required)                                                           \
    {                                                                                              \
        name, offsetof(struct nvml, member), required                                              \
    }
static const struct nvml_function {
    const char *name;
    size_t offset;
    bool required;
} functions[] = {
    FUNCTION(init, "nvmlInit_v2", true),
    FUNCTION(shutdown, "nvmlShutdown", true),
    FUNCTION(error_text, "nvmlErrorString", true),
    FUNCTION(find, "nvmlDeviceGetHandleByPciBusId_v2", true),
    FUNCTION(pcie_generation, "nvmlDeviceGetMaxPcieLinkGeneration", false),
    FUNCTION(pcie_width, "nvmlDeviceGetMaxPcieLinkWidth", false),
    FUNCTION(clock_mhz, "nvmlDeviceGetClockInfo", false),
    FUNCTION(maximum_clock_mhz, "nvmlDeviceGetMaxClockInfo", false),
    FUNCTION(temperature_c, "nvmlDeviceGetTemperature", false),
    FUNCTION(link_state, "nvmlDeviceGetNvLinkState", false),
    FUNCTION(events, "nvmlDeviceGetCurrentClocksEventReasons", false),
    FUNCTION(older_events, "nvmlDeviceGetCurrentClocksThrottleReasons", false),
};

static enum status load(struct nvml *nvml, const char *path, struct error *error)
{
    nvml->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!nvml->library)
        return FAIL(error, STATUS_NO_DEVICE, "cannot open NVML: %s", dlerror());
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *address = dlsym(nvml->library, functions[i].name);
        if (!address && functions[i].required)
            return FAIL(error, STATUS_NO_DEVICE, "'%s' has no %s", path, functions[i].name);
        memcpy((char *)nvml + functions[i].offset, &address, sizeof address);
    }
    return STATUS_OK;
}

static enum status check(const struct nvml *nvml, int code, const char *what, struct error *error)
{
    if (code == NVML_SUCCESS)
        return STATUS_OK;
    return FAIL(error, STATUS_NO_DEVICE, "NVML cannot %s: %s", what, nvml->error_text(code));
}

static enum status start(struct nvml *nvml, const char *pci_bus_id, struct error *error)
{
    char what[64];
    TRY(check(nvml, nvml->init(), "start", error));
    nvml->started = true;
    snprintf(what, sizeof what, "find device %.40s", pci_bus_id);
    return check(nvml, nvml->find(pci_bus_id, &nvml->device), what, error);
}

enum status nvml_open(struct nvml **nvml, const char *pci_bus_id, const char *path,
                      struct error *error)
{
    void *memory;
    *nvml = NULL;
    TRY(error_allocate(&memory, 1, sizeof **nvml, "NVML", error));
    struct nvml *opened = memory;
    enum status status = load(opened, path ? path : "libnvidia-ml.so.1", error);
    if (status == STATUS_OK)
        status = start(opened, pci_bus_id, error);
    if (status != STATUS_OK) {
        nvml_close(opened);
        error_hint(error, "clocks, temperature and NVLink remain unknown");
        return status;
    }
    opened->read_s = -INFINITY;
    *nvml = opened;
    return STATUS_OK;
}

void nvml_close(struct nvml *nvml)
{
    if (!nvml)
        return;
    if (nvml->started)
        nvml->shutdown();
    if (nvml->library)
        dlclose(nvml->library);
    free(nvml);
}

/* NaN: no such function, or the device or the container denies it. */
static double get(nvml_get *function, const struct nvml *nvml)
{
    unsigned value;
    return function && function(nvml->device, &value) == NVML_SUCCESS ? value : NAN;
}

static double get_of(nvml_get_of *function, int which, const struct nvml *nvml)
{
    unsigned value;
    return function && function(nvml->device, which, &value) == NVML_SUCCESS ? value : NAN;
}

static int64_t get_events(const struct nvml *nvml)
{
    nvml_get_events *const names[] = {nvml->events, nvml->older_events};
    unsigned long long events;
    for (int i = 0; i < 2; i++)
        if (names[i] && names[i](nvml->device, &events) == NVML_SUCCESS)
            return (int64_t)events;
    return 0;
}

static bool has_nvlink(const struct nvml *nvml)
{
    for (unsigned link = 0; nvml->link_state && link < NVML_LINK_LIMIT; link++) {
        int active = 0;
        if (nvml->link_state(nvml->device, link, &active) == NVML_SUCCESS && active)
            return true;
    }
    return false;
}

void nvml_link(char connectivity[16], const struct nvml *nvml)
{
    double generation = nvml ? get(nvml->pcie_generation, nvml) : NAN;
    double width = nvml ? get(nvml->pcie_width, nvml) : NAN;
    if (nvml && has_nvlink(nvml))
        snprintf(connectivity, 16, "NVLink");
    else if (generation > 0 && width > 0) /* virtual machines say 0 */
        snprintf(connectivity, 16, "PCIe%.0f x%.0f", generation, width);
    else
        snprintf(connectivity, 16, "PCIe");
}

static void read_conditions(struct conditions *out, const struct nvml *nvml)
{
    out->sm_clock_mhz = get_of(nvml->clock_mhz, NVML_CLOCK_SM, nvml);
    out->maximum_sm_clock_mhz = get_of(nvml->maximum_clock_mhz, NVML_CLOCK_SM, nvml);
    out->temperature_c = get_of(nvml->temperature_c, NVML_TEMPERATURE_GPU, nvml);
    out->clock_events = get_events(nvml);
    out->throttled = conditions_throttled(out);
}

void nvml_conditions(struct conditions *out, struct nvml *nvml)
{
    *out = (struct conditions){NAN, NAN, NAN, NAN, .clock_events = 0};
    if (!nvml)
        return;
    if (nvml->read.throttled || monotonic_s() >= nvml->read_s + reading_interval_s) {
        nvml->read = *out;
        read_conditions(&nvml->read, nvml);
        nvml->read_s = monotonic_s();
    }
    *out = nvml->read;
}

static const struct clock_event {
    int64_t bit;
    const char *name;
    bool is_harmful; /* at a low clock */
} clock_events[] = {
    {0x1, "idle", false},
    {0x2, "applications_clocks", false},
    {0x4, "sw_power_cap", true},
    {0x8, "hw_slowdown", true},
    {0x10, "sync_boost", false},
    {0x20, "sw_thermal", true},
    {0x40, "hw_thermal", true},
    {0x80, "hw_power_brake", true},
    {0x100, "display_clock", false},
};
enum { CLOCK_EVENT_COUNT = sizeof clock_events / sizeof *clock_events };

bool conditions_throttled(const struct conditions *conditions)
{
    if (!(conditions->sm_clock_mhz < 0.75 * conditions->maximum_sm_clock_mhz))
        return false;
    for (int i = 0; i < CLOCK_EVENT_COUNT; i++)
        if ((conditions->clock_events & clock_events[i].bit) && clock_events[i].is_harmful)
            return true;
    return false;
}

static void append(char *text, size_t size, const char *name)
{
    size_t length = strlen(text);
    if (length + (length > 0) + strlen(name) < size)
        snprintf(text + length, size - length, "%s%s", length > 0 ? "," : "", name);
}

void conditions_text(char *text, size_t size, int64_t events)
{
    char unnamed[24];
    if (size > 0)
        text[0] = '\0';
    for (int i = 0; size > 0 && i < CLOCK_EVENT_COUNT; i++) {
        if (events & clock_events[i].bit)
            append(text, size, clock_events[i].name);
        events &= ~clock_events[i].bit;
    }
    snprintf(unnamed, sizeof unnamed, "0x%" PRIx64, (uint64_t)events);
    if (size > 0 && events != 0)
        append(text, size, unnamed);
}
