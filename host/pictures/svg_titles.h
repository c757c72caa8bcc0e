/* The titles in gnuplot's SVG, which viewers show beside the pointer. */
#ifndef EPOCHCAST_PICTURES_SVG_TITLES_H
#define EPOCHCAST_PICTURES_SVG_TITLES_H

#include "base/error.h"

#include <stddef.h>

/* Replaces `*text` (malloc'ed, *size bytes, '\0' after them; may hold several documents): each
 * document is called `title`; the numbers that gnuplot gives to series without a name go. After a
 * failure *text is as before. */
enum status svg_set_titles(char **text, size_t *size, const char *title, struct error *error);

#endif
