/* Layer table -> HDF5. The compound type of `/<kind>/rows` is derived from the kind's features and
 * the measurement fields below; memory type = struct measurement, file type packed. Choices are
 * HDF5 enums.
 */
#ifndef EPOCHCAST_DATA_SCHEMA_H
#define EPOCHCAST_DATA_SCHEMA_H

#include "bench/canary.h"
#include "bench/measure.h"

#include <hdf5.h>

enum { SCHEMA_VERSION = 2 };
#define SCHEMA_FORMAT_NAME "epochcast dataset"

/* A non-feature column of a row: name, unit, help and HDF5 kind. One table, many uses. */
enum field_type { FIELD_INT32, FIELD_INT64, FIELD_DOUBLE, FIELD_TEXT, FIELD_CHOICE };
struct field {
    const char *name, *unit, *help;
    enum field_type type;
    size_t offset, size; /* size: bytes of FIELD_TEXT */
    int32_t minimum;     /* of an integer */
    const struct choice *choice;
    int since;       /* as in struct feature: above 1, a file may lack the column */
    int32_t missing; /* its value in such a file; doubles: NaN, texts: "" */
};
extern const struct field measurement_fields[];
extern const int measurement_field_count;
extern const struct field device_fields[]; /* of struct device_info */
extern const int device_field_count;
extern const struct field canary_fields[]; /* of struct canary */
extern const int canary_field_count;

enum { SCHEMA_FIELD_LIMIT = FEATURE_LIMIT + 32 };

/* Every column of `/<kind>/rows` in order, offsets in struct measurement; returns the count. */
int schema_row_fields(struct field fields[SCHEMA_FIELD_LIMIT], enum layer_kind kind);

/* Columns over records of one struct. */
struct schema_columns {
    struct field fields[SCHEMA_FIELD_LIMIT];
    int count;
    size_t record_size;
};
struct schema_columns schema_row_columns(enum layer_kind kind);
struct schema_columns schema_device_columns(void);
struct schema_columns schema_canary_columns(void);

/* HDF5 type of one column, of columns; to be closed, negative on failure as below. */
hid_t schema_field_type(const struct field *field);
hid_t schema_columns_type(const struct schema_columns *columns, bool packed);

/* Compound types over struct measurement and device_info; the caller closes with H5Tclose.
 * packed: the file type; else the memory type. Negative on failure. */
hid_t schema_row_type(enum layer_kind kind, bool packed);
hid_t schema_device_type(bool packed);

/* Hash of the names, types, units and choices of the columns of `kind` and of the devices, as a
 * program or a file has them. Readers compare it with the file's attribute. Names within a choice
 * are not hashed: they are matched by name, so a new optimizer does not orphan old files. */
uint64_t schema_hash_of(const char *kind_name, const struct schema_columns *rows,
                        const struct schema_columns *devices);
uint64_t schema_hash(enum layer_kind kind); /* of this program's */
/* What a file calls the kind: its former name where it has a group of that name alone. */
const char *schema_kind_name(hid_t file, enum layer_kind kind);

#endif
