/*
 * Classes of small blocks. See classes.h.
 */
#include "region/hash.h"
#include "shim/system.h"
#include "shim/table.h"
#include "shim/classes.h"

#define SLOTS_FIRST 10 /* as a power of 2 */

packed_block *classes_chunks[CLASSES_LIMIT >> CLASSES_CHUNK_BITS];

static struct table numbers;
static uint32_t count = 1; /* 0 is none */

bool classes_start(void)
{
    return table_start(&numbers, SLOTS_FIRST, 4);
}

void classes_forked(void)
{
    table_forked(&numbers);
}

/* The place of a number; NULL when there is no memory for it. */
static packed_block *place_of(uint32_t number)
{
    packed_block **where = &classes_chunks[number >> CLASSES_CHUNK_BITS];
    size_t size = sizeof(packed_block) << CLASSES_CHUNK_BITS;
    packed_block *chunk = ts_load_acquire(where), *found = NULL;
    if (chunk == NULL) {
        chunk = memory_map(size, false);
        if (chunk == NULL)
            return NULL;
        if (!ts_cas_acq_rel(where, &found, chunk)) {
            memory_unmap(chunk, size);
            chunk = found;
        }
    }
    return chunk + (number & ((1u << CLASSES_CHUNK_BITS) - 1));
}

/* A bijection: equal hashes are equal classes. It is never 0 but for a block without context. */
static uint64_t hash_of(packed_block block)
{
    return ts_hash_mix(block);
}

uint32_t classes_find(packed_block block)
{
    return table_find(&numbers, hash_of(block));
}

uint32_t classes_of(packed_block block)
{
    uint32_t number = classes_find(block);
    if (number != 0)
        return number;
    if (!table_has_room(&numbers))
        return 0;
    number = table_take_number(&count, CLASSES_LIMIT);
    packed_block *place = number == 0 ? NULL : place_of(number);
    if (place == NULL)
        return 0;
    *place = block;
    return table_insert(&numbers, hash_of(block), number);
}
