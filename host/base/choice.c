#include "base/choice.h"

#include <string.h>

#define CHOICE_NAME(value, text) text,
#define CHOICE_DEFINE(tag, LIST)                                                                   \
    static const char *const tag##_names[] = {LIST(CHOICE_NAME)};                                  \
    const struct choice choice_##tag = {                                                           \
        .name = #tag, .names = tag##_names, .count = sizeof tag##_names / sizeof *tag##_names};
CHOICE_LISTS(CHOICE_DEFINE)

enum { NAME_LIMIT = 64 }; /* longer texts are nobody's misspelling */

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

static int minimum(int a, int b)
{
    return a < b ? a : b;
}

/* Levenshtein distance by rows; both texts are at most NAME_LIMIT long. */
static int edit_distance(const char *a, const char *b)
{
    int row[NAME_LIMIT + 1];
    int columns = (int)strlen(b);
    for (int j = 0; j <= columns; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= columns; j++) {
            int replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = minimum(replaced, 1 + minimum(row[j], row[j - 1]));
        }
    }
    return row[columns];
}

const char *nearest_name(const char *const *names, int count, const char *text)
{
    const char *best = NULL;
    if (strlen(text) > NAME_LIMIT)
        return NULL;
    int best_distance = (int)strlen(text) / 3 + 2;
    for (int i = 0; i < count; i++) {
        if (strlen(names[i]) > NAME_LIMIT)
            continue;
        int distance = edit_distance(text, names[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = names[i];
        }
    }
    return best;
}
