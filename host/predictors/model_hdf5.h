/* Small HDF5 steps of the model file: attributes and whole datasets with their shape checked. Every
 * failure is a struct error that names the object and the file.
 */
#ifndef EPOCHCAST_PREDICTORS_MODEL_HDF5_H
#define EPOCHCAST_PREDICTORS_MODEL_HDF5_H

#include "base/error.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

/* An open file or group, with texts for messages. */
struct model_place {
    hid_t id;
    const char *path;   /* of the file */
    const char *prefix; /* "", "conv2d/" */
    size_t file_bytes;  /* bounds every array that is read */
};

/* Keeps HDF5 from printing its error stack; restore gives the old handler back. */
struct hdf5_silence {
    H5E_auto2_t handler;
    void *payload;
};
struct hdf5_silence hdf5_silence_begin(void);
void hdf5_silence_end(const struct hdf5_silence *silence);

/* STATUS_FAILED: cannot write. */
enum status write_text(const struct model_place *place, const char *name, const char *text,
                       struct error *error);
enum status write_numbers(const struct model_place *place, const char *name, hid_t type,
                          const void *values, size_t count, struct error *error);
/* rank 1 (count) or, with rows > 0, 2 (rows, count). memory_type lays out `values`. */
enum status write_array(const struct model_place *place, const char *name, hid_t file_type,
                        hid_t memory_type, const void *values, size_t rows, size_t count,
                        struct error *error);

/* STATUS_BAD_FILE: missing, of another type or shape. text is terminated. */
enum status read_text(const struct model_place *place, const char *name, char *text, size_t size,
                      struct error *error);
enum status read_numbers(const struct model_place *place, const char *name, hid_t type,
                         void *values, size_t count, struct error *error);
/* Elements of a one-dimensional attribute or dataset, at most `limit`. */
enum status read_attribute_count(const struct model_place *place, const char *name, size_t *count,
                                 size_t limit, struct error *error);
enum status read_array_count(const struct model_place *place, const char *name, size_t *count,
                             size_t limit, struct error *error);
enum status read_array(const struct model_place *place, const char *name, hid_t memory_type,
                       void *values, size_t rows, size_t count, struct error *error);

#endif
