#include "cli/predict_plan.h"

#include "layers/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- devices ---- */

struct device_names {
    struct predict_plan *plan;
    double memory_bytes; /* NaN: what the device has */
};

static enum status add_device(struct predict_plan *plan, const struct device_info *info,
                              double memory_bytes, struct error *error)
{
    if (plan->device_count == DEVICE_LIMIT)
        return FAIL(error, STATUS_USAGE, "--device: more than %d", DEVICE_LIMIT);
    plan->devices[plan->device_count++] = (struct priced_device){
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
    TRY(model_device(&info, &names->plan->choice.model, name, error));
    return add_device(names->plan, info, names->memory_bytes, error);
}

/* A name may hold a comma itself. */
static enum status read_devices(struct predict_plan *plan, const struct settings *settings,
                                struct error *error)
{
    const struct model *model = &plan->choice.model;
    struct device_names names = {plan, settings->device_memory_bytes};
    const struct device_info *info;
    if (settings->device && strcmp(settings->device, "all") == 0) {
        for (int i = 0; i < model->device_count; i++)
            TRY(add_device(plan, &model->devices[i], names.memory_bytes, error));
        return STATUS_OK;
    }
    if (model_device(&info, model, settings->device, NULL) == STATUS_OK)
        return add_device(plan, info, names.memory_bytes, error);
    if (settings->device)
        return cli_each_item(settings->device, add_named_device, &names, error);
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
        return FAIL(error, STATUS_USAGE, "--%s: '%.60s' is not a number of 0..1e6", numbers->option,
                    text);
    if (numbers->count == DEVICE_LIMIT)
        return FAIL(error, STATUS_USAGE, "--%s: more than %d", numbers->option, DEVICE_LIMIT);
    numbers->values[numbers->count++] = value;
    return STATUS_OK;
}

/* Writes to the double at `offset` of every device: one value for all, or one each. */
static enum status read_numbers(struct predict_plan *plan, size_t offset, const char *option,
                                const char *text, struct error *error)
{
    struct numbers numbers = {.option = option};
    if (!text)
        return STATUS_OK;
    TRY(cli_each_item(text, add_number, &numbers, error));
    if (numbers.count != 1 && numbers.count != plan->device_count)
        return FAIL(error, STATUS_USAGE, "--%s: %d values for %d devices", option, numbers.count,
                    plan->device_count);
    for (int i = 0; i < plan->device_count; i++)
        *(double *)((char *)&plan->devices[i] +
                    offset) = numbers.values[numbers.count == 1 ? 0 : i];
    return STATUS_OK;
}

/* ---- several devices together ---- */

static enum status read_gpus(struct predict_plan *plan, const struct settings *settings,
                             struct error *error)
{
    plan->is_parallel = settings->gpus != NULL;
    TRY(parse_int_list(plan->gpus, GPUS_LIMIT, &plan->gpus_count, true, NULL,
                       settings->gpus ? settings->gpus : "1", error));
    for (int i = 0; i < plan->gpus_count; i++)
        if (plan->gpus[i] < 1 || plan->gpus[i] > PARALLEL_DEVICE_LIMIT)
            return FAIL(error, STATUS_USAGE, "--gpus: %d is outside 1..%d", plan->gpus[i],
                        PARALLEL_DEVICE_LIMIT);
    struct parallel_options *parallel = &plan->common.parallel;
    parallel->all_reduce = settings->all_reduce;
    parallel->scaling = settings->scaling;
    TRY(link_bytes_per_s(&parallel->link_bytes_per_s, settings->link ? settings->link : "pcie",
                         error));
    if (settings->link && !plan->is_parallel)
        return FAIL(error, STATUS_USAGE, "--link goes with --gpus");
    return STATUS_OK;
}

/* ---- the plan ---- */

static enum status read_plan(struct predict_plan *plan, const struct settings *settings,
                             struct error *error)
{
    plan->common = (struct forecast_options){
        .precision = settings->precision,
        .dataset_size = settings->dataset_size > 0 ? settings->dataset_size : 0,
        .epochs = settings->epochs > 0 ? (int32_t)settings->epochs : 0,
        .price_per_kwh = settings->price_per_kwh};
    if (!isnan(settings->price_per_kwh) && !settings->watts)
        return FAIL(error, STATUS_USAGE, "--price-per-kwh needs --watts");
    TRY(read_devices(plan, settings, error));
    TRY(read_numbers(plan, offsetof(struct priced_device, price_per_hour), "price-per-hour",
                     settings->price_per_hour, error));
    TRY(read_numbers(plan, offsetof(struct priced_device, watts), "watts", settings->watts, error));
    return read_gpus(plan, settings, error);
}

enum status predict_plan_load(struct predict_plan *plan, struct dimension_sizes *sizes,
                              const struct settings *settings, struct error *error)
{
    *plan = (struct predict_plan){.device_count = 0};
    TRY(network_choice_load(&plan->choice, sizes, settings, error));
    const enum status status = read_plan(plan, settings, error);
    if (status != STATUS_OK)
        predict_plan_free(plan);
    return status;
}

void predict_plan_free(struct predict_plan *plan)
{
    network_choice_free(&plan->choice);
}

/* ---- forecasts ---- */

static enum status add_forecast(struct predictions *all, const struct priced_device *device,
                                const struct step_choice *step, int32_t gpus, int32_t batch_size,
                                struct error *error)
{
    struct predict_row *row = &all->rows[all->count];
    struct forecast_options wanted = all->plan->common;
    wanted.batch_size = batch_size;
    wanted.pass = step->pass;
    wanted.optimizer = step->optimizer;
    wanted.price_per_hour = device->price_per_hour;
    wanted.watts = device->watts;
    wanted.memory_bytes = device->memory_bytes;
    wanted.parallel.device_count = gpus;
    const struct network_choice *choice = &all->plan->choice;
    TRY(forecast_network(&row->forecast, &choice->network, choice->model.predictor, device->info,
                         &wanted, error));
    row->device = device;
    all->count++;
    all->too_large += !row->forecast.fits;
    return STATUS_OK;
}

static enum status forecast_step(struct predictions *all, const struct priced_device *device,
                                 const struct step_choice *step, struct error *error)
{
    const struct predict_plan *plan = all->plan;
    for (int g = 0; g < plan->gpus_count; g++)
        for (int b = 0; b < plan->choice.batch_count; b++)
            TRY(add_forecast(all, device, step, plan->gpus[g], plan->choice.batch_sizes[b], error));
    return STATUS_OK;
}

static enum status forecast_all(struct predictions *all, struct error *error)
{
    const struct predict_plan *plan = all->plan;
    for (int d = 0; d < plan->device_count; d++)
        for (int s = 0; s < plan->choice.step_count; s++)
            TRY(forecast_step(all, &plan->devices[d], &plan->choice.steps[s], error));
    return STATUS_OK;
}

enum status predictions_create(struct predictions *all, const struct predict_plan *plan,
                               struct error *error)
{
    *all = (struct predictions){.plan = plan};
    const int64_t count = (int64_t)plan->device_count * plan->choice.step_count *
                          plan->choice.batch_count * plan->gpus_count;
    if (count > FORECAST_LIMIT)
        return FAIL(error, STATUS_USAGE, "%lld forecasts are more than %d", (long long)count,
                    FORECAST_LIMIT);
    TRY(ALLOCATE(&all->rows, (size_t)count, "forecasts", error));
    const enum status status = forecast_all(all, error);
    if (status != STATUS_OK)
        predictions_free(all);
    return status;
}

void predictions_free(struct predictions *all)
{
    for (int i = 0; i < all->count; i++)
        forecast_free(&all->rows[i].forecast);
    free(all->rows);
    *all = (struct predictions){.rows = NULL};
}

int64_t predict_largest_batch(const struct predict_plan *plan, const struct predict_row *row)
{
    const struct forecast *forecast = &row->forecast;
    if (row->device->memory_bytes <= 0)
        return -1;
    const int64_t own = network_largest_batch(&plan->choice.network, forecast->pass,
                                              forecast->optimizer, plan->common.precision,
                                              row->device->memory_bytes);
    const bool divided = plan->common.parallel.scaling == SCALING_STRONG;
    return divided ? own * forecast->device_count : own;
}
