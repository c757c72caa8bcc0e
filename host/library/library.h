/* Internals of the C library: its handles, and errors at its boundary. */
#ifndef EPOCHCAST_LIBRARY_LIBRARY_H
#define EPOCHCAST_LIBRARY_LIBRARY_H

#include "library/epochcast.h"

#include "forecast/caveats.h"

struct epochcast_model {
    struct model model;
};

struct epochcast_network {
    struct network network;
};

/* Copies an error to the caller (`out` may be NULL); returns its status as enum epochcast_status.
 */
enum epochcast_status library_error(struct epochcast_error *out, const struct error *error);

/* Allocates one handle of `size` bytes into *out. */
enum status library_allocate(void *out, size_t size, struct error *error);

#endif
