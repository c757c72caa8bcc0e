/* Text in HTML and XML. */
#ifndef EPOCHCAST_BASE_HTML_H
#define EPOCHCAST_BASE_HTML_H

#include <stdio.h>

/* Text for HTML and XML: & < > and quotes escaped, U+FFFD for what is not UTF-8 or a control
 * character; newlines and tabs stay. */
void html_text(FILE *file, const char *text);

#endif
