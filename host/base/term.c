#include "base/term.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BAR_CELLS = 24,
    BAR_CELLS_MINIMUM = 4,
    ROOMY_COLUMNS = 56, /* from here on, the line has the elapsed time as well */
    USUAL_COLUMNS = 80,
    LINE_SIZE = 1024
};
static const double redraw_interval_s = 1.0 / 6, line_interval_s = 10;

/* ---- the terminal ---- */

static bool is_terminal(FILE *file)
{
    const char *term = getenv("TERM");
    return isatty(fileno(file)) && !(term && strcmp(term, "dumb") == 0);
}

int term_columns(FILE *file)
{
    struct winsize size;
    return ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                          : USUAL_COLUMNS;
}

bool term_colour(FILE *file)
{
    const char *no_colour = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
    if (no_colour && *no_colour)
        return false;
    return (force && *force && strcmp(force, "0") != 0) || is_terminal(file);
}

const char *term_style(FILE *file, enum term_style style)
{
    static const char *const sequences[] = {[TERM_ERROR] = "\033[1;31m",
                                            [TERM_WARNING] = "\033[1;33m",
                                            [TERM_NOTE] = "\033[1;35m",
                                            [TERM_HINT] = "\033[1;36m",
                                            [TERM_HEADING] = "\033[1m"};
    return term_colour(file) ? sequences[style] : "";
}

const char *term_plain(FILE *file)
{
    return term_colour(file) ? "\033[0m" : "";
}

void term_message(FILE *file, const char *format, ...)
{
    static const struct {
        const char *word;
        enum term_style style;
    } labels[] = {{"warning:", TERM_WARNING}, {"note:", TERM_NOTE}, {"hint:", TERM_HINT}};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strncmp(format, labels[i].word, strlen(labels[i].word)) == 0) {
            fprintf(file, "%s%s%s", term_style(file, labels[i].style), labels[i].word,
                    term_plain(file));
            format += strlen(labels[i].word);
            break;
        }
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
}

void term_line(FILE *file, const char *format, ...)
{
    char text[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(file, "%s%s\n", is_terminal(file) ? "\r\033[K" : "", text);
    fflush(file);
}

/* ---- the parts of a progress line ---- */

/* "0:07", "59:59", "1:00:00" */
static void duration_text(char *text, size_t size, double seconds)
{
    const long long all_s = (long long)(fmin(fmax(seconds, 0), 3.6e8) + 0.5);
    const int minutes = (int)(all_s / 60 % 60), rest_s = (int)(all_s % 60);
    if (all_s < 3600)
        snprintf(text, size, "%d:%02d", minutes, rest_s);
    else
        snprintf(text, size, "%lld:%02d:%02d", all_s / 3600, minutes, rest_s);
}

/* " 75 %  0:03, eta 0:01", or without what does not fit into the columns. */
static void head_text(char *text, size_t size, const struct progress *progress, double now_s,
                      int columns)
{
    char elapsed[32], left[32];
    const double gained = progress->share - progress->stage_share;
    const double left_s = (now_s - progress->stage_s) * (1 - progress->share) / gained;
    size_t length = (size_t)snprintf(text, size, "%3.0f %%", 100 * progress->share);
    duration_text(elapsed, sizeof elapsed, now_s - progress->started_s);
    duration_text(left, sizeof left, left_s);
    if (columns >= ROOMY_COLUMNS)
        length += (size_t)snprintf(text + length, size - length, "  %s", elapsed);
    if (gained > 0 && length + strlen("  eta ") + strlen(left) <= (size_t)columns)
        snprintf(text + length, size - length, "%seta %s", columns >= ROOMY_COLUMNS ? ", " : "  ",
                 left);
}

/* Bytes of the text's beginning that fit into the columns. */
static size_t fitting_size(const char *text, int columns)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        const int length = utf8_length(at), width = length ? utf8_width(at, length) : 1;
        if (width > columns)
            break;
        columns -= width;
        at += length ? length : 1;
    }
    return (size_t)((const char *)at - text);
}

/* Names of files and devices are not trusted: control characters would move the cursor. */
static void hide_control_characters(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at;) {
        const int length = utf8_length(at);
        if (!length || utf8_is_control(at, length))
            memset(at, '?', length ? (size_t)length : 1);
        at += length ? length : 1;
    }
}

/* Ends the text, which shows that it was cut, after so many columns. */
static void cut_text(char *text, int columns)
{
    if (utf8_columns(text) <= columns)
        return;
    const size_t kept = columns > 3 ? fitting_size(text, columns - 3) : 0;
    memcpy(text + kept, "...", columns > 3 ? 3 : 0);
    text[kept + (columns > 3 ? 3 : 0)] = '\0';
}

static size_t bar_text(char *text, double share, int cells)
{
    const int filled = (int)(share * cells);
    char *at = text;
    *at++ = '[';
    for (int i = 0; i < cells; i++)
        *at++ = i < filled ? '=' : i == filled ? '>' : ' ';
    memcpy(at, "] ", 3);
    return (size_t)cells + 3;
}

/* ---- the line ---- */

/* The bar takes what the text leaves, and does not grow again: it would dance. */
static int bar_cells(struct progress *progress, int columns, int left)
{
    if (columns != progress->columns)
        progress->bar_cells = BAR_CELLS;
    progress->columns = columns;
    const int cells = left - (int)strlen("[] ");
    if (cells < progress->bar_cells)
        progress->bar_cells = cells < BAR_CELLS_MINIMUM ? 0 : cells;
    return progress->bar_cells;
}

static void draw_on_terminal(struct progress *progress, double now_s, char *text)
{
    const int columns = term_columns(progress->file);
    const int usable = columns - 1; /* some terminals wrap after the last column */
    char line[LINE_SIZE] = "\r\033[K", head[80];
    size_t length = strlen(line);
    head_text(head, sizeof head, progress, now_s, usable);
    cut_text(text, usable - (int)strlen(head) - 2);
    const int cells = bar_cells(progress, columns,
                                usable - (int)strlen(head) - 2 - utf8_columns(text));
    if (cells > 0)
        length += bar_text(line + length, progress->share, cells);
    head[fitting_size(head, usable)] = '\0';
    length += (size_t)snprintf(line + length, sizeof line - length, "%s%s%s", head,
                               *text ? "  " : "", text);
    fwrite(line, 1, length, progress->file); /* at once: other threads print lines */
    progress->drawn = true;
}

void progress_begin(struct progress *progress, FILE *file, bool quiet)
{
    const double now_s = monotonic_s();
    *progress = (struct progress){.file = file,
                                  .terminal = is_terminal(file),
                                  .quiet = quiet,
                                  .started_s = now_s,
                                  .last_s = now_s,
                                  .stage_s = now_s,
                                  .bar_cells = BAR_CELLS};
}

static void begin_stage(struct progress *progress, double share, double now_s)
{
    progress->stage_share = share;
    progress->stage_s = now_s;
}

static double share_of(double done, double total)
{
    return total > 0 ? fmin(1, fmax(0, done / total)) : 0;
}

void progress_resume(struct progress *progress, double done, double total)
{
    if (progress)
        begin_stage(progress, progress->share = share_of(done, total), monotonic_s());
}

void progress_update(struct progress *progress, double done, double total, const char *format, ...)
{
    if (!progress || progress->quiet)
        return;
    const double now_s = monotonic_s(), share = share_of(done, total);
    if (share < progress->share)
        begin_stage(progress, share, now_s);
    progress->share = share;
    const bool is_first = progress->terminal && !progress->drawn && !(done > 0);
    const double interval_s = progress->terminal ? redraw_interval_s : line_interval_s;
    if (!is_first && now_s - progress->last_s < interval_s)
        return;
    progress->last_s = now_s;
    char text[LINE_SIZE / 2], head[80];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    hide_control_characters(text);
    if (progress->terminal) {
        draw_on_terminal(progress, now_s, text);
    } else {
        head_text(head, sizeof head, progress, now_s, USUAL_COLUMNS);
        fprintf(progress->file, "%s  %s\n", head, text);
    }
    fflush(progress->file);
}

void progress_end(struct progress *progress)
{
    if (progress && progress->drawn) {
        fputs("\r\033[K", progress->file);
        fflush(progress->file);
        progress->drawn = false;
    }
}
