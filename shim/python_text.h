/*
 * CPython's strings and bytes, read without its functions.
 */
#ifndef TRACESNAP_SHIM_PYTHON_TEXT_H
#define TRACESNAP_SHIM_PYTHON_TEXT_H

#include <stdint.h>

struct python_bytes {
    const uint8_t *data;
    uint32_t size;
};

/* The bytes of a bytes object; none of anything else. */
struct python_bytes python_bytes(uintptr_t object);

/* A str as UTF-8, not terminated, cut between characters at size - 1; returns its length. Of
 * anything else "?". */
uint32_t python_text(uintptr_t object, char *text, uint32_t size);

uint64_t python_hash(const void *data, uint32_t size);

#endif
