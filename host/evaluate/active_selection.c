#include "evaluate/active_selection.h"

#include "base/hash.h"
#include "base/mapped_file.h"

#include <math.h>

double forecast_doubt(const struct prediction *prediction)
{
    return prediction->covered ? prediction->spread : INFINITY;
}

static enum status choose(int *chosen, void *payload, const struct layer_config *configs, int count,
                          struct error *error)
{
    const struct active_selection *active = payload;
    const struct predictor *predictor = active->model.predictor;
    struct prediction forecasts[SELECTION_DRAWS];
    TRY(predict_configs(forecasts, predictor, configs, (size_t)count, NULL, error));
    *chosen = 0;
    for (int i = 1; i < count; i++)
        if (forecast_doubt(&forecasts[i]) > forecast_doubt(&forecasts[*chosen]))
            *chosen = i;
    return STATUS_OK;
}

static enum status hash_file(uint64_t *hash, const char *path, struct error *error)
{
    struct mapped_file file;
    TRY(mapped_file_open(&file, path, error));
    *hash = hash_bytes(HASH_SEED, file.bytes, file.size);
    mapped_file_close(&file);
    return STATUS_OK;
}

/* The model must forecast one draw of each kind. */
static enum status check_kinds(struct active_selection *active, const char *path,
                               const struct sample_domain *domains, int domain_count,
                               struct error *error)
{
    const struct predictor *predictor = active->model.predictor;
    for (int i = 0; i < domain_count; i++) {
        struct layer_config config;
        enum stratum stratum;
        struct prediction forecast;
        TRY(sample_draw(&config, &stratum, &domains[i], 0, 0, error));
        TRY(predict_configs(&forecast, predictor, &config, 1, NULL, error));
        if (forecast.covered && forecast.spread > 0)
            continue;
        FAIL(error, STATUS_USAGE, "--active %s: the model has no ensemble of nets for %s", path,
             layer_descriptors[domains[i].kind]->name);
        return HINT(error, STATUS_USAGE, "train it with these layers and --ensemble 4");
    }
    return STATUS_OK;
}

enum status active_selection_open(struct active_selection *active, const char *path,
                                  const struct sample_domain *domains, int domain_count,
                                  struct error *error)
{
    TRY(hash_file(&active->hash, path, error));
    TRY(model_load(&active->model, path, error));
    active->selection = (struct sweep_selection){.choose = choose, .payload = active};
    const enum status status = check_kinds(active, path, domains, domain_count, error);
    if (status != STATUS_OK)
        active_selection_close(active);
    return status;
}

void active_selection_close(struct active_selection *active)
{
    model_free(&active->model);
    *active = (struct active_selection){.hash = 0};
}
