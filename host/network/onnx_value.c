#include "network/onnx_value.h"

#include <stdlib.h>

/* In the order of TensorProto.DataType. */
static const struct element_type {
    signed char bytes;
    bool is_floating;
} element_types[ONNX_TYPE_COUNT] = {
    {0, false}, {4, true},  {1, false}, {1, false}, {2, false}, {2, false}, {4, false},
    {8, false}, {0, false}, {1, false}, {2, true},  {8, true},  {4, false}, {8, false},
    {8, true},  {16, true}, {2, true},  {1, true},  {1, true},  {1, true},  {1, true},
};

int onnx_type_bytes(int type)
{
    return type > 0 && type < ONNX_TYPE_COUNT ? element_types[type].bytes : 0;
}

bool onnx_type_is_floating(int type)
{
    return type > 0 && type < ONNX_TYPE_COUNT && element_types[type].is_floating;
}

enum status onnx_source_create(struct onnx_source *source, const char *path, const char *bytes,
                               size_t size, struct error *error)
{
    const size_t most = 65536, wanted = 1024 + size;
    *source = (struct onnx_source){.path = path,
                                   .file = wire_file(path, bytes, size),
                                   .external_location = {"", 0},
                                   .fold_capacity = wanted < most ? wanted : most};
    return ALLOCATE(&source->folds, source->fold_capacity, "constants", error);
}

void onnx_source_free(struct onnx_source *source)
{
    free(source->folds);
}

double *onnx_fold_room(struct onnx_source *source, double count)
{
    if (count > ONNX_FOLD_LIMIT || source->fold_count + (size_t)count > source->fold_capacity)
        return NULL;
    double *room = &source->folds[source->fold_count];
    source->fold_count += (size_t)count;
    return room;
}

size_t onnx_offset(const struct onnx_source *source, struct slice message)
{
    return (size_t)(message.bytes - source->file.file);
}
