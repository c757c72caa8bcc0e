#include "cli/device_numbers.h"

#include "base/csv.h"
#include "base/mapped_file.h"
#include "base/text.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NUMBER_MAXIMUM 1e6

/* ---- lists ---- */

struct numbers {
    const char *option;
    double values[DEVICE_LIMIT];
    int count;
};

static enum status add_number(void *payload, const char *text, struct error *error)
{
    struct numbers *numbers = payload;
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value <= NUMBER_MAXIMUM))
        return FAIL(error, STATUS_USAGE, "--%s: '%.60s' is not a number in 0..1e6", numbers->option,
                    text);
    if (numbers->count == DEVICE_LIMIT)
        return FAIL(error, STATUS_USAGE, "--%s: more than %d values", numbers->option,
                    DEVICE_LIMIT);
    numbers->values[numbers->count++] = value;
    return STATUS_OK;
}

/* Writes to the double at `offset` of every device: one value for all, or one per device. */
static enum status read_list(struct forecast_request *request, size_t offset, const char *option,
                             const char *text, struct error *error)
{
    struct numbers numbers = {.option = option};
    TRY(each_item(text, add_number, &numbers, error));
    if (numbers.count != 1 && numbers.count != request->device_count)
        return FAIL(error, STATUS_USAGE, "--%s: %d values for %d devices", option, numbers.count,
                    request->device_count);
    for (int i = 0; i < request->device_count; i++)
        *(double *)((char *)&request->devices[i] +
                    offset) = numbers.values[numbers.count == 1 ? 0 : i];
    return STATUS_OK;
}

/* ---- prices of a file ---- */

struct price_reader {
    struct csv csv;
    int device, price; /* columns */
};

static enum status read_header(struct price_reader *reader, struct error *error)
{
    bool more;
    TRY(csv_next(&reader->csv, &more, error));
    if (!more)
        return FAIL(error, STATUS_BAD_FILE, "%.200s: empty", reader->csv.path);
    reader->device = csv_find(&reader->csv, "device");
    reader->price = csv_find(&reader->csv, "price_per_hour");
    if (reader->price < 0)
        reader->price = csv_find(&reader->csv, "price");
    if (reader->device < 0 || reader->price < 0)
        return FAIL(error, STATUS_BAD_FILE, "%.200s: no column '%s'", reader->csv.path,
                    reader->device < 0 ? "device" : "price_per_hour");
    return STATUS_OK;
}

static bool names_device(const char *name, const struct priced_device *device,
                         const struct device_catalogue *catalogue)
{
    return strcasecmp(name, device->info->name) == 0 ||
           device_catalogue_same(catalogue, name, device->info->name);
}

static enum status read_price(struct forecast_request *request, const struct price_reader *reader,
                              const struct device_catalogue *catalogue, struct error *error)
{
    double price;
    const struct csv *csv = &reader->csv;
    if (csv->field_count <= reader->device)
        return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: no device", csv->path, csv->line);
    TRY(csv_number(csv, reader->price, "price_per_hour", &price, error));
    if (!(price >= 0 && price <= NUMBER_MAXIMUM))
        return FAIL(error, STATUS_BAD_FILE, "%.200s:%d: %g is not a price in 0..1e6", csv->path,
                    csv->line, price);
    for (int i = 0; i < request->device_count; i++)
        if (names_device(csv->field[reader->device], &request->devices[i], catalogue))
            request->devices[i].price_per_hour = fmin(request->devices[i].price_per_hour, price);
    return STATUS_OK;
}

static enum status read_prices(struct forecast_request *request, struct price_reader *reader,
                               const struct device_catalogue *catalogue, struct error *error)
{
    bool more, has_price = false;
    TRY(read_header(reader, error));
    for (;;) {
        TRY(csv_next(&reader->csv, &more, error));
        if (!more)
            break;
        TRY(read_price(request, reader, catalogue, error));
    }
    for (int i = 0; i < request->device_count; i++)
        has_price |= !isnan(request->devices[i].price_per_hour);
    if (has_price)
        return STATUS_OK;
    return FAIL(error, STATUS_USAGE, "--price-per-hour: '%.200s' has no price of %s",
                reader->csv.path,
                request->device_count == 1 ? request->devices[0].info->name : "these devices");
}

static enum status read_price_file(struct forecast_request *request, const char *path,
                                   const struct device_catalogue *catalogue, struct error *error)
{
    struct mapped_file file;
    struct price_reader *reader;
    TRY(mapped_file_open(&file, path, error));
    enum status status = ALLOCATE(&reader, 1, "CSV reader", error);
    if (status == STATUS_OK) {
        csv_begin(&reader->csv, path, file.bytes, file.size);
        status = read_prices(request, reader, catalogue, error);
        free(reader);
    }
    mapped_file_close(&file);
    return status;
}

static bool is_file(const char *text)
{
    struct stat info;
    const size_t length = strlen(text);
    return (length > 4 && strcmp(text + length - 4, ".csv") == 0) ||
           (stat(text, &info) == 0 && S_ISREG(info.st_mode));
}

/* ---- watts ---- */

static void fill_watts(struct forecast_request *request, const struct device_catalogue *catalogue,
                       const struct settings *settings)
{
    int known = 0;
    for (int i = 0; i < request->device_count; i++) {
        const struct catalogue_device *device = device_catalogue_find(
            catalogue, request->devices[i].info->name);
        if (device)
            request->devices[i].watts = device->tdp_watts;
        known += device && !isnan(device->tdp_watts);
    }
    if (known && !settings->quiet)
        term_message(stderr, "note: energy at the TDP of %d of %d devices: an upper bound\n", known,
                     request->device_count);
}

static enum status read_watts(struct forecast_request *request,
                              const struct device_catalogue *catalogue,
                              const struct settings *settings, struct error *error)
{
    const bool is_all = settings->device && strcmp(settings->device, "all") == 0;
    if (!settings->watts && !(is_all && settings->dataset_size > 0))
        return STATUS_OK;
    if (settings->watts && strcmp(settings->watts, "tdp") != 0)
        return read_list(request, offsetof(struct priced_device, watts), "watts", settings->watts,
                         error);
    fill_watts(request, catalogue, settings);
    return STATUS_OK;
}

enum status device_numbers_read(struct forecast_request *request,
                                const struct device_catalogue *catalogue,
                                const struct settings *settings, struct error *error)
{
    const char *prices = settings->price_per_hour;
    if (prices && is_file(prices))
        TRY(read_price_file(request, prices, catalogue, error));
    else if (prices)
        TRY(read_list(request, offsetof(struct priced_device, price_per_hour), "price-per-hour",
                      prices, error));
    return read_watts(request, catalogue, settings, error);
}
