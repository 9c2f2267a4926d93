/*
 * A program linked with gperftools' tcmalloc, which can say whether it owns a block.
 * @files *allocator.h
 * @needs gperftools/malloc_extension_c.h
 * @build -pthread -ltcmalloc_minimal
 */
#include "tests/programs/allocator.h"

#include <gperftools/malloc_extension_c.h>

static bool is_mine(void *block, size_t size)
{
    return MallocExtension_GetOwnership(block) == MallocExtension_kOwned &&
           MallocExtension_GetAllocatedSize(block) >= size;
}
