/*
 * Live blocks: address -> context, size, generation. Private memory; each block has one owner
 * between malloc's return and free, so entries are written by plain stores.
 *
 * Small blocks live in a shadow of the heap: one 8-byte word for each granule of 16 or 32 bytes.
 * Blocks of glibc are not nearer than that; where those of the next allocator may be, a word is
 * taken by compare-and-swap, and the second block of a granule goes to the other table.
 * Three levels, the last of which covers 4 MiB of addresses. Only pages of the shadow that describe
 * blocks are ever touched.
 *
 *     63          36 35      18 17            2 1     0
 *     +-------------+----------+---------------+-------+
 *     |   context   |   size   |  generation   | place |
 *     +-------------+----------+---------------+-------+
 *
 * place = (address >> 3) & 3; word 0 = no block.
 *
 * Blocks of 256 KiB and more, colliding ones and those at odd addresses live in index_large.c.
 *
 * Giving memory back: a sweeper sets `index_sweeping`, waits until every store made before is
 * visible, and checks that no thread is inside an insertion (shard->inserting). From then on
 * insertions see the flag and go to the large table, so that an empty page stays empty while it is
 * dropped. Removals may go on: they only write where there is a block. Nobody waits for the
 * sweeper, and it waits for nobody: it gives up.
 */
#ifndef TRACESNAP_SHIM_INDEX_H
#define TRACESNAP_SHIM_INDEX_H

#include "shim/counters.h"

struct block {
    uint64_t size;
    uint32_t context;
    uint32_t generation; /* of the control word when it was allocated */
};

/* granule: the smallest distance of two blocks of the next allocator, in bytes. */
bool index_start(size_t granule);

/*
 * Inserts a block; false when there is no memory for it (counted). If a block was known at this
 * address, its free was missed: *stale is that block, else stale->context is 0.
 */
bool index_insert(struct shard *shard, const void *address, const struct block *block,
                  struct block *stale);

/* Removes the block at address; false when none is known there. */
bool index_remove(const void *address, struct block *block);

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

/* index_large.c */
bool index_large_insert(const void *address, const struct block *block, struct block *stale);
void index_large_forget(void);
bool index_large_take(const void *address, struct block *block, bool remove);
void index_large_each(void (*visit)(void *closure, const void *address, const struct block *block),
                      void *closure);

#endif
