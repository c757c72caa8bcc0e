#include "cli/device_choice.h"

#include "base/machine.h"
#include "bench/device_identity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *default_device(void)
{
    for (int i = 0; backends[i]; i++) {
        int count = 0;
        if (strcmp(backends[i]->name, "fake") != 0 &&
            backends[i]->device_count(&count, NULL) == STATUS_OK && count > 0)
            return backends[i]->name;
    }
    return "fake";
}

const char *device_name_of(const struct settings *settings)
{
    return settings->device ? settings->device : default_device();
}

struct device_options device_options_of(const struct settings *settings)
{
    return (struct device_options){.thread_count = settings->threads > 0 ? (int)settings->threads
                                                                         : 0,
                                   .seed = (uint64_t)settings->seed,
                                   .autotune = settings->autotune};
}

enum status open_device(struct device **device, const struct settings *settings,
                        struct error *error)
{
    const struct device_options wanted = device_options_of(settings);
    return device_open(device, device_name_of(settings), &wanted, error);
}

struct measure_options measure_options_of(const struct settings *settings)
{
    struct measure_options asked = measure_options_default;
    if (!isnan(settings->cap_ms))
        asked.cap_ms = settings->cap_ms;
    if (!isnan(settings->target_percent))
        asked.relative_ci = settings->target_percent / 100;
    asked.cache = settings->cache < 0 ? CACHE_STEP : settings->cache;
    return asked;
}

void cli_note(const char *text)
{
    fprintf(stderr, "note: %s\n", text);
}

void cli_note_namesakes(const struct device_info *devices, int count)
{
    char text[DEVICE_NOTE_LIMIT];
    for (int i = 0; i < count; i++)
        if (device_namesake_note(text, devices, i))
            cli_note(text);
}

void cli_note_threads(const struct settings *settings)
{
    const int usable = machine_usable_processors("");
    if (settings->threads > usable && !settings->quiet)
        fprintf(stderr,
                "note: --threads %lld, but this process may use %d processor%s: threads wait for "
                "each other\n",
                (long long)settings->threads, usable, usable == 1 ? "" : "s");
}

void cli_note_shared_cores(const struct device_info *devices, int count)
{
    for (int i = 0; i < count; i++)
        if (devices[i].machine_core_count > 0 &&
            devices[i].thread_count > devices[i].machine_core_count)
            fprintf(stderr, "note: rows of '%s' were measured with %d threads on %d core%s\n",
                    devices[i].name, devices[i].thread_count, devices[i].machine_core_count,
                    devices[i].machine_core_count == 1 ? "" : "s");
}
