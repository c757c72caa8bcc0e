/* Names that writer and reader of a dataset share. */
#ifndef EPOCHCAST_DATA_DATASET_INTERNAL_H
#define EPOCHCAST_DATA_DATASET_INTERNAL_H

#include "data/dataset.h"
#include "data/schema.h"

/* A text attribute of the root and its place in struct dataset_header. */
struct header_text {
    const char *name;
    size_t offset, size;
};
extern const struct header_text header_texts[];
extern const int header_text_count;

#define DEVICES_TABLE "/devices/rows"

#endif
