/* Small files of /proc and /sys. */
#ifndef EPOCHCAST_BASE_MACHINE_FILE_H
#define EPOCHCAST_BASE_MACHINE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MACHINE_TEXT_LIMIT = 4096 };

/* The beginning of the file `root` + the formatted path, without a final line feed; false, and "",
 * when it cannot be read. */
bool machine_file(char text[MACHINE_TEXT_LIMIT], const char *root, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The text behind `key`, blanks and a separator (':' or '=') at the beginning of a line; NULL:
 * none.
 */
const char *machine_value(const char *text, const char *key);

/* The whole number at the beginning of a file; -1: none ("max"). */
int64_t machine_number(const char *root, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
