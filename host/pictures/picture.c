#include "pictures/picture.h"

#include "base/scratch_file.h"
#include "base/term.h"
#include "base/utf8.h"
#include "pictures/gnuplot.h"
#include "pictures/svg_titles.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TERMINAL_COLUMNS = 80, TERMINAL_ROWS = 24, TERMINAL_LIMIT = 500 };

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), wanted = strlen(end);
    return length > wanted && strcmp(text + length - wanted, end) == 0;
}

enum status picture_form_of(enum picture_form *form, const char *path, struct error *error)
{
    if (strcmp(path, "-") == 0)
        *form = PICTURE_TERMINAL;
    else if (ends_with(path, ".svg"))
        *form = PICTURE_SVG;
    else if (ends_with(path, ".png"))
        *form = PICTURE_PNG;
    else {
        FAIL(error, STATUS_USAGE, "'%.200s' is not a valid picture name", path);
        return HINT(error, STATUS_USAGE,
                    "use a name ending in .svg or .png, or - for the terminal");
    }
    return STATUS_OK;
}

/* ---- beginning ---- */

static int from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);
    const long value = text ? strtol(text, NULL, 10) : 0;
    return value > 0 && value <= INT_MAX ? (int)value : otherwise;
}

static int between(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void ask_terminal(struct picture *picture)
{
    struct winsize size = {0};
    const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
                          size.ws_row > 0;
    const int columns = is_known ? size.ws_col : from_environment("COLUMNS", TERMINAL_COLUMNS);
    const int rows = is_known ? size.ws_row : from_environment("LINES", TERMINAL_ROWS);
    picture->columns = between(columns - 1, 40, TERMINAL_LIMIT);
    picture->rows = between(rows - 1, 15, TERMINAL_LIMIT);
    picture->colour = term_colour(stdout);
}

enum status picture_create(struct picture *picture, enum picture_form form, struct error *error)
{
    *picture = (struct picture){.form = form};
    if (form == PICTURE_TERMINAL)
        ask_terminal(picture);
    picture->script = open_memstream(&picture->text, &picture->size);
    if (!picture->script)
        return FAIL(error, STATUS_FAILED, "no memory for a picture");
    return STATUS_OK;
}

void picture_free(struct picture *picture)
{
    if (picture->script)
        fclose(picture->script);
    free(picture->text);
    *picture = (struct picture){.script = NULL};
}

/* ---- texts ---- */

/* Between single quotes gnuplot takes every character literally except the quote (doubled, it would
 * be misread at the beginning of a text): the typographic quote replaces it. Control characters,
 * newlines and bytes that are not UTF-8 become '?'. */
static void put_text(FILE *script, const char *text, const char *doubled)
{
    fputc('\'', script);
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        const int length = utf8_length(at);
        if (*at == '\'')
            fputs("\u2019", script);
        else if (length == 0 || utf8_is_control(at, length))
            fputc('?', script);
        else
            fwrite(at, 1, (size_t)length, script);
        if (*at == (unsigned char)*doubled)
            fputc(*at, script);
        at += length ? length : 1;
    }
    fputc('\'', script);
}

void picture_text(struct picture *picture, const char *text)
{
    put_text(picture->script, text, "");
}

/* Tics are number formats: '%' is doubled. */
void picture_tic_text(struct picture *picture, const char *text)
{
    put_text(picture->script, text, "%");
}

/* ---- series ---- */

static const struct {
    const char *colour, *point, *letter;
} series_styles[PICTURE_COLOURS] = {{"'#0072b2'", "7", "'o'"},  {"'#d55e00'", "9", "'x'"},
                                    {"'#009e73'", "5", "'+'"},  {"'#cc79a7'", "13", "'@'"},
                                    {"'#e69f00'", "11", "'v'"}, {"'#56b4e9'", "15", "'='"},
                                    {"'#7f7f7f'", "2", "'~'"}};

const char *picture_colour(int series)
{
    return series_styles[series % PICTURE_COLOURS].colour;
}

const char *picture_point(const struct picture *picture, int series)
{
    const int style = series % PICTURE_COLOURS;
    return picture->form == PICTURE_TERMINAL ? series_styles[style].letter
                                             : series_styles[style].point;
}

double picture_point_size(size_t count)
{
    return count < 200 ? 0.7 : 0.4;
}

/* ---- drawing ---- */

static enum status picture_draw(struct picture *picture, int output, struct error *error)
{
    if (picture->is_multiple)
        fputs("unset multiplot\n", picture->script);
    picture->is_multiple = false;
    if (fflush(picture->script) != 0 || ferror(picture->script))
        return FAIL(error, STATUS_FAILED, "no memory for a picture");
    return gnuplot_run(output, picture->text, picture->size, error);
}

static enum status read_whole(char **text, size_t *size, int descriptor, struct error *error)
{
    const off_t length = lseek(descriptor, 0, SEEK_END);
    if (length < 0)
        return FAIL(error, STATUS_FAILED, "cannot read a picture: %s", strerror(errno));
    TRY(error_allocate((void **)text, (unsigned long)length + 1, 1, "picture", error));
    *size = (size_t)length;
    if (pread(descriptor, *text, *size, 0) == length)
        return STATUS_OK;
    free(*text);
    return FAIL(error, STATUS_FAILED, "cannot read a picture: %s", strerror(errno));
}

/* gnuplot ends with 0 even if nothing more could be written. */
static enum status check_whole(const struct picture *picture, const char *text, size_t size,
                               struct error *error)
{
    static const char *const endings[] = {[PICTURE_SVG] = "</svg>\n",
                                          [PICTURE_INLINE] = "</svg>\n",
                                          [PICTURE_PNG] = "IEND\xae\x42\x60\x82",
                                          [PICTURE_TERMINAL] = ""};
    const char *ending = endings[picture->form];
    const size_t length = strlen(ending);
    while (length && size > length && text[size - 1] == '\n' && text[size - 2] == '\n')
        size--;
    if (size >= length && memcmp(text + size - length, ending, length) == 0)
        return STATUS_OK;
    FAIL(error, STATUS_FAILED, "gnuplot drew only a part of the picture: %zu bytes", size);
    return HINT(error, STATUS_FAILED, "check the free memory");
}

static bool is_svg(const struct picture *picture)
{
    return picture->form == PICTURE_SVG || picture->form == PICTURE_INLINE;
}

static enum status render(char **text, size_t *size, struct picture *picture, int memory,
                          struct error *error)
{
    TRY(picture_draw(picture, memory, error));
    TRY(read_whole(text, size, memory, error));
    enum status status = check_whole(picture, *text, *size, error);
    if (status == STATUS_OK && is_svg(picture))
        status = svg_set_titles(text, size, picture->title, error);
    if (status != STATUS_OK)
        free(*text);
    return status;
}

enum status picture_render(char **text, size_t *size, struct picture *picture, struct error *error)
{
    const int memory = memfd_create("picture", MFD_CLOEXEC);
    if (memory < 0)
        return FAIL(error, STATUS_FAILED, "no memory for a picture: %s", strerror(errno));
    const enum status status = render(text, size, picture, memory, error);
    close(memory);
    return status;
}

static enum status write_picture(struct scratch_file *file, struct picture *picture,
                                 struct error *error)
{
    char *text;
    size_t size;
    TRY(picture_render(&text, &size, picture, error));
    enum status status = scratch_file_write(file, text, size, error);
    free(text);
    return status == STATUS_OK ? scratch_file_publish(file, true, error) : status;
}

enum status picture_save(struct picture *picture, const char *path, struct error *error)
{
    struct scratch_file file;
    enum status status = scratch_file_create(&file, path, false, error);
    if (status == STATUS_OK)
        status = write_picture(&file, picture, error);
    scratch_file_close(&file);
    return status;
}
