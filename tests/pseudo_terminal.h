/* A pseudo-terminal whose far end reads what a program prints. Skips where there are none. */
#ifndef EPOCHCAST_TESTS_PSEUDO_TERMINAL_H
#define EPOCHCAST_TESTS_PSEUDO_TERMINAL_H

#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Both ends are closed by terminal_close. */
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
    unsetenv("CLICOLOR_FORCE");
}

static void resize(const struct terminal *terminal, int columns)
{
    const struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    assert_int_equal(ioctl(terminal->far_end, TIOCSWINSZ, &size), 0);
}

static const char *read_terminal(const struct terminal *terminal)
{
    static char text[1024];
    ssize_t length = read(terminal->far_end, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

#endif
