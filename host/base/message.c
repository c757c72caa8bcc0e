#include "base/message.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sys/socket.h>

bool message_send(int socket, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        const ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* True when bytes or the end of the stream arrive before the deadline. */
static bool wait_readable(int socket, double deadline_s)
{
    for (;;) {
        const double left_ms = 1e3 * (deadline_s - monotonic_s());
        struct pollfd wanted = {.fd = socket, .events = POLLIN};
        const int ready = poll(&wanted, 1, left_ms > 1e9 ? -1 : (int)fmax(0, ceil(left_ms)));
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

bool message_receive(int socket, void *bytes, size_t size, double deadline_s)
{
    char *at = bytes;
    while (size > 0) {
        if (!wait_readable(socket, deadline_s))
            return false;
        const ssize_t got = recv(socket, at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}
