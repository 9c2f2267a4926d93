/*
 * Classes of small blocks: (context, size, generation) -> a number that fits where the three do not
 * (index_shadow.h). A size below 64 bytes and the few that a stack asks for: there are hardly more
 * classes than contexts. Never taken back.
 */
#ifndef TRACESNAP_SHIM_CLASSES_H
#define TRACESNAP_SHIM_CLASSES_H

#include "region/atomic.h"

#include <stdbool.h>
#include <stdint.h>

#define CLASSES_LIMIT (UINT32_C(1) << 28)
#define CLASSES_CHUNK_BITS 14

/* What is written of a block: context, 26 bits | size, 18 bits | generation, 15 bits. */
typedef uint64_t packed_block;

/* By number; a chunk is published by release, an entry written before its number is known. */
extern packed_block *classes_chunks[CLASSES_LIMIT >> CLASSES_CHUNK_BITS];

bool classes_start(void);
void classes_forked(void);

/* The number of a class, made when it is new; 0 when that is refused. Any thread, no locks. */
uint32_t classes_of(packed_block block);

static inline packed_block classes_get(uint32_t number)
{
    const packed_block *chunk = ts_load_acquire(&classes_chunks[number >> CLASSES_CHUNK_BITS]);
    return chunk[number & ((1u << CLASSES_CHUNK_BITS) - 1)];
}

#endif
