/* Progress on a terminal (a pseudo-terminal) and elsewhere (a file). */
#include "base/clock.h"
#include "base/term.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The terminal's far end reads what is printed; both ends closed by terminal_close. */
struct terminal {
    int far_end;
    FILE *file;
};

static bool terminal_open(struct terminal *terminal)
{
    terminal->far_end = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal->far_end < 0 || grantpt(terminal->far_end) || unlockpt(terminal->far_end))
        return false;
    const char *name = ptsname(terminal->far_end);
    int own = name ? open(name, O_RDWR | O_NOCTTY) : -1;
    terminal->file = own >= 0 ? fdopen(own, "w") : NULL;
    return terminal->file != NULL;
}

static void terminal_close(struct terminal *terminal)
{
    fclose(terminal->file);
    close(terminal->far_end);
}

static void require_terminal(struct terminal *terminal)
{
    if (!terminal_open(terminal)) {
        print_message("no pseudo-terminals here\n");
        skip();
    }
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
}

static const char *read_terminal(const struct terminal *terminal)
{
    static char text[1024];
    ssize_t length = read(terminal->far_end, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

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
    assert_string_equal(read_file(file), " 50 %  eta 1:40  loss 0.125\n");
    progress_update(&progress, 6, 10, "at once");
    progress_end(&progress);
    assert_string_equal(read_file(file), " 50 %  eta 1:40  loss 0.125\n");
    fclose(file);
}

static void shares_are_bounded(void **state)
{
    (void)state;
    static const struct {
        double done, total;
        const char *text;
    } cases[] = {{0, 10, "  0 %  x\n"},
                 {5, 0, "  0 %  x\n"},
                 {-1, 10, "  0 %  x\n"},
                 {20, 10, "100 %  eta 0:00  x\n"}};
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
    assert_non_null(strstr(text, "\r\033[K[==================>     ]  75 %  eta 0:01  row 3"));
    progress_end(&progress);
    assert_string_equal(read_terminal(&terminal), "\r\033[K");
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
        cmocka_unit_test(full_bar_fits),
        cmocka_unit_test(quiet_prints_nothing),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
