/*
 * CPython's strings and bytes: Include/cpython/unicodeobject.h, bytesobject.h.
 */
#include "shim/python_text.h"
#include "region/hash.h"
#include "shim/python.h"

#define BYTES_MAX (1u << 30)

static bool is_a(uintptr_t object, uintptr_t type)
{
    return object != 0 && *(const uintptr_t *)(object + PYTHON_OBJECT_TYPE) == type;
}

struct python_bytes python_bytes(uintptr_t object)
{
    if (!is_a(object, python.bytes_type))
        return (struct python_bytes){NULL, 0};
    uint64_t size = *(const uint64_t *)(object + PYTHON_VAR_SIZE);
    return (struct python_bytes){(const uint8_t *)(object + PYTHON_BYTES_DATA),
                                 size <= BYTES_MAX ? (uint32_t)size : 0};
}

/* How the characters lie: of PyASCIIObject.state. 3.14 has 16 bits where others have 2 before it.
 */
struct form {
    uint32_t kind; /* bytes of a character */
    bool compact, ascii;
};

static struct form form_of(uint32_t state)
{
    uint32_t bits = (state >> 2 & 7) != 0 ? state >> 2 : state >> 16;
    return (struct form){bits & 7, bits >> 3 & 1, bits >> 4 & 1};
}

static uint32_t character(uintptr_t data, uint32_t kind, uint64_t i)
{
    if (kind == 1)
        return ((const uint8_t *)data)[i];
    return kind == 2 ? ((const uint16_t *)data)[i] : ((const uint32_t *)data)[i];
}

/* A surrogate alone (a file name that is no UTF-8) has no UTF-8: U+FFFD stands for it. */
static uint32_t encode(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = 0xfffd;
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

uint32_t python_text(uintptr_t object, char *text, uint32_t size)
{
    uint32_t length = 0;
    if (is_a(object, python.string_type)) {
        uint64_t count = *(const uint64_t *)(object + PYTHON_STRING_LENGTH);
        struct form form = form_of(*(const uint32_t *)(object + PYTHON_STRING_STATE));
        uintptr_t data = object + (form.ascii ? python.layout.ascii_data : python.layout.wide_data);
        bool known = form.compact && (form.kind == 1 || form.kind == 2 || form.kind == 4);
        for (uint64_t i = 0; known && i < count && length + 4 < size; i++)
            length += encode(character(data, form.kind, i), text + length);
    }
    if (length == 0)
        text[length++] = '?';
    return length;
}

uint64_t python_hash(const void *data, uint32_t size)
{
    const uint8_t *bytes = data;
    uint64_t hash = ts_hash_step(TS_HASH_ROOT, size), word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        __builtin_memcpy(&word, bytes, sizeof word);
        hash = ts_hash_step(hash, word);
    }
    word = 0;
    __builtin_memcpy(&word, bytes, size);
    return ts_hash_step(hash, word);
}
