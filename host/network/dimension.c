#include "network/dimension.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_LIMIT = 80 };

static int shown(size_t length)
{
    return (int)(length < SHOWN_LIMIT ? length : SHOWN_LIMIT);
}

struct dimension_size *dimension_sizes_find(struct dimension_sizes *sizes, const char *name,
                                            size_t length)
{
    for (int i = 0; i < sizes->count; i++)
        if (sizes->list[i].name_length == length && memcmp(sizes->list[i].name, name, length) == 0)
            return &sizes->list[i];
    return NULL;
}

static enum status add_one(struct dimension_sizes *sizes, const char *item, size_t item_length,
                           struct error *error)
{
    const char *equals = memrchr(item, '=', item_length);
    const size_t length = equals ? (size_t)(equals - item) : 0;
    char *end = NULL;
    errno = 0;
    const long long size = length ? strtoll(equals + 1, &end, 10) : 0;
    if (end != item + item_length || errno || size < 1 || size > INT32_MAX) {
        FAIL(error, STATUS_USAGE, "dimension '%.*s' is not a name with a size of 1..%d",
             shown(item_length), item, INT32_MAX);
        return HINT(error, STATUS_USAGE, "for example sequence=128");
    }
    if (dimension_sizes_find(sizes, item, length))
        return FAIL(error, STATUS_USAGE, "dimension '%.*s' is given twice", shown(length), item);
    if (sizes->count == DIMENSION_LIMIT)
        return FAIL(error, STATUS_USAGE, "sizes for more than %d dimensions", DIMENSION_LIMIT);
    sizes->list[sizes->count++] = (struct dimension_size){
        .name = item, .name_length = length, .size = size};
    return STATUS_OK;
}

/* Up to the comma behind "=SIZE": names may have commas, too. */
static size_t item_length(const char *text)
{
    size_t length = strcspn(text, ",");
    while (text[length] && length > 0) {
        size_t digits = 0;
        while (digits < length && strchr("0123456789", text[length - 1 - digits]))
            digits++;
        if (digits > 0 && digits < length && text[length - 1 - digits] == '=')
            break;
        length += 1 + strcspn(text + length + 1, ",");
    }
    return length;
}

enum status dimension_sizes_add(struct dimension_sizes *sizes, const char *text,
                                struct error *error)
{
    for (;; text++) {
        const size_t length = item_length(text);
        TRY(add_one(sizes, text, length, error));
        text += length;
        if (!*text)
            return STATUS_OK;
    }
}

enum status dimension_sizes_check(const struct dimension_sizes *sizes, struct error *error)
{
    if ((sizes->batch_axis || sizes->batch_in_file) && !sizes->is_batch_used)
        return FAIL(error, STATUS_USAGE, "--%s requires an ONNX model",
                    sizes->batch_axis ? "batch-axis" : "batch-in-file");
    for (int i = 0; i < sizes->count; i++) {
        const struct dimension_size *given = &sizes->list[i];
        if (given->is_used)
            continue;
        FAIL(error, STATUS_USAGE, "the model has no open dimension '%.*s'",
             shown(given->name_length), given->name);
        if (!sizes->open[0])
            return HINT(error, STATUS_USAGE,
                        "it has no open dimensions; only ONNX models have them");
        return HINT(error, STATUS_USAGE, "open dimensions: %s", sizes->open);
    }
    return STATUS_OK;
}
