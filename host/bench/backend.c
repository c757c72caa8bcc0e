#include "bench/backend.h"

#include "base/hash.h"

#include <errno.h>
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

uint64_t device_fingerprint(const struct device_info *info)
{
    uint64_t hash = HASH_SEED;
    const char *const texts[] = {info->name, info->backend, info->technology, info->library};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        hash = hash_bytes(hash, texts[i], strlen(texts[i]) + 1);
    return hash_bytes(hash, &info->thread_count, sizeof info->thread_count);
}

static enum status unknown_backend(const char *name, struct error *error)
{
    char known[256] = "";
    for (int i = 0; backends[i]; i++) {
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", backends[i]->name);
    }
    FAIL(error, STATUS_NO_DEVICE, "no backend '%s' in this build", name);
    return error_hint(error, "this build has: %s", known), STATUS_NO_DEVICE;
}

/* "cuda:1" -> "cuda", 1. */
static enum status split_name(char *name, size_t size, int *index, const char *text,
                              struct error *error)
{
    size_t length = strcspn(text, ":");
    *index = 0;
    snprintf(name, size, "%.*s", (int)(length < size ? length : size - 1), text);
    if (!text[length])
        return STATUS_OK;
    char *end;
    errno = 0;
    long number = strtol(text + length + 1, &end, 10);
    if (end == text + length + 1 || *end || errno || number < 0 || number > 1023)
        return FAIL(error, STATUS_NO_DEVICE, "no device '%s': the index is not a number", text);
    *index = (int)number;
    return STATUS_OK;
}

enum status device_open(struct device **device, const char *text,
                        const struct device_options *options, struct error *error)
{
    *device = NULL;
    char name[32];
    int index, count;
    TRY(split_name(name, sizeof name, &index, text, error));
    for (int i = 0; backends[i]; i++) {
        if (strcmp(backends[i]->name, name) != 0)
            continue;
        TRY(backends[i]->device_count(&count, error));
        if (index >= count)
            return FAIL(error, STATUS_NO_DEVICE, "no device '%s': backend %s has %d", text, name,
                        count);
        return backends[i]->open(device, index, options, error);
    }
    return unknown_backend(name, error);
}

void device_close(struct device *device)
{
    if (device)
        device->backend->close(device);
}
