#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- misspellings ---- */

enum { NAME_LIMIT = 64 }; /* longer texts are not misspellings */

/* Costs of a change: swapped neighbours are likelier than another letter; case is no mistake. */
enum { SWAP = 1, CHANGE = 2 };

static int minimum(int a, int b)
{
    return a < b ? a : b;
}

static bool is_swap(const char *a, const char *b, int i, int j)
{
    return i > 1 && j > 1 && tolower(a[i - 1]) == tolower(b[j - 2]) &&
           tolower(a[i - 2]) == tolower(b[j - 1]);
}

/* Optimal string alignment distance; both texts are at most NAME_LIMIT long. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][NAME_LIMIT + 1]; // before the last, last, this
    const int columns = (int)strlen(b);
    for (int j = 0; j <= columns; j++)
        rows[2][j] = CHANGE * j;
    for (int i = 1; a[i - 1]; i++) {
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
        rows[2][0] = CHANGE * i;
        for (int j = 1; j <= columns; j++) {
            const bool is_equal = tolower(a[i - 1]) == tolower(b[j - 1]);
            int least = rows[1][j - 1] + (is_equal ? 0 : CHANGE);
            least = minimum(least, CHANGE + minimum(rows[1][j], rows[2][j - 1]));
            if (is_swap(a, b, i, j))
                least = minimum(least, SWAP + rows[0][j - 2]);
            rows[2][j] = least;
        }
    }
    return rows[2][columns];
}

const char *nearest_name(const char *const *names, int count, const char *text)
{
    const char *best = NULL;
    if (strlen(text) > NAME_LIMIT)
        return NULL;
    const int length = (int)strlen(text);
    int best_distance = CHANGE * (length < 6 ? 1 : length / 3) + 1;
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

enum status choice_read(int32_t *value, const struct choice *choice, const char *what,
                        const char *text, struct error *error)
{
    char names[240] = "";
    *value = choice_find(choice, text);
    if (*value >= 0)
        return STATUS_OK;
    const char *nearest = nearest_name(choice->names, choice->count, text);
    for (int i = 0; i < choice->count; i++)
        text_list_add(names, sizeof names, ", ", "%s", choice->names[i]);
    FAIL(error, STATUS_USAGE, "%s: unknown value '%.60s'", what, text);
    if (nearest)
        return HINT(error, STATUS_USAGE, "did you mean '%s'? one of %s", nearest, names);
    return HINT(error, STATUS_USAGE, "one of %s", names);
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

/* ---- whole numbers ---- */

bool parse_whole_number(int64_t *value, const char **end, const char *text)
{
    char *after;
    errno = 0;
    *value = strtoll(text, &after, 10);
    bool is_valid = after != text && !errno;
    if (is_valid && (*after == 'e' || *after == 'E') && isdigit((unsigned char)after[1])) {
        const long exponent = strtol(after + 1, &after, 10);
        for (long i = 0; i < exponent && *value && is_valid; i++)
            is_valid = !__builtin_mul_overflow(*value, 10, value);
    }
    *end = after;
    return is_valid;
}

/* ---- lists of whole numbers ---- */

struct list {
    int32_t *values;
    int limit, count;
    const char *what, *text; /* for messages */
};

static enum status refuse(const struct list *list, const char *at, struct error *error)
{
    if (*at && at != list->text)
        FAIL(error, STATUS_USAGE, "%s: '%.100s' is not a list of whole numbers: unexpected '%.40s'",
             list->what, list->text, at);
    else
        FAIL(error, STATUS_USAGE, "%s: '%.100s' is not a list of whole numbers", list->what,
             list->text);
    return HINT(error, STATUS_USAGE, "lists look like 1,2,4 or 1..64 or '1..64*2'");
}

static enum status list_add(struct list *list, int64_t value, struct error *error)
{
    if (list->count == list->limit)
        return FAIL(error, STATUS_USAGE, "%s: '%.100s' names more than %d values", list->what,
                    list->text, list->limit);
    list->values[list->count++] = (int32_t)value;
    return STATUS_OK;
}

static enum status read_number(int64_t *value, const char **at, const struct list *list,
                               struct error *error)
{
    const char *end;
    const bool fits = parse_whole_number(value, &end, *at);
    if (end != *at && (!fits || *value < INT32_MIN || *value > INT32_MAX))
        return FAIL(error, STATUS_USAGE, "%s: '%.100s': %.*s is not within %d..%d", list->what,
                    list->text, (int)(end - *at), *at, INT32_MIN, INT32_MAX);
    if (!fits)
        return refuse(list, *at, error);
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
    TRY(read_number(&first, at, list, error));
    if (strncmp(*at, "..", 2) != 0)
        return list_add(list, first, error);
    *at += 2;
    TRY(read_number(&last, at, list, error));
    if (**at == '*') {
        ++*at;
        TRY(read_number(&factor, at, list, error));
        if (factor < 2 || first < 1)
            return FAIL(error, STATUS_USAGE,
                        "%s: '%.100s': a factor is at least 2, its range starts at 1 or above",
                        list->what, list->text);
    }
    if (first > last)
        return FAIL(error, STATUS_USAGE, "%s: '%.100s': the range is empty", list->what,
                    list->text);
    if (factor || expand)
        return expand_range(list, first, last, factor, error);
    if (**at && **at != ',')
        return refuse(list, *at, error);
    if (list->count || **at)
        return FAIL(error, STATUS_USAGE, "%s: '%.100s': a range cannot be part of a list",
                    list->what, list->text);
    *is_range = true;
    TRY(list_add(list, first, error));
    return list_add(list, last, error);
}

enum status parse_int_list(int32_t *values, int limit, int *count, bool expand, bool *is_range,
                           const char *what, const char *text, struct error *error)
{
    struct list list = {.values = values, .limit = limit, .what = what, .text = text};
    bool range = false;
    const char *at = text;
    do {
        at += at != text; /* the comma */
        TRY(read_item(&list, &at, expand, &range, error));
    } while (*at == ',');
    if (*at)
        return refuse(&list, at, error);
    *count = list.count;
    if (is_range)
        *is_range = range;
    return STATUS_OK;
}

/* ---- lists in messages ---- */

void text_list_add(char *text, size_t size, const char *separator, const char *format, ...)
{
    static const char more[] = "...";
    char item[200];
    va_list arguments;
    const size_t used = strlen(text);
    const size_t gap = used > 0 ? strlen(separator) : 0;
    if (used >= strlen(more) && strcmp(text + used - strlen(more), more) == 0)
        return;
    va_start(arguments, format);
    vsnprintf(item, sizeof item, format, arguments);
    va_end(arguments);
    const size_t last = strlen(separator) + sizeof more; /* so that "..." fits behind it */
    const bool fits = used + gap + strlen(item) + last <= size;
    snprintf(text + used, size - used, "%s%s", gap ? separator : "", fits ? item : more);
}
