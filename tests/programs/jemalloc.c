/*
 * A program linked with jemalloc. Its size query (sallocx) reads its own metadata, and its count of
 * what this thread was given grows: both only if jemalloc served the block.
 * @files *allocator.h
 * @needs jemalloc/jemalloc.h
 * @build -pthread -ljemalloc
 */
#include "tests/programs/allocator.h"

#include <jemalloc/jemalloc.h>

static bool is_mine(void *block, size_t size)
{
    static uint64_t before;
    uint64_t now = 0;
    size_t length = sizeof now;
    bool known = mallctl("thread.allocated", &now, &length, NULL, 0) == 0;
    bool grew = now >= before + size;
    before = now;
    size_t usable = sallocx(block, 0);
    return known && grew && usable >= size && usable == malloc_usable_size(block);
}
