/* Untrusted text, character by character. */
#ifndef EPOCHCAST_BASE_UTF8_H
#define EPOCHCAST_BASE_UTF8_H

#include <stdbool.h>
#include <stdio.h>

/* Bytes of the valid UTF-8 sequence (RFC 3629) at `text`, which ends in '\0'; 0: none. */
int utf8_length(const unsigned char *text);

/* True when the sequence of that length is a control character, or a character that XML forbids. */
bool utf8_is_control(const unsigned char *text, int length);

#endif
