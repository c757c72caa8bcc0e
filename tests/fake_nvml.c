/* A stand-in for libnvidia-ml.so.1 with one H100. The environment variable FAKE_NVML_CASE, a list
 * of words, chooses: no_driver, no_nvlink, silent (permits nothing), hot, low_clock, counting
 * (each temperature is a degree higher), older (knows clock events by their older name only).
 */
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* nvml.h, which has them, may be absent */

enum { SUCCESS, NOT_SUPPORTED = 3, NOT_FOUND = 6, NO_DRIVER = 9, NO_FUNCTION = 13 };

static int device; /* its address is the handle */

static int is_case(const char *word)
{
    const char *words = getenv("FAKE_NVML_CASE");
    return words && strstr(words, word);
}

static int give(const int *handle, unsigned *out, unsigned value)
{
    if (handle != &device || is_case("silent"))
        return NOT_SUPPORTED;
    *out = value;
    return SUCCESS;
}

int nvmlInit_v2(void)
{
    return is_case("no_driver") ? NO_DRIVER : SUCCESS;
}

int nvmlShutdown(void)
{
    return SUCCESS;
}

const char *nvmlErrorString(int code)
{
    return code == NO_DRIVER ? "Driver Not Loaded" : "Not Found";
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *pci_bus_id, int **handle)
{
    if (strcmp(pci_bus_id, "0000:19:00.0") != 0)
        return NOT_FOUND;
    *handle = &device;
    return SUCCESS;
}

int nvmlDeviceGetMaxPcieLinkGeneration(int *handle, unsigned *generation)
{
    return give(handle, generation, 5);
}

int nvmlDeviceGetMaxPcieLinkWidth(int *handle, unsigned *width)
{
    return give(handle, width, 16);
}

int nvmlDeviceGetClockInfo(int *handle, int domain, unsigned *mhz)
{
    return domain == 1 ? give(handle, mhz, is_case("low_clock") ? 1200 : 1755) : NOT_SUPPORTED;
}

int nvmlDeviceGetMaxClockInfo(int *handle, int domain, unsigned *mhz)
{
    return domain == 1 ? give(handle, mhz, 1980) : NOT_SUPPORTED;
}

int nvmlDeviceGetTemperature(int *handle, int sensor, unsigned *celsius)
{
    static unsigned readings;
    const unsigned value = is_case("counting") ? ++readings : is_case("hot") ? 91 : 45;
    return sensor == 0 ? give(handle, celsius, value) : NOT_SUPPORTED;
}

/* The third of the 18 links is up. */
int nvmlDeviceGetNvLinkState(int *handle, unsigned link, int *active)
{
    unsigned state = 0;
    int code = give(handle, &state, link == 2);
    *active = (int)state;
    return is_case("no_nvlink") || link == 0 ? NOT_SUPPORTED : code;
}

static int give_events(int *handle, unsigned long long *events)
{
    unsigned low = 0;
    int code = give(handle, &low, is_case("hot") ? 0x44 : 0x4);
    *events = low;
    return code;
}

int nvmlDeviceGetCurrentClocksEventReasons(int *handle, unsigned long long *events)
{
    return is_case("older") ? NO_FUNCTION : give_events(handle, events);
}

int nvmlDeviceGetCurrentClocksThrottleReasons(int *handle, unsigned long long *events)
{
    return is_case("older") ? give_events(handle, events) : NO_FUNCTION;
}
