#include "data/device_catalogue.h"

#include "base/csv.h"
#include "base/installed_file.h"
#include "base/mapped_file.h"
#include "base/text.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME(value, text) text,
static const char *const type_names[] = {CATALOGUE_TYPES(NAME)};
const struct choice choice_catalogue_type = {
    .name = "type", .names = type_names, .count = sizeof type_names / sizeof *type_names};

/* ---- the columns ---- */

struct column {
    const char *name;
    size_t offset, size; /* size: of a text; 0: a number */
};
#define TEXT(member)                                                                               \
    {                                                                                              \
#member, offsetof(struct catalogue_device, member),                                        \
            sizeof((struct catalogue_device *)0)->member                                           \
    }
#define NUMBER(member)                                                                             \
    {                                                                                              \
#member, offsetof(struct catalogue_device, member), 0                                      \
    }
static const struct column columns[] = {TEXT(name),
                                        TEXT(aliases),
                                        TEXT(vendor),
                                        TEXT(technology),
                                        TEXT(link),
                                        NUMBER(memory_bytes),
                                        NUMBER(bandwidth_gbps),
                                        NUMBER(cache_bytes),
                                        NUMBER(unit_count),
                                        NUMBER(core_count),
                                        NUMBER(base_mhz),
                                        NUMBER(boost_mhz),
                                        NUMBER(fp32_gflops),
                                        NUMBER(fp16_gflops),
                                        NUMBER(tf32_tensor_gflops),
                                        NUMBER(fp16_tensor_gflops),
                                        NUMBER(bf16_tensor_gflops),
                                        NUMBER(fp8_tensor_gflops),
                                        NUMBER(tdp_watts),
                                        NUMBER(year)};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };
#define NUMBER_MAXIMUM 1e15

struct reader {
    struct csv csv;
    int place[COLUMN_COUNT], type;
};

static enum status find_column(int *place, const struct csv *csv, const char *name,
                               struct error *error)
{
    *place = csv_find(csv, name);
    return *place >= 0 ? STATUS_OK
                       : FAIL(error, STATUS_BAD_FILE, "%.200s: no column '%s'", csv->path, name);
}

static enum status read_header(struct reader *reader, struct error *error)
{
    bool more;
    TRY(csv_next(&reader->csv, &more, error));
    if (!more)
        return FAIL(error, STATUS_BAD_FILE, "%.200s: empty", reader->csv.path);
    for (int i = 0; i < COLUMN_COUNT; i++)
        TRY(find_column(&reader->place[i], &reader->csv, columns[i].name, error));
    return find_column(&reader->type, &reader->csv, "type", error);
}

static enum status read_cell(struct catalogue_device *device, const struct reader *reader,
                             int index, struct error *error)
{
    const struct csv *csv = &reader->csv;
    const struct column *column = &columns[index];
    const char *text = csv->field[reader->place[index]];
    char *at = (char *)device + column->offset;
    if (column->size) {
        if (strlen(text) >= column->size)
            return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: %s is longer than %zu", csv->path,
                        csv->line, column->name, column->size - 1);
        memcpy(at, text, strlen(text) + 1);
        return STATUS_OK;
    }
    double *value = (double *)at;
    *value = NAN;
    if (!*text)
        return STATUS_OK;
    TRY(csv_number(csv, reader->place[index], column->name, value, error));
    if (*value > 0 && *value <= NUMBER_MAXIMUM)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: %s = %g is not above 0", csv->path, csv->line,
                column->name, *value);
}

/* ---- names ---- */

/* Calls `each` with the name and every alias until it returns true; returns whether it did. */
static bool any_name(const struct catalogue_device *device,
                     bool (*each)(void *payload, const char *name), void *payload)
{
    char aliases[sizeof device->aliases];
    if (each(payload, device->name))
        return true;
    memcpy(aliases, device->aliases, sizeof aliases);
    for (char *rest = aliases, *alias; (alias = strsep(&rest, ";"));)
        if (*alias && each(payload, alias))
            return true;
    return false;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Behind the names of vendor and series, and what separates them. */
static const char *skip_vendor(const char *name)
{
    static const char *const words[] = {"nvidia",  "amd",      "intel", "tesla",
                                        "geforce", "instinct", "radeon"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t length = strlen(words[i]);
        if (strncasecmp(name, words[i], length) != 0 || is_letter_or_digit(name[length]))
            continue;
        name += length + strspn(name + length, " _-");
        i = (size_t)-1; /* from the first again */
    }
    return name;
}

/* The next character that counts, as a small letter; 0 at the end. */
static char next_letter(const char **text)
{
    while (**text && !is_letter_or_digit(**text))
        ++*text;
    const char c = **text;
    *text += c != '\0';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same_name(void *payload, const char *name)
{
    const char *wanted = skip_vendor(payload), *known = skip_vendor(name);
    for (;;) {
        const char a = next_letter(&wanted), b = next_letter(&known);
        if (a != b)
            return false;
        if (!a)
            return true;
    }
}

const struct catalogue_device *device_catalogue_find(const struct device_catalogue *catalogue,
                                                     const char *name)
{
    char wanted[128];
    if (snprintf(wanted, sizeof wanted, "%s", name) >= (int)sizeof wanted)
        return NULL;
    for (int i = 0; i < catalogue->count; i++)
        if (any_name(&catalogue->devices[i], is_same_name, wanted))
            return &catalogue->devices[i];
    return NULL;
}

bool device_catalogue_same(const struct device_catalogue *catalogue, const char *a, const char *b)
{
    const struct catalogue_device *one = device_catalogue_find(catalogue, a);
    return one && one == device_catalogue_find(catalogue, b);
}

/* The nearer of two names, in `best`. */
struct nearest {
    const char *wanted;
    char *best;
};

static bool keep_nearer(void *payload, const char *name)
{
    const struct nearest *nearest = payload;
    const char *const names[] = {nearest->best, name};
    const char *nearer = nearest_name(names, 2, nearest->wanted);
    if (nearer == name)
        snprintf(nearest->best, sizeof((struct catalogue_device *)0)->name, "%s", name);
    return false;
}

const char *device_catalogue_nearest(char text[64], const struct device_catalogue *catalogue,
                                     const char *name)
{
    struct nearest nearest = {.wanted = skip_vendor(name), .best = text};
    text[0] = '\0';
    for (int i = 0; i < catalogue->count; i++)
        any_name(&catalogue->devices[i], keep_nearer, &nearest);
    return *text ? text : NULL;
}

/* ---- reading ---- */

/* A name that an earlier device has, too. */
static bool is_taken(void *payload, const char *name)
{
    return device_catalogue_find(payload, name) != NULL;
}

static enum status read_device(struct device_catalogue *catalogue, const struct reader *reader,
                               struct error *error)
{
    const struct csv *csv = &reader->csv;
    struct catalogue_device device = {.type = 0};
    for (int i = 0; i < COLUMN_COUNT; i++)
        TRY(read_cell(&device, reader, i, error));
    device.type = choice_find(&choice_catalogue_type, csv->field[reader->type]);
    if (device.type < 0)
        return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: type '%.40s' is not gpu, cpu, accelerator",
                    csv->path, csv->line, csv->field[reader->type]);
    if (!*device.name)
        return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: no name", csv->path, csv->line);
    if (any_name(&device, is_taken, catalogue))
        return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: another device has a name of '%s'",
                    csv->path, csv->line, device.name);
    if (catalogue->count == CATALOGUE_DEVICE_LIMIT)
        return FAIL(error, STATUS_BAD_FILE, "%.200s: more than %d devices", csv->path,
                    CATALOGUE_DEVICE_LIMIT);
    catalogue->devices[catalogue->count++] = device;
    return STATUS_OK;
}

static enum status read_devices(struct device_catalogue *catalogue, struct reader *reader,
                                struct error *error)
{
    bool more;
    TRY(read_header(reader, error));
    const int field_count = reader->csv.field_count;
    for (;;) {
        TRY(csv_next(&reader->csv, &more, error));
        if (!more)
            return STATUS_OK;
        if (reader->csv.field_count != field_count)
            return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: %d fields, the header has %d",
                        reader->csv.path, reader->csv.line, reader->csv.field_count, field_count);
        TRY(read_device(catalogue, reader, error));
    }
}

enum status device_catalogue_read(struct device_catalogue *catalogue, const char *path,
                                  struct error *error)
{
    struct mapped_file file;
    struct reader *reader = NULL;
    *catalogue = (struct device_catalogue){.count = 0};
    TRY(mapped_file_open(&file, path, error));
    enum status status = ALLOCATE(&catalogue->devices, CATALOGUE_DEVICE_LIMIT, "devices", error);
    if (status == STATUS_OK)
        status = ALLOCATE(&reader, 1, "CSV reader", error);
    if (status == STATUS_OK) {
        csv_begin(&reader->csv, path, file.bytes, file.size);
        status = read_devices(catalogue, reader, error);
    }
    free(reader);
    mapped_file_close(&file);
    if (status != STATUS_OK)
        device_catalogue_free(catalogue);
    return status;
}

enum status device_catalogue_load(struct device_catalogue *catalogue, struct error *error)
{
    char path[INSTALLED_PATH_SIZE];
    *catalogue = (struct device_catalogue){.count = 0};
    if (installed_file(path, "devices.csv", "EPOCHCAST_DEVICES"))
        return device_catalogue_read(catalogue, path, error);
    FAIL(error, STATUS_FAILED, "no catalogue of devices: '%.200s' is not there", path);
    return HINT(error, STATUS_FAILED, "EPOCHCAST_DEVICES=FILE.csv names it");
}

bool device_catalogue_is_there(void)
{
    char path[INSTALLED_PATH_SIZE];
    return installed_file(path, "devices.csv", "EPOCHCAST_DEVICES");
}

void device_catalogue_free(struct device_catalogue *catalogue)
{
    free(catalogue->devices);
    *catalogue = (struct device_catalogue){.count = 0};
}

/* ---- as a model sees it ---- */

static int64_t known_bytes(double bytes)
{
    return isnan(bytes) ? 0 : (int64_t)bytes;
}

struct device_info device_catalogue_info(const struct catalogue_device *device)
{
    struct device_info info = {.backend = "catalogue",
                               .device_count = 1,
                               .thread_count = 1,
                               .memory_bytes = known_bytes(device->memory_bytes),
                               .cache_bytes = known_bytes(device->cache_bytes),
                               .clock_mhz = device->boost_mhz,
                               .bandwidth_gbps = device->bandwidth_gbps,
                               .core_count = device->core_count,
                               .peak_gflops = device->fp32_gflops,
                               .cache = CACHE_STEP,
                               .measured_copy_gbps = NAN,
                               .measured_sgemm_gflops = NAN,
                               .measured_call_latency_us = NAN};
    snprintf(info.name, sizeof info.name, "%s", device->name);
    snprintf(info.technology, sizeof info.technology, "%s", device->technology);
    snprintf(info.connectivity, sizeof info.connectivity, "%s", device->link);
    return info;
}

void device_catalogue_complete(struct device_info *info, const struct catalogue_device *device)
{
    const struct device_info known = device_catalogue_info(device);
    double *const own[] = {&info->clock_mhz, &info->bandwidth_gbps, &info->core_count,
                           &info->peak_gflops};
    const double figures[] = {known.clock_mhz, known.bandwidth_gbps, known.core_count,
                              known.peak_gflops};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (isnan(*own[i]))
            *own[i] = figures[i];
    if (!info->memory_bytes)
        info->memory_bytes = known.memory_bytes;
    if (!info->cache_bytes)
        info->cache_bytes = known.cache_bytes;
    if (!*info->technology)
        memcpy(info->technology, known.technology, sizeof info->technology);
    if (!*info->connectivity)
        memcpy(info->connectivity, known.connectivity, sizeof info->connectivity);
    memcpy(info->name, known.name, sizeof info->name);
}
