/* Words and lists typed by users, and lists in messages. */
#ifndef EPOCHCAST_BASE_TEXT_H
#define EPOCHCAST_BASE_TEXT_H

#include "base/choice.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The entry of names[0..count) nearest to `text` by edit distance (case does not count, swapped
 * neighbours count half), or NULL when none is near (more than a third of its letters differ): for
 * "unknown option '--smples', did you mean '--samples'?".
 */
const char *nearest_name(const char *const *names, int count, const char *text);

/* Calls `each` with every item of a comma-separated text; empty items are errors. */
enum status each_item(const char *text,
                      enum status (*each)(void *payload, const char *item, struct error *error),
                      void *payload, struct error *error);

/* Value of `choice` called `text`; STATUS_USAGE "WHAT: unknown value" (what: "--pass") with the
 * nearest and all names as hint. */
enum status choice_read(int32_t *value, const struct choice *choice, const char *what,
                        const char *text, struct error *error);

/* Appends an item to the list in text[0..size), which is "" before the first: "dense, conv2d".
 * Where an item does not fit whole, the list ends in "..." and takes no more. */
void text_list_add(char *text, size_t size, const char *separator, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "1000" or "1e3"; *end: behind it. False: no number there, or one that does not fit. */
bool parse_whole_number(int64_t *value, const char **end, const char *text);

/* Parses only the list syntax: "1,2,4", "1..64", "1..64*2", with 1e3 for 1000. At most `limit`
 * values; a plain range "a..b" is expanded when expand is true, else *is_range with values {a, b}.
 * Messages name `what`: "--batch". */
enum status parse_int_list(int32_t *values, int limit, int *count, bool expand, bool *is_range,
                           const char *what, const char *text, struct error *error);

#endif
