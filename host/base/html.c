#include "base/html.h"

#include "base/utf8.h"

#include <string.h>

void html_text(FILE *file, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const escapes[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        const int length = utf8_length(at);
        const char *found = strchr(special, *at);
        if (found)
            fputs(escapes[found - special], file);
        else if (length == 0 || (utf8_is_control(at, length) && *at != '\n' && *at != '\t'))
            fputs("\xEF\xBF\xBD", file);
        else
            fwrite(at, 1, (size_t)length, file);
        at += length ? length : 1;
    }
}
