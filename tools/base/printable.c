/*
 * What may reach a terminal, character by character.
 */
#include "tools/base/printable.h"

#include <string.h>

static bool continues(const unsigned char *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((s[i] & 0xc0) != 0x80)
            return false;
    return true;
}

size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        return continues(s + 1, 1) ? 2 : 0;
    if (s[0] >= 0xe0 && s[0] <= 0xef) {
        unsigned char low = s[0] == 0xe0 ? 0xa0 : 0x80;
        unsigned char high = s[0] == 0xed ? 0x9f : 0xbf;
        return s[1] >= low && s[1] <= high && continues(s + 1, 2) ? 3 : 0;
    }
    if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        unsigned char low = s[0] == 0xf0 ? 0x90 : 0x80;
        unsigned char high = s[0] == 0xf4 ? 0x8f : 0xbf;
        return s[1] >= low && s[1] <= high && continues(s + 1, 3) ? 4 : 0;
    }
    return 0;
}

/* A whole character of `length` bytes that a terminal obeys instead of showing it. */
static bool is_order(const unsigned char *s, size_t length)
{
    if (length == 1)
        return s[0] < 0x20 || s[0] == 0x7f;
    if (length == 2)
        return s[0] == 0xc2 && s[1] < 0xa0; /* C1: U+009B begins a sequence as ESC [ does */
    return s[0] == 0xe2 && ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) || /* U+202A to 202E */
                            (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));  /* U+2066 to 2069 */
}

bool is_printable(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
        size_t length = utf8_length(s);
        if (length == 0 || is_order(s, length))
            return false;
        s += length;
    }
    return true;
}

void remove_orders(char *text)
{
    for (unsigned char *s = (unsigned char *)text; *s != '\0';) {
        size_t length = utf8_length(s);
        if (length != 0 && is_order(s, length))
            memset(s, '?', length);
        s += length != 0 ? length : 1;
    }
}

char *printable(char *to, const char *text)
{
    char *end = to;
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
        size_t length = utf8_length(s);
        if (length == 0)
            end = stpcpy(end, UTF8_REPLACEMENT);
        else if (is_order(s, length))
            *end++ = '?';
        else
            end = mempcpy(end, s, length);
        s += length != 0 ? length : 1;
    }
    *end = '\0';
    return to;
}
