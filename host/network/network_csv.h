/* The reader of layer CSVs, its parts: network_csv.c (the file, layers of kinds),
 * network_csv_operator.c (operators), network_csv_inputs.c (which layer feeds which),
 * network_csv_tensor.c (which share parameters).
 */
#ifndef EPOCHCAST_NETWORK_NETWORK_CSV_H
#define EPOCHCAST_NETWORK_NETWORK_CSV_H

#include "base/csv.h"
#include "network/network.h"

enum {
    COLUMN_NAME,
    COLUMN_LAYER,
    COLUMN_INPUT,
    COLUMN_SECOND_INPUT,
    COLUMN_ROWS,
    COLUMN_TENSOR,
    COLUMN_STORED,
    COLUMN_OPERATOR,
    COLUMN_WORK, /* the first of operator_columns */
    FIXED_COLUMN_COUNT = COLUMN_WORK + OPERATOR_COLUMN_COUNT
};

struct network_csv {
    struct csv csv;
    struct network *network;
    int capacity;       /* layers that fit */
    int input_capacity; /* inputs of layers that fit */
    int *slots;         /* open-addressed table of names: index of a layer, or -1 */
    size_t slot_count;
    int *holders; /* open-addressed table of tensors: layer * NETWORK_TENSOR_LIMIT + place, or -1 */
    size_t holder_count;
    int field_of[FIXED_COLUMN_COUNT]; /* -1: the file has no such column */
    int column_count;
    char columns[CSV_FIELD_LIMIT][64];
};

/* Name of a fixed column. */
const char *network_csv_column(int column);
/* The cell of a fixed column; empty where the file has no such column. */
const char *network_csv_cell(const struct network_csv *reader, int column);
bool network_csv_is_fixed(const struct network_csv *reader, int field);
/* Slot that holds the layer `name`, or the empty one where it belongs. */
int *network_csv_slot(const struct network_csv *reader, const char *name);
/* STATUS_BAD_FILE where the field is not empty: `what` ("dense", "an operator") has no such column.
 */
enum status network_csv_check_empty(const struct network_csv *reader, int field, const char *what,
                                    struct error *error);

/* Of a line whose column `layer` says "operator": its name, then its work. */
enum status network_csv_read_operator_name(struct network_csv *reader, struct network_layer *layer,
                                           struct error *error);
enum status network_csv_read_operator(struct network_csv *reader, struct network_layer *layer,
                                      struct error *error);
/* Kind or operator's name must have been read. */
enum status network_csv_read_inputs(struct network_csv *reader, struct network_layer *layer,
                                    struct error *error);

/* The names of the parameters that other layers have, too; the layer must have been read. */
enum status network_csv_read_tensors(struct network_csv *reader, struct network_layer *layer,
                                     struct error *error);
/* Copies the first name of a list, of any longer one as much as tells it from all names; returns
 * the rest, NULL behind the last. */
const char *network_csv_next_name(char *name, size_t size, const char *list);

#endif
