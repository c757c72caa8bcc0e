/* Text in HTML and XML. */
#ifndef EPOCHCAST_BASE_HTML_H
#define EPOCHCAST_BASE_HTML_H

#include <stdio.h>

/* Text for HTML and XML: & < > and quotes are escaped; control characters and bytes that are not
 * UTF-8 become U+FFFD; newlines and tabs stay. */
void html_text(FILE *file, const char *text);

#endif
