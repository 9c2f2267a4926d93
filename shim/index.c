/*
 * Live blocks in a shadow of the heap's granules. See index.h.
 */
#include "shim/index.h"
#include "shim/region.h"
#include "shim/system.h"

#define PAGE 4096u
#define VISIBLE_AFTER                                                                              \
    20000 /* pauses, some 0.3 ms: stores leave a processor's buffer within a microsecond */

struct shadow shadow;

bool index_start(size_t granule)
{
    shadow.granule_shift = granule >= 32 ? 5 : 4;
    shadow.granules_are_shared = granule < 16;
    return true;
}

static size_t leaf_bytes(void)
{
    return ((size_t)1 << (SHADOW_LEAF_BITS - shadow.granule_shift)) * sizeof(uint64_t);
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

static __attribute__((noinline)) uint64_t *make_slot(uintptr_t address)
{
    if (address >> (SHADOW_LEAF_BITS + SHADOW_MIDDLE_BITS + SHADOW_TOP_BITS))
        return NULL;
    void **where = (void **)&shadow.top[address >> (SHADOW_LEAF_BITS + SHADOW_MIDDLE_BITS)];
    struct shadow_middle *middle = ts_load_acquire(where);
    if (middle == NULL && (middle = make(where, sizeof *middle)) == NULL)
        return NULL;
    where = (void **)&middle->leaf[address >> SHADOW_LEAF_BITS & ((1 << SHADOW_MIDDLE_BITS) - 1)];
    uint64_t *leaf = ts_load_acquire(where);
    if (leaf == NULL && (leaf = make(where, leaf_bytes())) == NULL)
        return NULL;
    return shadow_slot_in(leaf, address);
}

/* False: not here, try the large table. */
static inline bool insert_small(struct shard *shard, uintptr_t address, const struct block *block,
                                struct block *stale)
{
    uint64_t *slot = shadow_slot(address);
    if (__builtin_expect(slot == NULL, 0) && (slot = make_slot(address)) == NULL)
        return false;
    ts_store_relaxed(&shard->inserting, 1);
    /* The processor may delay that store, the compiler not: the sweeper waits for the former. */
    __asm__ volatile("" ::: "memory");
    bool here = !ts_load_acquire(&shadow.sweeping);
    if (here) {
        uint64_t old = ts_load_relaxed(slot);
        here = (old == 0 || shadow_is_at(old, address)) &&
               shadow_fill(slot, old, shadow_pack(address, block));
        if (__builtin_expect(here && old != 0, 0))
            *stale = shadow_unpack(old);
    }
    ts_store_release(&shard->inserting, 0);
    return here;
}

__attribute__((noinline)) bool index_insert_slowly(struct shard *shard, const void *address,
                                                   const struct block *block, struct block *stale)
{
    if (block->size < SHADOW_SIZE_LIMIT && ((uintptr_t)address & 7) == 0 &&
        insert_small(shard, (uintptr_t)address, block, stale))
        return true;
    if (index_large_insert(address, block, stale))
        return true;
    region_drop(TS_DROP_NO_INDEX);
    return false;
}

bool index_find(const void *address, struct block *block)
{
    return index_take(address, block, false);
}

/* Calls visit_leaf for every leaf with the address that it begins at. */
static void each_leaf(void (*visit_leaf)(void *closure, uint64_t *leaf, uintptr_t from),
                      void *closure)
{
    for (uintptr_t i = 0; i < 1 << SHADOW_TOP_BITS; i++) {
        struct shadow_middle *middle = ts_load_acquire(&shadow.top[i]);
        for (uintptr_t j = 0; middle != NULL && j < 1 << SHADOW_MIDDLE_BITS; j++) {
            uint64_t *leaf = ts_load_acquire(&middle->leaf[j]);
            if (leaf != NULL)
                visit_leaf(closure, leaf, (i << SHADOW_MIDDLE_BITS | j) << SHADOW_LEAF_BITS);
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
        struct block block = shadow_unpack(word);
        uintptr_t address = from + (i << shadow.granule_shift) + ((word & 3) << 3);
        if (shadow.granule_shift == 4)
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
    if (!ts_cas_acq_rel(&shadow.sweeping, &nobody, 1))
        return;
    for (int i = 0; i < VISIBLE_AFTER; i++)
        __builtin_ia32_pause();
    if (!shards_any_inserting())
        each_leaf(sweep_leaf, NULL);
    ts_store_release(&shadow.sweeping, 0);
}

/* By compare-and-swap: a block that its owner removes or inserts meanwhile is its affair. */
static void forget_in(void *closure, uint64_t *leaf, uintptr_t from)
{
    (void)closure, (void)from;
    for (size_t i = 0; i < leaf_bytes() / sizeof *leaf; i++) {
        uint64_t word = ts_load_relaxed(&leaf[i]);
        if (word != 0 && region_is_long_past(shadow_unpack(word).generation))
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
    shadow.sweeping = 0;
}
