/*
 * The reader's half of the counters' protocol (struct ts_cell and the control word in
 * region/layout.h).
 *
 *     W = control word
 *     pass 1: freed of every cell
 *     pass 2: stamp, allocated, temporary, peak, freed again, stamp once more, of every cell
 *     control word unchanged? else from the start, a bounded number of times
 *
 * freed before allocated, over all cells: then every block that is seen freed is seen allocated,
 * whatever thread freed it. The peak of a cell that was not touched since the peak is its live
 * value, and pass 2 reads both halves of it under one stamp; that of a touched cell is what its
 * writer put aside.
 *
 * Only here is the file mapped, and only its cells are touched: the pairs must be loaded in one
 * piece.
 */
#include "tools/source/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define ATTEMPTS 8
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
    struct chunk *chunks;
    size_t chunk_count;
    int result;
};

/* The file grows while it is read; what was mapped before may move. */
static int map_all(struct reading *reading)
{
    struct stat status;
    if (fstat(reading->file->fd, &status) != 0)
        return error_set(reading->error, "cannot read '%s': %s", reading->file->path,
                         strerror(errno));
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
    const char *slab = reading->map + offset;
    const char *cells =
        slab + (number % TS_CHUNKS_PER_SLAB) * TS_CHUNK_CELLS * sizeof(struct ts_cell);
    reading->chunks[reading->chunk_count++] = (struct chunk){(const struct ts_cell *)cells, block};
}

/* Lists the chunks that are published now. */
static int list_chunks(struct reading *reading)
{
    slabs_free(&reading->cellmap);
    slabs_free(&reading->cells);
    free(reading->chunks);
    reading->chunks = NULL;
    reading->chunk_count = 0;
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
    return 0;
}

/* Makes the sums large enough for every listed chunk; `fresh` sets them to zero. */
static int make_room(struct reading *reading, bool fresh)
{
    struct counters *counters = reading->counters;
    uint32_t blocks = 0;
    for (size_t i = 0; i < reading->chunk_count; i++)
        if (reading->chunks[i].block >= blocks)
            blocks = reading->chunks[i].block + 1;
    uint32_t count = blocks * TS_CHUNK_CELLS;
    if (!fresh && count <= counters->count)
        return 0;
    struct capture_values *values = calloc(count != 0 ? count : 1, sizeof(*values));
    if (values == NULL)
        return error_set(reading->error, "out of memory for the counters of '%s'",
                         reading->file->path);
    if (!fresh)
        memcpy(values, counters->values, counters->count * sizeof(*values));
    free(counters->values);
    counters->values = values;
    counters->count = count;
    return 0;
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

static void pass(struct reading *reading, uint64_t control,
                 void (*read)(const struct ts_cell *, uint64_t, struct capture_values *))
{
    for (size_t i = 0; i < reading->chunk_count; i++) {
        const struct chunk *chunk = &reading->chunks[i];
        struct capture_values *sums = &reading->counters->values[chunk->block * TS_CHUNK_CELLS];
        for (uint32_t j = 0; j < TS_CHUNK_CELLS; j++)
            read(&chunk->cells[j], control, &sums[j]);
    }
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
    if (list_chunks(reading) != 0 || make_room(reading, true) != 0)
        return -1;
    pass(reading, control, read_freed);
    ts_fence_seq_cst();
    if (list_chunks(reading) != 0 || make_room(reading, false) != 0)
        return -1;
    pass(reading, control, read_rest);
    ts_fence_seq_cst();
    counters->control = load_control(reading);
    counters->consistent = ((counters->control ^ control) & ~TS_CONTROL_PAUSED) == 0;
    return 0;
}

static void read_all(void *argument)
{
    struct reading *reading = argument;
    reading->result = attempt(reading);
    for (int i = 1; i < ATTEMPTS && reading->result == 0 && !reading->counters->consistent; i++) {
        nanosleep(&(struct timespec){.tv_nsec = i * 500000L}, NULL);
        reading->result = attempt(reading);
    }
}

/* A peak that moves all the time is a process that grows all the time: the present is its peak. */
static void take_live_as_peak(struct counters *counters)
{
    for (uint32_t i = 0; i < counters->count; i++) {
        struct capture_values *values = &counters->values[i];
        values->peak_count = values->allocated_count - values->freed_count;
        values->peak_size = values->allocated_size - values->freed_size;
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
    if (reading.result == 0 && !counters->consistent)
        take_live_as_peak(counters);
    if (reading.result != 0) {
        free(counters->values);
        counters->values = NULL;
    }
    return reading.result;
}
