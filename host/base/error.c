#include "base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status error_set(struct error *error, enum status status, const char *file, int line,
                      const char *format, ...)
{
    if (!error)
        return status;
    *error = (struct error){.status = status, .file = file, .line = line};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

void error_hint(struct error *error, const char *format, ...)
{
    if (!error)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->hint, sizeof error->hint, format, arguments);
    va_end(arguments);
}

enum status error_allocate(void **out, unsigned long count, unsigned long size, const char *what,
                           struct error *error)
{
    *out = NULL;
    if (size && count > SIZE_MAX / size)
        return FAIL(error, STATUS_FAILED, "%s: %lu elements of %lu bytes overflow memory", what,
                    count, size);
    *out = calloc(count ? count : 1, size ? size : 1);
    if (!*out)
        return FAIL(error, STATUS_FAILED, "%s: no memory for %lu bytes", what, count * size);
    return STATUS_OK;
}

enum status error_allocate_at(void *out, unsigned long count, unsigned long size, const char *what,
                              struct error *error)
{
    void *memory;
    const enum status status = error_allocate(&memory, count, size, what, error);
    memcpy(out, &memory, sizeof memory);
    return status;
}
