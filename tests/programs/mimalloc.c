/*
 * A program linked with mimalloc, which can say whether a block lies in its heaps.
 * @files *allocator.h
 * @needs mimalloc.h
 * @build -pthread -lmimalloc
 */
#include "tests/programs/allocator.h"

#include <mimalloc.h>

static bool is_mine(void *block, size_t size)
{
    return mi_is_in_heap_region(block) && mi_usable_size(block) >= size;
}
