#include "bench/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKEND(name) extern const struct backend backend_##name;
#include "backends.inc"
#undef BACKEND

#define BACKEND(name) &backend_##name,
const struct backend *const backends[] = {
#include "backends.inc"
    NULL};
#undef BACKEND

int phases_of(const struct layer_config *config)
{
    if (config->pass == PASS_FORWARD)
        return PHASE_FORWARD;
    return PHASE_FORWARD | PHASE_BACKWARD |
           (config->optimizer == OPTIMIZER_NONE ? 0 : PHASE_UPDATE);
}

/* FAIL has named the fault; the hint lists the backends. */
static enum status hint_backends(struct error *error)
{
    char known[256] = "";
    for (int i = 0; backends[i]; i++) {
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", backends[i]->name);
    }
    return HINT(error, STATUS_NO_DEVICE, "this build has: %s", known);
}

/* "cuda:1" -> "cuda", 1; false: the index is not a number. */
static bool split_name(char *name, size_t size, int *index, const char *text)
{
    size_t length = strcspn(text, ":");
    *index = 0;
    snprintf(name, size, "%.*s", (int)(length < size ? length : size - 1), text);
    if (!text[length])
        return true;
    const char *digits = text + length + 1;
    size_t digit_count = strspn(digits, "0123456789");
    bool is_number = digit_count > 0 && digit_count <= 4 && !digits[digit_count];
    *index = is_number ? (int)strtol(digits, NULL, 10) : 0;
    return is_number;
}

const struct backend *backend_find(const char *name)
{
    for (int i = 0; backends[i]; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

enum status device_open(struct device **device, const char *text,
                        const struct device_options *options, struct error *error)
{
    *device = NULL;
    char name[32];
    int index, count;
    if (!split_name(name, sizeof name, &index, text)) {
        FAIL(error, STATUS_NO_DEVICE, "no device '%s': its index is not a number", text);
        return HINT(error, STATUS_NO_DEVICE, "write '%s' or '%s:0' for the first", name, name);
    }
    const struct backend *backend = backend_find(name);
    if (!backend) {
        FAIL(error, STATUS_NO_DEVICE, "no backend '%s' in this build", name);
        return hint_backends(error);
    }
    TRY(backend->device_count(&count, error));
    if (index < count)
        return backend->open(device, index, options, error);
    FAIL(error, STATUS_NO_DEVICE, "no device '%s': backend %s has %d on this machine", text, name,
         count);
    return HINT(error, STATUS_NO_DEVICE, "indices start at 0");
}

void device_close(struct device *device)
{
    if (device)
        device->backend->close(device);
}
