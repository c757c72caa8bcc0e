#include "network/onnx_graph.h"

#include <string.h>

enum { FUNCTION_DEFAULT = 11 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT, ATTRIBUTE_INTEGER, ATTRIBUTE_TEXT, ATTRIBUTE_TENSOR };
enum { ATTRIBUTE_FLOATS = 7, ATTRIBUTE_INTEGERS, ATTRIBUTE_TEXTS };

static bool find_in(struct wire message, uint32_t number, struct slice name, struct wire *found)
{
    for (struct wire_field field; wire_next(&message, &field);) {
        if (field.number != number || field.type != WIRE_BYTES)
            continue;
        struct wire attribute = wire_inside(&message, field.bytes);
        for (struct wire_field member; wire_next(&attribute, &member);)
            if (member.number == ATTRIBUTE_NAME && slices_equal(member.bytes, name)) {
                *found = wire_inside(&message, field.bytes);
                return true;
            }
    }
    return false;
}

/* The attribute of the caller that this one refers to; empty: none. */
static struct slice referred_name(struct wire attribute)
{
    struct slice name = {"", 0};
    for (struct wire_field member; wire_next(&attribute, &member);)
        if (member.number == ATTRIBUTE_REFERENCE && member.type == WIRE_BYTES)
            name = member.bytes;
    return name;
}

/* In the body of a function, an attribute may be one of the call, or the function's default. */
static bool find_attribute(const struct onnx_call *call, const char *text, struct wire *found)
{
    const struct onnx_graph *graph = call->graph;
    const struct onnx_node *node = call->node;
    struct slice name = {text, strlen(text)};
    for (;;) {
        struct slice referred;
        if (!find_in(wire_inside(&graph->source.file, node->message), NODE_ATTRIBUTE, name, found))
            return node->function.size > 0 &&
                   find_in(wire_inside(&graph->source.file, node->function), FUNCTION_DEFAULT, name,
                           found);
        referred = referred_name(*found);
        if (referred.size == 0)
            return true;
        if (node->caller < 0)
            return false;
        node = &graph->nodes[node->caller];
        name = referred;
    }
}

static bool find_member(const struct onnx_call *call, const char *name, uint32_t number,
                        enum wire_type type, struct wire_field *field)
{
    struct wire attribute;
    if (!find_attribute(call, name, &attribute))
        return false;
    while (wire_next(&attribute, field))
        if (field->number == number && field->type == type)
            return true;
    return false;
}

static double float_of(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float number;
    memcpy(&number, &low, sizeof number);
    return number;
}

bool onnx_has_attribute(const struct onnx_call *call, const char *name)
{
    struct wire attribute;
    return find_attribute(call, name, &attribute);
}

int64_t onnx_integer(const struct onnx_call *call, const char *name, int64_t otherwise)
{
    struct wire_field field;
    return find_member(call, name, ATTRIBUTE_INTEGER, WIRE_VARINT, &field) ? (int64_t)field.value
                                                                           : otherwise;
}

double onnx_number(const struct onnx_call *call, const char *name, double otherwise)
{
    struct wire_field field;
    return find_member(call, name, ATTRIBUTE_FLOAT, WIRE_FIXED32, &field) ? float_of(field.value)
                                                                          : otherwise;
}

struct slice onnx_text(const struct onnx_call *call, const char *name)
{
    struct wire_field field;
    return find_member(call, name, ATTRIBUTE_TEXT, WIRE_BYTES, &field) ? field.bytes
                                                                       : (struct slice){"", 0};
}

struct slice onnx_subgraph(const struct onnx_call *call, const char *name)
{
    struct wire_field field;
    return find_member(call, name, ATTRIBUTE_GRAPH, WIRE_BYTES, &field) ? field.bytes
                                                                        : (struct slice){NULL, 0};
}

int onnx_texts(const struct onnx_call *call, const char *name)
{
    struct wire attribute;
    int count = 0;
    if (!find_attribute(call, name, &attribute))
        return 0;
    for (struct wire_field field; wire_next(&attribute, &field);)
        count += field.number == ATTRIBUTE_TEXTS && count < INT32_MAX;
    return count;
}

int onnx_integers(const struct onnx_call *call, const char *name, int64_t *values, int limit)
{
    struct wire attribute;
    int count = 0;
    if (!find_attribute(call, name, &attribute))
        return -1;
    for (struct wire_field field; wire_next(&attribute, &field);) {
        if (field.number != ATTRIBUTE_INTEGERS)
            continue;
        struct wire packed = wire_inside(&attribute, field.bytes);
        uint64_t value = field.value;
        bool more = field.type == WIRE_VARINT || wire_varint(&packed, &value);
        while (more && count < INT32_MAX) {
            if (count < limit)
                values[count] = (int64_t)value;
            count++;
            more = field.type == WIRE_BYTES && wire_varint(&packed, &value);
        }
    }
    return count;
}

int onnx_numbers(const struct onnx_call *call, const char *name, double *values, int limit)
{
    struct wire attribute;
    int count = 0;
    if (!find_attribute(call, name, &attribute))
        return -1;
    for (struct wire_field field; wire_next(&attribute, &field);) {
        if (field.number != ATTRIBUTE_FLOATS)
            continue;
        if (field.type == WIRE_FIXED32) {
            if (count < limit)
                values[count] = float_of(field.value);
            count++;
        }
        for (size_t at = 0; field.type == WIRE_BYTES && at + 4 <= field.bytes.size; at += 4) {
            uint32_t bits = 0;
            for (int i = 0; i < 4; i++)
                bits |= (uint32_t)(unsigned char)field.bytes.bytes[at + (size_t)i] << (8 * i);
            if (count < limit)
                values[count] = float_of(bits);
            count++;
        }
    }
    return count;
}

enum status onnx_tensor_attribute(const struct onnx_call *call, const char *name,
                                  struct onnx_value *value)
{
    struct wire_field field;
    if (!find_member(call, name, ATTRIBUTE_TENSOR, WIRE_BYTES, &field))
        return onnx_fail(call, "it has no tensor '%s'", name);
    return onnx_tensor_read(&call->graph->source, value, field.bytes, call->error);
}
