#include "base/choice.h"

#include <string.h>

#define CHOICE_NAME(value, text) text,
#define CHOICE_DEFINE(tag, LIST)                                                                   \
    static const char *const tag##_names[] = {LIST(CHOICE_NAME)};                                  \
    const struct choice choice_##tag = {                                                           \
        .name = #tag, .names = tag##_names, .count = sizeof tag##_names / sizeof *tag##_names};
CHOICE_LISTS(CHOICE_DEFINE)

int choice_find(const struct choice *choice, const char *name)
{
    for (int value = 0; value < choice->count; value++)
        if (strcmp(choice->names[value], name) == 0)
            return value;
    return -1;
}

const char *choice_name(const struct choice *choice, int value)
{
    return value >= 0 && value < choice->count ? choice->names[value] : "?";
}
