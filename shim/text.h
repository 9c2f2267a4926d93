/*
 * Text without libc: the little that paths, options and messages need before and inside malloc.
 */
#ifndef TRACESNAP_SHIM_TEXT_H
#define TRACESNAP_SHIM_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A string being put together in a fixed buffer: always terminated, cut when full. */
struct text {
    char *buffer;
    size_t size;   /* of the buffer */
    size_t length; /* without the terminator */
};

static inline struct text text_in(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){buffer, size, 0};
}

static inline void text_bytes(struct text *text, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && text->length + 1 < text->size; i++)
        text->buffer[text->length++] = bytes[i];
    text->buffer[text->length] = '\0';
}

static inline size_t text_length(const char *string)
{
    size_t length = 0;
    while (string[length] != '\0')
        length++;
    return length;
}

static inline void text_add(struct text *text, const char *string)
{
    text_bytes(text, string, text_length(string));
}

static inline void text_number(struct text *text, uint64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    text_bytes(text, digits + at, sizeof digits - at);
}

/* Reads a decimal number; *end is the first byte after it. No digits: returns 0 and *end == string.
 */
static inline uint64_t text_parse(const char *string, const char **end)
{
    uint64_t value = 0;
    while (*string >= '0' && *string <= '9' && value < UINT64_MAX / 10 - 1)
        value = value * 10 + (uint64_t)(*string++ - '0');
    *end = string;
    return value;
}

static inline int text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

#endif
