#include "network/wire.h"

#include <string.h>

bool slice_equals(struct slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice.bytes, text, slice.size) == 0;
}

bool slices_equal(struct slice a, struct slice b)
{
    return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
}

struct wire wire_file(const char *path, const char *bytes, size_t size)
{
    return (struct wire){.path = path, .file = bytes, .next = bytes, .end = bytes + size};
}

struct wire wire_inside(const struct wire *wire, struct slice bytes)
{
    return (struct wire){.path = wire->path,
                         .file = wire->file,
                         .next = bytes.bytes,
                         .end = bytes.bytes + bytes.size};
}

size_t wire_offset(const struct wire *wire)
{
    return (size_t)(wire->next - wire->file);
}

bool wire_varint(struct wire *wire, uint64_t *value)
{
    *value = 0;
    const char *next = wire->next;
    for (int shift = 0; shift < 70 && next < wire->end; shift += 7) {
        const unsigned char byte = (unsigned char)*next++;
        if (shift < 64)
            *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            wire->next = next;
            return true;
        }
    }
    return false;
}

/* Little-endian, whatever the machine is. */
static bool read_fixed(struct wire *wire, uint64_t *value, size_t size)
{
    if ((size_t)(wire->end - wire->next) < size)
        return false;
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)(unsigned char)wire->next[i] << (8 * i);
    wire->next += size;
    return true;
}

static bool read_bytes(struct wire *wire, struct slice *bytes)
{
    uint64_t size;
    if (!wire_varint(wire, &size) || size > (uint64_t)(wire->end - wire->next))
        return false;
    *bytes = (struct slice){wire->next, (size_t)size};
    wire->next += size;
    return true;
}

static bool read_value(struct wire *wire, struct wire_field *field)
{
    switch (field->type) {
    case WIRE_VARINT:
        return wire_varint(wire, &field->value);
    case WIRE_FIXED64:
        return read_fixed(wire, &field->value, 8);
    case WIRE_BYTES:
        return read_bytes(wire, &field->bytes);
    case WIRE_FIXED32:
        return read_fixed(wire, &field->value, 4);
    }
    return false; /* a group, which ONNX has none of, or no type at all */
}

bool wire_next(struct wire *wire, struct wire_field *field)
{
    const char *start = wire->next;
    uint64_t tag;
    if (start == wire->end)
        return false;
    *field = (struct wire_field){.bytes = {"", 0}};
    if (wire_varint(wire, &tag) && tag >> 3 && tag >> 3 < 1 << 29) {
        field->number = (uint32_t)(tag >> 3);
        field->type = (enum wire_type)(tag & 7);
        if (read_value(wire, field))
            return true;
    }
    wire->next = start; /* where it went wrong */
    return false;
}

enum status wire_finish(const struct wire *wire, struct error *error)
{
    if (wire->next == wire->end)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE,
                "%.300s: byte %zu: truncated or damaged: no field fits the remaining %zu bytes "
                "of its message",
                wire->path, wire_offset(wire), (size_t)(wire->end - wire->next));
}
