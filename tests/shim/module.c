/* A module in the place of epochcast_cuda.so whose GPU is the shim: trainer and sampler are the
 * real ones, run on the CPU; layers are timed by the fake backend's arithmetic.
 */
#include "bench/cuda_module.h"
#include "sampler.h"
#include "trainer_cuda.h"
#include "version.h"

#include <stdio.h>

extern const struct backend backend_fake;
static struct backend shim_backend; /* the fake one, but for what stands below */

static enum status open_device(struct device **device, int index,
                               const struct device_options *options, struct error *error)
{
    TRY(backend_fake.open(device, index, options, error));
    (*device)->backend = &shim_backend;
    return STATUS_OK;
}

static enum status describe(struct device *device, bool measure, struct device_info *info,
                            struct error *error)
{
    TRY(backend_fake.describe(device, measure, info, error));
    snprintf(info->name, sizeof info->name, "shim GPU");
    snprintf(info->backend, sizeof info->backend, "cuda");
    return STATUS_OK;
}

static enum status draw(struct device *device, struct layer_config *configs, enum stratum *strata,
                        const struct sample_domain *domain, uint64_t seed, uint32_t first,
                        uint32_t count, struct error *error)
{
    (void)device;
    return cuda_sample(configs, strata, domain, seed, first, count, error);
}

static enum status find_trainer(const struct trainer **trainer, int index, struct error *error)
{
    *trainer = &trainer_cuda;
    return index ? FAIL(error, STATUS_NO_DEVICE, "the shim is one device") : STATUS_OK;
}

__attribute__((constructor)) static void make_backend(void)
{
    shim_backend = backend_fake;
    shim_backend.name = "cuda";
    shim_backend.open = open_device;
    shim_backend.describe = describe;
    shim_backend.draw = draw;
    shim_backend.trainer = find_trainer;
}

extern const struct cuda_module epochcast_cuda_module;
const struct cuda_module epochcast_cuda_module = {
    .version = EPOCHCAST_VERSION, .commit = MODULE_COMMIT, .backend = &shim_backend};
