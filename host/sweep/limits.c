#include "sweep/limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double peak_seconds = 0.2, device_memory_share = 0.8, thread_flops = 2e10,
                    thread_memory_bytes = 1 << 30, host_memory_share = 0.25;

/* To three digits, as the text in a dataset has them. */
static double rounded(double value)
{
    const double unit = pow(10, floor(log10(value)) - 2);
    return value > 0 && isfinite(unit) ? round(value / unit) * unit : value;
}

static bool is_host(const struct device_info *info)
{
    const struct backend *backend = backend_find(info->backend);
    return !backend || backend->timing == TIMING_HOST_CLOCK;
}

struct sweep_limits sweep_limits_of(const struct device_info *info)
{
    const double threads = fmax(info->thread_count, 1), memory_bytes = (double)info->memory_bytes;
    struct sweep_limits limits = {.memory_bytes = threads * thread_memory_bytes,
                                  .flops = threads * thread_flops};
    const bool knows_peak = isfinite(info->peak_gflops) && info->peak_gflops > 0;
    const double share = is_host(info) ? host_memory_share : device_memory_share;
    if (!is_host(info) && knows_peak)
        limits.flops = rounded(1e9 * peak_seconds * info->peak_gflops);
    if (memory_bytes > 0)
        limits.memory_bytes = floor(is_host(info) ? fmin(limits.memory_bytes, share * memory_bytes)
                                                  : share * memory_bytes);
    return limits;
}

bool sweep_limits_read(struct sweep_limits *limits, const char *domain)
{
    return sscanf(domain, "layer %*31[a-z0-9_]: memory <= %lf bytes, flops <= %lf",
                  &limits->memory_bytes, &limits->flops) == 2 &&
           limits->memory_bytes > 0 && limits->flops > 0;
}

void sweep_limits_apply(struct sample_domain *domains, int count, const struct sweep_limits *limits)
{
    for (int i = 0; i < count; i++) {
        if (!isnan(limits->memory_bytes))
            domains[i].memory_limit_bytes = limits->memory_bytes;
        if (!isnan(limits->flops))
            domains[i].flops_limit = limits->flops;
    }
}
