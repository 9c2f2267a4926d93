/*
 * Private memory for the shim's own tables: straight from the kernel, since malloc is what is
 * traced.
 */
#include "region/atomic.h"
#include "shim/system.h"

#define HUGE ((size_t)2 << 20)

uint64_t sys_forbidden; /* here, so that tables can be tested by themselves */

static uint64_t mapped;

static void *map(size_t size, int flags)
{
    flags |= MAP_PRIVATE | MAP_ANONYMOUS;
    void *memory = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory != NULL)
        ts_add_relaxed(&mapped, size);
    return memory;
}

void *memory_map(size_t size, bool reserve)
{
    void *memory = map(size, reserve ? 0 : MAP_NORESERVE);
    /*
     * Tables are touched here and there: a huge page would make 2 MiB of every touched line. By
     * these two flags the tool knows whose memory it is, too (tools/source/memory_parts.c).
     */
    if (memory != NULL && !reserve)
        sys_madvise(memory, size, MADV_NOHUGEPAGE);
    return memory;
}

void *memory_map_filled(size_t size)
{
    if (size < HUGE || size % HUGE != 0)
        return memory_map(size, false);
    char *memory = map(size + HUGE, MAP_NORESERVE);
    if (memory == NULL)
        return memory_map(size, false);
    size_t before = -(uintptr_t)memory % HUGE;
    if (before != 0)
        memory_unmap(memory, before);
    if (before != HUGE)
        memory_unmap(memory + before + size, HUGE - before);
    sys_madvise(memory + before, size, MADV_HUGEPAGE);
    return memory + before;
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
