#include "trainer/trainer.h"

#include <stdlib.h>

#define CHOICE_NAME(value, text) text,
static const char *const schedule_names[] = {SCHEDULE_LIST(CHOICE_NAME)};
const struct choice choice_schedule = {.name = "schedule",
                                       .names = schedule_names,
                                       .count = sizeof schedule_names / sizeof *schedule_names};
static const char *const loss_names[] = {LOSS_LIST(CHOICE_NAME)};
const struct choice choice_loss = {
    .name = "loss", .names = loss_names, .count = sizeof loss_names / sizeof *loss_names};

void train_result_free(struct train_result *result)
{
    free(result->parameters);
    *result = (struct train_result){0};
}
