/*
 * The region's slabs: committed before they are used, handed out without locks, kept at fixed
 * addresses.
 *
 * The whole file is mapped once, without access rights, so that growing needs neither a descriptor
 * nor the path: a program may close every descriptor, chroot and drop its rights. A piece is opened
 * by mprotect and backed by madvise(MADV_POPULATE_WRITE), which fails where touching the memory
 * would have raised SIGBUS (a full tmpfs). Without that advice (before Linux 5.14) the file is
 * opened again for fallocate.
 *
 * region.pml is a model of how a slab is made, with threads that may stop for ever at each step.
 */
#include "shim/region.h"
#include "shim/options.h"
#include "shim/region_slabs.h"
#include "shim/system.h"

#define GROW_SMALLEST 65536u
#define FIRST_COMMIT (TS_SLABS_OFFSET + 8 * TS_SLAB_SIZE)
#define SPINS_MAX 1000000 /* some 10 ms: another thread's system call is waited for */
#define RETRY_EVERY 4096u /* refused growth is tried again after so many attempts */

struct ts_header region_stand_in;
struct ts_header *region_header = &region_stand_in;
struct region region;

/*
 * Where each kind's slabs are: region_kinds[kind].slabs[ordinal], NULL = not made. Sized by the
 * kind's limit. CLAIMED is set from the compare-and-swap that decides whose slab it is until its
 * table word is stored, by whichever thread needs the slab first: what is written to a slab must be
 * found by a reader, also when the thread that made it is killed before it comes to that.
 */
#define DIRECTORY(name, limit, per_slab) static void *name[(limit) / (per_slab)]
DIRECTORY(nodes, TS_NODES_LIMIT, TS_NODES_PER_SLAB);
DIRECTORY(contexts, TS_CONTEXTS_LIMIT, TS_CONTEXTS_PER_SLAB);
DIRECTORY(cellmap, TS_SLABS_MAX *TS_CHUNKS_PER_SLAB, TS_CELLMAP_PER_SLAB);
DIRECTORY(cells, TS_SLABS_MAX, 1);
DIRECTORY(modules, TS_MODULES_LIMIT, TS_MODULES_PER_SLAB);
DIRECTORY(strings, 8192, 1);
DIRECTORY(shards, TS_SHARDS_LIMIT, TS_SHARDS_PER_SLAB);
DIRECTORY(timeline, 1, 1);
DIRECTORY(codes, TS_CODES_LIMIT, TS_CODES_PER_SLAB);
DIRECTORY(tables, TS_TABLES_LIMIT, TS_SLAB_SIZE);

const struct region_kind region_kinds[TS_SLAB_KIND_COUNT] = {
#define KIND(name) (name), sizeof(name) / sizeof(name)[0]
    [TS_SLAB_NODES] = {KIND(nodes), true},      [TS_SLAB_CONTEXTS] = {KIND(contexts), true},
    [TS_SLAB_CELLMAP] = {KIND(cellmap), false}, [TS_SLAB_CELLS] = {KIND(cells), false},
    [TS_SLAB_MODULES] = {KIND(modules), true},  [TS_SLAB_STRINGS] = {KIND(strings), true},
    [TS_SLAB_SHARDS] = {KIND(shards), false},   [TS_SLAB_TIMELINE] = {KIND(timeline), false},
    [TS_SLAB_CODES] = {KIND(codes), true},      [TS_SLAB_TABLES] = {KIND(tables), true},
#undef KIND
};

bool region_back(uint8_t *at, uint64_t from, uint64_t to)
{
    if (to > region.mapped_size || sys_failed(sys_mprotect(at + from, to - from)))
        return false;
    long result = sys_madvise(at + from, to - from, MADV_POPULATE_WRITE);
    if (result == -22 /* EINVAL: the kernel does not know it */)
        return region_file_allocate(&region.file, from, to);
    return !sys_failed(result);
}

/* Backs the file up to `end`; tries a generous step, then the smallest. */
static bool grow(uint64_t from, uint64_t end)
{
    uint64_t step = from / 8 > GROW_SMALLEST ? from / 8 & ~(uint64_t)(PAGE - 1) : GROW_SMALLEST;
    uint64_t to = from + step > end ? from + step : end,
             most = ts_load_acquire(&region.mapped_size);
    if (to > most)
        to = most;
    if (end > to || !region_back(region.base, from, to)) {
        to = end;
        if (!region_back(region.base, from, to))
            return false;
    }
    while (from < to && !ts_cas_acq_rel(&region.committed, &from, to))
        continue;
    ts_store_relaxed(&region_header->committed, ts_load_relaxed(&region.committed));
    return true;
}

/* Makes sure that the file is backed up to `end`. */
static bool commit(uint64_t end)
{
    uint64_t from = ts_load_acquire(&region.committed);
    if (end <= from)
        return true;
    ts_add_acq_rel(&region.growers, 1);
    bool backed = grow(from, end);
    ts_add_acq_rel(&region.growers, -1u);
    return backed;
}

static bool commit_table(uint32_t number)
{
    uint64_t have = ts_load_acquire(&region.table_committed);
    if (number < have)
        return true;
    uint64_t words = PAGE / sizeof(uint32_t), from = number / words * words;
    uint64_t at = TS_SLAB_TABLE_OFFSET + from * sizeof(uint32_t);
    if (!region_back(region.base, at, at + PAGE))
        return false;
    while (have < from + words && !ts_cas_acq_rel(&region.table_committed, &have, from + words))
        continue;
    return true;
}

/* A slab number that nobody else has, backed by memory; false when there is none. */
static bool take_slab(uint32_t *number)
{
    uint32_t kept = ts_exchange_acq_rel(&region.spare, 0);
    if (kept != 0) {
        *number = kept - 1;
        return true;
    }
    while (ts_load_relaxed(&region.reuse) < ts_load_relaxed(&region.reuse_end)) {
        uint32_t candidate = ts_add_relaxed(&region.reuse, 1);
        uint64_t from = TS_SLABS_OFFSET + (uint64_t)candidate * TS_SLAB_SIZE;
        if (candidate < region.reuse_end &&
            ts_load_relaxed(&slab_table(region.base)[candidate]) == 0) {
            *number = candidate;
            return region_back(region.base, from, from + TS_SLAB_SIZE);
        }
    }
    if (ts_load_relaxed(&region.refused) != 0 &&
        ts_add_relaxed(&region.refused, 1) % RETRY_EVERY != 0)
        return false;
    uint32_t next = ts_load_acquire(&region_header->slab_count);
    do {
        if (next >= TS_SLABS_MAX || !commit_table(next) ||
            !commit(TS_SLABS_OFFSET + ((uint64_t)next + 1) * TS_SLAB_SIZE)) {
            if (ts_load_relaxed(&region.refused) == 0)
                ts_add_relaxed(&region.refused, 1);
            return false;
        }
    } while (!ts_cas_acq_rel(&region_header->slab_count, &next, next + 1));
    ts_store_relaxed(&region.refused, 0);
    *number = next;
    return true;
}

/* From here on a reader finds it. Several threads may store the same. */
static __attribute__((noinline)) void *publish_slab(enum ts_slab_kind kind, uint32_t ordinal,
                                                    void *claimed)
{
    void *slab = unclaimed(claimed);
    if (region.base == NULL) /* there is no region any more */
        return NULL;
    ts_store_release(&slab_table(region.base)[slab_number(slab)], TS_SLAB_WORD(kind, ordinal));
    ts_store_release(&region_kinds[kind].slabs[ordinal], slab);
    return slab;
}

static __attribute__((noinline)) void *make_slab(enum ts_slab_kind kind, uint32_t ordinal)
{
    uint32_t number;
    if (ordinal >= region_kinds[kind].limit || region.base == NULL || !take_slab(&number)) {
        region_drop(TS_DROP_REGION_FULL);
        return NULL;
    }
    void *claimed = slab_address(region.base, number) + CLAIMED, *found = NULL;
    if (!ts_cas_acq_rel(&region_kinds[kind].slabs[ordinal], &found, claimed)) {
        uint32_t lost = ts_exchange_acq_rel(&region.spare, number + 1);
        (void)lost; /* a second spare is given up: 16 KiB, and only where three threads met */
        claimed = found;
    }
    return publish_slab(kind, ordinal, claimed);
}

void *region_slab(enum ts_slab_kind kind, uint32_t ordinal)
{
    if (ordinal < region_kinds[kind].limit) {
        void *slab = ts_load_acquire(&region_kinds[kind].slabs[ordinal]);
        if (slab != NULL)
            return ((uintptr_t)slab & CLAIMED) == 0 ? slab : publish_slab(kind, ordinal, slab);
    }
    return make_slab(kind, ordinal);
}

uint8_t *region_map_file(uint64_t end)
{
    uint8_t *at =
        sys_mmap(NULL, region.file.size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, region.file.fd, 0);
    if (at == NULL)
        return NULL;
    region.mapped_size = region.file.size;
    sys_madvise(at, region.file.size, MADV_DONTDUMP);
    if (!region_back(at, 0, TS_HEADER_SIZE + PAGE) ||
        (end > TS_SLABS_OFFSET && !region_back(at, TS_SLABS_OFFSET, end))) {
        sys_munmap(at, region.file.size);
        return NULL;
    }
    return at;
}

void region_fill_header(struct ts_header *header)
{
    __builtin_memcpy(header->magic, TS_REGION_MAGIC, sizeof header->magic);
    header->version = TS_REGION_VERSION;
    header->byte_order = TS_BYTE_ORDER;
    header->header_size = sizeof *header;
    header->slab_size = TS_SLAB_SIZE;
    header->slabs_max = TS_SLABS_MAX;
}

bool region_create(void)
{
    if (!region_file_create(&region.file, false))
        return false;
    region.base = region_map_file(FIRST_COMMIT);
    if (region.base == NULL && region_file_make_space(&region.file))
        region.base = region_map_file(FIRST_COMMIT);
    if (region.base == NULL) {
        region_file_abandon(&region.file, "cannot map the region",
                            "raise the limits or free space in");
        return false;
    }
    region.committed = FIRST_COMMIT;
    region.table_committed = PAGE / sizeof(uint32_t);
    struct ts_header *header = (struct ts_header *)region.base;
    region_fill_header(header);
    header->committed = region.committed;
    for (int i = 0; i < TS_DROP_COUNT; i++) /* what was counted before there was a region */
        header->drops[i] = region_stand_in.drops[i];
    header->control = options.paused ? TS_CONTROL_PAUSED : 0;
    region_file_describe(&region.file, &header->process);
    region_header = header;
    region_file_close(&region.file);
    return true;
}

void region_shrink(uint64_t room, bool alone)
{
    uint64_t size = region.mapped_size,
             to = (ts_load_acquire(&region.committed) + room) & ~(uint64_t)(TS_SLAB_SIZE - 1);
    int spins = 0;
    if (region.base == NULL || to >= size)
        return;
    if (alone)
        region.growers = 0;
    ts_store_relaxed(&region.mapped_size, to);
    ts_fence_seq_cst(); /* whoever comes to commit() from here on sees it */
    while (ts_load_acquire(&region.growers) != 0 && spins++ < SPINS_MAX)
        __builtin_ia32_pause();
    if (spins < SPINS_MAX && ts_load_acquire(&region.committed) <= to)
        sys_munmap(region.base + to, size - to);
    else
        ts_store_relaxed(&region.mapped_size, size);
}

void region_disown(bool remove)
{
    region_shrink(0, !remove); /* the rest stays: the program may have asked for strings in it */
    if (remove)
        sys_unlink(region.file.path);
    region_header = &region_stand_in;
    region.base = NULL;
}

void region_end(enum ts_state state)
{
    if (region_header == &region_stand_in)
        return;
    uint64_t now = region_file_now(), start = region_header->process.start_time;
    ts_store_relaxed(&region_header->process.end_time, now > start ? now : start);
    ts_store_release(&region_header->process.state, (uint32_t)state);
}

const char *region_path(void)
{
    return region.file.path;
}
