/* Lines of operators in a layer CSV: name and work. */
#include "network/network_csv.h"

#include <string.h>

enum status network_csv_read_operator_name(struct network_csv *reader, struct network_layer *layer,
                                           struct error *error)
{
    const char *name = network_csv_cell(reader, COLUMN_OPERATOR);
    const size_t length = strlen(name);
    if (length == 0 || length >= sizeof layer->operator_name)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: operator: %s", reader->csv.path,
                    reader->csv.line, length ? "the name is too long" : "missing");
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != length)
        return FAIL(error, STATUS_BAD_FILE,
                    "%s:%d: operator: '%s' is not a valid operator name: a-z, 0-9 and _",
                    reader->csv.path, reader->csv.line, name);
    memcpy(layer->operator_name, name, length + 1);
    return STATUS_OK;
}

static enum status read_count(struct network_csv *reader, struct operator_work *work, int i,
                              struct error *error)
{
    const struct operator_column *column = &operator_columns[i];
    const double limit = operator_limit(column);
    double *value = operator_value(work, column);
    if (!*network_csv_cell(reader, COLUMN_WORK + i))
        return STATUS_OK; /* 0 */
    TRY(csv_number(&reader->csv, reader->field_of[COLUMN_WORK + i], column->name, value, error));
    if (*value >= 0 && *value <= limit)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%s:%d: %s: %s is outside 0..%g", reader->csv.path,
                reader->csv.line, column->name, network_csv_cell(reader, COLUMN_WORK + i), limit);
}

enum status network_csv_read_operator(struct network_csv *reader, struct network_layer *layer,
                                      struct error *error)
{
    for (int i = 0; i < OPERATOR_COLUMN_COUNT; i++)
        TRY(read_count(reader, &layer->work, i, error));
    for (int field = 0; field < reader->column_count; field++)
        if (!network_csv_is_fixed(reader, field) || field == reader->field_of[COLUMN_ROWS])
            TRY(network_csv_check_empty(reader, field, "an operator", error));
    if (layer->work.output_count <= 0)
        return FAIL(error, STATUS_BAD_FILE, "%s:%d: output_count: missing; an operator needs it",
                    reader->csv.path, reader->csv.line);
    return STATUS_OK;
}
