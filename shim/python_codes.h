/*
 * Code objects: address -> number in the region (struct ts_code), as long as the object lives.
 *
 * An object is copied when a frame of it is first met. When its block is freed, its number is taken
 * from the address, and python.codes_gone steps: whatever was remembered of stacks with a frame of
 * it is void, since the next object at this address may look the same. Equal objects (file, name,
 * first line, line table) have one number: a program that compiles the same source again and again
 * has the same stacks.
 */
#ifndef TRACESNAP_SHIM_PYTHON_CODES_H
#define TRACESNAP_SHIM_PYTHON_CODES_H

#include "region/atomic.h"
#include "shim/own.h"

#include <stdbool.h>
#include <stdint.h>

#define CODES_TEXT_MAX 4096u
#define CODES_SIZE_MIN 128u /* bytes: no block that is watched here is smaller (3.9: 176) */

bool codes_start(void);
void codes_forked(void);

/*
 * The number of the code object that a frame of the calling thread runs; 0 when it cannot be copied
 * (counted) or is none. text: CODES_TEXT_MAX bytes to work in.
 */
uint32_t codes_number(uintptr_t code, char *text);

/* The block at this address is a thread state's, or holds one: python.states_gone steps when it is
 * freed. */
void codes_watch_state(uintptr_t address);
bool codes_is_state(uintptr_t address); /* and it was not freed since */

/* A filter: whether the block may be one of those. Bits are only ever set. */
#define CODES_FILTER_BITS 16
SHIM_OWN uint8_t codes_filter[(1 << CODES_FILTER_BITS) / 8];

static inline uint32_t codes_filter_bit(uintptr_t address)
{
    return (uint32_t)(address >> 4) & ((1u << CODES_FILTER_BITS) - 1);
}

void codes_freed_slowly(uintptr_t address);

/* The interpreter was unloaded, and with it objects that are no blocks: none of them lives on. */
void codes_forget(void);

/* Before a block of the interpreter is freed. */
static inline void codes_freed(const void *block)
{
    uint32_t bit = codes_filter_bit((uintptr_t)block);
    if (__builtin_expect(ts_load_relaxed(&codes_filter[bit / 8]) >> bit % 8 & 1, 0))
        codes_freed_slowly((uintptr_t)block);
}

#endif
