#include "base/utf8.h"

#include <stddef.h>
#include <stdint.h>
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

/* Unicode 15: combining and invisible characters; East Asian Width W and F. */
struct span {
    uint32_t first, last;
    int width;
};
static const struct span spans[] = {
    {0x0300, 0x036F, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05BD, 0},   {0x0610, 0x061A, 0},
    {0x064B, 0x065F, 0},   {0x1100, 0x115F, 2},   {0x1AB0, 0x1AFF, 0},   {0x1DC0, 0x1DFF, 0},
    {0x200B, 0x200F, 0},   {0x202A, 0x202E, 0},   {0x2060, 0x2064, 0},   {0x20D0, 0x20FF, 0},
    {0x2E80, 0x303E, 2},   {0x3041, 0xA4CF, 2},   {0xA960, 0xA97F, 2},   {0xAC00, 0xD7A3, 2},
    {0xF900, 0xFAFF, 2},   {0xFE00, 0xFE0F, 0},   {0xFE20, 0xFE2F, 0},   {0xFE30, 0xFE6F, 2},
    {0xFEFF, 0xFEFF, 0},   {0xFF00, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2},   {0x1F300, 0x1F64F, 2},
    {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2},
};

static uint32_t code_point(const unsigned char *text, int length)
{
    static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = text[0] & first_bits[length];
    for (int i = 1; i < length; i++)
        code = code << 6 | (text[i] & 0x3F);
    return code;
}

int utf8_width(const unsigned char *text, int length)
{
    const uint32_t code = code_point(text, length);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (code >= spans[i].first && code <= spans[i].last)
            return spans[i].width;
    return 1;
}

int utf8_columns(const char *text)
{
    int columns = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        const int length = utf8_length(at);
        columns += length ? utf8_width(at, length) : 1;
        at += length ? length : 1;
    }
    return columns;
}
