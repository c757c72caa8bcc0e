#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- misspellings ---- */

enum { NAME_LIMIT = 64 }; /* longer texts are not misspellings */

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

/* ---- items ---- */

enum status each_item(const char *text,
                      enum status (*each)(void *payload, const char *item, struct error *error),
                      void *payload, struct error *error)
{
    char *copy = strdup(text), *rest = copy;
    if (!copy)
        return FAIL(error, STATUS_FAILED, "no memory");
    enum status status = STATUS_OK;
    for (char *item; status == STATUS_OK && (item = strsep(&rest, ","));)
        status = *item ? each(payload, item, error)
                       : FAIL(error, STATUS_USAGE, "'%.80s' has an empty item", text);
    free(copy);
    return status;
}

/* ---- lists of whole numbers ---- */

struct list {
    int32_t *values;
    int limit, count;
    const char *text; /* for messages */
};

static enum status list_add(struct list *list, int64_t value, struct error *error)
{
    if (list->count == list->limit)
        return FAIL(error, STATUS_USAGE, "'%s' names more than %d values", list->text, list->limit);
    list->values[list->count++] = (int32_t)value;
    return STATUS_OK;
}

static enum status read_number(int64_t *value, const char **at, const char *text,
                               struct error *error)
{
    char *end;
    errno = 0;
    *value = strtoll(*at, &end, 10);
    if (end == *at || errno || *value < INT32_MIN || *value > INT32_MAX) {
        FAIL(error, STATUS_USAGE, "'%s' is not a list of whole numbers", text);
        return HINT(error, STATUS_USAGE, "lists look like 1,2,4 or 1..64 or 1..64*2");
    }
    *at = end;
    return STATUS_OK;
}

static enum status expand_range(struct list *list, int64_t first, int64_t last, int64_t factor,
                                struct error *error)
{
    for (int64_t value = first; value <= last; value = factor ? value * factor : value + 1)
        TRY(list_add(list, value, error));
    return STATUS_OK;
}

/* One comma-separated item: "4", "1..64", "1..64*2". */
static enum status read_item(struct list *list, const char **at, bool expand, bool *is_range,
                             struct error *error)
{
    int64_t first, last, factor = 0;
    TRY(read_number(&first, at, list->text, error));
    if (strncmp(*at, "..", 2) != 0)
        return list_add(list, first, error);
    *at += 2;
    TRY(read_number(&last, at, list->text, error));
    if (**at == '*') {
        ++*at;
        TRY(read_number(&factor, at, list->text, error));
        if (factor < 2 || first < 1)
            return FAIL(error, STATUS_USAGE,
                        "'%s': a factor is at least 2, its range starts at 1 "
                        "or above",
                        list->text);
    }
    if (first > last)
        return FAIL(error, STATUS_USAGE, "'%s': the range is empty", list->text);
    if (factor || expand)
        return expand_range(list, first, last, factor, error);
    if (list->count || **at)
        return FAIL(error, STATUS_USAGE, "'%s': a range cannot be part of a list", list->text);
    *is_range = true;
    TRY(list_add(list, first, error));
    return list_add(list, last, error);
}

enum status parse_int_list(int32_t *values, int limit, int *count, bool expand, bool *is_range,
                           const char *text, struct error *error)
{
    struct list list = {.values = values, .limit = limit, .text = text};
    bool range = false;
    const char *at = text;
    do {
        at += at != text; /* the comma */
        TRY(read_item(&list, &at, expand, &range, error));
    } while (*at == ',');
    if (*at)
        return FAIL(error, STATUS_USAGE, "'%s' is not a list of whole numbers: unexpected '%s'",
                    text, at);
    *count = list.count;
    if (is_range)
        *is_range = range;
    return STATUS_OK;
}
