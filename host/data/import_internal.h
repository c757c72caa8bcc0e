/* Shared by the dialects of imported files. */
#ifndef EPOCHCAST_DATA_IMPORT_INTERNAL_H
#define EPOCHCAST_DATA_IMPORT_INTERNAL_H

#include "base/csv.h"
#include "data/device_catalogue.h"
#include "data/import.h"

/* ---- the header (import_header.c) ---- */

/* Names of the record read last as ours are written: lower case, '_' for a blank or '-'. */
void header_settle_names(struct csv *csv);
/* STATUS_BAD_FILE when a field is a number: the file has no header. */
enum status header_check(const struct csv *csv, struct error *error);

/* A row of some kind has the column. */
bool import_column_exists(const char *name);
/* STATUS_BAD_FILE, with a hint: the nearest column, and `otherwise`. */
enum status import_column_hint(const char *name, const char *otherwise, struct error *error);

/* Columns that a dialect needs and the header lacks; names are borrowed. */
enum { MISSING_LIMIT = 32 };
struct missing_columns {
    const char *names[MISSING_LIMIT];
    int count;
};
void missing_add(struct missing_columns *missing, const char *name); /* once */
/* STATUS_BAD_FILE names them all, and what the header (header_count) has instead. */
enum status missing_report(const struct missing_columns *missing, const char *path,
                           const char *const *header, int header_count, struct error *error);

/* ---- dialects ---- */

extern const char justus_licence[]; /* of the published files, by their README */

/* Columns of the record read last that the dialect knows. */
int justus_known_count(const struct csv *csv);
int columns_known_count(const struct csv *csv);

/* The map's line for one of our columns; NULL: none. */
const struct import_source *import_map_source(const struct import_map *map, const char *target);

/* ---- devices (import_devices.c) ---- */

/* Of a file that says no more than its name. */
struct device_info import_unknown_device(const char *name);
/* Name and figures of the catalogue, where the file has none; STATUS_BAD_FILE, with the nearest
 * name: not in the catalogue. A device without a name stays as it is. */
enum status import_complete_device(struct device_info *device,
                                   const struct device_catalogue *catalogue, const struct csv *csv,
                                   struct error *error);

/* ---- rows of a map (import_rules.c) ---- */

/* Why a row is not read, of files with a map: others are refused. */
enum left_out { NOT_LEFT_OUT, LEFT_OUT_RULE, LEFT_OUT_KIND, LEFT_OUT_SIZE, LEFT_OUT_TIME };

/* Columns of a map's conditions and of factors, found in the header. */
struct import_rules {
    const struct import_map *map;                          /* NULL: nothing to check */
    int field[IMPORT_MAP_LIMIT], equals[IMPORT_MAP_LIMIT]; /* per source, of conditions */
    int factors[IMPORT_MAP_LIMIT][IMPORT_FACTOR_LIMIT];
};
/* STATUS_BAD_FILE names a column that the header lacks. */
enum status import_rules_begin(struct import_rules *rules, const struct import_map *map,
                               const char *const *header, int header_count, const char *path,
                               struct error *error);
/* All conditions hold for the record read last. */
bool import_rules_keep(const struct import_rules *rules, const struct csv *csv);
/* The source's factor, times its columns; NaN: one of them is no number. */
double import_rules_factor(const struct import_rules *rules, const struct import_source *source,
                           const struct csv *csv);
/* Writes the padding of an image with this many zeros on each side; false: neither same nor valid.
 */
bool import_zeros(struct layer_config *config, const struct feature *padding, const char *text);

/* begin: called after the header line was read; the caller frees *state, also after a failure. row:
 * overwrites the defaults of row and device with the values of the record; or *left_out says why
 * not. */
enum status justus_begin(void **state, const struct csv *csv, const struct import_options *options,
                         struct error *error);
enum status justus_row(struct measurement *row, struct device_info *device, enum left_out *left_out,
                       void *state, const struct csv *csv, struct error *error);
enum status columns_begin(void **state, const struct csv *csv, const struct import_options *options,
                          struct error *error);
enum status columns_row(struct measurement *row, struct device_info *device,
                        enum left_out *left_out, void *state, const struct csv *csv,
                        struct error *error);

#endif
