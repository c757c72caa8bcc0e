#include "pictures/device_names.h"

#include "bench/device_identity.h"

#include <stdio.h>
#include <string.h>

size_t name_devices(char *text, size_t size, const struct device_info *const *list, int count)
{
    const int named = count < NAMED_DEVICES ? count : NAMED_DEVICES;
    char labels[NAMED_DEVICES][DEVICE_LABEL_LIMIT];
    const char *separator = ", ";
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < named; i++) {
        device_label(labels[i], list[i]);
        separator = strchr(labels[i], ',') ? "; " : separator;
    }
    for (int i = 0; i < named; i++)
        used += (size_t)snprintf(text + used, used < size ? size - used : 0, "%s%s",
                                 i ? separator : "", labels[i]);
    if (count > named)
        used += (size_t)snprintf(text + used, used < size ? size - used : 0, " and %d more",
                                 count - named);
    return used < size ? used : size - 1;
}
