/* Bytes over a socket between processes. */
#ifndef EPOCHCAST_BASE_MESSAGE_H
#define EPOCHCAST_BASE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* All of `size` bytes, or false: the other end is gone, or the deadline (monotonic seconds) passed.
 */
bool message_send(int socket, const void *bytes, size_t size);
bool message_receive(int socket, void *bytes, size_t size, double deadline_s);

#endif
