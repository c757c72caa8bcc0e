#include "forecast/parallel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME(value, text) text,
static const char *const all_reduce_names[] = {ALL_REDUCE_LIST(NAME)};
static const char *const scaling_names[] = {SCALING_LIST(NAME)};
const struct choice choice_all_reduce = {.name = "all-reduce",
                                         .names = all_reduce_names,
                                         .count = sizeof all_reduce_names /
                                                  sizeof *all_reduce_names};
const struct choice choice_scaling = {.name = "scaling",
                                      .names = scaling_names,
                                      .count = sizeof scaling_names / sizeof *scaling_names};

/* Nominal, one direction, all lanes or links of one device. NVLink: NVIDIA's white papers of P100
 * (4 links of 20 GB/s), V100 (6 of 25), A100 (12 of 25), H100 (18 of 25). PCIe: 16 lanes of 8, 16
 * and 32 GT/s, 128b/130b. infiniband: Paleo's 70 Gbit/s. */
static const struct {
    const char *name;
    double gbps; /* GB/s */
} links[] = {
    {"nvlink", 150}, {"nvlink1", 80},  {"nvlink2", 150}, {"nvlink3", 300},     {"nvlink4", 450},
    {"pcie", 15.75}, {"pcie3", 15.75}, {"pcie4", 31.5},  {"pcie5", 63},        {"1gbe", 0.125},
    {"10gbe", 1.25}, {"25gbe", 3.125}, {"100gbe", 12.5}, {"infiniband", 8.75},
};
enum { LINK_COUNT = sizeof links / sizeof *links };

enum status link_bytes_per_s(double *bytes_per_s, const char *name, struct error *error)
{
    char *end;
    const double gbps = strtod(name, &end);
    if (end != name && !*end && isfinite(gbps) && gbps > 0) {
        *bytes_per_s = gbps * 1e9;
        return STATUS_OK;
    }
    char all[200];
    size_t used = 0;
    for (int i = 0; i < LINK_COUNT; i++) {
        if (strcmp(name, links[i].name) == 0) {
            *bytes_per_s = LINK_SHARE * links[i].gbps * 1e9;
            return STATUS_OK;
        }
        used += (size_t)snprintf(all + used, sizeof all - used, "%s, ", links[i].name);
    }
    FAIL(error, STATUS_USAGE, "--link: unknown link '%.60s'", name);
    return HINT(error, STATUS_USAGE, "one of %sor GB/s", all);
}

double all_reduce_ms(const struct parallel_options *options, double gradients_bytes)
{
    const double devices = options->device_count;
    if (options->device_count <= 1)
        return 0;
    const double rounds = ceil(log2(devices));
    const double transfers[] = {
        [ALL_REDUCE_BUTTERFLY] = rounds,
        [ALL_REDUCE_TREE] = 2 * rounds,
        [ALL_REDUCE_ONE_TO_ALL] = 2 * (devices - 1),
        [ALL_REDUCE_RING] = 2 * (devices - 1) / devices,
    };
    return 1e3 * transfers[options->all_reduce] * gradients_bytes / options->link_bytes_per_s;
}
