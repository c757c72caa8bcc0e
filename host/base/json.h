/* Streaming JSON for nested documents. NaN and infinities are `null`. */
#ifndef EPOCHCAST_BASE_JSON_H
#define EPOCHCAST_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A finite number with the fewest digits, from 15, that read back to the same value. Returns text.
 */
enum { NUMBER_TEXT_SIZE = 32 };
const char *number_text(char text[NUMBER_TEXT_SIZE], double value);

/* The writer puts commas, quotes and escapes (invalid UTF-8 becomes U+FFFD). `key`
 * is NULL inside an array. Numbers print with the digits that read back to the same value. */
struct json {
    FILE *file;
    int depth;
    bool first[16];
};
void json_begin(struct json *json, FILE *file);
void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                 /* '}' or ']' */
void json_number(struct json *json, const char *key, double value);
void json_integer(struct json *json, const char *key, int64_t value);
void json_string(struct json *json, const char *key, const char *value);
void json_bool(struct json *json, const char *key, bool value);
void json_end(struct json *json); /* newline; every bracket must be closed */

#endif
