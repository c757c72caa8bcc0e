/* The cuda backend's device with the shim in place of the runtime. */
#ifndef EPOCHCAST_TESTS_SHIM_DEVICE_H
#define EPOCHCAST_TESTS_SHIM_DEVICE_H

#include "cuda_device.h"
#include "test.h"

static const struct backend *const backend = &backend_cuda_device;

static inline struct device *shim_device_open(int64_t arena_bytes, bool autotune)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {
        .arena_bytes = arena_bytes, .seed = 7, .autotune = autotune};
    if (backend->open(&device, 0, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return device;
}

/* The teardown of a test whose state is the device. */
static inline int shim_device_close(void **state)
{
    backend->close(*state);
    return 0;
}

#endif
