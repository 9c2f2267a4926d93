/*
 * Live blocks in a shadow of the heap's granules. See index.h.
 */
#include "shim/index.h"
#include "shim/region.h"
#include "shim/system.h"

#define LEAF_BITS 22 /* 4 MiB of addresses in a leaf */
#define MIDDLE_BITS 12
#define TOP_BITS 13 /* 47-bit addresses in all */
#define SIZE_LIMIT (1u << 18)
#define PAGE 4096u
#define VISIBLE_AFTER                                                                              \
    20000 /* pauses, some 0.3 ms: stores leave a processor's buffer within a microsecond */

struct middle {
    uint64_t *leaf[1 << MIDDLE_BITS];
};

static struct middle *top[1 << TOP_BITS];
static unsigned granule_shift;
static bool granules_are_shared; /* blocks may be nearer than a granule */
static uint32_t index_sweeping;

bool index_start(size_t granule)
{
    granule_shift = granule >= 32 ? 5 : 4;
    granules_are_shared = granule < 16;
    return true;
}

static size_t leaf_bytes(void)
{
    return ((size_t)1 << (LEAF_BITS - granule_shift)) * sizeof(uint64_t);
}

/* Maps what is missing; the loser of a race gives its piece back. */
static void *make(void **where, size_t size)
{
    void *made = memory_map(size, false), *found = NULL;
    if (made == NULL)
        return ts_load_acquire(where);
    if (ts_cas_acq_rel(where, &found, made))
        return made;
    memory_unmap(made, size);
    return found;
}

static inline uint64_t *slot_in(uint64_t *leaf, uintptr_t address)
{
    return leaf + ((address & ((1u << LEAF_BITS) - 1)) >> granule_shift);
}

/* The word of an address's granule; NULL when there is none (yet). */
static inline uint64_t *slot_of(uintptr_t address)
{
    if (address >> (LEAF_BITS + MIDDLE_BITS + TOP_BITS))
        return NULL;
    struct middle *middle = ts_load_acquire(&top[address >> (LEAF_BITS + MIDDLE_BITS)]);
    uint64_t *leaf =
        middle ? ts_load_acquire(&middle->leaf[address >> LEAF_BITS & ((1 << MIDDLE_BITS) - 1)])
               : NULL;
    return leaf ? slot_in(leaf, address) : NULL;
}

static __attribute__((noinline)) uint64_t *make_slot(uintptr_t address)
{
    if (address >> (LEAF_BITS + MIDDLE_BITS + TOP_BITS))
        return NULL;
    void **where = (void **)&top[address >> (LEAF_BITS + MIDDLE_BITS)];
    struct middle *middle = ts_load_acquire(where);
    if (middle == NULL && (middle = make(where, sizeof *middle)) == NULL)
        return NULL;
    where = (void **)&middle->leaf[address >> LEAF_BITS & ((1 << MIDDLE_BITS) - 1)];
    uint64_t *leaf = ts_load_acquire(where);
    if (leaf == NULL && (leaf = make(where, leaf_bytes())) == NULL)
        return NULL;
    return slot_in(leaf, address);
}

static uint64_t pack(uintptr_t address, const struct block *block)
{
    return (uint64_t)block->context << 36 | block->size << 18 |
           (uint64_t)(block->generation & 0xffff) << 2 | (address >> 3 & 3);
}

static struct block unpack(uint64_t word)
{
    return (struct block){.size = word >> 18 & (SIZE_LIMIT - 1),
                          .context = (uint32_t)(word >> 36),
                          .generation = (uint32_t)(word >> 2) & 0xffff};
}

static inline bool is_at(uint64_t word, uintptr_t address)
{
    return word != 0 && (word & 3) == (address >> 3 & 3);
}

/*
 * A granule that can hold one block only has one owner, and a plain store does. Where two blocks
 * may lie in it, two threads may find it empty at once. (Emptying it is a plain store in any case:
 * only a block's owner finds it there.)
 */
static inline bool fill(uint64_t *slot, uint64_t old, uint64_t word)
{
    if (__builtin_expect(granules_are_shared, 0))
        return ts_cas_acq_rel(slot, &old, word);
    ts_store_relaxed(slot, word);
    return true;
}

/* False: not here, try the large table. */
static bool insert_small(struct shard *shard, uintptr_t address, const struct block *block,
                         struct block *stale)
{
    uint64_t *slot = slot_of(address);
    if (__builtin_expect(slot == NULL, 0) && (slot = make_slot(address)) == NULL)
        return false;
    ts_store_relaxed(&shard->inserting, 1);
    /* The processor may delay that store, the compiler not: the sweeper waits for the former. */
    __asm__ volatile("" ::: "memory");
    bool here = !ts_load_acquire(&index_sweeping);
    if (here) {
        uint64_t old = ts_load_relaxed(slot);
        here = (old == 0 || is_at(old, address)) && fill(slot, old, pack(address, block));
        if (__builtin_expect(here && old != 0, 0))
            *stale = unpack(old);
    }
    ts_store_release(&shard->inserting, 0);
    return here;
}

bool index_insert(struct shard *shard, const void *address, const struct block *block,
                  struct block *stale)
{
    stale->context = 0;
    if (__builtin_expect(block->size < SIZE_LIMIT && ((uintptr_t)address & 7) == 0, 1) &&
        insert_small(shard, (uintptr_t)address, block, stale))
        return true;
    if (index_large_insert(address, block, stale))
        return true;
    region_drop(TS_DROP_NO_INDEX);
    return false;
}

static bool take(const void *pointer, struct block *block, bool remove)
{
    uintptr_t address = (uintptr_t)pointer;
    uint64_t *slot = address & 7 ? NULL : slot_of(address);
    uint64_t word = slot ? ts_load_relaxed(slot) : 0;
    if (__builtin_expect(!is_at(word, address), 0))
        return index_large_take(pointer, block, remove);
    *block = unpack(word);
    if (remove)
        ts_store_relaxed(slot, 0);
    return true;
}

bool index_remove(const void *address, struct block *block)
{
    return take(address, block, true);
}

bool index_find(const void *address, struct block *block)
{
    return take(address, block, false);
}

/* Calls visit_leaf for every leaf with the address that it begins at. */
static void each_leaf(void (*visit_leaf)(void *closure, uint64_t *leaf, uintptr_t from),
                      void *closure)
{
    for (uintptr_t i = 0; i < 1 << TOP_BITS; i++) {
        struct middle *middle = ts_load_acquire(&top[i]);
        for (uintptr_t j = 0; middle != NULL && j < 1 << MIDDLE_BITS; j++) {
            uint64_t *leaf = ts_load_acquire(&middle->leaf[j]);
            if (leaf != NULL)
                visit_leaf(closure, leaf, (i << MIDDLE_BITS | j) << LEAF_BITS);
        }
    }
}

struct each {
    void (*visit)(void *closure, const void *address, const struct block *block);
    void *closure;
};

static void visit_blocks(void *closure, uint64_t *leaf, uintptr_t from)
{
    const struct each *each = closure;
    for (size_t i = 0; i < leaf_bytes() / sizeof *leaf; i++) {
        uint64_t word = ts_load_relaxed(&leaf[i]);
        if (word == 0)
            continue;
        struct block block = unpack(word);
        uintptr_t address = from + (i << granule_shift) + ((word & 3) << 3);
        if (granule_shift == 4)
            address = from + (i << 4) + ((word & 1) << 3);
        each->visit(each->closure, (const void *)address, &block);
    }
}

void index_each(void (*visit)(void *closure, const void *address, const struct block *block),
                void *closure)
{
    struct each each = {visit, closure};
    each_leaf(visit_blocks, &each);
    index_large_each(visit, closure);
}

static bool page_empty(const uint64_t *page)
{
    uint64_t all = 0;
    for (size_t i = 0; i < PAGE / sizeof *page; i++)
        all |= ts_load_relaxed(&page[i]);
    return all == 0;
}

static void sweep_leaf(void *closure, uint64_t *leaf, uintptr_t from)
{
    (void)closure, (void)from;
    size_t pages = leaf_bytes() / PAGE, first = 0;
    while (first < pages) {
        size_t end = first;
        while (end < pages && page_empty(leaf + end * (PAGE / sizeof *leaf)))
            end++;
        if (end > first)
            sys_madvise(leaf + first * (PAGE / sizeof *leaf), (end - first) * PAGE, MADV_DONTNEED);
        first = end + 1;
    }
}

void index_sweep(void)
{
    uint32_t nobody = 0;
    if (!ts_cas_acq_rel(&index_sweeping, &nobody, 1))
        return;
    for (int i = 0; i < VISIBLE_AFTER; i++)
        __builtin_ia32_pause();
    if (!shards_any_inserting())
        each_leaf(sweep_leaf, NULL);
    ts_store_release(&index_sweeping, 0);
}

/* By compare-and-swap: a block that its owner removes or inserts meanwhile is its affair. */
static void forget_in(void *closure, uint64_t *leaf, uintptr_t from)
{
    (void)closure, (void)from;
    for (size_t i = 0; i < leaf_bytes() / sizeof *leaf; i++) {
        uint64_t word = ts_load_relaxed(&leaf[i]);
        if (word != 0 && region_is_long_past(unpack(word).generation))
            ts_cas_acq_rel(&leaf[i], &word, 0);
    }
}

void index_forget(void)
{
    each_leaf(forget_in, NULL);
    index_large_forget();
}

void index_forked(void)
{
    index_sweeping = 0;
}
