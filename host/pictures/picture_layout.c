#include "pictures/picture.h"

#include <stdarg.h>
#include <string.h>

enum { TITLE_HEIGHT = 40, NOTE_HEIGHT = 24 };
enum { INLINE_WIDTH = 760 }; /* at most: a page shrinks what is wider */

void picture_note(struct picture *picture, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(picture->note);
    if (used > 0 && used + 2 < sizeof picture->note)
        used += (size_t)snprintf(picture->note + used, sizeof picture->note - used, "; ");
    va_start(arguments, format);
    vsnprintf(picture->note + used, sizeof picture->note - used, format, arguments);
    va_end(arguments);
}

/* ---- gnuplot's terminal ---- */

static void set_terminal(const struct picture *picture, int width, int height)
{
    FILE *script = picture->script;
    if (picture->form == PICTURE_PNG)
        fprintf(script,
                "set terminal pngcairo size %d,%d noenhanced font 'Sans,9' fontscale 2 "
                "linewidth 2 pointscale 2 background '#ffffff'\n",
                2 * width, 2 * height);
    else
        fprintf(script, "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,12'%s\n",
                width, height, picture->form == PICTURE_SVG ? " background '#ffffff'" : "");
}

enum { TERMINAL_KEY_LINES = 5 }; /* below the panel, a name each */

/* One panel after the other, each with a size of its own. */
static void set_own_terminal(const struct picture *picture, const struct picture_row *row)
{
    const int wanted = row->lines + (row->lines > 0 ? TERMINAL_KEY_LINES : 0);
    const int lines = wanted > picture->rows ? wanted : picture->rows;
    const int width = picture->width / row->panels;
    if (picture->form == PICTURE_INLINE)
        set_terminal(picture, width < INLINE_WIDTH ? width : INLINE_WIDTH, row->height);
    else
        fprintf(picture->script, "set terminal dumb size %d,%d noenhanced %s\n", picture->columns,
                lines, picture->colour ? "ansi256" : "mono");
}

static bool is_one_canvas(const struct picture *picture)
{
    return picture->form == PICTURE_SVG || picture->form == PICTURE_PNG;
}

/* ---- the canvas ---- */

static void begin_canvas(struct picture *picture)
{
    FILE *script = picture->script;
    set_terminal(picture, picture->width, picture->height);
    fputs("set encoding utf8\nset multiplot", script);
    picture->is_multiple = true;
    if (picture->title[0]) {
        fputs(" title ", script);
        picture_text(picture, picture->title);
        fprintf(script, " font '%s'",
                picture->form == PICTURE_PNG ? "Sans:Bold,11" : "sans-serif:Bold,15");
    }
    fputc('\n', script);
}

void picture_layout(struct picture *picture, int width, const struct picture_row *rows,
                    int row_count, const char *title)
{
    picture->row_count = row_count < PICTURE_ROW_LIMIT ? row_count : PICTURE_ROW_LIMIT;
    memcpy(picture->row_list, rows, (size_t)picture->row_count * sizeof *rows);
    snprintf(picture->title, sizeof picture->title, "%s", title);
    picture->width = width;
    picture->height = (*title ? TITLE_HEIGHT : 0) + (picture->note[0] ? NOTE_HEIGHT : 0);
    for (int i = 0; i < picture->row_count; i++)
        picture->height += rows[i].height;
    if (is_one_canvas(picture))
        begin_canvas(picture);
}

/* ---- a panel's place ---- */

struct place {
    const struct picture_row *row;
    int across, top; /* place within the row; points above the row */
};

/* Of the panel that begins; those beyond the layout lie on the last row's first one. */
static struct place next_place(const struct picture *picture)
{
    struct place place = {picture->row_list, picture->panel_count,
                          picture->title[0] ? TITLE_HEIGHT : 0};
    for (int i = 0; i + 1 < picture->row_count && place.across >= place.row->panels; i++) {
        place.across -= place.row->panels;
        place.top += place.row->height;
        place.row++;
    }
    return place;
}

static void put_note(struct picture *picture)
{
    fputs("set label 99 ", picture->script);
    picture_text(picture, picture->note);
    fprintf(picture->script, " at screen 0.01,%.6g left tc rgb '#5b6270'\n",
            0.5 * NOTE_HEIGHT / picture->height);
}

static void take_place(struct picture *picture, const struct place *place)
{
    const double height = picture->height;
    fprintf(picture->script, "set origin %.6g,%.6g\nset size %.6g,%.6g\n",
            (double)place->across / place->row->panels,
            1 - (place->top + place->row->height) / height, 1.0 / place->row->panels,
            place->row->height / height);
    if (picture->panel_count == 0 && picture->note[0])
        put_note(picture);
}

/* gnuplot's dumb terminal has no room for the title of the y axis, and puts the key onto the data.
 */
static void put_terminal_labels(struct picture *picture, const char *y_label)
{
    fputs("unset ylabel\nset key outside bottom center horizontal samplen 2\nset bars 0\n"
          "set tmargin 4\nset title offset 0,1\nset label 9999 ",
          picture->script);
    picture_text(picture, y_label);
    fputs(" at screen 0, graph 1 left offset 1,1\n", picture->script);
}

void picture_panel(struct picture *picture, const char *title, const char *x_label,
                   const char *y_label)
{
    FILE *script = picture->script;
    const bool is_drawn = picture->form != PICTURE_TERMINAL;
    const struct place place = next_place(picture);
    fputs("reset\nset encoding utf8\n", script);
    if (is_one_canvas(picture))
        take_place(picture, &place);
    else
        set_own_terminal(picture, place.row);
    picture->panel_count++;
    fputs("set title ", script);
    picture_text(picture, title);
    fputs("\nset xlabel ", script);
    picture_text(picture, x_label);
    fputs("\nset ylabel ", script);
    picture_text(picture, y_label);
    fputs("\nset key noenhanced\nset pointintervalbox 0\n", script);
    if (is_drawn)
        fputs("set grid lc rgb '#d8d8d8' lw 0.7 lt 1\nset border 3\nset tics nomirror out "
              "scale 0.6\nset key tmargin center horizontal Left reverse samplen 2\n"
              "set bars small\n",
              script);
    else
        put_terminal_labels(picture, y_label);
}

void picture_empty_panel(struct picture *picture, const char *title)
{
    picture_panel(picture, title, "", "");
    fputs("unset tics\nunset border\nset yrange [0:1]\nplot [0:1] 2 notitle\n", picture->script);
}
