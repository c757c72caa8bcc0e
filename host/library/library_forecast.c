/* Forecasts of the C library. */
#include "library/library.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct epochcast_forecast {
    struct forecast forecast;
    struct caveats caveats;
    size_t layer_count;
};

/* ---- options ---- */

/* Options of any version of the caller: its members overwrite the defaults. */
static enum status read_size(struct epochcast_options *known,
                             const struct epochcast_options *options, struct error *error)
{
    *known = (struct epochcast_options)EPOCHCAST_OPTIONS_INITIALIZER;
    if (options->size < sizeof options->size) {
        FAIL(error, STATUS_USAGE,
             "options.size = %zu is not a known size of struct epochcast_options", options->size);
        return HINT(error, STATUS_USAGE, "start from EPOCHCAST_OPTIONS_INITIALIZER");
    }
    memcpy(known, options, options->size < sizeof *known ? options->size : sizeof *known);
    return STATUS_OK;
}

/* Value of a choice by name; `otherwise` when there is none. */
static enum status read_choice(int32_t *value, const struct choice *choice, const char *name,
                               int32_t otherwise, struct error *error)
{
    *value = name ? choice_find(choice, name) : otherwise;
    if (*value >= 0)
        return STATUS_OK;
    char all[200] = "";
    for (int i = 0; i < choice->count; i++)
        text_list_add(all, sizeof all, ", ", "%s", choice->names[i]);
    FAIL(error, STATUS_USAGE, "options.%s: unknown value '%.60s'", choice->name, name);
    return HINT(error, STATUS_USAGE, "one of %s", all);
}

/* A question about a model and a network. */
struct question {
    struct forecast_options options;
    const struct device_info *device; /* the model's */
};

static enum status read_options(struct question *question, const struct epochcast_model *model,
                                const struct epochcast_options *options, struct error *error)
{
    struct epochcast_options known;
    TRY(read_size(&known, options, error));
    struct forecast_options *wanted = &question->options;
    *wanted = (struct forecast_options){.batch_size = known.batch_size, .price_per_hour = NAN};
    TRY(read_choice(&wanted->pass, &choice_pass, known.pass, PASS_TRAIN, error));
    const bool trains = wanted->pass == PASS_TRAIN;
    TRY(read_choice(&wanted->optimizer, &choice_optimizer, known.optimizer,
                    trains ? OPTIMIZER_SGD : OPTIMIZER_NONE, error));
    if (!trains && wanted->optimizer != OPTIMIZER_NONE)
        return FAIL(error, STATUS_USAGE, "options.optimizer: '%s' requires pass train",
                    known.optimizer);
    TRY(read_choice(&wanted->precision, &choice_precision, known.precision, PRECISION_FP32, error));
    return model_device(&question->device, &model->model, known.device, error);
}

/* ---- making one ---- */

static enum status create(struct epochcast_forecast *forecast, const struct epochcast_model *model,
                          const struct network *network, const struct epochcast_options *options,
                          struct error *error)
{
    struct question question;
    TRY(read_options(&question, model, options, error));
    forecast->layer_count = (size_t)network->layer_count;
    TRY(forecast_network(&forecast->forecast, network, model->model.predictor, question.device,
                         &question.options, error));
    const struct forecast *const forecasts[] = {&forecast->forecast};
    const enum status status = caveats_of(&forecast->caveats, forecasts, 1, network,
                                          model->model.predictor, error);
    if (status != STATUS_OK)
        forecast_free(&forecast->forecast);
    return status;
}

enum epochcast_status epochcast_forecast_create(struct epochcast_forecast **forecast,
                                                const struct epochcast_model *model,
                                                const struct epochcast_network *network,
                                                const struct epochcast_options *options,
                                                struct epochcast_error *error)
{
    struct error cause = {.status = STATUS_OK};
    enum status status = library_allocate(forecast, sizeof **forecast, &cause);
    if (status == STATUS_OK)
        status = create(*forecast, model, &network->network, options, &cause);
    if (status == STATUS_OK)
        return EPOCHCAST_OK;
    free(*forecast);
    *forecast = NULL;
    return library_error(error, &cause);
}

void epochcast_forecast_free(struct epochcast_forecast *forecast)
{
    if (!forecast)
        return;
    forecast_free(&forecast->forecast);
    free(forecast);
}

static enum status largest_batch(int32_t *batch_size, const struct epochcast_model *model,
                                 const struct network *network,
                                 const struct epochcast_options *options, struct error *error)
{
    struct question question;
    TRY(read_options(&question, model, options, error));
    if (question.device->memory_bytes <= 0)
        return FAIL(error, STATUS_FAILED, "the memory of '%s' is unknown", question.device->name);
    *batch_size = network_largest_batch(network, question.options.pass, question.options.optimizer,
                                        question.options.precision, question.device->memory_bytes);
    return STATUS_OK;
}

enum epochcast_status epochcast_largest_batch(int32_t *batch_size,
                                              const struct epochcast_model *model,
                                              const struct epochcast_network *network,
                                              const struct epochcast_options *options,
                                              struct epochcast_error *error)
{
    struct error cause = {.status = STATUS_OK};
    *batch_size = 0;
    if (largest_batch(batch_size, model, &network->network, options, &cause) == STATUS_OK)
        return EPOCHCAST_OK;
    return library_error(error, &cause);
}

/* ---- reading one ---- */

struct epochcast_time epochcast_forecast_batch_time(const struct epochcast_forecast *forecast)
{
    const struct forecast *own = &forecast->forecast;
    return (struct epochcast_time){
        .ms = own->batch_ms, .low_ms = own->batch_low_ms, .high_ms = own->batch_high_ms};
}

double epochcast_forecast_sample_ms(const struct epochcast_forecast *forecast)
{
    return forecast->forecast.sample_ms;
}

int64_t epochcast_forecast_memory_bytes(const struct epochcast_forecast *forecast)
{
    return forecast->forecast.memory.total_bytes;
}

struct epochcast_memory epochcast_forecast_memory(const struct epochcast_forecast *forecast)
{
    const struct network_memory *own = &forecast->forecast.memory;
    return (struct epochcast_memory){.parameters_bytes = own->parameters_bytes,
                                     .gradients_bytes = own->gradients_bytes,
                                     .optimizer_bytes = own->optimizer_bytes,
                                     .activations_bytes = own->activations_bytes,
                                     .workspace_bytes = own->workspace_bytes};
}

int epochcast_forecast_fits(const struct epochcast_forecast *forecast)
{
    return forecast->forecast.fits;
}

size_t epochcast_forecast_layer_count(const struct epochcast_forecast *forecast)
{
    return forecast->layer_count;
}

static struct prediction layer_at(const struct epochcast_forecast *forecast, size_t index)
{
    static const struct prediction none = {.median_ms = NAN, .low_ms = NAN, .high_ms = NAN};
    return index < forecast->layer_count ? forecast->forecast.layers[index] : none;
}

struct epochcast_time epochcast_forecast_layer_time(const struct epochcast_forecast *forecast,
                                                    size_t index)
{
    const struct prediction layer = layer_at(forecast, index);
    return (struct epochcast_time){
        .ms = layer.median_ms, .low_ms = layer.low_ms, .high_ms = layer.high_ms};
}

int epochcast_forecast_layer_covered(const struct epochcast_forecast *forecast, size_t index)
{
    return layer_at(forecast, index).covered;
}

int epochcast_forecast_layer_extrapolates(const struct epochcast_forecast *forecast, size_t index)
{
    return layer_at(forecast, index).extrapolates;
}

size_t epochcast_forecast_caveat_count(const struct epochcast_forecast *forecast)
{
    return (size_t)forecast->caveats.count;
}

static const struct caveat *caveat_at(const struct epochcast_forecast *forecast, size_t index)
{
    return index < epochcast_forecast_caveat_count(forecast) ? &forecast->caveats.list[index]
                                                             : NULL;
}

const char *epochcast_forecast_caveat_text(const struct epochcast_forecast *forecast, size_t index)
{
    const struct caveat *caveat = caveat_at(forecast, index);
    return caveat ? caveat->text : NULL;
}

const char *epochcast_forecast_caveat_name(const struct epochcast_forecast *forecast, size_t index)
{
    const struct caveat *caveat = caveat_at(forecast, index);
    return caveat ? choice_name(&choice_caveat, (int)caveat->kind) : NULL;
}
