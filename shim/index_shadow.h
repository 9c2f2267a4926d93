/*
 * The shadow of the heap's granules: its layout, and what every allocation and every free does with
 * it. See index.h, which is what others include.
 */
#ifndef TRACESNAP_SHIM_INDEX_SHADOW_H
#define TRACESNAP_SHIM_INDEX_SHADOW_H

#include "region/atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHADOW_LEAF_BITS 22 /* 4 MiB of addresses in a leaf */
#define SHADOW_MIDDLE_BITS 12
#define SHADOW_TOP_BITS 13 /* 47-bit addresses in all */
#define SHADOW_SIZE_LIMIT (1u << 18)

struct shadow_middle {
    uint64_t *leaf[1 << SHADOW_MIDDLE_BITS];
};

struct shadow {
    uint32_t granule_shift;
    bool granules_are_shared; /* blocks may be nearer than a granule */
    uint32_t sweeping;
    struct shadow_middle *top[1 << SHADOW_TOP_BITS];
};

extern struct shadow shadow;

struct block {
    uint64_t size;
    uint32_t context;
    uint32_t generation; /* of the control word when it was allocated */
};

static inline uint64_t *shadow_slot_in(uint64_t *leaf, uintptr_t address)
{
    return leaf + ((address & ((1u << SHADOW_LEAF_BITS) - 1)) >> shadow.granule_shift);
}

/* The word of an address's granule; NULL when there is none (yet). */
static inline uint64_t *shadow_slot(uintptr_t address)
{
    uintptr_t i = address >> (SHADOW_LEAF_BITS + SHADOW_MIDDLE_BITS);
    uintptr_t j = address >> SHADOW_LEAF_BITS & ((1 << SHADOW_MIDDLE_BITS) - 1);
    if (__builtin_expect(i >= 1 << SHADOW_TOP_BITS, 0))
        return NULL;
    struct shadow_middle *middle = ts_load_acquire(&shadow.top[i]);
    uint64_t *leaf = middle ? ts_load_acquire(&middle->leaf[j]) : NULL;
    return leaf ? shadow_slot_in(leaf, address) : NULL;
}

static inline uint64_t shadow_pack(uintptr_t address, const struct block *block)
{
    return (uint64_t)block->context << 36 | block->size << 18 |
           (uint64_t)(block->generation & 0xffff) << 2 | (address >> 3 & 3);
}

static inline struct block shadow_unpack(uint64_t word)
{
    return (struct block){.size = word >> 18 & (SHADOW_SIZE_LIMIT - 1),
                          .context = (uint32_t)(word >> 36),
                          .generation = (uint32_t)(word >> 2) & 0xffff};
}

/* Every block has a context, so that a word of one is never below 1 << 36. */
static inline bool shadow_is_at(uint64_t word, uintptr_t address)
{
    return word != 0 && (word & 3) == (address >> 3 & 3);
}

/*
 * A granule that can hold one block only has one owner, and a plain store does. Where two blocks
 * may lie in it, two threads may find it empty at once. (Emptying it is a plain store in any case:
 * only a block's owner finds it there.)
 */
static inline bool shadow_fill(uint64_t *slot, uint64_t old, uint64_t word)
{
    if (__builtin_expect(shadow.granules_are_shared, 0))
        return ts_cas_acq_rel(slot, &old, word);
    ts_store_relaxed(slot, word);
    return true;
}

#endif
