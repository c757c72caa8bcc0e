/* Protobuf's wire format, read in place: a message is a run of fields, each with a number and one
 * of four types. Nothing is copied; fields point into the bytes.
 * (https://protobuf.dev/programming-guides/encoding)
 */
#ifndef EPOCHCAST_NETWORK_WIRE_H
#define EPOCHCAST_NETWORK_WIRE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes inside the file; not terminated. */
struct slice {
    const char *bytes;
    size_t size;
};
bool slice_equals(struct slice slice, const char *text);
bool slices_equal(struct slice a, struct slice b);

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;     /* of a varint; the bits of a fixed one */
    struct slice bytes; /* of WIRE_BYTES: a text, a message, packed numbers */
};

/* A position within a message. */
struct wire {
    const char *path; /* for messages; borrowed */
    const char *file; /* first byte of the file: offsets in messages count from here */
    const char *next, *end;
};

struct wire wire_file(const char *path, const char *bytes, size_t size);
/* The message that `bytes` is, in the same file. */
struct wire wire_inside(const struct wire *wire, struct slice bytes);
size_t wire_offset(const struct wire *wire);
/* The next field; false at the message's end and where the bytes are no message. */
bool wire_next(struct wire *wire, struct wire_field *field);
/* STATUS_BAD_FILE, with the byte, unless the message was read to its end. */
enum status wire_finish(const struct wire *wire, struct error *error);
/* One varint of a packed run; false at its end or where it is cut off. */
bool wire_varint(struct wire *wire, uint64_t *value);

#endif
