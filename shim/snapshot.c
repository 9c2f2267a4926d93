/*
 * A snapshot from inside: a copy of the region while other threads go on writing to it, in the
 * order that region/layout.h demands of every reader:
 *
 *     W = control word
 *     for every context: freed of its cells in all shards, then allocated of them, then freed
 *         again; if it moved, this context once more, a bounded number of times
 *     what the cells refer to, each kind before those that it refers to itself, the cursors last
 *     control word unchanged? else all from the start, a bounded number of times
 *
 * Whatever is referred to was published before its reference: so the copy holds it.
 */
#include "shim/snapshot.h"
#include "shim/counters.h"
#include "shim/region.h"
#include "shim/system.h"
#include "shim/text.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#define TRIES 16
#define ROOM 256u /* slabs that may be added while the copy is made */

struct copying {
    const uint8_t *from;
    uint8_t *to;
    uint32_t room, slabs; /* slabs that `to` has room for; that were copied */
    uint64_t control;
    const struct ts_cell **chunks; /* room for one of each shard */
};

static struct ts_cell *copy_of(const struct copying *copying, const struct ts_cell *cell)
{
    return (struct ts_cell *)(copying->to + ((const uint8_t *)cell - copying->from));
}

/* Stamp and peak as they belong together. The writer stores peak first: an unchanged stamp has an
 * unchanged peak. */
static void copy_peak(struct ts_cell *to, const struct ts_cell *from)
{
    uint64_t stamp;
    do {
        stamp = ts_load_acquire(&from->stamp);
        to->peak = ts_pair_load(&from->peak);
    } while (ts_load_acquire(&from->stamp) != stamp);
    to->stamp = stamp;
}

static bool has_room(const struct copying *copying, const struct ts_cell *chunk)
{
    return (const uint8_t *)(chunk + TS_CHUNK_CELLS) <=
           copying->from + TS_SLABS_OFFSET + (uint64_t)copying->room * TS_SLAB_SIZE;
}

/*
 * The i-th context of the block in all shards. False: something was freed meanwhile. A cell touched
 * for the first time since the peak meanwhile: what it put aside is its peak, not what was read.
 */
static bool copy_context(const struct copying *copying, uint32_t chunks, uint32_t i)
{
    bool still = true;
    for (uint32_t j = 0; j < chunks; j++) {
        const struct ts_cell *cell = &copying->chunks[j][i];
        struct ts_cell *copy = copy_of(copying, cell);
        copy_peak(copy, cell);
        copy->freed = ts_pair_load(&cell->freed);
    }
    for (uint32_t j = 0; j < chunks; j++) {
        const struct ts_cell *cell = &copying->chunks[j][i];
        struct ts_cell *copy = copy_of(copying, cell);
        copy->allocated = ts_pair_load(&cell->allocated);
        copy->temporary = ts_load_relaxed(&cell->temporary);
        if (ts_load_acquire(&cell->stamp) != copy->stamp)
            copy_peak(copy, cell);
    }
    for (uint32_t j = 0; j < chunks && still; j++) {
        const struct ts_cell *cell = &copying->chunks[j][i];
        still = ts_pair_load(&cell->freed).count == copy_of(copying, cell)->freed.count;
    }
    return still;
}

/* False: there is too little room. A shard whose chunk comes while its block is copied is left out:
 * it was empty. */
static bool copy_cells(const struct copying *copying)
{
    uint32_t shards = shards_count(), blocks = shards_blocks();
    for (uint32_t block = 0; block < blocks; block++) {
        uint32_t chunks = 0;
        for (uint32_t i = 0; i < shards; i++) {
            const struct ts_cell *chunk = shard_chunk(i, block);
            if (chunk != NULL && !has_room(copying, chunk))
                return false;
            if (chunk != NULL)
                copying->chunks[chunks++] = chunk;
        }
        for (uint32_t i = 0; i < TS_CHUNK_CELLS && chunks != 0; i++)
            for (int tries = 0; tries < TRIES && !copy_context(copying, chunks, i); tries++)
                continue;
    }
    return true;
}

/* In pieces of 16 bytes, which is no less than the fields that must not be torn apart. */
static void copy_pairs(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(struct ts_pair))
        ts_pair_store((struct ts_pair *)(to + at),
                      ts_pair_load((const struct ts_pair *)(from + at)));
}

/* A module is published by a word in its middle: asked before the rest is read. */
static void copy_modules(uint8_t *to, const uint8_t *from)
{
    for (size_t at = 0; at < TS_SLAB_SIZE; at += sizeof(struct ts_module))
        if (ts_load_acquire(&((const struct ts_module *)(from + at))->state) != 0)
            copy_pairs(to + at, from + at, sizeof(struct ts_module));
}

static bool copy_kind(struct copying *copying, enum ts_slab_kind kind)
{
    uint32_t slabs = ts_load_acquire(&region_header->slab_count);
    const uint32_t *words = (const uint32_t *)(copying->from + TS_SLAB_TABLE_OFFSET);
    uint32_t *copies = (uint32_t *)(copying->to + TS_SLAB_TABLE_OFFSET);
    if (slabs > copying->room)
        return false;
    for (uint32_t i = 0; i < slabs; i++) {
        uint64_t at = TS_SLABS_OFFSET + (uint64_t)i * TS_SLAB_SIZE;
        uint32_t word = ts_load_acquire(&words[i]);
        if (TS_SLAB_KIND(word) != (unsigned)kind)
            continue;
        copies[i] = word;
        if (kind == TS_SLAB_MODULES)
            copy_modules(copying->to + at, copying->from + at);
        else if (kind != TS_SLAB_CELLS)
            copy_pairs(copying->to + at, copying->from + at, TS_SLAB_SIZE);
    }
    copying->slabs = slabs;
    return true;
}

/* False: there was too little room. */
static bool copy_once(struct copying *copying)
{
    static const enum ts_slab_kind kinds[] = {
        TS_SLAB_CELLS,   TS_SLAB_CELLMAP, TS_SLAB_CONTEXTS, TS_SLAB_NODES,
        TS_SLAB_CODES,   TS_SLAB_TABLES,  TS_SLAB_MODULES,  TS_SLAB_STRINGS,
        TS_SLAB_SHARDS,  TS_SLAB_TIMELINE,
    };
    _Static_assert(sizeof kinds / sizeof kinds[0] == TS_SLAB_KIND_COUNT - 1,
                   "every kind is copied");
    copying->control = ts_load_acquire(&region_header->control);
    if (!copy_cells(copying))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!copy_kind(copying, kinds[i]))
            return false;
    copy_pairs(copying->to, copying->from, (sizeof(struct ts_header) + 15) / 16 * 16);
    ((struct ts_header *)copying->to)->control = copying->control;
    return true;
}

static long write_all(int fd, const uint8_t *data, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        long wrote = sys_write(fd, data + done, size - done);
        if (wrote == -EINTR)
            continue;
        if (wrote <= 0)
            return wrote < 0 ? wrote : -ENOSPC;
        done += (uint64_t)wrote;
    }
    return 0;
}

/*
 * What is no file (a pipe, /dev/null) is written to as it is. A link or a pipe that another user
 * planted is not: a file takes its place, or the rename is refused.
 */
static bool is_special(const char *path, bool *linked)
{
    struct stat st;
    if (sys_failed(sys_stat_at(AT_FDCWD, path, &st)))
        return false;
    *linked = S_ISLNK(st.st_mode);
    if ((*linked || S_ISFIFO(st.st_mode)) && st.st_uid != sys_geteuid() && st.st_uid != 0)
        return false;
    return !sys_failed(sys_stat(path, &st)) && !S_ISREG(st.st_mode);
}

/* Under another name until it is complete. */
static long write_file(const char *path, const uint8_t *data, uint64_t size)
{
    char buffer[4096 + 32];
    struct text name = text_in(buffer, sizeof buffer);
    bool linked = false, special = is_special(path, &linked);
    text_add(&name, path);
    if (!special) {
        text_add(&name, ".");
        text_number(&name, sys_gettid());
    }
    if (name.length + 1 >= sizeof buffer)
        return -ENAMETOOLONG;
    int flags = special ? O_NOCTTY | (linked ? 0 : O_NOFOLLOW) : O_CREAT | O_EXCL | O_NOFOLLOW;
    int fd = sys_open(buffer, O_WRONLY | flags, 0600);
    if (fd < 0)
        return fd;
    long result = write_all(fd, data, size);
    sys_close(fd);
    if (special)
        return result;
    if (result == 0)
        result = sys_rename(buffer, path);
    if (result != 0)
        sys_unlink(buffer);
    return result;
}

int snapshot_save(const char *path)
{
    long result = -EAGAIN;
    for (int tries = 1; tries <= TRIES && result == -EAGAIN; tries++) {
        uint32_t slabs = ts_load_acquire(&region_header->slab_count);
        struct copying copying = {.from = (const uint8_t *)region_header,
                                  .room = slabs + slabs / 8 + ROOM};
        uint64_t size = TS_SLABS_OFFSET + (uint64_t)copying.room * TS_SLAB_SIZE;
        uint64_t all = size + TS_SHARDS_LIMIT * sizeof *copying.chunks;
        copying.to = memory_map(all, false);
        if (copying.to == NULL)
            return -ENOMEM;
        copying.chunks = (const struct ts_cell **)(copying.to + size);
        if (copy_once(&copying) &&
            (tries == TRIES || ts_load_acquire(&region_header->control) == copying.control))
            result = write_file(path, copying.to,
                                TS_SLABS_OFFSET + (uint64_t)copying.slabs * TS_SLAB_SIZE);
        memory_unmap(copying.to, all);
    }
    return (int)result;
}
