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
#include "shim/region_file.h"
#include "shim/system.h"

#define PAGE 4096u
#define GROW_SMALLEST 65536u
#define FIRST_COMMIT (TS_SLABS_OFFSET + 8 * TS_SLAB_SIZE)
#define SPINS_MAX 1000000 /* some 10 ms: another thread's system call is waited for */
#define RETRY_EVERY 4096u /* refused growth is tried again after so many attempts */

static struct ts_header stand_in;
struct ts_header *region_header = &stand_in;

static uint8_t *base;
static uint64_t mapped_size;     /* of `base`; shrinks only while no thread is growing */
static uint32_t growers;         /* threads inside of commit() */
static uint64_t committed;       /* bytes from the start; only grows; by compare-and-swap */
static uint64_t table_committed; /* slab numbers whose table words are backed */
static uint32_t spare;           /* a slab number + 1 that lost a race, 0 = none */
static uint32_t reuse,
    reuse_end; /* fork: slabs below reuse_end with an empty table word may be backed and taken */
static uint32_t refused;
static struct region_file file;

/*
 * Where each kind's slabs are: directory[kind][ordinal], NULL = not made. Sized by the kind's
 * limit. CLAIMED is set from the compare-and-swap that decides whose slab it is until its table
 * word is stored, by whichever thread needs the slab first: what is written to a slab must be found
 * by a reader, also when the thread that made it is killed before it comes to that.
 */
#define CLAIMED ((uintptr_t)1)
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

static const struct {
    void **slabs;
    uint32_t limit;
    bool inherited; /* copied to a forked child */
} directory[TS_SLAB_KIND_COUNT] = {
#define KIND(name) (name), sizeof(name) / sizeof(name)[0]
    [TS_SLAB_NODES] = {KIND(nodes), true},      [TS_SLAB_CONTEXTS] = {KIND(contexts), true},
    [TS_SLAB_CELLMAP] = {KIND(cellmap), false}, [TS_SLAB_CELLS] = {KIND(cells), false},
    [TS_SLAB_MODULES] = {KIND(modules), true},  [TS_SLAB_STRINGS] = {KIND(strings), true},
    [TS_SLAB_SHARDS] = {KIND(shards), false},   [TS_SLAB_TIMELINE] = {KIND(timeline), false},
    [TS_SLAB_CODES] = {KIND(codes), true},      [TS_SLAB_TABLES] = {KIND(tables), true},
#undef KIND
};

static uint32_t *slab_table(uint8_t *at)
{
    return (uint32_t *)(at + TS_SLAB_TABLE_OFFSET);
}

static uint8_t *slab_address(uint8_t *at, uint32_t number)
{
    return at + TS_SLABS_OFFSET + (uint64_t)number * TS_SLAB_SIZE;
}

static uint8_t *unclaimed(const void *slab)
{
    return (uint8_t *)((uintptr_t)slab & ~CLAIMED);
}

static uint32_t slab_number(const void *slab)
{
    return (uint32_t)((unclaimed(slab) - slab_address(base, 0)) / TS_SLAB_SIZE);
}

/* Backs [from, to) of the mapping at `at` by memory of the file. */
static bool back(uint8_t *at, uint64_t from, uint64_t to)
{
    if (to > mapped_size || sys_failed(sys_mprotect(at + from, to - from)))
        return false;
    long result = sys_madvise(at + from, to - from, MADV_POPULATE_WRITE);
    if (result == -22 /* EINVAL: the kernel does not know it */)
        return region_file_allocate(&file, from, to);
    return !sys_failed(result);
}

/* Backs the file up to `end`; tries a generous step, then the smallest. */
static bool grow(uint64_t from, uint64_t end)
{
    uint64_t step = from / 8 > GROW_SMALLEST ? from / 8 & ~(uint64_t)(PAGE - 1) : GROW_SMALLEST;
    uint64_t to = from + step > end ? from + step : end, most = ts_load_acquire(&mapped_size);
    if (to > most)
        to = most;
    if (end > to || !back(base, from, to)) {
        to = end;
        if (!back(base, from, to))
            return false;
    }
    while (from < to && !ts_cas_acq_rel(&committed, &from, to))
        continue;
    ts_store_relaxed(&region_header->committed, ts_load_relaxed(&committed));
    return true;
}

/* Makes sure that the file is backed up to `end`. */
static bool commit(uint64_t end)
{
    uint64_t from = ts_load_acquire(&committed);
    if (end <= from)
        return true;
    ts_add_acq_rel(&growers, 1);
    bool backed = grow(from, end);
    ts_add_acq_rel(&growers, -1u);
    return backed;
}

static bool commit_table(uint32_t number)
{
    uint64_t have = ts_load_acquire(&table_committed);
    if (number < have)
        return true;
    uint64_t words = PAGE / sizeof(uint32_t), from = number / words * words;
    uint64_t at = TS_SLAB_TABLE_OFFSET + from * sizeof(uint32_t);
    if (!back(base, at, at + PAGE))
        return false;
    while (have < from + words && !ts_cas_acq_rel(&table_committed, &have, from + words))
        continue;
    return true;
}

/* A slab number that nobody else has, backed by memory; false when there is none. */
static bool take_slab(uint32_t *number)
{
    uint32_t kept = ts_exchange_acq_rel(&spare, 0);
    if (kept != 0) {
        *number = kept - 1;
        return true;
    }
    while (ts_load_relaxed(&reuse) < ts_load_relaxed(&reuse_end)) {
        uint32_t candidate = ts_add_relaxed(&reuse, 1);
        uint64_t from = TS_SLABS_OFFSET + (uint64_t)candidate * TS_SLAB_SIZE;
        if (candidate < reuse_end && ts_load_relaxed(&slab_table(base)[candidate]) == 0) {
            *number = candidate;
            return back(base, from, from + TS_SLAB_SIZE);
        }
    }
    if (ts_load_relaxed(&refused) != 0 && ts_add_relaxed(&refused, 1) % RETRY_EVERY != 0)
        return false;
    uint32_t next = ts_load_acquire(&region_header->slab_count);
    do {
        if (next >= TS_SLABS_MAX || !commit_table(next) ||
            !commit(TS_SLABS_OFFSET + ((uint64_t)next + 1) * TS_SLAB_SIZE)) {
            if (ts_load_relaxed(&refused) == 0)
                ts_add_relaxed(&refused, 1);
            return false;
        }
    } while (!ts_cas_acq_rel(&region_header->slab_count, &next, next + 1));
    ts_store_relaxed(&refused, 0);
    *number = next;
    return true;
}

/* From here on a reader finds it. Several threads may store the same. */
static __attribute__((noinline)) void *publish_slab(enum ts_slab_kind kind, uint32_t ordinal,
                                                    void *claimed)
{
    void *slab = unclaimed(claimed);
    if (base == NULL) /* there is no region any more */
        return NULL;
    ts_store_release(&slab_table(base)[slab_number(slab)], TS_SLAB_WORD(kind, ordinal));
    ts_store_release(&directory[kind].slabs[ordinal], slab);
    return slab;
}

static __attribute__((noinline)) void *make_slab(enum ts_slab_kind kind, uint32_t ordinal)
{
    uint32_t number;
    if (ordinal >= directory[kind].limit || base == NULL || !take_slab(&number)) {
        region_drop(TS_DROP_REGION_FULL);
        return NULL;
    }
    void *claimed = slab_address(base, number) + CLAIMED, *found = NULL;
    if (!ts_cas_acq_rel(&directory[kind].slabs[ordinal], &found, claimed)) {
        uint32_t lost = ts_exchange_acq_rel(&spare, number + 1);
        (void)lost; /* a second spare is given up: 16 KiB, and only where three threads met */
        claimed = found;
    }
    return publish_slab(kind, ordinal, claimed);
}

void *region_slab(enum ts_slab_kind kind, uint32_t ordinal)
{
    if (ordinal < directory[kind].limit) {
        void *slab = ts_load_acquire(&directory[kind].slabs[ordinal]);
        if (slab != NULL)
            return ((uintptr_t)slab & CLAIMED) == 0 ? slab : publish_slab(kind, ordinal, slab);
    }
    return make_slab(kind, ordinal);
}

/* Maps the file just created and backs its first pieces, up to `end`. NULL on failure. */
static uint8_t *map_file(uint64_t end)
{
    uint8_t *at = sys_mmap(NULL, file.size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file.fd, 0);
    if (at == NULL)
        return NULL;
    mapped_size = file.size;
    sys_madvise(at, file.size, MADV_DONTDUMP);
    if (!back(at, 0, TS_HEADER_SIZE + PAGE) ||
        (end > TS_SLABS_OFFSET && !back(at, TS_SLABS_OFFSET, end))) {
        sys_munmap(at, file.size);
        return NULL;
    }
    return at;
}

static void fill_header(struct ts_header *header)
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
    if (!region_file_create(&file, false))
        return false;
    base = map_file(FIRST_COMMIT);
    if (base == NULL && region_file_make_space(&file))
        base = map_file(FIRST_COMMIT);
    if (base == NULL) {
        region_file_abandon(&file, "cannot map the region", "raise the limits or free space in");
        return false;
    }
    committed = FIRST_COMMIT;
    table_committed = PAGE / sizeof(uint32_t);
    struct ts_header *header = (struct ts_header *)base;
    fill_header(header);
    header->committed = committed;
    for (int i = 0; i < TS_DROP_COUNT; i++) /* what was counted before there was a region */
        header->drops[i] = stand_in.drops[i];
    header->control = options.paused ? TS_CONTROL_PAUSED : 0;
    region_file_describe(&file, &header->process);
    region_header = header;
    region_file_close(&file);
    return true;
}

/*
 * Writes the table of the slabs that a child inherits. By its own directory: in the region the
 * parent goes on publishing slabs, of which the child knows nothing.
 */
static bool copy_table(uint8_t *to, uint32_t slabs)
{
    for (uint64_t at = PAGE; at < slabs * sizeof(uint32_t); at += PAGE)
        if (!back(to, TS_SLAB_TABLE_OFFSET + at, TS_SLAB_TABLE_OFFSET + at + PAGE))
            return false;
    for (unsigned kind = 0; kind < TS_SLAB_KIND_COUNT; kind++) {
        for (uint32_t i = 0; directory[kind].inherited && i < directory[kind].limit && i < slabs;
             i++) {
            const void *slab = directory[kind].slabs[i];
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
        if (size != 0 && !back(to, from, from + size))
            return false;
        __builtin_memcpy(to + from, base + from, size);
    }
    return true;
}

/* The cursors are read last: what the child adds comes after all that was copied. */
static void copy_header(struct ts_header *header, uint32_t slabs)
{
    fill_header(header);
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
    header->committed = committed;
}

/*
 * Puts the child's file in the place of its parent's. Several mappings: mremap moves but one before
 * Linux 6.17. What is in use is replaced by one call: another thread may fork at any moment, and
 * its child finds either.
 */
static bool replace_mapping(uint64_t old_size, uint64_t end)
{
    int flags = MAP_SHARED | MAP_NORESERVE | MAP_FIXED;
    if (sys_mmap(base, end, PROT_READ | PROT_WRITE, flags, file.fd, 0) == NULL ||
        (file.size > end &&
         sys_mmap(base + end, file.size - end, PROT_NONE, flags, file.fd, (long)end) == NULL))
        return false;
    sys_madvise(base, file.size, MADV_DONTDUMP);
    sys_munmap(base + file.size, old_size - file.size);
    return true;
}

/* An ordinal is never greater than the number of slabs handed out. */
static void forget_slabs(uint32_t slabs)
{
    for (int kind = 0; kind < TS_SLAB_KIND_COUNT; kind++)
        for (uint32_t i = 0; !directory[kind].inherited && i < directory[kind].limit && i < slabs;
             i++)
            directory[kind].slabs[i] = NULL;
}

bool region_fork(void)
{
    region_header = (struct ts_header *)base; /* a thread of the parent may have been at this */
    uint64_t old_size = mapped_size;
    uint32_t slabs = ts_load_acquire(&region_header->slab_count);
    uint64_t end = TS_SLABS_OFFSET + (uint64_t)slabs * TS_SLAB_SIZE;
    if (!region_file_create(&file, true))
        return false;
    if (file.size > old_size)
        file.size = old_size; /* what follows in memory may be the program's by now */
    uint8_t *at = end <= file.size ? map_file(TS_SLABS_OFFSET) : NULL;
    if (at == NULL && end <= file.size && region_file_make_space(&file))
        at = map_file(TS_SLABS_OFFSET);
    bool right = at != NULL && copy_table(at, slabs) &&
                 (copy_slabs(at, slabs) ||
                  (region_file_make_space(&file) && copy_slabs(at, slabs)));
    if (right) {
        committed = end;
        copy_header((struct ts_header *)at, slabs);
        region_header = &stand_in; /* should the mapping be lost half-way */
        right = replace_mapping(old_size, end);
    }
    if (at != NULL)
        sys_munmap(at, file.size);
    if (!right) {
        region_file_abandon(&file, "cannot give the child a region", "free space in");
        return false;
    }
    region_header = (struct ts_header *)base;
    forget_slabs(slabs);
    growers = 0;
    spare = 0;
    reuse = 0;
    reuse_end = slabs;
    refused = 0;
    region_file_describe(&file, &region_header->process);
    region_header->process.forked = 1;
    region_file_close(&file);
    return true;
}

/* [from, to) of the region becomes private memory that holds the same. */
static void keep(uint64_t from, uint64_t to)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    void *copy = memory_map(to - from, false);
    if (copy == NULL)
        return;
    __builtin_memcpy(copy, base + from, to - from);
    if (sys_mmap(base + from, to - from, PROT_READ | PROT_WRITE, flags, -1, 0) != NULL)
        __builtin_memcpy(base + from, copy, to - from);
    memory_unmap(copy, to - from);
}

void region_keep_private(void)
{
    keep(0, TS_SLAB_TABLE_OFFSET + table_committed * sizeof(uint32_t));
    keep(TS_SLABS_OFFSET, committed);
    mapped_size = committed; /* what lies behind is its parent's: not to be grown into */
}

void region_shrink(uint64_t room, bool alone)
{
    uint64_t size = mapped_size,
             to = (ts_load_acquire(&committed) + room) & ~(uint64_t)(TS_SLAB_SIZE - 1);
    int spins = 0;
    if (base == NULL || to >= size)
        return;
    if (alone)
        growers = 0;
    ts_store_relaxed(&mapped_size, to);
    ts_fence_seq_cst(); /* whoever comes to commit() from here on sees it */
    while (ts_load_acquire(&growers) != 0 && spins++ < SPINS_MAX)
        __builtin_ia32_pause();
    if (spins < SPINS_MAX && ts_load_acquire(&committed) <= to)
        sys_munmap(base + to, size - to);
    else
        ts_store_relaxed(&mapped_size, size);
}

void region_disown(bool remove)
{
    region_shrink(0, !remove); /* the rest stays: the program may have asked for strings in it */
    if (remove)
        sys_unlink(file.path);
    region_header = &stand_in;
    base = NULL;
}

void region_end(enum ts_state state)
{
    if (region_header == &stand_in)
        return;
    uint64_t now = region_file_now(), start = region_header->process.start_time;
    ts_store_relaxed(&region_header->process.end_time, now > start ? now : start);
    ts_store_release(&region_header->process.state, (uint32_t)state);
}

const char *region_path(void)
{
    return file.path;
}
