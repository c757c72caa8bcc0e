/* The program's side of the cuda backend: CUDA is loaded only when a CUDA device is requested and
 * the machine has a driver. A device that the module opens carries the module's own backend. */
#include "bench/cuda_module.h"

#include "version.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct backend backend_cuda;

enum { PATH_SIZE = 4096 };

/* Only the driver brings libcuda; loading it is cheap compared with the module (cuBLAS: 65-90 ms).
 */
static enum status require_driver(struct error *error)
{
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver) {
        dlclose(driver);
        return STATUS_OK;
    }
    FAIL(error, STATUS_NO_DEVICE,
         "cuda: no NVIDIA driver on this machine (libcuda.so.1 not found)");
    return HINT(error, STATUS_NO_DEVICE,
                "install NVIDIA's driver, or measure this processor: --device cpu");
}

/* Folder of the running program, with its '/'. */
static void program_folder(char folder[PATH_SIZE])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_SIZE - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
}

/* Next to the program, or in the folder of an installation. */
static enum status find_module(char path[PATH_SIZE], struct error *error)
{
    static const char *const folders[] = {"", "../lib/epochcast/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        program_folder(path);
        size_t length = strlen(path);
        snprintf(path + length, PATH_SIZE - length, "%s%s", folders[i], CUDA_MODULE_FILE);
        if (access(path, R_OK) == 0)
            return STATUS_OK;
    }
    FAIL(error, STATUS_NO_DEVICE, "cuda: this build has no %s", CUDA_MODULE_FILE);
    return HINT(error, STATUS_NO_DEVICE,
                "build it where the CUDA toolkit (12 or 13) and cuDNN 9 are installed");
}

static enum status load(const struct cuda_module **module, const char *path, struct error *error)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *module = library ? dlsym(library, CUDA_MODULE_SYMBOL) : NULL;
    if (!*module) {
        const char *why = dlerror();
        FAIL(error, STATUS_NO_DEVICE, "cuda: %.400s", why ? why : "no module");
        return HINT(error, STATUS_NO_DEVICE,
                    "the CUDA runtime, cuDNN, cuBLAS and cuRAND must be found by the "
                    "loader: LD_LIBRARY_PATH, or ldconfig");
    }
    if (strcmp((*module)->version, EPOCHCAST_VERSION) == 0 &&
        strcmp((*module)->commit, EPOCHCAST_COMMIT) == 0)
        return STATUS_OK;
    FAIL(error, STATUS_NO_DEVICE, "cuda: %.200s belongs to another build (%.40s %.60s)", path,
         (*module)->version, (*module)->commit);
    return HINT(error, STATUS_NO_DEVICE, "build program and module together");
}

enum status cuda_module_open(const struct cuda_module **module, const char *path,
                             struct error *error)
{
    char found[PATH_SIZE];
    *module = NULL;
    if (!path)
        path = getenv("EPOCHCAST_CUDA_MODULE");
    if (path)
        return load(module, path, error);
    TRY(require_driver(error));
    TRY(find_module(found, error));
    return load(module, found, error);
}

static enum status device_count(int *count, struct error *error)
{
    const struct cuda_module *module;
    *count = 0;
    TRY(cuda_module_open(&module, NULL, error));
    return module->backend->device_count(count, error);
}

static enum status open_device(struct device **device, int index,
                               const struct device_options *options, struct error *error)
{
    const struct cuda_module *module;
    *device = NULL;
    TRY(cuda_module_open(&module, NULL, error));
    return module->backend->open(device, index, options, error);
}

static enum status find_trainer(const struct trainer **trainer, int index, struct error *error)
{
    const struct cuda_module *module;
    *trainer = NULL;
    TRY(cuda_module_open(&module, NULL, error));
    return module->backend->trainer(trainer, index, error);
}

const struct backend backend_cuda = {
    .name = "cuda",
    .help = "an NVIDIA GPU, with cuDNN and cuBLAS",
    .timing = TIMING_EVENTS,
    .device_count = device_count,
    .open = open_device,
    .trainer = find_trainer,
};
