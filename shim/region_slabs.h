/*
 * The region's slabs from within: for region.c and region_fork.c alone.
 */
#ifndef TRACESNAP_SHIM_REGION_SLABS_H
#define TRACESNAP_SHIM_REGION_SLABS_H

#include "shim/region.h"
#include "shim/region_file.h"

#define PAGE 4096u

/* Any thread's, and a forked child's one thread's. */
struct region {
    uint8_t *base;
    uint64_t mapped_size;      /* of `base`; shrinks only while no thread is growing */
    uint64_t committed;        /* bytes from the start; only grows; by compare-and-swap */
    uint64_t table_committed;  /* slab numbers whose table words are backed */
    uint32_t growers;          /* threads inside of commit() */
    uint32_t spare;            /* a slab number + 1 that lost a race, 0 = none */
    uint32_t reuse, reuse_end; /* fork: slabs below reuse_end with an empty table word may be backed
                                  and taken */
    uint32_t refused;
    struct region_file file;
};

extern struct region region;

/* What stands in for the header while there is no region. */
extern struct ts_header region_stand_in;

/* Where the slabs of each kind are (region.c). */
struct region_kind {
    void **slabs;
    uint32_t limit;
    bool inherited; /* copied to a forked child */
};

extern const struct region_kind region_kinds[TS_SLAB_KIND_COUNT];

/* In a slab's address in the directory: its table word is not stored yet (region.c). */
#define CLAIMED ((uintptr_t)1)

/* Backs [from, to) of the mapping at `at` by memory of the file. */
bool region_back(uint8_t *at, uint64_t from, uint64_t to);

/* Maps the file just created and backs its first pieces, up to `end`. NULL on failure. */
uint8_t *region_map_file(uint64_t end);

void region_fill_header(struct ts_header *header);

static inline uint32_t *slab_table(uint8_t *at)
{
    return (uint32_t *)(at + TS_SLAB_TABLE_OFFSET);
}

static inline uint8_t *slab_address(uint8_t *at, uint32_t number)
{
    return at + TS_SLABS_OFFSET + (uint64_t)number * TS_SLAB_SIZE;
}

static inline uint8_t *unclaimed(const void *slab)
{
    return (uint8_t *)((uintptr_t)slab & ~CLAIMED);
}

static inline uint32_t slab_number(const void *slab)
{
    return (uint32_t)((unclaimed(slab) - slab_address(region.base, 0)) / TS_SLAB_SIZE);
}

#endif
