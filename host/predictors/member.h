/* A member of a struct as data: an option of a fit, or a value of a predictor in a model file.
 * One table serves both directions: text or file to struct, and back.
 */
#ifndef EPOCHCAST_PREDICTORS_MEMBER_H
#define EPOCHCAST_PREDICTORS_MEMBER_H

#include "base/choice.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum member_type {
    MEMBER_INT32,
    MEMBER_UINT64,
    MEMBER_FLOAT,
    MEMBER_DOUBLE,
    MEMBER_BOOL,
    MEMBER_CHOICE, /* an int32_t; as text its name */
    MEMBER_TEXT,   /* char[count] */
    MEMBER_WIDTHS, /* int32_t[count], followed by an int32_t with the number used */
};

struct member {
    const char *name;
    size_t offset; /* in the struct */
    enum member_type type;
    double low, high;            /* bounds of numbers, both allowed; equal: any finite value */
    size_t count;                /* numbers in a row, 0: one; bytes of a text */
    size_t stride;               /* bytes from one number to the next; 0: contiguous */
    const struct choice *choice; /* of MEMBER_CHOICE */
    const char *help;            /* of an option */
};

/* Bytes of one number of this type; 0 for texts. */
size_t member_size(enum member_type type);
/* The address of number `index`. */
void *member_at(void *object, const struct member *member, size_t index);

/* The first member of the table whose value is outside its bounds, or NULL. NaN is outside. */
const struct member *members_fault(const void *object, const struct member *members, int count);
/* STATUS_USAGE: names the member, its value and its bounds. */
enum status members_check(const void *object, const struct member *members, int count,
                          struct error *error);

/* Sets the member called `name` from text: a number, yes or no, a name, or widths as "64,64".
 * STATUS_USAGE: an unknown name (with all names of the table), a value outside its bounds. */
enum status members_parse(void *object, const struct member *members, int count, const char *name,
                          const char *text, struct error *error);
/* "64,64", "0.25", "cosine": text that members_parse reads; always terminated. */
void member_text(char *text, size_t size, const void *object, const struct member *member);

#endif
