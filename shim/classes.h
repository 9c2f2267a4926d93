/*
 * Classes of small blocks: (context, size) -> a number that fits where the two do not
 * (index_shadow.h). Sizes are below 64 bytes, and a stack asks for few of them: there are hardly
 * more classes than contexts. Like those, they are never taken back.
 */
#ifndef TRACESNAP_SHIM_CLASSES_H
#define TRACESNAP_SHIM_CLASSES_H

#include "region/atomic.h"
#include "shim/own.h"

#include <stdbool.h>
#include <stdint.h>

#define CLASSES_LIMIT (UINT32_C(1) << 20)
#define CLASSES_CHUNK_BITS 14

/* What is written of a block: context, 26 bits | size, 18 bits | generation, 15 bits (of a class
 * 0). */
typedef uint64_t packed_block;

/* By number; a chunk is published by release, an entry written before its number is known. */
SHIM_OWN packed_block *classes_chunks[CLASSES_LIMIT >> CLASSES_CHUNK_BITS];

bool classes_start(void);
void classes_forked(void);

/* The number of a class; 0 when it has none yet. */
uint32_t classes_find(packed_block block);

/* The same, made when it is new; 0 when that is refused. Any thread, no locks. */
uint32_t classes_of(packed_block block);

static inline packed_block classes_get(uint32_t number)
{
    const packed_block *chunk = ts_load_acquire(&classes_chunks[number >> CLASSES_CHUNK_BITS]);
    return chunk[number & ((1u << CLASSES_CHUNK_BITS) - 1)];
}

#endif
