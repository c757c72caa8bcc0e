/* Progress on a terminal (a pseudo-terminal) and elsewhere (a file). */
#include "base/clock.h"
#include "base/term.h"
#include "base/utf8.h"
#include "pseudo_terminal.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *read_file(FILE *file)
{
    static char text[1024];
    fflush(file);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    return text;
}

static void clock_is_monotonic(void **state)
{
    (void)state;
    double first = monotonic_s();
    usleep(2000);
    double elapsed_s = monotonic_s() - first;
    assert_true(elapsed_s >= 0.002 && elapsed_s < 60);
}

static void files_have_no_colour(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    assert_false(term_colour(file));
    fclose(file);
}

static void terminals_have_colour_unless_told(void **state)
{
    (void)state;
    struct terminal terminal;
    require_terminal(&terminal);
    assert_true(term_colour(terminal.file));
    setenv("NO_COLOR", "1", 1);
    assert_false(term_colour(terminal.file));
    setenv("NO_COLOR", "", 1); // empty: as unset
    assert_true(term_colour(terminal.file));
    setenv("TERM", "dumb", 1);
    assert_false(term_colour(terminal.file));
    terminal_close(&terminal);
}

/* Makes the next update due, as if it had been long ago, and half an ETA. */
static void wait_s(struct progress *progress, double seconds)
{
    progress->last_s -= seconds;
    progress->started_s -= seconds;
    progress->stage_s -= seconds;
}

static void files_get_a_line_every_ten_seconds(void **state)
{
    (void)state;
    struct progress progress;
    FILE *file = tmpfile();
    assert_non_null(file);
    progress_begin(&progress, file, false);
    assert_false(progress.terminal);
    progress_update(&progress, 1, 10, "early");
    assert_string_equal(read_file(file), "");
    wait_s(&progress, 9);
    progress_update(&progress, 2, 10, "still early");
    assert_string_equal(read_file(file), "");
    wait_s(&progress, 91);
    progress_update(&progress, 5, 10, "loss %.3f", 0.125);
    assert_string_equal(read_file(file), " 50 %  1:40, eta 1:40  loss 0.125\n");
    progress_update(&progress, 6, 10, "at once");
    progress_end(&progress);
    assert_string_equal(read_file(file), " 50 %  1:40, eta 1:40  loss 0.125\n");
    fclose(file);
}

static void shares_are_bounded(void **state)
{
    (void)state;
    static const struct {
        double done, total;
        const char *text;
    } cases[] = {{0, 10, "  0 %  0:20  x\n"},
                 {5, 0, "  0 %  0:20  x\n"},
                 {-1, 10, "  0 %  0:20  x\n"},
                 {20, 10, "100 %  0:20, eta 0:00  x\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct progress progress;
        FILE *file = tmpfile();
        assert_non_null(file);
        progress_begin(&progress, file, false);
        wait_s(&progress, 20);
        progress_update(&progress, cases[i].done, cases[i].total, "x");
        assert_string_equal(read_file(file), cases[i].text);
        fclose(file);
    }
}

static void terminals_redraw_one_line(void **state)
{
    (void)state;
    struct terminal terminal;
    struct progress progress;
    require_terminal(&terminal);
    progress_begin(&progress, terminal.file, false);
    assert_true(progress.terminal);
    progress_update(&progress, 1, 4, "too early");
    wait_s(&progress, 3);
    progress_update(&progress, 3, 4, "row %d", 3);
    const char *text = read_terminal(&terminal);
    assert_null(strstr(text, "too early"));
    assert_null(strchr(text, '\n'));
    assert_non_null(
        strstr(text, "\r\033[K[==================>     ]  75 %  0:03, eta 0:01  row 3"));
    progress_end(&progress);
    assert_string_equal(read_terminal(&terminal), "\r\033[K");
    terminal_close(&terminal);
}

/* The first step may take minutes. */
static void the_beginning_is_drawn_at_once(void **state)
{
    (void)state;
    struct terminal terminal;
    struct progress progress;
    require_terminal(&terminal);
    progress_begin(&progress, terminal.file, false);
    progress_update(&progress, 0, 4, "first");
    assert_non_null(
        strstr(read_terminal(&terminal), "[>                       ]   0 %  0:00  first"));
    terminal_close(&terminal);
}

static void full_bar_fits(void **state)
{
    (void)state;
    struct terminal terminal;
    struct progress progress;
    require_terminal(&terminal);
    progress_begin(&progress, terminal.file, false);
    wait_s(&progress, 3);
    progress_update(&progress, 4, 4, "done");
    assert_non_null(strstr(read_terminal(&terminal), "[========================] 100 %"));
    terminal_close(&terminal);
}

/* The line after "\r\033[K". */
static const char *drawn(struct progress *progress, const struct terminal *terminal,
                         const char *text)
{
    wait_s(progress, 3);
    progress_update(progress, 3, 4, "%s", text);
    const char *line = read_terminal(terminal);
    assert_memory_equal(line, "\r\033[K", 4);
    return line + 4;
}

static void a_line_is_narrower_than_the_terminal(void **state)
{
    (void)state;
    static const char text[] = "round 1, 3 configs, 0.8 rows/s, 1 capped, 1 slow, 1 out_of_memory, "
                               "1 unsupported, 1 throttled, 1 timeout, 1 crashed";
    struct terminal terminal;
    struct progress progress;
    require_terminal(&terminal);
    progress_begin(&progress, terminal.file, false);
    for (int columns = 1; columns < 200; columns++) {
        resize(&terminal, columns);
        const char *line = drawn(&progress, &terminal, text);
        if (utf8_columns(line) >= columns)
            fail_msg("%d columns: '%s'", columns, line);
    }
    terminal_close(&terminal);
}

static void a_line_follows_the_width(void **state)
{
    (void)state;
    static const struct {
        int columns;
        const char *text, *line;
    } cases[] = {
        {80, "row 3", "[==================>     ]  75 %  0:03, eta 0:01  row 3"},
        {80, "round 1, 12 configs, 0.8 rows/s, 3 slow",
         "[==========>   ]  75 %  0:06, eta 0:02  round 1, 12 configs, 0.8 rows/s, 3 slow"},
        {80, "row 3", "[==========>   ]  75 %  0:09, eta 0:03  row 3"}, // it does not grow again
        {60, "round 1, 12 configs, 0.8 rows/s, 3 slow",
         " 75 %  0:12, eta 0:04  round 1, 12 configs, 0.8 rows/s, ..."},
        {40, "round 1, 12 configs, 0.8 rows/s, 3 slow", " 75 %  eta 0:05  round 1, 12 configs..."},
        {20, "round 1, 12 configs, 0.8 rows/s, 3 slow", " 75 %  eta 0:06"},
        {10, "round 1", " 75 %"},
        {3, "round 1", " 7"},
        {0, "row 3", "[==================>     ]  75 %  0:27, eta 0:09  row 3"}, // 80
        {40,
         "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC", // of 9 columns
         "[=======>  ]  75 %  eta 0:10  "
         "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC"},
    };
    struct terminal terminal;
    struct progress progress;
    require_terminal(&terminal);
    progress_begin(&progress, terminal.file, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        resize(&terminal, cases[i].columns);
        assert_string_equal(drawn(&progress, &terminal, cases[i].text), cases[i].line);
    }
    terminal_close(&terminal);
}

/* Two columns each: never half of one, never half of its bytes. */
static void wide_characters_are_cut_whole(void **state)
{
    (void)state;
    struct terminal terminal;
    struct progress progress;
    require_terminal(&terminal);
    resize(&terminal, 23);
    progress_begin(&progress, terminal.file, false);
    assert_string_equal(drawn(&progress, &terminal, "\xE5\xB1\xA4\xE5\xB1\xA4\xE5\xB1\xA4"),
                        " 75 %  eta 0:01  \xE5\xB1\xA4...");
    assert_int_equal(utf8_columns("a\xE5\xB1\xA4o\xCC\x88\xFF"), 5);
    terminal_close(&terminal);
}

static void names_do_not_move_the_cursor(void **state)
{
    (void)state;
    struct terminal terminal;
    struct progress progress;
    require_terminal(&terminal);
    resize(&terminal, 40);
    progress_begin(&progress, terminal.file, false);
    assert_non_null(strstr(drawn(&progress, &terminal, "a\033[2J\n\xFF"), "eta 0:01  a?[2J??"));
    terminal_close(&terminal);
}

static void long_times_have_hours(void **state)
{
    (void)state;
    static const struct {
        double elapsed_s, done;
        const char *text;
    } cases[] = {{3599, 0.5, " 50 %  59:59, eta 59:59  x\n"},
                 {3600, 0.5, " 50 %  1:00:00, eta 1:00:00  x\n"},
                 {36000, 0.9, " 90 %  10:00:00, eta 1:06:40  x\n"},
                 {360061, 0.99, " 99 %  100:01:01, eta 1:00:37  x\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct progress progress;
        FILE *file = tmpfile();
        assert_non_null(file);
        progress_begin(&progress, file, false);
        wait_s(&progress, cases[i].elapsed_s);
        progress_update(&progress, cases[i].done, 1, "x");
        assert_string_equal(read_file(file), cases[i].text);
        fclose(file);
    }
}

/* 29 % were done by an earlier run, 1 % took 3 s: 70 % take 210 s. */
static void the_eta_counts_this_run(void **state)
{
    (void)state;
    struct progress progress;
    FILE *file = tmpfile();
    assert_non_null(file);
    progress_begin(&progress, file, false);
    progress_resume(&progress, 29, 100);
    wait_s(&progress, 12);
    progress.stage_s += 9;
    progress_update(&progress, 30, 100, "x");
    assert_string_equal(read_file(file), " 30 %  0:12, eta 3:30  x\n");
    progress_resume(NULL, 1, 2);
    fclose(file);
}

/* The second file: its own share, its own speed; the time since the first. */
static void the_eta_begins_again_with_the_share(void **state)
{
    (void)state;
    struct progress progress;
    FILE *file = tmpfile();
    assert_non_null(file);
    progress_begin(&progress, file, false);
    wait_s(&progress, 100);
    progress_update(&progress, 1, 1, "x");
    progress_update(&progress, 0, 1, "x");
    wait_s(&progress, 20);
    progress_update(&progress, 0.5, 1, "x");
    assert_string_equal(read_file(file), "100 %  1:40, eta 0:00  x\n 50 %  2:00, eta 0:20  x\n");
    fclose(file);
}

static void a_line_of_its_own_replaces_the_progress(void **state)
{
    (void)state;
    struct terminal terminal;
    require_terminal(&terminal);
    term_line(terminal.file, "stopping after %s", "this layer");
    assert_string_equal(read_terminal(&terminal), "\r\033[Kstopping after this layer\r\n");
    terminal_close(&terminal);
    FILE *file = tmpfile();
    assert_non_null(file);
    term_line(file, "x");
    assert_string_equal(read_file(file), "x\n");
    fclose(file);
}

static void styles_are_for_terminals(void **state)
{
    (void)state;
    struct terminal terminal;
    require_terminal(&terminal);
    assert_string_equal(term_style(terminal.file, TERM_ERROR), "\033[1;31m");
    assert_string_equal(term_plain(terminal.file), "\033[0m");
    setenv("NO_COLOR", "1", 1);
    assert_string_equal(term_style(terminal.file, TERM_ERROR), "");
    assert_string_equal(term_plain(terminal.file), "");
    terminal_close(&terminal);
}

static void labels_have_their_style(void **state)
{
    (void)state;
    struct terminal terminal;
    require_terminal(&terminal);
    term_message(terminal.file, "note: %d rows\n", 3);
    fflush(terminal.file);
    assert_string_equal(read_terminal(&terminal), "\033[1;35mnote:\033[0m 3 rows\r\n");
    term_message(terminal.file, "warning: x");
    fflush(terminal.file);
    assert_string_equal(read_terminal(&terminal), "\033[1;33mwarning:\033[0m x");
    term_message(terminal.file, "noted: x");
    fflush(terminal.file);
    assert_string_equal(read_terminal(&terminal), "noted: x");
    terminal_close(&terminal);
    FILE *file = tmpfile();
    assert_non_null(file);
    term_message(file, "hint: %s\n", "x");
    assert_string_equal(read_file(file), "hint: x\n");
    fclose(file);
}

static void colour_can_be_forced(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    unsetenv("NO_COLOR");
    setenv("CLICOLOR_FORCE", "0", 1);
    assert_false(term_colour(file));
    setenv("CLICOLOR_FORCE", "1", 1);
    assert_true(term_colour(file));
    setenv("NO_COLOR", "1", 1);
    assert_false(term_colour(file));
    unsetenv("CLICOLOR_FORCE");
    unsetenv("NO_COLOR");
    fclose(file);
}

static void quiet_prints_nothing(void **state)
{
    (void)state;
    struct progress progress;
    FILE *file = tmpfile();
    assert_non_null(file);
    progress_begin(&progress, file, true);
    wait_s(&progress, 100);
    progress_update(&progress, 1, 2, "x");
    progress_end(&progress);
    assert_string_equal(read_file(file), "");
    fclose(file);
    progress_update(NULL, 1, 2, "x"); // library code may be given none
    progress_end(NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_is_monotonic),
        cmocka_unit_test(files_have_no_colour),
        cmocka_unit_test(terminals_have_colour_unless_told),
        cmocka_unit_test(files_get_a_line_every_ten_seconds),
        cmocka_unit_test(shares_are_bounded),
        cmocka_unit_test(terminals_redraw_one_line),
        cmocka_unit_test(the_beginning_is_drawn_at_once),
        cmocka_unit_test(full_bar_fits),
        cmocka_unit_test(a_line_is_narrower_than_the_terminal),
        cmocka_unit_test(a_line_follows_the_width),
        cmocka_unit_test(wide_characters_are_cut_whole),
        cmocka_unit_test(names_do_not_move_the_cursor),
        cmocka_unit_test(long_times_have_hours),
        cmocka_unit_test(the_eta_counts_this_run),
        cmocka_unit_test(the_eta_begins_again_with_the_share),
        cmocka_unit_test(a_line_of_its_own_replaces_the_progress),
        cmocka_unit_test(styles_are_for_terminals),
        cmocka_unit_test(labels_have_their_style),
        cmocka_unit_test(colour_can_be_forced),
        cmocka_unit_test(quiet_prints_nothing),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
