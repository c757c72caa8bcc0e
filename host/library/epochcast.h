/* epochcast: forecasts the time to train or run a neural network on a device.
 *
 *     struct epochcast_model *model;
 *     struct epochcast_network *network;
 *     struct epochcast_forecast *forecast;
 *     struct epochcast_error error;
 *     struct epochcast_options options = EPOCHCAST_OPTIONS_INITIALIZER;
 *     options.batch_size = 32;
 *     if (epochcast_model_load(&model, "model.h5", &error) == EPOCHCAST_OK && ...
 *
 * The program trains a model: `epochcast sweep`, `epochcast train`.
 *
 * Ownership. Functions that take a `**` create the object; the caller owns it and frees it with the
 * function named _free (NULL is allowed there; elsewhere only where documented). After an error `*`
 * is NULL and there is nothing to free. Returned texts belong to their object and live as long as
 * it does; do not free them. A forecast does not refer to its model and network: they may be freed
 * before it.
 *
 * Threads. The library has no state visible to a caller. Models, networks and forecasts do not
 * change after creation: any number of threads may use one at the same time. The thread that frees
 * one must be the last to use it. Several threads may load models at the same time; the library
 * reads one file after the other, as HDF5 requires. HDF5 itself is shared with your program: if it
 * was built without thread-safety (Debian's has it), do not call it in other threads while a model
 * is loaded.
 *
 * Errors. Functions that can fail return a status and, unless `error` is NULL, fill *error: the
 * failure, its place, and the next step. The library never prints and never exits. *error does not
 * change on success.
 *
 * Units. Every name contains its unit: ms are milliseconds of one batch, bytes are bytes.
 *
 * Indices start at 0. An index out of range gives NULL, NaN or 0.
 */
#ifndef EPOCHCAST_H
#define EPOCHCAST_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EPOCHCAST_API __attribute__((visibility("default")))
#else
#define EPOCHCAST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0"; static. */
EPOCHCAST_API const char *epochcast_version(void);

/* ---- errors ---- */

/* The program's exit codes have the same meaning. */
enum epochcast_status {
    EPOCHCAST_OK = 0,
    EPOCHCAST_FAILED = 1,    /* no memory, no forecast for a layer, ... */
    EPOCHCAST_USAGE = 2,     /* an argument is out of bounds or an unknown name */
    EPOCHCAST_NO_DEVICE = 3, /* the model was not trained on a device of that name */
    EPOCHCAST_BAD_FILE = 4   /* missing, unreadable, damaged, or of another kind or version */
};

/* Owned by the caller. Both texts are UTF-8 and terminated; the size of this struct will not
 * change. */
struct epochcast_error {
    enum epochcast_status status;
    char message[512]; /* "cannot open 'x.h5': No such file or directory" */
    char hint[512];    /* the next step; may be empty */
};

/* ---- models ---- */

struct epochcast_model;

/* Reads a model file. EPOCHCAST_BAD_FILE, EPOCHCAST_FAILED. */
EPOCHCAST_API enum epochcast_status epochcast_model_load(struct epochcast_model **model,
                                                         const char *path,
                                                         struct epochcast_error *error);
EPOCHCAST_API void epochcast_model_free(struct epochcast_model *model);

/* The devices that the model was trained on: at least one. */
EPOCHCAST_API size_t epochcast_model_device_count(const struct epochcast_model *model);
EPOCHCAST_API const char *epochcast_model_device_name(const struct epochcast_model *model,
                                                      size_t index);
/* "cpu", "cuda", "fake" */
EPOCHCAST_API const char *epochcast_model_device_backend(const struct epochcast_model *model,
                                                         size_t index);
/* 0: unknown */
EPOCHCAST_API int64_t epochcast_model_device_memory_bytes(const struct epochcast_model *model,
                                                          size_t index);

/* ---- networks ---- */

struct epochcast_network;

/* `name` is a name of the catalogue ("vgg16": searched in the folder of the environment variable
 * EPOCHCAST_NETWORKS, then in the installed one) or the path of a network's file (with a '/' or a
 * '.'), in any format that `epochcast predict` reads. EPOCHCAST_USAGE: unknown name; the hint lists
 * the known ones. EPOCHCAST_BAD_FILE: the message names line and column. */
EPOCHCAST_API enum epochcast_status epochcast_network_load(struct epochcast_network **network,
                                                           const char *name,
                                                           struct epochcast_error *error);
/* The same for an ONNX model with open dimensions besides its batch: `dimensions` sets their sizes
 * by name, "sequence=128" or "sequence=128,beams=4" (a dimension without a name is INPUT:AXIS);
 * NULL: none. EPOCHCAST_USAGE: malformed, or no open dimension of that name. EPOCHCAST_BAD_FILE: a
 * dimension has no size. Both hints list the open dimensions. */
EPOCHCAST_API enum epochcast_status epochcast_network_load_sized(struct epochcast_network **network,
                                                                 const char *name,
                                                                 const char *dimensions,
                                                                 struct epochcast_error *error);
EPOCHCAST_API void epochcast_network_free(struct epochcast_network *network);

EPOCHCAST_API const char *epochcast_network_name(const struct epochcast_network *network);
EPOCHCAST_API size_t epochcast_network_layer_count(const struct epochcast_network *network);
EPOCHCAST_API const char *epochcast_network_layer_name(const struct epochcast_network *network,
                                                       size_t index);
/* "dense", "conv2d", ... */
EPOCHCAST_API const char *epochcast_network_layer_kind(const struct epochcast_network *network,
                                                       size_t index);

/* ---- forecasts ---- */

/* Options of a forecast. Start from EPOCHCAST_OPTIONS_INITIALIZER: `size` tells the library which
 * members the caller knows; later versions add members at the end. Texts are only read during the
 * call. */
struct epochcast_options {
    size_t size; /* sizeof(struct epochcast_options) */
    int32_t batch_size;
    const char *pass;      /* "forward", or NULL: "train", a step with backward pass and update */
    const char *optimizer; /* of a training step: "momentum", "adam", ... or NULL: "sgd" */
    const char *precision; /* "tf32", "fp16", "bf16", or NULL: "fp32" */
    const char *device;    /* name of one of the model's devices, or NULL: its first */
};
#define EPOCHCAST_OPTIONS_INITIALIZER                                                              \
    {                                                                                              \
        sizeof(struct epochcast_options), 1, NULL, NULL, NULL, NULL                                \
    }

struct epochcast_forecast;

/* EPOCHCAST_USAGE: an option is out of bounds, unknown, or a pass, optimizer or precision that the
 * model has no training row of. EPOCHCAST_NO_DEVICE. EPOCHCAST_FAILED: a
 * layer that the model does not cover, on a device of unknown speed. A network that does not fit
 * the device's memory is not an error. */
EPOCHCAST_API enum epochcast_status
epochcast_forecast_create(struct epochcast_forecast **forecast, const struct epochcast_model *model,
                          const struct epochcast_network *network,
                          const struct epochcast_options *options, struct epochcast_error *error);
EPOCHCAST_API void epochcast_forecast_free(struct epochcast_forecast *forecast);

/* `low` and `high` bound the time at the model's level (default: 90 %); NaN when there is no
 * interval. */
struct epochcast_time {
    double ms, low_ms, high_ms;
};

/* One batch: a whole training step, or a forward pass. */
EPOCHCAST_API struct epochcast_time
epochcast_forecast_batch_time(const struct epochcast_forecast *forecast);
/* Milliseconds per sample: the batch's time divided by its samples. */
EPOCHCAST_API double epochcast_forecast_sample_ms(const struct epochcast_forecast *forecast);
/* Device memory of the batch: parameters, activations, workspace of convolutions, in training also
 * gradients and the optimizer's state. Program and libraries need memory in addition. */
EPOCHCAST_API int64_t epochcast_forecast_memory_bytes(const struct epochcast_forecast *forecast);
/* The same, by use. */
struct epochcast_memory {
    int64_t parameters_bytes, gradients_bytes, optimizer_bytes, activations_bytes, workspace_bytes;
};
EPOCHCAST_API struct epochcast_memory
epochcast_forecast_memory(const struct epochcast_forecast *forecast);
/* 1: memory_bytes fit the device (or its memory is unknown); 0: they do not. */
EPOCHCAST_API int epochcast_forecast_fits(const struct epochcast_forecast *forecast);

/* Layers in the network's order. */
EPOCHCAST_API size_t epochcast_forecast_layer_count(const struct epochcast_forecast *forecast);
EPOCHCAST_API struct epochcast_time
epochcast_forecast_layer_time(const struct epochcast_forecast *forecast, size_t index);
/* 1: the time is the model's; 0: it covers neither the layer nor its work: low_ms is the roofline,
 * which the time is at least; high_ms is NaN where the model does not know by how much layers of
 * this sort exceed it. */
EPOCHCAST_API int epochcast_forecast_layer_covered(const struct epochcast_forecast *forecast,
                                                   size_t index);
/* 1: the layer lies outside the range of the training rows. */
EPOCHCAST_API int epochcast_forecast_layer_extrapolates(const struct epochcast_forecast *forecast,
                                                        size_t index);

/* What a reader must know beside the numbers, as `epochcast predict` prints it: layers that only
 * have a lower bound, that extrapolate, that have no interval, ... One sentence each, without its
 * capital and full stop; the name ("bounds", "extrapolates", ...) tells caveats apart. NULL: out of
 * range. */
EPOCHCAST_API size_t epochcast_forecast_caveat_count(const struct epochcast_forecast *forecast);
EPOCHCAST_API const char *epochcast_forecast_caveat_text(const struct epochcast_forecast *forecast,
                                                         size_t index);
EPOCHCAST_API const char *epochcast_forecast_caveat_name(const struct epochcast_forecast *forecast,
                                                         size_t index);

/* The largest batch size that fits the device's memory, 0 when none does; options->batch_size is
 * ignored. EPOCHCAST_FAILED when the device's memory is unknown. */
EPOCHCAST_API enum epochcast_status epochcast_largest_batch(int32_t *batch_size,
                                                            const struct epochcast_model *model,
                                                            const struct epochcast_network *network,
                                                            const struct epochcast_options *options,
                                                            struct epochcast_error *error);

#ifdef __cplusplus
}
#endif

#endif
