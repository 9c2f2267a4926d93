/*
 * Address ranges that nest (functions and what is inlined into them; units), made into one sorted
 * array in which the innermost range of an address is found by one binary search.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_RANGES_H
#define TRACESNAP_TOOLS_SYMBOL_RANGES_H

#include <stddef.h>
#include <stdint.h>

#define RANGE_NONE UINT32_MAX

struct range {
    uint64_t low, high; /* high is behind the last address */
    uint32_t value;     /* what it stands for; of equal ranges the greatest is the innermost */
};

/* From `start` up to the next segment's start; RANGE_NONE where no range is. */
struct segment {
    uint32_t start; /* from the base */
    uint32_t value;
};

/*
 * 4 GiB from the lowest range on: what lies further away (which no linker does to code) is left
 * out.
 */
struct segments {
    uint64_t base;
    struct segment *items;
    size_t count;
};

/*
 * Flattens `count` ranges, which are reordered. Where two overlap without nesting, the one that
 * starts later is taken for the inner one. The array of segments is the caller's to free.
 */
struct segments ranges_flatten(struct range *ranges, size_t count);

/* The segment that holds the address, or NULL. */
const struct segment *segments_find(const struct segments *segments, uint64_t address);

static inline uint64_t segment_start(const struct segments *segments, const struct segment *segment)
{
    return segments->base + segment->start;
}

#endif
