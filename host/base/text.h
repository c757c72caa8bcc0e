/* Words and lists typed by users. */
#ifndef EPOCHCAST_BASE_TEXT_H
#define EPOCHCAST_BASE_TEXT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* The entry of names[0..count) nearest to `text` by edit distance, or NULL when none is near (more
 * than a third of its letters differ): for "unknown option '--smples', did you mean '--samples'?".
 */
const char *nearest_name(const char *const *names, int count, const char *text);

/* Calls `each` with every item of a comma-separated text; empty items are errors. */
enum status each_item(const char *text,
                      enum status (*each)(void *payload, const char *item, struct error *error),
                      void *payload, struct error *error);

/* Parses only the list syntax: "1,2,4", "1..64", "1..64*2". At most `limit` values; a plain range
 * "a..b" is expanded when expand is true, else *is_range with values {a, b}. */
enum status parse_int_list(int32_t *values, int limit, int *count, bool expand, bool *is_range,
                           const char *text, struct error *error);

#endif
