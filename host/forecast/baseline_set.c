#include "forecast/baseline_set.h"

#include "bench/device_identity.h"

/* The roofline needs only the device: a row that refers to it is enough. */
static enum status fit_roofline(struct predictor **roofline, const struct device_info *known,
                                struct error *error)
{
    struct device_info device = *known;
    struct measurement row = {.outcome = OUTCOME_OK, .median_ms = 1};
    const struct dataset_rows rows = {
        .rows = &row, .count = 1, .devices = &device, .device_count = 1};
    return predictor_roofline.fit(roofline, &rows, NULL, NULL, error);
}

/* Every wanted baseline except the roofline. */
static enum status fit_from_rows(struct baseline_set *set, const struct dataset_rows *rows,
                                 int32_t mask, struct error *error)
{
    for (int i = 0; i < choice_baseline.count; i++) {
        const struct predictor_type *type = predictor_find(choice_baseline.names[i]);
        if (!(mask >> i & 1) || type == &predictor_roofline || set->count == BASELINE_LIMIT)
            continue;
        TRY(type->fit(&set->list[set->count], rows, NULL, NULL, error));
        set->count++;
    }
    return STATUS_OK;
}

bool baseline_set_needs_rows(int32_t mask)
{
    const int roofline = choice_find(&choice_baseline, predictor_roofline.name);
    return (mask & ~(INT32_C(1) << roofline)) != 0;
}

enum status baseline_set_fit(struct baseline_set *set, const struct device_info *device,
                             int32_t mask, const struct dataset_rows *rows, struct error *error)
{
    *set = (struct baseline_set){.count = 0};
    TRY(fit_roofline(&set->list[0], device, error));
    set->count = 1;
    return rows ? fit_from_rows(set, rows, mask, error) : STATUS_OK;
}

void baseline_set_free(struct baseline_set *set)
{
    for (int i = 0; i < set->count; i++)
        set->list[i]->type->free(set->list[i]);
    *set = (struct baseline_set){.count = 0};
}

enum status baseline_set_forecast(double *batch_ms, const struct baseline_set *set,
                                  const struct network *network, const struct device_info *device,
                                  const struct forecast_options *options, struct error *error)
{
    for (int i = 0; i < set->count; i++) {
        struct forecast forecast;
        TRY(forecast_network(&forecast, network, set->list[i], device, options, error));
        batch_ms[i] = forecast.batch_ms;
        forecast_free(&forecast);
    }
    return STATUS_OK;
}

enum status model_find_device(const struct device_info **known, const struct model *model,
                              const struct device_info *here, struct error *error)
{
    struct device_info other = *here;
    int found = device_find(model->devices, model->device_count, here);
    for (other.cache = 0; found < 0 && other.cache < choice_cache.count; other.cache++)
        found = device_find(model->devices, model->device_count, &other);
    if (found >= 0) {
        *known = &model->devices[found];
        return STATUS_OK;
    }
    char list[300];
    model_list_devices(list, sizeof list, model);
    FAIL(error, STATUS_NO_DEVICE, "the model was not trained on %s (%s, %d thread%s)", here->name,
         here->backend, here->thread_count, here->thread_count == 1 ? "" : "s");
    return HINT(error, STATUS_NO_DEVICE,
                "it knows %s; sweep and train on this device, with the same --threads", list);
}
