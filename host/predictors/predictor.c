#include "predictors/predictor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PREDICTOR_ENTRY(name) &predictor_##name,
const struct predictor_type *const predictor_types[] = {PREDICTORS(PREDICTOR_ENTRY) NULL};

#define BASELINE_NAME(name) #name,
static const char *const baseline_names[] = {BASELINES(BASELINE_NAME)};
const struct choice choice_baseline = {.name = "baselines",
                                       .names = baseline_names,
                                       .count = sizeof baseline_names / sizeof *baseline_names};

const struct predictor_type *predictor_find(const char *name)
{
    for (int i = 0; predictor_types[i]; i++)
        if (strcmp(predictor_types[i]->name, name) == 0)
            return predictor_types[i];
    return NULL;
}

#define PREDICTOR_NAME(name) #name ", "
enum status predictor_choose(const struct predictor_type **type, const char *name,
                             struct error *error)
{
    static const char list[] = PREDICTORS(PREDICTOR_NAME);
    *type = predictor_find(name);
    if (*type)
        return STATUS_OK;
    FAIL(error, STATUS_USAGE, "unknown predictor '%.60s'", name);
    return HINT(error, STATUS_USAGE, "predictors: %.*s", (int)strlen(list) - 2, list);
}

/* ---- options ---- */

static const struct fit_options *standard_of(const struct predictor_type *type)
{
    assert(!type->standard || type->standard->type == type);
    return type->standard;
}

enum status fit_options_create(struct fit_options **options, const struct predictor_type *type,
                               struct error *error)
{
    void *memory;
    const struct fit_options none = {.type = type};
    const struct fit_options *standard = standard_of(type);
    const size_t size = standard ? type->options_size : sizeof none;
    TRY(error_allocate(&memory, 1, size, "options", error));
    memcpy(memory, standard ? standard : &none, size);
    *options = memory;
    return STATUS_OK;
}

enum status fit_options_check(const struct fit_options **options, const struct predictor_type *type,
                              struct error *error)
{
    assert(!*options || (*options)->type == type);
    if (!*options)
        *options = standard_of(type);
    return members_check(*options, type->options, type->option_count, error);
}

/* ---- forecasts ---- */

struct layer_question question_of(const struct layer_config *config, struct layer_work *work)
{
    layer_work(work, config);
    return (struct layer_question){.config = config,
                                   .work = work,
                                   .pass = config->pass,
                                   .optimizer = config->optimizer,
                                   .precision = config->precision};
}

struct cost question_cost(const struct layer_question *question)
{
    return cost_of_work(question->work, question->pass, question->optimizer, question->precision);
}

enum status predict_configs(struct prediction *predictions, const struct predictor *predictor,
                            const struct layer_config *configs, size_t count,
                            const struct device_info *device, struct error *error)
{
    struct layer_question *questions;
    TRY(ALLOCATE(&questions, count, "questions", error));
    for (size_t i = 0; i < count; i++)
        questions[i] = (struct layer_question){.config = &configs[i]};
    const enum status status = predictor->type->predict(predictions, predictor, questions, count,
                                                        device, error);
    free(questions);
    return status;
}
