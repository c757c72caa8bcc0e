#include "base/term.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };
static const double redraw_interval_s = 1.0 / 6, line_interval_s = 10;

static bool is_terminal(FILE *file)
{
    const char *term = getenv("TERM");
    return isatty(fileno(file)) && !(term && strcmp(term, "dumb") == 0);
}

bool term_colour(FILE *file)
{
    const char *no_colour = getenv("NO_COLOR");
    return is_terminal(file) && !(no_colour && *no_colour);
}

void progress_begin(struct progress *progress, FILE *file, bool quiet)
{
    double now = monotonic_s();
    *progress = (struct progress){.file = file,
                                  .terminal = is_terminal(file),
                                  .quiet = quiet,
                                  .started_s = now,
                                  .last_s = now};
}

static void print_bar(FILE *file, double share)
{
    char bar[BAR_CELLS + 1];
    int filled = (int)(share * BAR_CELLS);
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    bar[BAR_CELLS] = '\0';
    fprintf(file, "\r\033[K[%s] ", bar);
}

void progress_update(struct progress *progress, double done, double total, const char *format, ...)
{
    if (!progress || progress->quiet)
        return;
    double now = monotonic_s();
    if (now - progress->last_s < (progress->terminal ? redraw_interval_s : line_interval_s))
        return;
    progress->last_s = now;
    double share = total > 0 ? done / total : 0;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    if (progress->terminal)
        print_bar(progress->file, share);
    fprintf(progress->file, "%3.0f %%", 100 * share);
    if (share > 0) {
        int left_s = (int)((now - progress->started_s) * (1 - share) / share + 0.5);
        fprintf(progress->file, "  eta %d:%02d", left_s / 60, left_s % 60);
    }
    fputs("  ", progress->file);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(progress->file, format, arguments);
    va_end(arguments);
    if (!progress->terminal)
        fputc('\n', progress->file);
    fflush(progress->file);
    progress->drawn = progress->terminal;
}

void progress_end(struct progress *progress)
{
    if (progress && progress->drawn) {
        fputs("\r\033[K", progress->file);
        fflush(progress->file);
        progress->drawn = false;
    }
}
