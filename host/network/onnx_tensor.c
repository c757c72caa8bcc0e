/* TensorProto, TypeProto: what a tensor is, without its weights. */
#include "network/onnx_tensor.h"

#include "network/operator.h"

#include <math.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum {
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_FLOATS = 4,
    TENSOR_INT32S = 5,
    TENSOR_INT64S = 7,
    TENSOR_RAW = 9,
    TENSOR_DOUBLES = 10,
    TENSOR_LOCATION = 14
};
enum { TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2, SHAPE_DIMENSION = 1 };
enum { DIMENSION_VALUE = 1, DIMENSION_NAME = 2 };

/* ---- TensorProto ---- */

struct tensor_data {
    struct slice raw;      /* raw_data */
    struct slice packed;   /* float_data, int32_data, int64_data or double_data */
    uint32_t packed_field; /* which of them, 0: none */
    size_t unpacked;       /* values given one by one */
    bool is_external;
};

static enum status tensor_error(const struct onnx_source *source, const struct onnx_value *value,
                                struct slice message, const char *what, struct error *error)
{
    return FAIL(error, STATUS_BAD_FILE, "%s: byte %zu: tensor '%.*s': %s",
                onnx_path(source->path).text, onnx_offset(source, message), onnx_shown(value->name),
                value->name.bytes, what);
}

static bool add_dimension(struct onnx_value *value, uint64_t dimension)
{
    if (value->rank >= ONNX_RANK_LIMIT || dimension > (uint64_t)ONNX_DIMENSION_LIMIT)
        return false;
    value->dims[value->rank++] = (int64_t)dimension;
    value->count *= (double)dimension;
    return value->count <= OPERATOR_COUNT_LIMIT;
}

static bool add_dimensions(struct onnx_value *value, const struct wire *tensor,
                           const struct wire_field *field)
{
    uint64_t dimension;
    if (field->type == WIRE_VARINT)
        return add_dimension(value, field->value);
    struct wire packed = wire_inside(tensor, field->bytes);
    while (wire_varint(&packed, &dimension))
        if (!add_dimension(value, dimension))
            return false;
    return packed.next == packed.end;
}

bool onnx_dims_read(const struct onnx_source *source, struct onnx_value *value,
                    struct slice message, uint32_t number)
{
    struct wire wire = wire_inside(&source->file, message);
    value->rank = 0;
    value->count = 1;
    value->folded = NULL; /* those that are not zero alone */
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == number && !add_dimensions(value, &wire, &field))
            return false;
    return wire.next == wire.end;
}

static void note_data(struct tensor_data *data, const struct wire_field *field)
{
    if (field->number == TENSOR_RAW && field->type == WIRE_BYTES) {
        data->raw = field->bytes;
    } else if (field->number == TENSOR_LOCATION) {
        data->is_external = field->value == 1;
    } else if (field->number == TENSOR_FLOATS || field->number == TENSOR_INT32S ||
               field->number == TENSOR_INT64S || field->number == TENSOR_DOUBLES) {
        data->packed_field = field->number;
        if (field->type == WIRE_BYTES)
            data->packed = field->bytes;
        else
            data->unpacked++;
    }
}

/* ---- element types that may be folded ---- */

static double from_float(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float number;
    memcpy(&number, &low, sizeof number);
    return number;
}

static double from_double(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static double from_bfloat16(uint64_t bits)
{
    return from_float((bits & 0xffff) << 16);
}

static double from_float16(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    const double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                        : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                       : ldexp(fraction, -24);
    return bits >> 15 & 1 ? -size : size;
}

#define FROM_INTEGER(name, type)                                                                   \
    static double from_##name(uint64_t bits)                                                       \
    {                                                                                              \
        return (double)(type)bits;                                                                 \
    }
FROM_INTEGER(uint8, uint8_t)
FROM_INTEGER(int8, int8_t)
FROM_INTEGER(uint16, uint16_t)
FROM_INTEGER(int16, int16_t)
FROM_INTEGER(int32, int32_t)
FROM_INTEGER(int64, int64_t)
FROM_INTEGER(uint32, uint32_t)
FROM_INTEGER(uint64, uint64_t)

/* By TensorProto.DataType; the integers that shapes are made of may be many. */
static const struct folded_type {
    double (*from)(uint64_t bits);
    int limit; /* elements of a tensor */
} folded_types[ONNX_TYPE_COUNT] = {
    [ONNX_FLOAT] = {from_float, ONNX_FOLD_WEIGHTS_LIMIT},
    [ONNX_UINT8] = {from_uint8, ONNX_FOLD_WEIGHTS_LIMIT},
    [ONNX_INT8] = {from_int8, ONNX_FOLD_WEIGHTS_LIMIT},
    [ONNX_UINT16] = {from_uint16, ONNX_FOLD_WEIGHTS_LIMIT},
    [ONNX_INT16] = {from_int16, ONNX_FOLD_WEIGHTS_LIMIT},
    [ONNX_INT32] = {from_int32, ONNX_FOLD_LIMIT},
    [ONNX_INT64] = {from_int64, ONNX_FOLD_LIMIT},
    [ONNX_BOOL] = {from_uint8, ONNX_FOLD_LIMIT},
    [ONNX_FLOAT16] = {from_float16, ONNX_FOLD_WEIGHTS_LIMIT},
    [ONNX_DOUBLE] = {from_double, ONNX_FOLD_WEIGHTS_LIMIT},
    [ONNX_UINT32] = {from_uint32, ONNX_FOLD_LIMIT},
    [ONNX_UINT64] = {from_uint64, ONNX_FOLD_LIMIT},
    [ONNX_BFLOAT16] = {from_bfloat16, ONNX_FOLD_WEIGHTS_LIMIT},
};

static uint64_t little_endian(const char *bytes, int size)
{
    uint64_t bits = 0;
    for (int i = 0; i < size; i++)
        bits |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return bits;
}

/* Values that shapes may depend on: of few elements, stored in the file itself. */
static void fold_values(struct onnx_source *source, struct onnx_value *value,
                        const struct tensor_data *data)
{
    const int size = onnx_type_bytes(value->type);
    const bool is_fixed = data->raw.size || data->packed_field == TENSOR_FLOATS ||
                          data->packed_field == TENSOR_DOUBLES;
    const struct slice bytes = data->raw.size ? data->raw : data->packed;
    const struct folded_type *type = &folded_types[value->type];
    double *folded = value->count <= type->limit && !data->is_external && !data->unpacked
                         ? onnx_fold_room(source, value->count)
                         : NULL;
    if (!folded || (is_fixed && bytes.size != value->count * size))
        return;
    struct wire packed = wire_inside(&source->file, bytes);
    for (int i = 0; i < (int)value->count; i++) {
        uint64_t bits;
        if (is_fixed)
            bits = little_endian(bytes.bytes + (size_t)i * (size_t)size, size);
        else if (!wire_varint(&packed, &bits))
            return;
        folded[i] = type->from(bits);
    }
    value->folded = folded;
}

static enum status check_data(struct onnx_source *source, const struct onnx_value *value,
                              const struct tensor_data *data, struct slice message,
                              struct error *error)
{
    const double bytes = value->count * onnx_type_bytes(value->type);
    if (data->is_external)
        return onnx_external_check(source, value, message, bytes, error);
    if (onnx_type_bytes(value->type) == 0)
        return STATUS_OK; /* texts */
    if (!data->packed_field && (double)data->raw.size != bytes)
        return tensor_error(source, value, message, "its data has not the size of its shape",
                            error);
    const double fixed_bytes = data->packed_field == TENSOR_FLOATS    ? 4
                               : data->packed_field == TENSOR_DOUBLES ? 8
                                                                      : 0;
    const bool is_complex = value->type == 14 || value->type == 15;
    if (fixed_bytes > 0 && !data->unpacked && !is_complex &&
        (double)data->packed.size != fixed_bytes * value->count)
        return tensor_error(source, value, message, "its data has not the size of its shape",
                            error);
    if (data->unpacked && (double)data->unpacked != value->count)
        return tensor_error(source, value, message, "its data has not the size of its shape",
                            error);
    return STATUS_OK;
}

enum status onnx_tensor_read(struct onnx_source *source, struct onnx_value *value,
                             struct slice message, struct error *error)
{
    struct tensor_data data = {.raw = {"", 0}, .packed = {"", 0}};
    struct wire tensor = wire_inside(&source->file, message);
    value->rank = 0;
    value->count = 1;
    for (struct wire_field field; wire_next(&tensor, &field);) {
        note_data(&data, &field);
        if (field.number == TENSOR_TYPE)
            value->type = field.value < ONNX_TYPE_COUNT ? (int)field.value : 0;
        if (field.number == TENSOR_DIMS && !add_dimensions(value, &tensor, &field))
            return tensor_error(source, value, message,
                                "a dimension is negative, too large or one of too many", error);
    }
    TRY(wire_finish(&tensor, error));
    TRY(check_data(source, value, &data, message, error));
    fold_values(source, value, &data);
    return STATUS_OK;
}

/* ---- TypeProto ---- */

/* Names that exporters give to every dimension that they do not know. */
static bool is_placeholder(struct slice name)
{
    static const char *const names[] = {"?", "None", "none",    "-1",
                                        "*", "unk",  "unknown", "Unknown"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equals(name, names[i]))
            return true;
    return false;
}

static void read_dimension(const struct wire *shape, struct slice message, int64_t *dimension,
                           struct slice *name)
{
    struct wire wire = wire_inside(shape, message);
    *dimension = -1;
    *name = (struct slice){"", 0};
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == DIMENSION_VALUE && field.type == WIRE_VARINT)
            *dimension = (int64_t)field.value;
        else if (field.number == DIMENSION_NAME && field.type == WIRE_BYTES &&
                 !is_placeholder(field.bytes))
            *name = field.bytes;
}

static bool read_shape(const struct wire *type, struct slice message, int *rank,
                       int64_t dims[ONNX_RANK_LIMIT], struct slice names[ONNX_RANK_LIMIT])
{
    struct wire wire = wire_inside(type, message);
    *rank = 0;
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (field.number != SHAPE_DIMENSION || field.type != WIRE_BYTES)
            continue;
        if (*rank == ONNX_RANK_LIMIT)
            return false;
        read_dimension(&wire, field.bytes, &dims[*rank], &names[*rank]);
        ++*rank;
    }
    return wire.next == wire.end;
}

bool onnx_type_read(const struct onnx_source *source, struct slice message, int *type, int *rank,
                    int64_t dims[ONNX_RANK_LIMIT], struct slice names[ONNX_RANK_LIMIT])
{
    struct wire wire = wire_inside(&source->file, message);
    struct slice tensor = {"", 0}, shape = {NULL, 0};
    *type = 0;
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == TYPE_TENSOR && field.type == WIRE_BYTES)
            tensor = field.bytes;
    wire = wire_inside(&source->file, tensor);
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == TENSOR_ELEMENT && field.type == WIRE_VARINT)
            *type = field.value < ONNX_TYPE_COUNT ? (int)field.value : 0;
        else if (field.number == TENSOR_SHAPE && field.type == WIRE_BYTES)
            shape = field.bytes;
    return shape.bytes && read_shape(&wire, shape, rank, dims, names);
}
