/* Pictures: what strangers' texts become, and what happens where gnuplot is missing or fails. */
#include "dataset_files.h"
#include "drawn_picture.h"

static const struct picture_row one_panel = {1, 400, 0};

/* ---- folders, and other programs called gnuplot ---- */

struct place {
    char folder[64], before[4096], *path; /* $PATH */
};

static int enter(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/epochcast-picture-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_non_null(getcwd(place->before, sizeof place->before));
    assert_int_equal(chdir(place->folder), 0);
    place->path = strdup(getenv("PATH"));
    *state = place;
    return 0;
}

static int leave(void **state)
{
    struct place *place = *state;
    char command[128];
    setenv("PATH", place->path, 1);
    assert_int_equal(chdir(place->before), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
    assert_int_equal(system(command), 0);
    free(place->path);
    free(place);
    return 0;
}

static int file_count(void)
{
    int count = 0;
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* A program of that name alone on PATH. */
static void replace_gnuplot(const char *script)
{
    assert_int_equal(mkdir("bin", 0777), 0);
    if (script) {
        FILE *file = fopen("bin/gnuplot", "w");
        assert_non_null(file);
        fprintf(file, "#!/bin/sh\n%s\n", script);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod("bin/gnuplot", 0777), 0);
    }
    char folder[4200];
    assert_non_null(getcwd(folder, sizeof folder - 8));
    snprintf(folder + strlen(folder), 8, "/bin");
    setenv("PATH", folder, 1);
}

/* ---- texts ---- */

/* `text` as title, as label, as a tic's name and as a series' name. */
static char *svg_of(const char *text)
{
    struct picture picture;
    SUCCEEDS(picture_create(&picture, PICTURE_SVG, &error));
    picture_layout(&picture, 600, &one_panel, 1, text);
    picture_panel(&picture, text, text, text);
    fputs("set ytics (", picture.script);
    picture_tic_text(&picture, text);
    fputs(" 0)\nplot [0:1] 0 title ", picture.script);
    picture_text(&picture, text);
    fputc('\n', picture.script);
    return rendered(&picture);
}

static void hostile_texts(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"Tesla V100", "Tesla V100"},
        {"it's", "it’s"},
        {"a'; system('touch owned') #", "a’; system(’touch owned’) #"},
        {"\"; system(\"touch owned\") #", "\"; system(\"touch owned\") #"},
        {"`touch owned`", "`touch owned`"},
        {"'`touch owned`'", "’`touch owned`’"},
        {"''.system('touch owned').''", "’’.system(’touch owned’).’’"},
        {"$(touch owned)", "$(touch owned)"},
        {"@GPVAL_VERSION", "@GPVAL_VERSION"},
        {"a\nset output 'owned'\n!touch owned", "a?set output ’owned’?!touch owned"},
        {"EOD\r\nEOD", "EOD??EOD"},
        {"100% %s %n %d %%", "100% %s %n %d %%"},
        {"ends in \\", "ends in \\"},
        {"{/Symbol x}_2^3 ~a &b", "{/Symbol x}_2^3 ~a &amp;b"},
        {"</text><script>x()</script>", "&lt;/text>&lt;script>x()&lt;/script>"},
        {"\033]0;title\007", "?]0;title?"},
        {"bad \xff\xc3 utf8", "bad ?? utf8"},
        {"größer ≥ 8", "größer ≥ 8"},
    };
    (void)state;
    need_gnuplot();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *svg = svg_of(cases[i].text);
        // title above all, title, two labels, tic, series
        if (occurrences(svg, cases[i].shown) < 6)
            fail_msg("'%s' is not shown as '%s' everywhere:\n%s", cases[i].text, cases[i].shown,
                     svg);
        assert_null(strstr(svg, "<script"));
        free(svg);
    }
    assert_int_equal(file_count(), 0);
}

static void texts_of_special_characters(void **state)
{
    static const char alphabet[] = "'\"`\\$@%{}()<>&;#!|\n\r\t\x01 aE\xc3\xa9\xff,.:*?[]^_~-+=";
    struct picture picture;
    uint32_t random = 12345;
    (void)state;
    need_gnuplot();
    SUCCEEDS(picture_create(&picture, PICTURE_SVG, &error));
    picture_layout(&picture, 600, &one_panel, 1, "");
    picture_panel(&picture, "", "", "");
    for (int i = 1; i <= 2000; i++) {
        char text[24] = "";
        for (size_t j = 0; j < sizeof text - 1; j++) {
            random = random * 1664525 + 1013904223;
            text[j] = alphabet[(random >> 8) % (sizeof alphabet - 1)];
        }
        fprintf(picture.script, "set label %d ", i);
        picture_text(&picture, text);
        fputs(" at 0,0\nset ytics (", picture.script);
        picture_tic_text(&picture, text);
        fputs(" 0)\n", picture.script);
    }
    fputs("plot [0:1] 0 notitle\n", picture.script);
    free(rendered(&picture));
    assert_int_equal(file_count(), 0);
}

/* ---- forms and files ---- */

static void draw_line(struct picture *picture, enum picture_form form)
{
    SUCCEEDS(picture_create(picture, form, &error));
    picture_layout(picture, 400, &one_panel, 1, "a line");
    picture_panel(picture, "line", "x", "y");
    fputs("plot [0:1] x notitle\n", picture->script);
}

static void forms_by_name(void **state)
{
    enum picture_form form;
    (void)state;
    SUCCEEDS(picture_form_of(&form, "a/b.svg", &error));
    assert_int_equal(form, PICTURE_SVG);
    SUCCEEDS(picture_form_of(&form, "b.png", &error));
    assert_int_equal(form, PICTURE_PNG);
    SUCCEEDS(picture_form_of(&form, "-", &error));
    assert_int_equal(form, PICTURE_TERMINAL);
    static const char *const refused[] = {"", ".svg", "a.pdf", "svg", "a.svg.gz", "--"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(picture_form_of(&form, refused[i], &error), STATUS_USAGE);
}

static void read_start(char *bytes, size_t size, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
}

static void test_files(void **state)
{
    struct picture picture;
    char start[8];
    (void)state;
    need_gnuplot();
    draw_line(&picture, PICTURE_PNG);
    SUCCEEDS(picture_save(&picture, "a.png", &error));
    picture_free(&picture);
    read_start(start, sizeof start, "a.png");
    assert_memory_equal(start, "\x89PNG\r\n\x1a\n", sizeof start);
    for (int i = 0; i < 2; i++) { // the second takes the first one's place
        draw_line(&picture, PICTURE_SVG);
        SUCCEEDS(picture_save(&picture, "a.svg", &error));
        picture_free(&picture);
    }
    read_start(start, 5, "a.svg");
    assert_memory_equal(start, "<?xml", 5);
    assert_int_equal(file_count(), 2);
    draw_line(&picture, PICTURE_SVG);
    assert_int_equal(picture_save(&picture, "no/such/a.svg", &error), STATUS_FAILED);
    picture_free(&picture);
}

static void terminal(void **state)
{
    struct picture picture;
    (void)state;
    need_gnuplot();
    setenv("COLUMNS", "61", 1);
    setenv("LINES", "21", 1);
    draw_line(&picture, PICTURE_TERMINAL);
    char *text = rendered(&picture);
    unsetenv("COLUMNS");
    unsetenv("LINES");
    assert_non_null(strstr(text, "line"));
    assert_null(strchr(text, '\033'));
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        assert_true(strcspn(line, "\n") <= 60 + (*line == '\f'));
    free(text);
}

/* ---- a gnuplot that is missing or fails ---- */

/* What the dumb terminal leaves out or muddles: the title of the y axis stands above it, series
 * have different letters, the key is below the data. */
static void terminal_is_readable(void **state)
{
    (void)state;
    const struct picture_row row = {.panels = 1, .height = 300};
    struct picture picture;
    char *text;
    size_t size;
    need_gnuplot();
    setenv("COLUMNS", "80", 1);
    setenv("LINES", "24", 1);
    SUCCEEDS(picture_create(&picture, PICTURE_TERMINAL, &error));
    picture_layout(&picture, 400, &row, 1, "");
    picture_panel(&picture, "a title", "size", "half-width of the interval (%)");
    fprintf(
        picture.script,
        "plot [0:3] [0:3] '-' with points pt %s title 'one', '-' with points pt %s title 'two'\n"
        "1 1\ne\n2 2\ne\n",
        picture_point(&picture, 0), picture_point(&picture, 1));
    SUCCEEDS(picture_render(&text, &size, &picture, &error));
    picture_free(&picture);
    unsetenv("COLUMNS");
    unsetenv("LINES");
    const char *y_title = strstr(text, "half-width of the interval (%)"),
               *frame = strchr(text, '+');
    const char *frame_end = strrchr(text, '+'), *key = strstr(text, "one"),
               *title = strstr(text, "a title");
    assert_non_null(y_title);
    assert_true(title < y_title && y_title < frame && frame < frame_end && frame_end < key);
    assert_non_null(strstr(key, "two"));
    assert_true(strchr(frame, 'o') < frame_end && strchr(frame, 'x') < frame_end);
    assert_null(strpbrk(frame, "GI"));
    free(text);
}

static void missing_gnuplot(void **state)
{
    struct picture picture;
    (void)state;
    replace_gnuplot(NULL);
    assert_int_equal(gnuplot_check(&error), STATUS_FAILED);
    assert_non_null(strstr(error.hint, "gnuplot-nox"));
    draw_line(&picture, PICTURE_SVG);
    assert_int_equal(picture_save(&picture, "a.svg", &error), STATUS_FAILED);
    picture_free(&picture);
    assert_int_equal(file_count(), 1); // bin
}

static void failing_gnuplot(void **state)
{
    struct picture picture;
    (void)state;
    replace_gnuplot("echo drawn; echo '         line 7: what is this' >&2; exit 3");
    FILE *before = fopen("a.svg", "w");
    assert_non_null(before);
    fputs("before", before);
    assert_int_equal(fclose(before), 0);
    draw_line(&picture, PICTURE_SVG);
    for (int i = 0; i < 200000; i++) // more than a socket holds: the reader is gone before the end
        fputs("# nothing\n", picture.script);
    assert_int_equal(picture_save(&picture, "a.svg", &error), STATUS_FAILED);
    picture_free(&picture);
    assert_non_null(strstr(error.message, "line 7: what is this"));
    assert_non_null(strstr(error.message, "exit code 3"));
    char start[6];
    read_start(start, sizeof start, "a.svg");
    assert_memory_equal(start, "before", sizeof start);
    assert_int_equal(file_count(), 2);
}

/* gnuplot ends with 0 where its output does not fit. */
static void half_a_picture(void **state)
{
    (void)state;
    static const enum picture_form forms[] = {PICTURE_SVG, PICTURE_PNG, PICTURE_INLINE};
    replace_gnuplot("while read line; do :; done; echo '<svg><g>'");
    FILE *before = fopen("a.svg", "w");
    assert_non_null(before);
    fputs("before", before);
    assert_int_equal(fclose(before), 0);
    for (int i = 0; i < 3; i++) {
        struct picture picture;
        char start[6];
        draw_line(&picture, forms[i]);
        assert_int_equal(picture_save(&picture, "a.svg", &error), STATUS_FAILED);
        picture_free(&picture);
        assert_non_null(strstr(error.message, "only a part of the picture"));
        read_start(start, sizeof start, "a.svg");
        assert_memory_equal(start, "before", sizeof start);
    }
}

static void killed_gnuplot(void **state)
{
    (void)state;
    replace_gnuplot("kill -9 $$");
    assert_int_equal(gnuplot_check(&error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "signal 9"));
}

static void users_settings_are_ignored(void **state)
{
    struct picture picture;
    const char *home = getenv("HOME");
    char folder[4096];
    (void)state;
    need_gnuplot();
    FILE *file = fopen(".gnuplot", "w");
    assert_non_null(file);
    fputs("!touch started\n", file);
    assert_int_equal(fclose(file), 0);
    assert_non_null(getcwd(folder, sizeof folder));
    setenv("HOME", folder, 1);
    draw_line(&picture, PICTURE_SVG);
    free(rendered(&picture));
    if (home)
        setenv("HOME", home, 1);
    assert_int_equal(file_count(), 0);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(hostile_texts),
        IN_A_FOLDER(texts_of_special_characters),
        cmocka_unit_test(forms_by_name),
        IN_A_FOLDER(test_files),
        IN_A_FOLDER(terminal),
        IN_A_FOLDER(terminal_is_readable),
        IN_A_FOLDER(missing_gnuplot),
        IN_A_FOLDER(failing_gnuplot),
        IN_A_FOLDER(half_a_picture),
        IN_A_FOLDER(killed_gnuplot),
        IN_A_FOLDER(users_settings_are_ignored),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
