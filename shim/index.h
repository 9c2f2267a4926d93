/*
 * Live blocks: address -> context, size, generation. Private memory; each block has one owner
 * between malloc's return and free, so entries are written by plain stores.
 *
 * Most blocks live in a shadow of the heap: a word for each granule of 16 or 32 bytes
 * (index_shadow.h). Blocks of glibc are not nearer than that; where those of the next allocator may
 * be, a word is taken by compare-and-swap, and the second block of a granule goes to the other
 * table. Three levels, the last of which covers 4 MiB of addresses. Only pages of the shadow that
 * describe blocks are ever touched.
 *
 * Blocks of 32 KiB and more, colliding ones and those at odd addresses live in index_large.c.
 *
 * Giving memory back: a sweeper sets `shadow.sweeping`, waits until every store made before is
 * visible, and checks that no thread is inside an insertion (shard->inserting). From then on
 * insertions see the flag and go to the large table, so that an empty page stays empty while it is
 * dropped. Removals may go on: they only write where there is a block. Nobody waits for the
 * sweeper, and it waits for nobody: it gives up.
 */
#ifndef TRACESNAP_SHIM_INDEX_H
#define TRACESNAP_SHIM_INDEX_H

#include "shim/counters.h"
#include "shim/index_shadow.h"

/* index_large.c */
bool index_large_insert(const void *address, const struct block *block, struct block *stale);
void index_large_forget(void);
bool index_large_take(const void *address, struct block *block, bool remove);
void index_large_each(void (*visit)(void *closure, const void *address, const struct block *block),
                      void *closure);

/* granule: the smallest distance of two blocks of the next allocator, in bytes. */
bool index_start(size_t granule);

/*
 * Inserts a block; false when there is no memory for it (counted). If a block was known at this
 * address, its free was missed: *stale is that block, else stale->context is 0.
 */
bool index_insert(struct shard *shard, const void *address, const struct block *block,
                  struct block *stale);

/* Around a write to the shadow. False: a sweeper is at work, and the block goes elsewhere. */
static inline bool index_begin(struct shard *shard)
{
    ts_store_relaxed(&shard->inserting, 1);
    /* The processor may delay that store, the compiler not: the sweeper waits for the former. */
    __asm__ volatile("" ::: "memory");
    return !ts_load_acquire(&shadow.sweeping);
}

static inline void index_end(struct shard *shard)
{
    ts_store_release(&shard->inserting, 0);
}

/* Whether a block may be written to slot: no other is in its way. wide: two words of one leaf. */
static inline bool index_is_clear(const uint32_t *slot, uintptr_t address, bool wide)
{
    if (ts_load_relaxed(slot) != 0)
        return false;
    return !wide || ((address + (1u << shadow.granule_shift)) >> SHADOW_LEAF_BITS ==
                         address >> SHADOW_LEAF_BITS &&
                     !(ts_load_relaxed(slot + 1) & SHADOW_START));
}

/* The twin of a granule that is taken, if a block of this class may have it; else NULL. */
static inline uint32_t *index_twin(uint32_t *slot, uint32_t class)
{
    uint32_t *twin = slot + shadow.twin;
    bool may = class != 0 && twin != slot && (ts_load_relaxed(slot) & SHADOW_START) != 0;
    return may && ts_load_relaxed(twin) == 0 ? twin : NULL;
}

/* Writes a block to a slot that was found clear; class: 0 = it is wide. False: another thread took
 * the granule, or a sweeper is at work. */
static inline __attribute__((always_inline)) bool index_put(struct shard *shard, uint32_t *slot,
                                                            uintptr_t address,
                                                            const struct block *block,
                                                            uint32_t class)
{
    bool here = likely(index_begin(shard)) && shadow_put(slot, address, block, class);
    index_end(shard);
    return here;
}

static inline __attribute__((always_inline)) bool index_put_small(struct shard *shard,
                                                                  uint32_t *slot, uintptr_t address,
                                                                  uint32_t class, uint64_t control)
{
    bool here =
        likely(index_begin(shard)) && shadow_fill(slot, shadow_small(address, class, control));
    index_end(shard);
    return here;
}

/* Inserts a block in the shadow, whose class may be asked for. False: nothing was done. */
bool index_try(struct shard *shard, uintptr_t address, uint32_t context, struct class_hint *hint,
               size_t size, uint64_t control);

/* Takes the block whose word was found in slot out. */
static inline void index_clear(uint32_t *slot, uint32_t word)
{
    ts_store_release(slot, 0);
    if (word & SHADOW_WIDE)
        ts_store_relaxed(slot + 1, 0);
}

/* The word of the block at address, and where it is; 0 when none is in the shadow. */
static inline uint32_t index_word(uintptr_t address, uint32_t **slot)
{
    *slot = address & 7 ? NULL : shadow_slot(address);
    uint32_t word = *slot != NULL ? ts_load_relaxed(*slot) : 0;
    if (likely(shadow_is_at(word, address)))
        return word;
    if (shadow.twin == 0 || *slot == NULL)
        return 0;
    *slot += shadow.twin;
    word = ts_load_relaxed(*slot);
    return shadow_is_at(word, address) ? word : 0;
}

/* The block at address; remove: takes it out. False when none is known there. */
bool index_take(const void *address, struct block *block, bool remove);

/* The block at address, left where it is. */
bool index_find(const void *address, struct block *block);

/* Calls visit for every block. Other threads may insert and remove meanwhile; those blocks are seen
 * or not. */
void index_each(void (*visit)(void *closure, const void *address, const struct block *block),
                void *closure);

/* Throws away the blocks of generations long past, while others insert and remove. */
void index_forget(void);

/* Gives back pages that describe no block. */
void index_sweep(void);

/* In a forked child: nobody is sweeping. */
void index_forked(void);

#endif
