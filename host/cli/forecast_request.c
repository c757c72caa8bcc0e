#include "cli/forecast_request.h"

#include "base/text.h"
#include "cli/predict_framework.h"
#include "predictors/model_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- devices ---- */

struct device_names {
    struct forecast_request *request;
    double memory_bytes; /* NaN: that of the device */
};

static enum status add_device(struct forecast_request *request, const struct device_info *info,
                              double memory_bytes, struct error *error)
{
    if (request->device_count == DEVICE_LIMIT)
        return FAIL(error, STATUS_USAGE, "--device: more than %d devices", DEVICE_LIMIT);
    request->devices[request->device_count++] = (struct priced_device){
        .info = info,
        .memory_bytes = isnan(memory_bytes) ? info->memory_bytes : (int64_t)memory_bytes,
        .price_per_hour = NAN,
        .watts = NAN};
    return STATUS_OK;
}

static enum status add_named_device(void *payload, const char *name, struct error *error)
{
    const struct device_names *names = payload;
    const struct device_info *info;
    TRY(model_device(&info, &names->request->selection.model, name, error));
    return add_device(names->request, info, names->memory_bytes, error);
}

/* Adds devices to the model's, so that --device may name them; known names are left out. */
static enum status add_known(struct model *model, const struct device_info *devices, int count,
                             struct error *error)
{
    struct device_info *all;
    TRY(ALLOCATE(&all, (unsigned long)(model->device_count + count), "devices", error));
    memcpy(all, model->devices, (size_t)model->device_count * sizeof *all);
    free(model->devices);
    model->devices = all;
    for (int i = 0; i < count; i++) {
        const struct device_info *known;
        if (model_device(&known, model, devices[i].name, NULL) != STATUS_OK)
            all[model->device_count++] = devices[i];
    }
    return STATUS_OK;
}

/* --device-from: the devices of a dataset or of another model. */
static enum status add_unseen_devices(struct model *model, const char *path, struct error *error)
{
    struct dataset_rows rows;
    struct model other;
    enum status status;
    if (model_recognise(path)) {
        TRY(model_load(&other, path, error));
        status = add_known(model, other.devices, other.device_count, error);
        model_free(&other);
        return status;
    }
    TRY(dataset_read(&rows, &path, 1, error));
    status = add_known(model, rows.devices, rows.device_count, error);
    dataset_rows_free(&rows);
    return status;
}

/* A name may hold a comma itself. */
static enum status read_devices(struct forecast_request *request, const struct settings *settings,
                                struct error *error)
{
    const struct model *model = &request->selection.model;
    struct device_names names = {request, settings->device_memory_bytes};
    const struct device_info *info;
    if (settings->device && strcmp(settings->device, "all") == 0) {
        for (int i = 0; i < model->device_count; i++)
            TRY(add_device(request, &model->devices[i], names.memory_bytes, error));
        return STATUS_OK;
    }
    if (model_device(&info, model, settings->device, NULL) == STATUS_OK)
        return add_device(request, info, names.memory_bytes, error);
    if (settings->device)
        return each_item(settings->device, add_named_device, &names, error);
    return model_device(&info, model, NULL, error);
}

/* ---- a number for each device ---- */

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
    if (end == text || *end || !(value >= 0 && value <= 1e6))
        return FAIL(error, STATUS_USAGE, "--%s: '%.60s' is not a number in 0..1e6", numbers->option,
                    text);
    if (numbers->count == DEVICE_LIMIT)
        return FAIL(error, STATUS_USAGE, "--%s: more than %d values", numbers->option,
                    DEVICE_LIMIT);
    numbers->values[numbers->count++] = value;
    return STATUS_OK;
}

/* Writes to the double at `offset` of every device: one value for all, or one per device. */
static enum status read_numbers(struct forecast_request *request, size_t offset, const char *option,
                                const char *text, struct error *error)
{
    struct numbers numbers = {.option = option};
    if (!text)
        return STATUS_OK;
    TRY(each_item(text, add_number, &numbers, error));
    if (numbers.count != 1 && numbers.count != request->device_count)
        return FAIL(error, STATUS_USAGE, "--%s: %d values for %d devices", option, numbers.count,
                    request->device_count);
    for (int i = 0; i < request->device_count; i++)
        *(double *)((char *)&request->devices[i] +
                    offset) = numbers.values[numbers.count == 1 ? 0 : i];
    return STATUS_OK;
}

/* ---- several devices together ---- */

static enum status read_gpus(struct forecast_request *request, const struct settings *settings,
                             struct error *error)
{
    request->is_parallel = settings->gpus != NULL;
    TRY(parse_int_list(request->gpus, GPUS_LIMIT, &request->gpus_count, true, NULL, "--gpus",
                       settings->gpus ? settings->gpus : "1", error));
    for (int i = 0; i < request->gpus_count; i++)
        if (request->gpus[i] < 1 || request->gpus[i] > PARALLEL_DEVICE_LIMIT)
            return FAIL(error, STATUS_USAGE, "--gpus: %d is outside 1..%d", request->gpus[i],
                        PARALLEL_DEVICE_LIMIT);
    struct parallel_options *parallel = &request->common.parallel;
    parallel->all_reduce = settings->all_reduce;
    parallel->scaling = settings->scaling;
    TRY(link_bytes_per_s(&parallel->link_bytes_per_s, settings->link ? settings->link : "pcie",
                         error));
    return STATUS_OK;
}

/* ---- the request ---- */

static enum status read_request(struct forecast_request *request, const struct settings *settings,
                                struct error *error)
{
    request->common = (struct forecast_options){
        .precision = precision_of(&request->selection.network, settings),
        .takes_unseen = settings->precision < 0 &&
                        request->selection.network.precision != PRECISION_FP32,
        .dataset_size = settings->dataset_size > 0 ? settings->dataset_size : 0,
        .epochs = settings->epochs > 0 ? (int32_t)settings->epochs : 0,
        .price_per_kwh = settings->price_per_kwh};
    if (settings->device_from)
        TRY(add_unseen_devices(&request->selection.model, settings->device_from, error));
    TRY(read_devices(request, settings, error));
    TRY(read_numbers(request, offsetof(struct priced_device, price_per_hour), "price-per-hour",
                     settings->price_per_hour, error));
    TRY(read_numbers(request, offsetof(struct priced_device, watts), "watts", settings->watts,
                     error));
    TRY(framework_option(&request->framework, settings, error));
    return read_gpus(request, settings, error);
}

enum status forecast_request_load(struct forecast_request *request, struct dimension_sizes *sizes,
                                  const struct settings *settings, struct error *error)
{
    *request = (struct forecast_request){.device_count = 0};
    TRY(network_selection_load(&request->selection, sizes, settings, error));
    const enum status status = read_request(request, settings, error);
    if (status != STATUS_OK)
        forecast_request_free(request);
    return status;
}
