/*
 * The region of a forked child: a file of its own in the place of its parent's, with all that
 * stacks need and none of what was counted; or private memory, where the child only has to get out
 * of what its parent was in the midst of.
 */
#include "shim/options.h"
#include "shim/region_slabs.h"
#include "shim/system.h"

/*
 * Writes the table of the slabs that a child inherits. By its own directory: in the region the
 * parent goes on publishing slabs, of which the child knows nothing.
 */
static bool copy_table(uint8_t *to, uint32_t slabs)
{
    for (uint64_t at = PAGE; at < slabs * sizeof(uint32_t); at += PAGE)
        if (!region_back(to, TS_SLAB_TABLE_OFFSET + at, TS_SLAB_TABLE_OFFSET + at + PAGE))
            return false;
    for (unsigned kind = 0; kind < TS_SLAB_KIND_COUNT; kind++) {
        for (uint32_t i = 0;
             region_kinds[kind].inherited && i < region_kinds[kind].limit && i < slabs; i++) {
            const void *slab = region_kinds[kind].slabs[i];
            if (slab != NULL)
                slab_table(to)[slab_number(slab)] = TS_SLAB_WORD(kind, i);
        }
    }
    return true;
}

/* Backs and copies the slabs that are in the child's table, a run of neighbours at a time. */
static bool copy_slabs(uint8_t *to, uint32_t slabs)
{
    const uint32_t *words = slab_table(to);
    for (uint32_t i = 0, end; i < slabs; i = end + 1) {
        for (end = i; end < slabs && words[end] != 0;)
            end++;
        uint64_t from = TS_SLABS_OFFSET + (uint64_t)i * TS_SLAB_SIZE,
                 size = (uint64_t)(end - i) * TS_SLAB_SIZE;
        if (size != 0 && !region_back(to, from, from + size))
            return false;
        __builtin_memcpy(to + from, region.base + from, size);
    }
    return true;
}

/* The cursors are read last: what the child adds comes after all that was copied. */
static void copy_header(struct ts_header *header, uint32_t slabs)
{
    region_fill_header(header);
    header->node_count = ts_load_acquire(&region_header->node_count);
    header->context_count = ts_load_acquire(&region_header->context_count);
    header->module_count = ts_load_acquire(&region_header->module_count);
    header->code_count = ts_load_acquire(&region_header->code_count);
    header->table_bytes = ts_load_acquire(&region_header->table_bytes);
    header->process.python = region_header->process.python;
    header->process.python_version = region_header->process.python_version;
    header->process.interpreter = region_header->process.interpreter;
    header->slab_count = slabs;
    header->control = ts_load_acquire(&region_header->control);
    header->committed = region.committed;
}

/*
 * Puts the child's file in the place of its parent's. Several mappings: mremap moves but one before
 * Linux 6.17. What is in use is replaced by one call: another thread may fork at any moment, and
 * its child finds either.
 */
static bool replace_mapping(uint64_t old_size, uint64_t end)
{
    int flags = MAP_SHARED | MAP_NORESERVE | MAP_FIXED;
    if (sys_mmap(region.base, end, PROT_READ | PROT_WRITE, flags, region.file.fd, 0) == NULL ||
        (region.file.size > end && sys_mmap(region.base + end, region.file.size - end, PROT_NONE,
                                            flags, region.file.fd, (long)end) == NULL))
        return false;
    sys_madvise(region.base, region.file.size, MADV_DONTDUMP);
    sys_munmap(region.base + region.file.size, old_size - region.file.size);
    return true;
}

/* An ordinal is never greater than the number of slabs handed out. */
static void forget_slabs(uint32_t slabs)
{
    for (int kind = 0; kind < TS_SLAB_KIND_COUNT; kind++)
        for (uint32_t i = 0;
             !region_kinds[kind].inherited && i < region_kinds[kind].limit && i < slabs; i++)
            region_kinds[kind].slabs[i] = NULL;
}

bool region_fork(void)
{
    region_header =
        (struct ts_header *)region.base; /* a thread of the parent may have been at this */
    uint64_t old_size = region.mapped_size;
    uint32_t slabs = ts_load_acquire(&region_header->slab_count);
    uint64_t end = TS_SLABS_OFFSET + (uint64_t)slabs * TS_SLAB_SIZE;
    if (!region_file_create(&region.file, true))
        return false;
    if (region.file.size > old_size)
        region.file.size = old_size; /* what follows in memory may be the program's by now */
    uint8_t *at = end <= region.file.size ? region_map_file(TS_SLABS_OFFSET) : NULL;
    if (at == NULL && end <= region.file.size && region_file_make_space(&region.file))
        at = region_map_file(TS_SLABS_OFFSET);
    bool right =
        at != NULL && copy_table(at, slabs) &&
        (copy_slabs(at, slabs) || (region_file_make_space(&region.file) && copy_slabs(at, slabs)));
    if (right) {
        region.committed = end;
        copy_header((struct ts_header *)at, slabs);
        region_header = &region_stand_in; /* should the mapping be lost half-way */
        right = replace_mapping(old_size, end);
    }
    if (at != NULL)
        sys_munmap(at, region.file.size);
    if (!right) {
        region_file_abandon(&region.file, "cannot give the child a region", "free space in");
        return false;
    }
    region_header = (struct ts_header *)region.base;
    forget_slabs(slabs);
    region.growers = 0;
    region.spare = 0;
    region.reuse = 0;
    region.reuse_end = slabs;
    region.refused = 0;
    region_file_describe(&region.file, &region_header->process);
    region_header->process.forked = 1;
    region_file_close(&region.file);
    return true;
}

/* [from, to) of the region becomes private memory that holds the same. */
static void keep(uint64_t from, uint64_t to)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    void *copy = memory_map(to - from, false);
    if (copy == NULL)
        return;
    __builtin_memcpy(copy, region.base + from, to - from);
    if (sys_mmap(region.base + from, to - from, PROT_READ | PROT_WRITE, flags, -1, 0) != NULL)
        __builtin_memcpy(region.base + from, copy, to - from);
    memory_unmap(copy, to - from);
}

void region_keep_private(void)
{
    keep(0, TS_SLAB_TABLE_OFFSET + region.table_committed * sizeof(uint32_t));
    keep(TS_SLABS_OFFSET, region.committed);
    region.mapped_size =
        region.committed; /* what lies behind is its parent's: not to be grown into */
}
