/*
 * Reading DWARF's numbers (DWARF 5 section 7.6; pointer encodings: Linux Standard Base 5.0, 10.5.1)
 * through a cursor with bounds: whatever the bytes are, nothing outside is read, and `broken` says
 * that something was wrong.
 */
#ifndef TRACESNAP_SHIM_DWARF_H
#define TRACESNAP_SHIM_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *at, *end;
    bool broken;
};

/* Pointer encodings (DW_EH_PE_*). */
#define ENCODING_OMIT 0xff
#define ENCODING_FORMAT(e) ((e)&0x0f)
#define ENCODING_BASE(e) ((e)&0x70)
#define BASE_PC 0x10
#define BASE_DATA 0x30

static inline uint64_t fixed(struct cursor *c, size_t size)
{
    uint64_t value = 0;
    if (c->broken || (size_t)(c->end - c->at) < size) {
        c->broken = true;
        return 0;
    }
    __builtin_memcpy(&value, c->at, size);
    c->at += size;
    return value;
}

static inline uint64_t uleb(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = fixed(c, 1);
        value |= (byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    c->broken = true;
    return 0;
}

static inline int64_t sleb(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = fixed(c, 1);
        value |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if ((byte & 0x40) && shift + 7 < 64)
                value |= ~UINT64_C(0) << (shift + 7);
            return (int64_t)value;
        }
    }
    c->broken = true;
    return 0;
}

static inline void skip(struct cursor *c, uint64_t size)
{
    if (c->broken || (uint64_t)(c->end - c->at) < size)
        c->broken = true;
    else
        c->at += size;
}

static inline uint64_t format_value(struct cursor *c, unsigned format)
{
    switch (format) {
    case 0x00: return fixed(c, 8);
    case 0x01: return uleb(c);
    case 0x02: return fixed(c, 2);
    case 0x03: return fixed(c, 4);
    case 0x04: return fixed(c, 8);
    case 0x09: return (uint64_t)sleb(c);
    case 0x0a: return (uint64_t)(int64_t)(int16_t)fixed(c, 2);
    case 0x0b: return (uint64_t)(int64_t)(int32_t)fixed(c, 4);
    case 0x0c: return fixed(c, 8);
    default: c->broken = true; return 0;
    }
}

static inline uint64_t encoded(struct cursor *c, uint8_t encoding, const uint8_t *data_base)
{
    uint64_t here = (uint64_t)(uintptr_t)c->at;
    uint64_t value = format_value(c, ENCODING_FORMAT(encoding));
    switch (ENCODING_BASE(encoding)) {
    case 0: return value;
    case BASE_PC: return here + value;
    case BASE_DATA: return (uint64_t)(uintptr_t)data_base + value;
    default: c->broken = true; return 0;
    }
}

#endif
