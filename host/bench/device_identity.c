#include "bench/device_identity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the members ---- */

enum member_kind { TEXT, INT32, INT64, RATE };
enum member_role { ALWAYS, WHERE_KNOWN, MEASURED, SETTING };
struct identity_member {
    const char *name;
    size_t offset, size;
    enum member_kind kind;
    enum member_role role;
};

#define MEMBER(member, kind, role)                                                                 \
    {                                                                                              \
#member, offsetof(struct device_info, member), sizeof((struct device_info *)0)->member,    \
            kind, role                                                                             \
    }
/* Besides the name. */
static const struct identity_member members[] = {
    MEMBER(backend, TEXT, ALWAYS),
    MEMBER(technology, TEXT, ALWAYS),
    MEMBER(library, TEXT, ALWAYS),
    MEMBER(source, TEXT, WHERE_KNOWN),
    MEMBER(thread_count, INT32, SETTING),
    MEMBER(cache, INT32, SETTING),
    MEMBER(processor, TEXT, WHERE_KNOWN),
    MEMBER(microarchitecture, TEXT, WHERE_KNOWN),
    MEMBER(l1d_bytes, INT64, WHERE_KNOWN),
    MEMBER(l2_bytes, INT64, WHERE_KNOWN),
    MEMBER(l3_bytes, INT64, WHERE_KNOWN),
    MEMBER(socket_count, INT32, WHERE_KNOWN),
    MEMBER(machine_core_count, INT32, WHERE_KNOWN),
    MEMBER(measured_sgemm_gflops, RATE, MEASURED),
    MEMBER(measured_copy_gbps, RATE, MEASURED),
};
enum { MEMBER_COUNT = sizeof members / sizeof *members };

static const void *at(const struct device_info *info, const struct identity_member *member)
{
    return (const char *)info + member->offset;
}

static int64_t number_at(const struct device_info *info, const struct identity_member *member)
{
    const void *value = at(info, member);
    return member->kind == INT32 ? *(const int32_t *)value : *(const int64_t *)value;
}

static double rate_at(const struct device_info *info, const struct identity_member *member)
{
    return *(const double *)at(info, member);
}

static bool is_known(const struct device_info *info, const struct identity_member *member)
{
    return member->kind == TEXT   ? *(const char *)at(info, member) != '\0'
           : member->kind == RATE ? rate_at(info, member) > 0
                                  : number_at(info, member) != 0;
}

static bool differs(const struct device_info *a, const struct device_info *b,
                    const struct identity_member *member)
{
    if ((member->role == WHERE_KNOWN || member->role == MEASURED) &&
        (!is_known(a, member) || !is_known(b, member)))
        return false;
    if (member->kind == TEXT)
        return strncmp(at(a, member), at(b, member), member->size) != 0;
    if (member->kind != RATE)
        return number_at(a, member) != number_at(b, member);
    const double x = rate_at(a, member), y = rate_at(b, member);
    return fmax(x, y) > DEVICE_RATE_TOLERANCE * fmin(x, y);
}

/* The first member of these roles (a mask) that differs, or NULL. */
static const struct identity_member *difference(const struct device_info *a,
                                                const struct device_info *b, int roles)
{
    for (int i = 0; i < MEMBER_COUNT; i++)
        if (roles >> members[i].role & 1 && differs(a, b, &members[i]))
            return &members[i];
    return NULL;
}

enum {
    MACHINE_ROLES = 1 << ALWAYS | 1 << WHERE_KNOWN,
    SAME_ROLES = MACHINE_ROLES | 1 << SETTING,
};

/* ---- names ---- */

enum { SUFFIX_LIMIT = 16 };

/* " (2)"; "" for a device without a number. */
static void suffix_of(char suffix[SUFFIX_LIMIT], int32_t instance)
{
    suffix[0] = '\0';
    if (instance > 1)
        snprintf(suffix, SUFFIX_LIMIT, " (%d)", instance);
}

/* Length of the name without its number. */
static int base_length(const struct device_info *info)
{
    char suffix[SUFFIX_LIMIT];
    suffix_of(suffix, info->instance);
    const size_t length = strlen(info->name), end = strlen(suffix);
    const bool is_numbered = end > 0 && length > end &&
                             strcmp(info->name + length - end, suffix) == 0;
    return (int)(is_numbered ? length - end : length);
}

/* A long name loses its end to the number. */
static bool names_agree(const struct device_info *a, const struct device_info *b)
{
    const int limit = sizeof a->name - SUFFIX_LIMIT;
    const int length_a = base_length(a), length_b = base_length(b);
    if (length_a >= limit && length_b >= limit && (a->instance > 1 || b->instance > 1))
        return strncmp(a->name, b->name, (size_t)limit) == 0;
    return length_a == length_b && strncmp(a->name, b->name, (size_t)length_a) == 0;
}

/* ---- same or not ---- */

bool device_is_same(const struct device_info *a, const struct device_info *b)
{
    return a == b || (names_agree(a, b) && !difference(a, b, SAME_ROLES));
}

const char *device_rate_difference(const struct device_info *a, const struct device_info *b)
{
    const struct identity_member *member = difference(a, b, 1 << MEASURED);
    return member ? member->name : NULL;
}

/* Sum of |ln| of the ratios of the rates that both know. */
static double rate_distance(const struct device_info *a, const struct device_info *b)
{
    double sum = 0;
    for (int i = 0; i < MEMBER_COUNT; i++) {
        if (members[i].kind != RATE)
            continue;
        const double step = fabs(log(rate_at(a, &members[i]) / rate_at(b, &members[i])));
        sum += isfinite(step) ? step : 0;
    }
    return sum;
}

int device_find(const struct device_info *devices, int count, const struct device_info *device)
{
    int nearest = -1;
    for (int i = 0; i < count; i++)
        if (device_is_same(&devices[i], device) &&
            (nearest < 0 ||
             rate_distance(&devices[i], device) < rate_distance(&devices[nearest], device)))
            nearest = i;
    return nearest;
}

int device_find_joined(const struct device_info *devices, int count,
                       const struct device_info *device)
{
    const int found = device_find(devices, count, device);
    return found >= 0 && device_rate_difference(&devices[found], device) ? -1 : found;
}

void device_complete(struct device_info *known, const struct device_info *more)
{
    for (int i = 0; i < MEMBER_COUNT; i++) {
        const struct identity_member *member = &members[i];
        if (member->role == WHERE_KNOWN && !is_known(known, member))
            memcpy((char *)known + member->offset, at(more, member), member->size);
    }
}

/* ---- numbers ---- */

static bool is_named(const struct device_info *devices, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(devices[i].name, name) == 0)
            return true;
    return false;
}

void device_number(struct device_info *device, const struct device_info *devices, int count)
{
    char name[sizeof device->name], suffix[SUFFIX_LIMIT];
    const int length = base_length(device), limit = (int)sizeof name - SUFFIX_LIMIT;
    int namesakes = 0;
    for (int i = 0; i < count; i++) {
        if (!names_agree(&devices[i], device))
            continue;
        namesakes++;
        if (!difference(&devices[i], device, 1 << SETTING) ||
            difference(&devices[i], device, MACHINE_ROLES))
            continue;
        memcpy(device->name, devices[i].name, sizeof device->name); /* with other settings */
        device->instance = devices[i].instance;
        return;
    }
    if (!is_named(devices, count, device->name))
        return;
    do {
        device->instance = ++namesakes;
        suffix_of(suffix, device->instance);
        snprintf(name, sizeof name, "%.*s%s", length < limit ? length : limit, device->name,
                 suffix);
    } while (is_named(devices, count, name));
    memcpy(device->name, name, sizeof name);
}

static void print_member(char *text, size_t size, const struct device_info *info,
                         const struct identity_member *member)
{
    if (member->kind == TEXT)
        snprintf(text, size, "%.63s", (const char *)at(info, member));
    else if (member->kind == RATE)
        snprintf(text, size, "%.4g", rate_at(info, member));
    else if (member->offset == offsetof(struct device_info, cache))
        snprintf(text, size, "%s", choice_name(&choice_cache, info->cache));
    else
        snprintf(text, size, "%lld", (long long)number_at(info, member));
}

bool device_namesake_note(char text[DEVICE_NOTE_LIMIT], const struct device_info *devices,
                          int index)
{
    const struct device_info *device = &devices[index], *other = devices;
    while (other < device && !names_agree(other, device))
        other++;
    if (other == device || is_named(devices, index, device->name))
        return false;
    size_t length = (size_t)snprintf(text, DEVICE_NOTE_LIMIT, "'%s' is another device than '%s'%s",
                                     device->name, other->name,
                                     difference(device, other, SAME_ROLES)
                                         ? ""
                                         : ", or the machine was busy during one of the sweeps");
    const char *separator = ": ";
    for (int i = 0; i < MEMBER_COUNT; i++) {
        char here[64], there[64];
        if (!differs(device, other, &members[i]) || length >= DEVICE_NOTE_LIMIT)
            continue;
        print_member(here, sizeof here, device, &members[i]);
        print_member(there, sizeof there, other, &members[i]);
        length += (size_t)snprintf(text + length, DEVICE_NOTE_LIMIT - length, "%s%s %s against %s",
                                   separator, members[i].name, here, there);
        separator = ", ";
    }
    return true;
}

bool device_cache_conflict(const struct device_info **first, const struct device_info **second,
                           const struct device_info *devices, int count)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++) {
            struct device_info other = devices[i];
            other.cache = devices[j].cache;
            *first = &devices[j];
            *second = &devices[i];
            if (devices[i].cache != devices[j].cache && device_is_same(&other, &devices[j]))
                return true;
        }
    return false;
}

void device_label(char text[DEVICE_LABEL_LIMIT], const struct device_info *info)
{
    const int threads = info->thread_count;
    char cache[24] = "";
    if (info->cache != CACHE_STEP && *info->backend && strcmp(info->backend, "import") != 0)
        snprintf(cache, sizeof cache, ", %s cache", choice_name(&choice_cache, info->cache));
    if (strcmp(info->backend, "cpu") == 0 && threads > 0)
        snprintf(text, DEVICE_LABEL_LIMIT, "%.63s, %d thread%s%s", info->name, threads,
                 threads == 1 ? "" : "s", cache);
    else
        snprintf(text, DEVICE_LABEL_LIMIT, "%.63s%s", info->name, cache);
}
