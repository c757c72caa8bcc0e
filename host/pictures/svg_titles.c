#include "pictures/svg_titles.h"

#include "base/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char document_title[] = "<title>Gnuplot</title>";
static const char series_title[] = "<title>gnuplot_plot_", title_end[] = "</title>";

static void copy(FILE *file, const char *text, const char *title)
{
    for (const char *at = text, *next; *at; at = next) {
        next = strstr(at, "<title>");
        if (!next) {
            fputs(at, file);
            return;
        }
        fwrite(at, 1, (size_t)(next - at), file);
        const char *end = strstr(next, title_end);
        if (strncmp(next, document_title, sizeof document_title - 1) == 0) {
            fputs("<title>", file);
            html_text(file, title);
            fputs(title_end, file);
        } else if (strncmp(next, series_title, sizeof series_title - 1) != 0 || !end) {
            fputs("<title>", file);
            next += strlen("<title>");
            continue;
        }
        next = end + sizeof title_end - 1;
    }
}

enum status svg_set_titles(char **text, size_t *size, const char *title, struct error *error)
{
    char *titled = NULL;
    size_t titled_size = 0;
    FILE *file = open_memstream(&titled, &titled_size);
    if (!file)
        return FAIL(error, STATUS_FAILED, "no memory for a picture");
    copy(file, *text, title);
    if (fclose(file) != 0) {
        free(titled);
        return FAIL(error, STATUS_FAILED, "no memory for a picture");
    }
    free(*text);
    *text = titled;
    *size = titled_size;
    return STATUS_OK;
}
