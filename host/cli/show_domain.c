#include "cli/show.h"

#include <stdio.h>
#include <string.h>

void show_domain(char *text, size_t size, const char *domain)
{
    static const char kind[] = "layer ";
    char last[256] = "";
    size_t length = 0;
    text[0] = '\0';
    for (const char *line = domain; *line && length < size;) {
        char limits[sizeof last] = "";
        const int end = (int)strcspn(line, "\n");
        const char *colon = strncmp(line, kind, strlen(kind)) == 0 ? strchr(line, ':') : NULL;
        if (colon)
            snprintf(limits, sizeof limits, "layers%.*s", end - (int)(colon - line), colon);
        if (!colon)
            length += (size_t)snprintf(text + length, size - length, "%.*s\n", end, line);
        else if (strcmp(limits, last) != 0)
            length += (size_t)snprintf(text + length, size - length, "%s\n", limits);
        memcpy(last, limits, sizeof last);
        line += end + (line[end] == '\n');
    }
}
