/* Untrusted text, character by character. */
#ifndef EPOCHCAST_BASE_UTF8_H
#define EPOCHCAST_BASE_UTF8_H

#include <stdbool.h>
#include <stdio.h>

/* Bytes of the valid UTF-8 sequence (RFC 3629) at `text`, which ends in '\0'; 0: none. */
int utf8_length(const unsigned char *text);

/* True when the sequence of that length is a control character, or a character that XML forbids. */
bool utf8_is_control(const unsigned char *text, int length);

/* Columns of a terminal that the valid sequence takes: 0 (combining), 1, or 2 (wide East Asian
 * characters, pictographs). Independent of the locale. */
int utf8_width(const unsigned char *text, int length);

/* Columns of the whole text; bytes that are no UTF-8 count as one each. */
int utf8_columns(const char *text);

#endif
