/* Models, networks and errors of the C library. */
#include "library/library.h"

#include "version.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The public header promises equal values. */
_Static_assert((int)EPOCHCAST_FAILED == (int)STATUS_FAILED, "status");
_Static_assert((int)EPOCHCAST_USAGE == (int)STATUS_USAGE, "status");
_Static_assert((int)EPOCHCAST_NO_DEVICE == (int)STATUS_NO_DEVICE, "status");
_Static_assert((int)EPOCHCAST_BAD_FILE == (int)STATUS_BAD_FILE, "status");

const char *epochcast_version(void)
{
    return EPOCHCAST_VERSION;
}

enum epochcast_status library_error(struct epochcast_error *out, const struct error *error)
{
    const enum epochcast_status status = (enum epochcast_status)error->status;
    if (!out)
        return status;
    out->status = status;
    snprintf(out->message, sizeof out->message, "%s", error->message);
    snprintf(out->hint, sizeof out->hint, "%s", error->hint);
    return status;
}

enum status library_allocate(void *out, size_t size, struct error *error)
{
    void *memory;
    const enum status status = error_allocate(&memory, 1, size, "handle", error);
    memcpy(out, &memory, sizeof memory);
    return status;
}

/* ---- models ---- */

/* HDF5 1.10 is thread-safe only if built that way, and loading silences its error handler, which
 * may belong to the whole process: one file at a time. */
static enum status load_model(struct model *model, const char *path, struct error *error)
{
    static pthread_mutex_t hdf5 = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&hdf5);
    const enum status status = model_load(model, path, error);
    pthread_mutex_unlock(&hdf5);
    return status;
}

enum epochcast_status epochcast_model_load(struct epochcast_model **model, const char *path,
                                           struct epochcast_error *error)
{
    struct error cause = {.status = STATUS_OK};
    enum status status = library_allocate(model, sizeof **model, &cause);
    if (status == STATUS_OK)
        status = load_model(&(*model)->model, path, &cause);
    if (status == STATUS_OK)
        return EPOCHCAST_OK;
    free(*model);
    *model = NULL;
    return library_error(error, &cause);
}

void epochcast_model_free(struct epochcast_model *model)
{
    if (!model)
        return;
    model_free(&model->model);
    free(model);
}

size_t epochcast_model_device_count(const struct epochcast_model *model)
{
    return (size_t)model->model.device_count;
}

static const struct device_info *device_at(const struct epochcast_model *model, size_t index)
{
    return index < epochcast_model_device_count(model) ? &model->model.devices[index] : NULL;
}

const char *epochcast_model_device_name(const struct epochcast_model *model, size_t index)
{
    const struct device_info *device = device_at(model, index);
    return device ? device->name : NULL;
}

const char *epochcast_model_device_backend(const struct epochcast_model *model, size_t index)
{
    const struct device_info *device = device_at(model, index);
    return device ? device->backend : NULL;
}

int64_t epochcast_model_device_memory_bytes(const struct epochcast_model *model, size_t index)
{
    const struct device_info *device = device_at(model, index);
    return device && device->memory_bytes > 0 ? device->memory_bytes : 0;
}

/* ---- networks ---- */

enum epochcast_status epochcast_network_load_sized(struct epochcast_network **network,
                                                   const char *name, const char *dimensions,
                                                   struct epochcast_error *error)
{
    struct error cause = {.status = STATUS_OK};
    enum status status = library_allocate(network, sizeof **network, &cause);
    if (status == STATUS_OK)
        status = network_load_with(&(*network)->network, name, &dimensions, dimensions != NULL,
                                   &cause);
    if (status == STATUS_OK)
        return EPOCHCAST_OK;
    free(*network);
    *network = NULL;
    return library_error(error, &cause);
}

enum epochcast_status epochcast_network_load(struct epochcast_network **network, const char *name,
                                             struct epochcast_error *error)
{
    return epochcast_network_load_sized(network, name, NULL, error);
}

void epochcast_network_free(struct epochcast_network *network)
{
    if (!network)
        return;
    network_free(&network->network);
    free(network);
}

const char *epochcast_network_name(const struct epochcast_network *network)
{
    return network->network.name;
}

size_t epochcast_network_layer_count(const struct epochcast_network *network)
{
    return (size_t)network->network.layer_count;
}

static const struct network_layer *layer_at(const struct epochcast_network *network, size_t index)
{
    return index < epochcast_network_layer_count(network) ? &network->network.layers[index] : NULL;
}

const char *epochcast_network_layer_name(const struct epochcast_network *network, size_t index)
{
    const struct network_layer *layer = layer_at(network, index);
    return layer ? layer->name : NULL;
}

const char *epochcast_network_layer_kind(const struct epochcast_network *network, size_t index)
{
    const struct network_layer *layer = layer_at(network, index);
    return layer ? network_layer_kind(layer) : NULL;
}
