#include "cli/forecast_devices.h"

#include "base/text.h"
#include "cli/device_numbers.h"
#include "predictors/model_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the model's list of devices ---- */

/* Makes room, so that devices that are added do not move those before. */
static enum status reserve(struct model *model, int count, struct error *error)
{
    struct device_info *all;
    TRY(ALLOCATE(&all, (unsigned long)(model->device_count + count), "devices", error));
    memcpy(all, model->devices, (size_t)model->device_count * sizeof *all);
    free(model->devices);
    model->devices = all;
    return STATUS_OK;
}

/* Known names are left out. */
static enum status add_known(struct model *model, const struct device_info *devices, int count,
                             struct error *error)
{
    TRY(reserve(model, count, error));
    for (int i = 0; i < count; i++) {
        const struct device_info *known;
        if (model_device(&known, model, devices[i].name, NULL) != STATUS_OK)
            model->devices[model->device_count++] = devices[i];
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

/* ---- names ---- */

struct device_names {
    struct forecast_request *request;
    const struct device_catalogue *catalogue;
    double memory_bytes; /* NaN: that of the device */
};

static enum status add_device(const struct device_names *names, const struct device_info *info,
                              struct error *error)
{
    struct forecast_request *request = names->request;
    if (request->device_count == DEVICE_LIMIT)
        return FAIL(error, STATUS_USAGE, "--device: more than %d devices", DEVICE_LIMIT);
    request->devices[request->device_count++] = (struct priced_device){
        .info = info,
        .memory_bytes = isnan(names->memory_bytes) ? info->memory_bytes
                                                   : (int64_t)names->memory_bytes,
        .price_per_hour = NAN,
        .watts = NAN};
    return STATUS_OK;
}

/* The model's device that the catalogue has under the same entry, or NULL. */
static const struct device_info *find_in_model(const struct device_names *names,
                                               const struct catalogue_device *device)
{
    const struct model *model = &names->request->selection.model;
    for (int i = 0; i < model->device_count; i++)
        if (device_catalogue_find(names->catalogue, model->devices[i].name) == device)
            return &model->devices[i];
    return NULL;
}

static enum status unknown_device(const struct device_names *names, const char *name,
                                  struct error *error)
{
    char nearest[64], list[300];
    const struct model *model = &names->request->selection.model;
    const struct device_info *info;
    const enum status status = model_device(&info, model, name, error);
    if (!device_catalogue_nearest(nearest, names->catalogue, name))
        return status;
    model_list_devices(list, sizeof list, model);
    return HINT(error, status,
                "did you mean '%s'? it knows %s, and those of 'epochcast show devices'", nearest,
                list);
}

/* The model forecasts layers of some kind on this device, which it has not seen. */
static enum status is_forecast(bool *is_covered, const struct model *model,
                               const struct device_info *info, struct error *error)
{
    *is_covered = false;
    for (int kind = 0; kind < LAYER_KIND_COUNT && !*is_covered; kind++) {
        struct layer_config config;
        struct prediction prediction;
        const struct layer_descriptor *descriptor = layer_descriptors[kind];
        layer_begin(&config, (enum layer_kind)kind);
        for (int i = 0; i < descriptor->feature_count; i++)
            layer_set(&config, &descriptor->features[i], descriptor->features[i].minimum);
        TRY(predict_configs(&prediction, model->predictor, &config, 1, info, error));
        *is_covered = prediction.covered;
    }
    return STATUS_OK;
}

static enum status not_forecast(const struct model *model, const char *name, struct error *error)
{
    char list[300];
    model_list_devices(list, sizeof list, model);
    FAIL(error, STATUS_NO_DEVICE,
         "the model has no rows of '%s' and does not forecast devices that it has not seen", name);
    return HINT(error, STATUS_NO_DEVICE,
                "it knows %s; models of several devices do, and those of 'train --predictor "
                "ceilings'",
                list);
}

/* In the model's list, else the catalogue's device, appended to it: reserve() has made room. */
static enum status find_device(const struct device_info **info, const struct device_names *names,
                               const char *name, struct error *error)
{
    struct model *model = &names->request->selection.model;
    if (model_device(info, model, name, NULL) == STATUS_OK)
        return STATUS_OK;
    const struct catalogue_device *device = device_catalogue_find(names->catalogue, name);
    if (!device)
        return unknown_device(names, name, error);
    *info = find_in_model(names, device);
    if (*info)
        return STATUS_OK;
    bool is_covered;
    struct device_info *added = &model->devices[model->device_count];
    *added = device_catalogue_info(device);
    TRY(is_forecast(&is_covered, model, added, error));
    if (!is_covered)
        return not_forecast(model, name, error);
    model->device_count++;
    *info = added;
    return STATUS_OK;
}

static enum status add_named_device(void *payload, const char *name, struct error *error)
{
    const struct device_names *names = payload;
    const struct device_info *info;
    TRY(find_device(&info, names, name, error));
    return add_device(names, info, error);
}

/* ---- all of them ---- */

static enum status add_catalogue(const struct device_names *names, struct error *error)
{
    struct model *model = &names->request->selection.model;
    for (int i = 0; i < names->catalogue->count; i++) {
        bool is_covered;
        const struct catalogue_device *device = &names->catalogue->devices[i];
        const struct device_info info = device_catalogue_info(device);
        if (device->type != TYPE_GPU || find_in_model(names, device))
            continue;
        TRY(is_forecast(&is_covered, model, &info, error));
        if (is_covered)
            model->devices[model->device_count++] = info;
    }
    return STATUS_OK;
}

static enum status add_all(const struct device_names *names, struct error *error)
{
    const struct model *model = &names->request->selection.model;
    TRY(add_catalogue(names, error));
    for (int i = 0; i < model->device_count; i++)
        TRY(add_device(names, &model->devices[i], error));
    return STATUS_OK;
}

/* A name may hold a comma itself. */
static enum status read_names(struct device_names *names, const char *text, struct error *error)
{
    struct model *model = &names->request->selection.model;
    const struct device_info *info;
    if (!text || model_device(&info, model, text, NULL) == STATUS_OK) {
        TRY(model_device(&info, model, text, error));
        return add_device(names, info, error);
    }
    /* each name is longer than its comma */
    TRY(reserve(model, names->catalogue->count + (int)strlen(text), error));
    if (strcmp(text, "all") == 0)
        return add_all(names, error);
    return each_item(text, add_named_device, names, error);
}

static enum status read_with(struct forecast_request *request,
                             const struct device_catalogue *catalogue,
                             const struct settings *settings, struct error *error)
{
    struct device_names names = {request, catalogue, settings->device_memory_bytes};
    if (settings->device_from)
        TRY(add_unseen_devices(&request->selection.model, settings->device_from, error));
    TRY(read_names(&names, settings->device, error));
    return device_numbers_read(request, catalogue, settings, error);
}

enum status forecast_devices_read(struct forecast_request *request, const struct settings *settings,
                                  struct error *error)
{
    struct device_catalogue catalogue = {.count = 0};
    const bool is_asked = settings->device || settings->price_per_hour || settings->watts;
    if (is_asked && device_catalogue_is_there())
        TRY(device_catalogue_load(&catalogue, error));
    const enum status status = read_with(request, &catalogue, settings, error);
    device_catalogue_free(&catalogue);
    return status;
}
