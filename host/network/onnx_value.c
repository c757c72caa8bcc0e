#include "network/onnx_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool onnx_type_is_quantised(int type)
{
    return onnx_type_bytes(type) == 1 && type != ONNX_BOOL && !onnx_type_is_floating(type);
}

/* Values stay where they are: blocks, the newest first. */
enum { BLOCK_SIZE = 2 * ONNX_FOLD_LIMIT, FOLDED_LIMIT = 1 << 22 };
struct onnx_folds {
    struct onnx_folds *before;
    size_t count;
    double values[BLOCK_SIZE];
};

void onnx_source_create(struct onnx_source *source, const char *path, const char *bytes,
                        size_t size)
{
    *source = (struct onnx_source){
        .path = path, .file = wire_file(path, bytes, size), .external_location = {"", 0}};
}

void onnx_source_free(struct onnx_source *source)
{
    while (source->folds) {
        struct onnx_folds *block = source->folds;
        source->folds = block->before;
        free(block);
    }
}

double *onnx_fold_room(struct onnx_source *source, double count)
{
    if (!(count <= ONNX_FOLD_LIMIT) || source->fold_count + (size_t)count > FOLDED_LIMIT)
        return NULL;
    if (!source->folds || source->folds->count + (size_t)count > BLOCK_SIZE) {
        struct onnx_folds *block = malloc(sizeof *block);
        if (!block)
            return NULL; /* the values stay unknown */
        block->before = source->folds;
        block->count = 0;
        source->folds = block;
    }
    double *room = &source->folds->values[source->folds->count];
    source->folds->count += (size_t)count;
    source->fold_count += (size_t)count;
    return room;
}

struct onnx_path onnx_path(const char *path)
{
    struct onnx_path shown;
    const size_t length = strlen(path), head = 30, tail = 67;
    if (length <= head + tail + 3)
        snprintf(shown.text, sizeof shown.text, "%s", path);
    else
        snprintf(shown.text, sizeof shown.text, "%.30s...%s", path, path + length - tail);
    return shown;
}

size_t onnx_offset(const struct onnx_source *source, struct slice message)
{
    return (size_t)(message.bytes - source->file.file);
}
