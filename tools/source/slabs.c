/*
 * The arrays of a region, found through its slab table and copied once to private memory. They are
 * read with pread: reading a hole through a mapping would make the file system fill it.
 *
 * The cursors in the header are not used: a slab that is published is read whole, and a record that
 * was never written is zeros, which every record understands as "not published".
 */
#include "tools/source/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void slabs_free(struct slabs *slabs)
{
    free(slabs->number);
    *slabs = (struct slabs){0};
}

uint64_t slab_offset(const struct slabs *slabs, uint32_t ordinal)
{
    return TS_SLABS_OFFSET + (uint64_t)(slabs->number[ordinal] - 1) * TS_SLAB_SIZE;
}

/* A slab counts when it lies in the file; of two with one ordinal the first counts. */
static void note_slab(struct slabs *slabs, uint32_t number, uint32_t word)
{
    uint32_t ordinal = TS_SLAB_ORDINAL(word);
    if (ordinal >= TS_SLABS_MAX || slabs->number[ordinal] != 0)
        return;
    slabs->number[ordinal] = number + 1;
    if (ordinal >= slabs->count)
        slabs->count = ordinal + 1;
}

int slabs_find(struct slabs *slabs, const struct source_file *file, enum ts_slab_kind kind,
               struct error *error)
{
    struct stat status;
    uint32_t *table = malloc(TS_SLABS_MAX * sizeof(*table));
    *slabs = (struct slabs){.number = calloc(TS_SLABS_MAX, sizeof(*slabs->number))};
    if (table == NULL || slabs->number == NULL) {
        free(table);
        slabs_free(slabs);
        return error_set(error, "out of memory for the slab table of '%s'", file->path);
    }
    int result = 0;
    if (file_read(file->fd, table, TS_SLABS_MAX * sizeof(*table), TS_SLAB_TABLE_OFFSET) != 0 ||
        fstat(file->fd, &status) != 0)
        result =
            error_set(error, "region '%s' is truncated: its slab table is incomplete", file->path);
    for (uint32_t i = 0; result == 0 && i < TS_SLABS_MAX; i++) {
        if (TS_SLAB_KIND(table[i]) != (uint32_t)kind)
            continue;
        if (TS_SLABS_OFFSET + (uint64_t)(i + 1) * TS_SLAB_SIZE > (uint64_t)status.st_size)
            result = error_set(error, "region '%s' is truncated: slab %u lies beyond its end",
                               file->path, i);
        else
            note_slab(slabs, i, table[i]);
    }
    free(table);
    if (result != 0)
        slabs_free(slabs);
    return result;
}

static bool is_zero(const char *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

int records_read(struct records *records, const struct source_file *file, enum ts_slab_kind kind,
                 size_t record_size, uint32_t limit, struct error *error)
{
    struct slabs slabs;
    char slab[TS_SLAB_SIZE];
    *records = (struct records){0};
    if (slabs_find(&slabs, file, kind, error) != 0)
        return -1;
    size_t per_slab = TS_SLAB_SIZE / record_size;
    size_t pieces = slabs.count < limit / per_slab ? slabs.count : limit / per_slab;
    /* calloc and the test for zeros: a file of holes costs address space, not memory. */
    char *at = calloc(pieces != 0 ? pieces : 1, TS_SLAB_SIZE);
    int result =
        at != NULL ? 0 : error_set(error, "out of memory for the records of '%s'", file->path);
    for (uint32_t i = 0; result == 0 && i < pieces; i++) {
        if (slabs.number[i] == 0)
            continue;
        if (file_read(file->fd, slab, sizeof(slab), slab_offset(&slabs, i)) != 0)
            result = error_set(
                error, "region '%s' is truncated: it became shorter while it was read", file->path);
        else if (!is_zero(slab, sizeof(slab)))
            memcpy(at + (size_t)i * TS_SLAB_SIZE, slab, sizeof(slab));
    }
    slabs_free(&slabs);
    if (result != 0) {
        free(at);
        return -1;
    }
    *records = (struct records){.at = at, .count = (uint32_t)(pieces * per_slab)};
    return 0;
}
