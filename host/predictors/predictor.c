#include "predictors/predictor.h"

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
