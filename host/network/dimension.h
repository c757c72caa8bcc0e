/* Sizes for the dimensions that an ONNX model leaves open, but for the batch.
 *
 * A dimension is called as the model names it ("sequence"), one without a name INPUT:AXIS
 * ("input_ids:1"). The last '=' ends a name, which may hold commas. A dimension with a name may be
 * called INPUT:AXIS, too. '?', 'None' and the like do not count as names.
 */
#ifndef EPOCHCAST_NETWORK_DIMENSION_H
#define EPOCHCAST_NETWORK_DIMENSION_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIMENSION_LIMIT = 32, DIMENSION_TEXT_SIZE = 320 };

struct dimension_size {
    const char *name; /* within the text that was given, not terminated; borrowed */
    size_t name_length;
    int64_t size;
    bool is_used; /* a model had a dimension of that name */
};

struct dimension_sizes {
    struct dimension_size list[DIMENSION_LIMIT];
    int count;
    const char *batch_axis;         /* "INPUT:AXIS" that is the batch; NULL: not said; borrowed */
    int64_t batch_in_file;          /* samples that a file's shapes hold; 0: not said */
    bool is_batch_used;             /* a model was asked for them */
    char open[DIMENSION_TEXT_SIZE]; /* what the models read so far leave open, for messages */
};

/* "sequence=128" or "sequence=128,beams=4"; the text must outlive the sizes. STATUS_USAGE: not of
 * that form, a size outside 1..2^31-1, a name twice. */
enum status dimension_sizes_add(struct dimension_sizes *sizes, const char *text,
                                struct error *error);
/* NULL: none of that name. */
struct dimension_size *dimension_sizes_find(struct dimension_sizes *sizes, const char *name,
                                            size_t length);
/* Once all models are read: STATUS_USAGE names a size that none of them used, and a batch where no
 * model was an ONNX file. */
enum status dimension_sizes_check(const struct dimension_sizes *sizes, struct error *error);

#endif
