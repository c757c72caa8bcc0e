#include "base/machine_file.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LIMIT = 4096 };

static bool read_text(char text[MACHINE_TEXT_LIMIT], const char *root, const char *format,
                      va_list arguments)
{
    char path[PATH_LIMIT];
    const size_t length = (size_t)snprintf(path, sizeof path, "%s", root);
    text[0] = '\0';
    if (length >= sizeof path)
        return false;
    const int more = vsnprintf(path + length, sizeof path - length, format, arguments);
    FILE *file = more > 0 && length + (size_t)more < sizeof path ? fopen(path, "r") : NULL;
    if (!file)
        return false;
    const size_t count = fread(text, 1, MACHINE_TEXT_LIMIT - 1, file);
    text[count] = '\0';
    if (count > 0 && text[count - 1] == '\n')
        text[count - 1] = '\0';
    fclose(file);
    return count > 0;
}

bool machine_file(char text[MACHINE_TEXT_LIMIT], const char *root, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const bool is_read = read_text(text, root, format, arguments);
    va_end(arguments);
    return is_read;
}

const char *machine_value(const char *text, const char *key)
{
    const size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *rest = line + length;
        if (strncmp(line, key, length) != 0)
            continue;
        rest += strspn(rest, " \t");
        if (*rest == ':' || (rest > line + length && isdigit((unsigned char)*rest)))
            return rest + (*rest == ':') + strspn(rest + (*rest == ':'), " \t");
    }
    return NULL;
}

int64_t machine_number(const char *root, const char *format, ...)
{
    char text[MACHINE_TEXT_LIMIT], *end;
    va_list arguments;
    va_start(arguments, format);
    const bool is_read = read_text(text, root, format, arguments);
    va_end(arguments);
    const long long number = strtoll(text, &end, 10);
    return is_read && end > text && number >= 0 ? number : -1;
}
