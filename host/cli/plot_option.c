#include "cli/plot_option.h"

#include "base/utf8.h"
#include "pictures/gnuplot.h"

#include <stdlib.h>

enum status plot_check(const struct settings *settings, struct error *error)
{
    enum picture_form form;
    if (!settings->plot)
        return STATUS_OK;
    TRY(picture_form_of(&form, settings->plot, error));
    if (form == PICTURE_TERMINAL && settings->format != TABLE_TEXT) {
        FAIL(error, STATUS_USAGE, "--plot - cannot be combined with -o %s: both use stdout",
             choice_name(&choice_table_format, settings->format));
        return HINT(error, STATUS_USAGE, "use --plot FILE.svg");
    }
    return gnuplot_check(error);
}

enum status plot_begin(struct picture *picture, const struct settings *settings,
                       struct error *error)
{
    enum picture_form form;
    TRY(picture_form_of(&form, settings->plot, error));
    return picture_create(picture, form, error);
}

/* A line for the title or the note; names are not trusted. */
static void print_line(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        const int length = utf8_length(at);
        if (length == 0 || utf8_is_control(at, length))
            putchar('?');
        else
            fwrite(at, 1, (size_t)length, stdout);
        at += length ? length : 1;
    }
    if (*text)
        putchar('\n');
}

/* Without gnuplot's form feeds. */
static enum status draw_on_terminal(struct picture *picture, struct error *error)
{
    char *text;
    size_t size;
    TRY(picture_render(&text, &size, picture, error));
    print_line(picture->title);
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\f')
            putchar(text[i]);
    putchar('\n'); /* gnuplot's output ends without one */
    print_line(picture->note);
    free(text);
    return STATUS_OK;
}

enum status plot_end(struct picture *picture, enum status status, const struct settings *settings,
                     struct error *error)
{
    if (status == STATUS_OK)
        status = picture->form == PICTURE_TERMINAL ? draw_on_terminal(picture, error)
                                                   : picture_save(picture, settings->plot, error);
    picture_free(picture);
    return status;
}
