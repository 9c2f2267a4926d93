/*
 * The shadow of the heap's granules: its layout, and what every allocation and every free does with
 * it. See index.h, which is what others include.
 *
 * A granule has a word of 32 bits. The word of the granule that a block begins in:
 *
 *     31            12 11    4 3     2   1      0
 *     +---------------+-------+-------+------+-------+
 *     |     class     |  era  |       |      |       |
 *     +---------------+-------+ place | wide | start |
 *     |      28 low bits      |       |      |       |
 *     +-----------------------+-------+------+-------+
 *
 * start = 1: a block begins here; place = (address >> 3) & 3. A block of two granules or more has
 * the next granule to itself: it is wide, and what is known of it (packed_block, 59 bits) lies in
 * both words, the second one shifted by one, so that its start bit is 0. Of a smaller block the
 * word holds the class (classes.h) and the lower bits of the generation, its era: blocks of so many
 * generations ago that the era comes round were thrown away before (index_forget).
 *
 * Where granules are of 32 bytes, two small blocks of CPython's pymalloc may lie in one. The second
 * has its word in the granule's twin, behind the leaf's words; who holds the interpreter's lock
 * owns both. A twin is looked at only where the word itself is another block's.
 *
 * A second word belongs to the first before it: both are taken together. Writer: the block's owner,
 * and who finds a block whose free was missed in its way (index.c). The second word is written
 * before the first, and cleared after it.
 */
#ifndef TRACESNAP_SHIM_INDEX_SHADOW_H
#define TRACESNAP_SHIM_INDEX_SHADOW_H

#include "region/atomic.h"
#include "shim/classes.h"
#include "shim/own.h"
#include "shim/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHADOW_LEAF_BITS 22 /* 4 MiB of addresses in a leaf */
#define SHADOW_MIDDLE_BITS 12
#define SHADOW_TOP_BITS 13           /* 47-bit addresses in all */
#define SHADOW_SIZE_LIMIT (1u << 15) /* a page of the shadow is for 32 KiB: not for one block */

#define SHADOW_START 1u
#define SHADOW_WIDE 2u
#define SHADOW_PLACE(address) ((uint32_t)((address) >> 1) & 3u << 2)
#define SHADOW_BITS 28
#define SHADOW_CLASS_SHIFT 12
#define SHADOW_ERA_SHIFT 4
#define SHADOW_ERA_MASK 0xffu
#define SHADOW_ERA_BITS (SHADOW_ERA_MASK << SHADOW_ERA_SHIFT)
_Static_assert(REGION_GENERATIONS_KEPT <= (SHADOW_ERA_MASK + 1) / 4, "eras must not come round");
#define SHADOW_CONTEXT_BITS 26 /* 28 + 31 bits, less those of size and generation */

struct shadow_middle {
    uint32_t *leaf[1 << SHADOW_MIDDLE_BITS];
};

struct shadow {
    uint32_t granule_shift;
    uint32_t wide_from;       /* bytes: two granules */
    bool granules_are_shared; /* blocks may be nearer than a granule */
    uint32_t twin;            /* how far a granule's twin is from its word; 0 = there are none */
    uint32_t sweeping;
    struct shadow_middle *top[1 << SHADOW_TOP_BITS];
};

SHIM_OWN struct shadow shadow;

struct block {
    uint64_t size;
    uint32_t context;    /* below TS_CONTEXTS_LIMIT, and sampling's bits (sample.h) */
    uint32_t generation; /* of the control word when it was allocated */
};

/* What a stack's last small block was, so that the next one need not ask for its class. */
struct class_hint {
    uint32_t class; /* 0 = none */
    uint32_t size;
};

/* The granule's number in its leaf. */
static inline uint32_t shadow_granule(uintptr_t address)
{
    return (uint32_t)(address & ((1u << SHADOW_LEAF_BITS) - 1)) >> shadow.granule_shift;
}

/* The word of an address's granule; NULL when there is none (yet). */
static inline uint32_t *shadow_slot(uintptr_t address)
{
    uintptr_t i = address >> (SHADOW_LEAF_BITS + SHADOW_MIDDLE_BITS);
    uintptr_t j = address >> SHADOW_LEAF_BITS & ((1 << SHADOW_MIDDLE_BITS) - 1);
    if (__builtin_expect(i >= 1 << SHADOW_TOP_BITS, 0))
        return NULL;
    struct shadow_middle *middle = ts_load_acquire(&shadow.top[i]);
    uint32_t *leaf = middle ? ts_load_acquire(&middle->leaf[j]) : NULL;
    return leaf ? leaf + shadow_granule(address) : NULL;
}

/* What a small block's class is: all but its generation. */
static inline packed_block shadow_class(const struct block *block)
{
    return (uint64_t)block->context << 33 | block->size << 15;
}

static inline packed_block shadow_pack(const struct block *block)
{
    return shadow_class(block) | block->generation;
}

static inline struct block shadow_unpack(packed_block packed)
{
    return (struct block){.size = packed >> 15 & (SHADOW_SIZE_LIMIT - 1),
                          .context = (uint32_t)(packed >> 33),
                          .generation = (uint32_t)packed & 0x7fff};
}

/* Of an address that is a multiple of 8: bit 0 of address >> 1 is 0. */
static inline bool shadow_is_at(uint32_t word, uintptr_t address)
{
    return ((word ^ (uint32_t)(address >> 1)) & (SHADOW_START | 3u << 2)) == SHADOW_START;
}

/* The era of the present generation where a small block's word has it. */
static inline uint32_t shadow_era(uint64_t control)
{
    return TS_CONTROL_GENERATION(control) << SHADOW_ERA_SHIFT & SHADOW_ERA_BITS;
}

/* A small block's first and only word. */
static inline uint32_t shadow_small(uintptr_t address, uint32_t class, uint64_t control)
{
    return SHADOW_START | SHADOW_PLACE(address) | class << SHADOW_CLASS_SHIFT | shadow_era(control);
}

/* The block whose first word was found in slot. */
static inline packed_block shadow_get(const uint32_t *slot, uint32_t word)
{
    if (word & SHADOW_WIDE)
        return (uint64_t)(ts_load_relaxed(slot + 1) >> 1) << SHADOW_BITS | word >> 4;
    uint32_t now = TS_CONTROL_GENERATION(ts_load_acquire(&region_header->control));
    uint32_t ago = (now - (word >> 4)) & SHADOW_ERA_MASK;
    return classes_get(word >> SHADOW_CLASS_SHIFT) | ((now - ago) & 0x7fff);
}

/*
 * A granule that can hold one block only has one owner, and a plain store does. Where two blocks
 * may lie in it, two threads may find it empty at once. (Emptying it is a plain store in any case:
 * only a block's owner finds it there.)
 */
static inline bool shadow_fill(uint32_t *slot, uint32_t word)
{
    uint32_t old = 0;
    if (__builtin_expect(shadow.granules_are_shared, 0))
        return ts_cas_acq_rel(slot, &old, word);
    ts_store_release(slot, word);
    return true;
}

/* Writes a block where no other is, found to be so. False: another thread took the granule. */
static inline bool shadow_put(uint32_t *slot, uintptr_t address, const struct block *block,
                              uint32_t class)
{
    uint32_t word = SHADOW_START | SHADOW_PLACE(address);
    if (class != 0)
        return shadow_fill(slot, word | class << SHADOW_CLASS_SHIFT |
                                     (block->generation & SHADOW_ERA_MASK) << 4);
    packed_block packed = shadow_pack(block);
    ts_store_relaxed(slot + 1, (uint32_t)(packed >> SHADOW_BITS) << 1);
    if (shadow_fill(slot, word | SHADOW_WIDE | (uint32_t)packed << 4))
        return true;
    ts_store_relaxed(slot + 1, 0);
    return false;
}

#endif
