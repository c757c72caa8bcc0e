#include "bench/device_identity.h"

#include <stdio.h>
#include <string.h>

void device_label(char text[DEVICE_LABEL_LIMIT], const struct device_info *info)
{
    const int threads = info->thread_count;
    if (strcmp(info->backend, "cpu") == 0 && threads > 0)
        snprintf(text, DEVICE_LABEL_LIMIT, "%.63s, %d thread%s", info->name, threads,
                 threads == 1 ? "" : "s");
    else
        snprintf(text, DEVICE_LABEL_LIMIT, "%.63s", info->name);
}
