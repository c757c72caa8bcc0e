#include "base/utf8.h"

#include <string.h>

/* Whether the second byte keeps the first from an overlong form, a surrogate or beyond U+10FFFF. */
static bool is_second_byte(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

int utf8_length(const unsigned char *text)
{
    if (text[0] < 0x80)
        return 1;
    if (text[0] < 0xC2 || text[0] > 0xF4 || !is_second_byte(text[0], text[1]))
        return 0;
    int length = text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    for (int i = 2; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool utf8_is_control(const unsigned char *text, int length)
{
    const bool is_c0 = length == 1 && (text[0] < 0x20 || text[0] == 0x7F);
    const bool is_c1 = length == 2 && text[0] == 0xC2 && text[1] < 0xA0;
    const bool is_noncharacter = length == 3 && text[0] == 0xEF && text[1] == 0xBF &&
                                 text[2] >= 0xBE; /* U+FFFE, U+FFFF */
    return is_c0 || is_c1 || is_noncharacter;
}
