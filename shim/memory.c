/*
 * Private memory for the shim's own tables: straight from the kernel, since malloc is what is
 * traced.
 */
#include "region/atomic.h"
#include "shim/system.h"

static uint64_t mapped;

void *memory_map(size_t size, bool reserve)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (reserve ? 0 : MAP_NORESERVE);
    void *memory = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == NULL)
        return NULL;
    /* Tables are touched here and there: a huge page would make 2 MiB of every touched line. */
    if (!reserve)
        sys_madvise(memory, size, MADV_NOHUGEPAGE);
    ts_add_relaxed(&mapped, size);
    return memory;
}

void memory_unmap(void *memory, size_t size)
{
    sys_munmap(memory, size);
    ts_add_relaxed(&mapped, -(uint64_t)size);
}

uint64_t memory_mapped(void)
{
    return ts_load_relaxed(&mapped);
}
