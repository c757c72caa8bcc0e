/* A tensor of an ONNX model as the reader knows it, and what tensors are read from. Private to the
 * onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_VALUE_H
#define EPOCHCAST_NETWORK_ONNX_VALUE_H

#include "network/wire.h"

#include <stdbool.h>
#include <stdint.h>

/* FOLD: elements of the small tensors whose values are kept, for shapes computed by the graph; of
 * floating numbers that a file stores fewer, they are mostly weights. LIST: values of axes, pads,
 * parts and the like. */
enum { ONNX_RANK_LIMIT = 8, ONNX_FOLD_LIMIT = 4096, ONNX_FOLD_WEIGHTS_LIMIT = 64 };
enum { ONNX_LIST_LIMIT = 1024 };
#define ONNX_DIMENSION_LIMIT INT64_C(2147483647)
/* Of one tensor: no device holds more, but a shape of a few bytes may ask for it. */
#define ONNX_ELEMENT_LIMIT 0x1p36

/* TensorProto.DataType, those that matter by themselves. */
enum onnx_type { ONNX_FLOAT = 1, ONNX_UINT8, ONNX_INT8, ONNX_UINT16, ONNX_INT16, ONNX_INT32 };
enum { ONNX_INT64 = 7, ONNX_STRING, ONNX_BOOL, ONNX_FLOAT16, ONNX_DOUBLE, ONNX_UINT32 };
enum { ONNX_UINT64 = 13, ONNX_BFLOAT16 = 16, ONNX_TYPE_COUNT = 21 };
bool onnx_type_is_floating(int type);
bool onnx_type_is_quantised(int type); /* an integer of one byte */
/* Bytes of one element, 0: of no fixed size. */
int onnx_type_bytes(int type);

enum { ONNX_NOT_TRAINED = -2 };
/* Of batch_axis. MIXED: its elements depend on several samples. */
enum { ONNX_UNBATCHED = -1, ONNX_MIXED = -2 };

/* A tensor, known by its name. */
struct onnx_value {
    struct slice name;
    struct slice declared; /* TypeProto of value_info and outputs; may be empty */
    int type;              /* enum onnx_type */
    int rank;              /* -1: not known yet */
    int64_t dims[ONNX_RANK_LIMIT];
    double count;     /* elements */
    double *folded;   /* (count) values of a small constant tensor, or NULL; of the graph's arena */
    bool is_constant; /* the same for every input: an initializer, or computed from some */
    int origin;       /* initializer or Constant that a constant is a view of, -1: none */
    int producer;     /* node, -1: an initializer or an input of the graph */
    int consumer;     /* the only node that reads it, -1: none or several */
    int consumer_count;
    bool is_output;      /* of the graph */
    bool is_first_given; /* an input's first axis has a size by its name: it is no batch */
    int batch_axis;      /* of the samples, or: */
    int sequence_first, sequence_count; /* of a sequence: links[first ..]; else -1 */
    int layer;                /* of the network, whose output this is; -1: the network's input */
    int holder, holder_place; /* layer of a kind that has it whole as a parameter, which; -1 */
    int tensor;               /* its number in the network, once a second layer has it; 0 */
    int counted_layer;        /* origins: the layer whose parameters it is of, -1: none yet, or: */
};

/* The mapped file of a model, with room for the values of small tensors. */
struct onnx_source {
    const char *path;
    struct wire file;
    struct onnx_folds *folds;       /* the block that is being filled, linked to those before it */
    size_t fold_count;              /* values that were given out, of all blocks */
    struct slice external_location; /* of the external data that was found last, and its size */
    double external_bytes;
};

/* Free it in any case. */
void onnx_source_create(struct onnx_source *source, const char *path, const char *bytes,
                        size_t size);
void onnx_source_free(struct onnx_source *source);
/* Room for `count` values, or NULL where there is none left. */
double *onnx_fold_room(struct onnx_source *source, double count);
/* Where in the file a message lies. */
size_t onnx_offset(const struct onnx_source *source, struct slice message);

/* A path of at most 100 bytes for messages: a longer one is cut in the middle. */
struct onnx_path {
    char text[104];
};
struct onnx_path onnx_path(const char *path);
/* How many bytes of a name a message shows: "%.*s". */
enum { ONNX_SHOWN_LIMIT = 80 };
static inline int onnx_shown(struct slice name)
{
    return (int)(name.size < ONNX_SHOWN_LIMIT ? name.size : ONNX_SHOWN_LIMIT);
}

#endif
