/*
 * The reader's half of the counters' protocol (struct ts_cell and the control word in
 * region/layout.h).
 *
 *     W = control word
 *     for every context: freed of its cells in all shards, then allocated and the rest of them,
 *         then freed again; if it moved, this context once more, a bounded number of times
 *     chunks that were published meanwhile: their contexts once more
 *     control word unchanged? else all from the start, a bounded number of times
 *
 * A block is freed in the context in which it was allocated. So freed before allocated, within one
 * context over all shards, makes sure that every block that is seen freed is seen allocated,
 * whatever thread freed it. To read first the one of all contexts and then the other would do so,
 * too, but count every block as live that came and went in between: in a busy program, thousands.
 *
 * The peak of a cell that was not touched since the peak is its live value, both halves read under
 * one stamp; that of a touched cell is what its writer put aside.
 *
 * Only here is the file mapped, and only its cells are touched: the pairs must be loaded in one
 * piece. A writer that means harm may truncate it (guard.c), publish cells that are holes, which a
 * touch would fill with memory (holds_data), or never keep still (PATIENCE).
 */
#include "tools/source/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ATTEMPTS 8
#define PATIENCE (INT64_C(1) << 27) /* cells read, after which nothing is read again: a second */
#define BLOCKS_LIMIT (TS_CONTEXTS_LIMIT / TS_CHUNK_CELLS)

struct chunk {
    const struct ts_cell *cells;
    uint32_t block;
};

struct reading {
    const struct source_file *file;
    struct counters *counters;
    struct error *error;
    char *map;
    size_t map_size;
    struct slabs cellmap, cells;
    struct chunk *chunks; /* sorted by block */
    size_t chunk_count;
    uint32_t *seen; /* per block: how many chunks its contexts were last read from */
    struct {
        off_t from, to;
        bool data;
    } extent; /* what holds_data was told last */
    int64_t patience;
    int result;
};

/* The file grows while it is read; what was mapped before may move. */
static int map_all(struct reading *reading)
{
    struct stat status;
    if (fstat(reading->file->fd, &status) != 0)
        return error_set(reading->error, "cannot read '%s': %s", reading->file->path,
                         strerror(errno));
    if (status.st_size < (off_t)TS_SLABS_OFFSET)
        return error_set(reading->error,
                         "region '%s' is truncated: it became shorter while it was read",
                         reading->file->path);
    size_t size = (uint64_t)status.st_size < TS_REGION_SIZE_MAX ? (size_t)status.st_size
                                                                : (size_t)TS_REGION_SIZE_MAX;
    if (size <= reading->map_size)
        return 0;
    if (reading->map != NULL)
        munmap(reading->map, reading->map_size);
    reading->map = mmap(NULL, size, PROT_READ, MAP_SHARED, reading->file->fd, 0);
    if (reading->map == MAP_FAILED) {
        reading->map = NULL;
        return error_set(reading->error, "cannot map '%s': %s", reading->file->path,
                         strerror(errno));
    }
    reading->map_size = size;
    return 0;
}

/*
 * Whether there is memory behind a page of the file. The shim backs cells before it publishes them;
 * to touch a hole that somebody else published would make the file system fill it, up to a gigabyte
 * of it. The file is asked for extents, not for pages.
 */
static bool holds_data(struct reading *reading, off_t at)
{
    int fd = reading->file->fd;
    if (at < reading->extent.from || at >= reading->extent.to) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno != ENXIO)
            return true; /* a file system that does not tell */
        reading->extent.data = data == at;
        reading->extent.from = at;
        reading->extent.to = data == at ? lseek(fd, at, SEEK_HOLE) : data;
    }
    return reading->extent.data;
}

static void add_chunk(struct reading *reading, uint32_t number, uint64_t word)
{
    uint32_t ordinal = number / TS_CHUNKS_PER_SLAB;
    uint32_t block = TS_CELLMAP_BLOCK(word);
    if (word == 0 || TS_CELLMAP_SHARD(word) >= TS_SHARDS_LIMIT || block >= BLOCKS_LIMIT ||
        reading->cells.number[ordinal] == 0)
        return;
    uint64_t offset = slab_offset(&reading->cells, ordinal);
    if (offset + TS_SLAB_SIZE > reading->map_size)
        return;
    offset += (number % TS_CHUNKS_PER_SLAB) * TS_CHUNK_CELLS * sizeof(struct ts_cell);
    if (!holds_data(reading, (off_t)offset))
        return;
    const void *cells = reading->map + offset;
    reading->chunks[reading->chunk_count++] = (struct chunk){cells, block};
}

static int compare_chunks(const void *a, const void *b)
{
    const struct chunk *x = a, *y = b;
    return (x->block > y->block) - (x->block < y->block);
}

/* Lists the chunks that are published now. */
static int list_chunks(struct reading *reading)
{
    slabs_free(&reading->cellmap);
    slabs_free(&reading->cells);
    free(reading->chunks);
    reading->chunks = NULL;
    reading->chunk_count = 0;
    reading->extent.from = reading->extent.to = 0;
    if (slabs_find(&reading->cellmap, reading->file, TS_SLAB_CELLMAP, reading->error) != 0 ||
        slabs_find(&reading->cells, reading->file, TS_SLAB_CELLS, reading->error) != 0 ||
        map_all(reading) != 0)
        return -1;
    uint32_t limit = reading->cells.count * TS_CHUNKS_PER_SLAB;
    reading->chunks = malloc((limit != 0 ? limit : 1) * sizeof(*reading->chunks));
    if (reading->chunks == NULL)
        return error_set(reading->error, "out of memory for the counters of '%s'",
                         reading->file->path);
    for (uint32_t i = 0; i < reading->cellmap.count && i * TS_CELLMAP_PER_SLAB < limit; i++) {
        if (reading->cellmap.number[i] == 0 ||
            slab_offset(&reading->cellmap, i) + TS_SLAB_SIZE > reading->map_size)
            continue;
        const uint64_t *words =
            (const uint64_t *)(reading->map + slab_offset(&reading->cellmap, i));
        for (uint32_t j = 0; j < TS_CELLMAP_PER_SLAB && i * TS_CELLMAP_PER_SLAB + j < limit; j++)
            add_chunk(reading, i * TS_CELLMAP_PER_SLAB + j, ts_load_acquire(&words[j]));
    }
    qsort(reading->chunks, reading->chunk_count, sizeof(*reading->chunks), compare_chunks);
    return 0;
}

/* Makes the sums large enough for every listed chunk. What was not read yet is zeros. */
static int make_room(struct reading *reading)
{
    struct counters *counters = reading->counters;
    uint32_t old = counters->count / TS_CHUNK_CELLS;
    uint32_t blocks =
        reading->chunk_count != 0 ? reading->chunks[reading->chunk_count - 1].block + 1 : 0;
    if (counters->values != NULL && blocks <= old)
        return 0;
    uint32_t count = blocks * TS_CHUNK_CELLS;
    struct capture_values *values = calloc((size_t)count + 1, sizeof(*values));
    uint32_t *seen = calloc((size_t)blocks + 1, sizeof(*seen));
    if (values == NULL || seen == NULL) {
        free(values);
        free(seen);
        return error_set(reading->error, "out of memory for the counters of '%s'",
                         reading->file->path);
    }
    if (counters->values != NULL) {
        memcpy(values, counters->values, counters->count * sizeof(*values));
        memcpy(seen, reading->seen, old * sizeof(*seen));
    }
    free(counters->values);
    free(reading->seen);
    counters->values = values;
    counters->count = count;
    reading->seen = seen;
    return 0;
}

static void forget(struct reading *reading)
{
    free(reading->counters->values);
    free(reading->seen);
    reading->counters->values = NULL;
    reading->counters->count = 0;
    reading->seen = NULL;
}

static bool of_generation(uint64_t stamp, uint64_t control)
{
    return TS_CONTROL_GENERATION(stamp) == TS_CONTROL_GENERATION(control);
}

static void read_freed(const struct ts_cell *cell, uint64_t control, struct capture_values *sum)
{
    uint64_t stamp = 0;
    struct ts_pair freed = {0, 0};
    for (int i = 0; i < ATTEMPTS; i++) {
        stamp = ts_load_acquire(&cell->stamp);
        freed = ts_pair_load(&cell->freed);
        if (ts_load_acquire(&cell->stamp) == stamp)
            break;
    }
    if (!of_generation(stamp, control))
        return;
    sum->freed_count += freed.count;
    sum->freed_size += freed.size;
}

static void read_rest(const struct ts_cell *cell, uint64_t control, struct capture_values *sum)
{
    uint64_t stamp = 0, temporary = 0;
    struct ts_pair allocated = {0, 0}, freed = {0, 0}, peak = {0, 0};
    for (int i = 0; i < ATTEMPTS; i++) {
        stamp = ts_load_acquire(&cell->stamp);
        allocated = ts_pair_load(&cell->allocated);
        freed = ts_pair_load(&cell->freed);
        peak = ts_pair_load(&cell->peak);
        temporary = ts_load_acquire(&cell->temporary);
        if (ts_load_acquire(&cell->stamp) == stamp)
            break;
    }
    if (!of_generation(stamp, control))
        return;
    sum->allocated_count += allocated.count;
    sum->allocated_size += allocated.size;
    sum->temporary_count += temporary;
    if (((stamp ^ control) & TS_CONTROL_EPOCH_MASK) != 0) {
        peak.count = allocated.count - freed.count;
        peak.size = allocated.size - freed.size;
    }
    sum->peak_count += peak.count;
    sum->peak_size += peak.size;
}

/* One context: cell number `cell` of `count` chunks, which are those of its block. */
static void read_context(struct reading *reading, const struct chunk *chunks, size_t count,
                         uint32_t cell, uint64_t control, struct capture_values *sum)
{
    for (int i = 0; i < ATTEMPTS && (i == 0 || reading->patience > 0); i++) {
        struct capture_values again = {0};
        *sum = again;
        reading->patience -= (int64_t)count;
        for (size_t j = 0; j < count; j++)
            read_freed(&chunks[j].cells[cell], control, sum);
        for (size_t j = 0; j < count; j++)
            read_rest(&chunks[j].cells[cell], control, sum);
        for (size_t j = 0; j < count; j++)
            read_freed(&chunks[j].cells[cell], control, &again);
        if (again.freed_count == sum->freed_count && again.freed_size == sum->freed_size)
            return;
    }
}

/* Reads the contexts of all blocks of which there are other chunks than before; false = none. */
static bool read_changed(struct reading *reading, uint64_t control)
{
    bool changed = false;
    for (size_t i = 0, next; i < reading->chunk_count; i = next) {
        uint32_t block = reading->chunks[i].block;
        for (next = i; next < reading->chunk_count && reading->chunks[next].block == block; next++)
            continue;
        if (reading->seen[block] == next - i)
            continue;
        changed = true;
        reading->seen[block] = (uint32_t)(next - i);
        for (uint32_t j = 0; j < TS_CHUNK_CELLS; j++)
            read_context(reading, &reading->chunks[i], next - i, j, control,
                         &reading->counters->values[block * TS_CHUNK_CELLS + j]);
    }
    return changed;
}

static uint64_t load_control(const struct reading *reading)
{
    return ts_load_acquire(&((const struct ts_header *)reading->map)->control);
}

static int attempt(struct reading *reading)
{
    struct counters *counters = reading->counters;
    if (map_all(reading) != 0)
        return -1;
    uint64_t control = load_control(reading);
    forget(reading);
    for (int i = 0; i < ATTEMPTS; i++) {
        if (list_chunks(reading) != 0 || make_room(reading) != 0)
            return -1;
        if (!read_changed(reading, control) || reading->patience <= 0)
            break;
    }
    counters->control = load_control(reading);
    counters->consistent = ((counters->control ^ control) & ~TS_CONTROL_PAUSED) == 0;
    return 0;
}

static void read_all(void *argument)
{
    struct reading *reading = argument;
    reading->patience = PATIENCE;
    reading->result = attempt(reading);
    for (int i = 1; i < ATTEMPTS && reading->result == 0 && !reading->counters->consistent &&
                    reading->patience > 0;
         i++) {
        nanosleep(&(struct timespec){.tv_nsec = i * 500000L}, NULL);
        reading->result = attempt(reading);
    }
}

/* A peak that moves all the time is a process that grows all the time: the present is its peak. */
static void take_live_as_peak(struct counters *counters)
{
    for (uint32_t i = 0; i < counters->count; i++) {
        struct capture_values *values = &counters->values[i];
        uint64_t count = values->allocated_count - values->freed_count;
        uint64_t size = values->allocated_size - values->freed_size;
        if (values->peak_count == count && values->peak_size == size)
            continue; /* numbers that no chunk has: their memory is not touched */
        values->peak_count = count;
        values->peak_size = size;
    }
}

int counters_read(struct counters *counters, const struct source_file *file, struct error *error)
{
    *counters = (struct counters){0};
    struct reading reading = {.file = file, .counters = counters, .error = error};
    if (guard_run(read_all, &reading) != 0)
        reading.result = error_set(
            error, "region '%s' is truncated: it became shorter while it was read", file->path);
    if (reading.map != NULL)
        munmap(reading.map, reading.map_size);
    slabs_free(&reading.cellmap);
    slabs_free(&reading.cells);
    free(reading.chunks);
    free(reading.seen);
    if (reading.result == 0 && !counters->consistent)
        take_live_as_peak(counters);
    if (reading.result != 0) {
        free(counters->values);
        counters->values = NULL;
    }
    return reading.result;
}
