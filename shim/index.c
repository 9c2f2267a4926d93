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
    shadow.wide_from = 2u << shadow.granule_shift;
    shadow.granules_are_shared = granule < 16;
    shadow.twin = granule >= 32 ? 1u << (SHADOW_LEAF_BITS - shadow.granule_shift) : 0;
    return classes_start();
}

/* Twins included. */
static size_t leaf_words(void)
{
    return ((size_t)1 << (SHADOW_LEAF_BITS - shadow.granule_shift)) + shadow.twin;
}

static size_t leaf_bytes(void)
{
    return leaf_words() * sizeof(uint32_t);
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

static __attribute__((noinline)) uint32_t *make_slot(uintptr_t address)
{
    if (address >> (SHADOW_LEAF_BITS + SHADOW_MIDDLE_BITS + SHADOW_TOP_BITS))
        return NULL;
    void **where = (void **)&shadow.top[address >> (SHADOW_LEAF_BITS + SHADOW_MIDDLE_BITS)];
    struct shadow_middle *middle = ts_load_acquire(where);
    if (middle == NULL && (middle = make(where, sizeof *middle)) == NULL)
        return NULL;
    where = (void **)&middle->leaf[address >> SHADOW_LEAF_BITS & ((1 << SHADOW_MIDDLE_BITS) - 1)];
    uint32_t *leaf = ts_load_acquire(where);
    if (leaf == NULL && (leaf = make(where, leaf_bytes())) == NULL)
        return NULL;
    return leaf + shadow_granule(address);
}

/*
 * Blocks whose free was missed (it went to the next allocator by another name) give way: the one at
 * this very address, and a wide one whose second granule this is. Any other block in the way is the
 * second one of a granule. Returns the block that gave way, if its context is not 0.
 */
static struct block make_way(uint32_t *slot, uintptr_t address)
{
    struct block was = {0};
    uint32_t word = ts_load_acquire(slot); /* it may be another thread's: its class, too */
    if (word == 0 || ((word & SHADOW_START) && !shadow_is_at(word, address)))
        return was;
    if (!(word & SHADOW_START) && shadow_granule(address) != 0) {
        uint32_t before = ts_load_relaxed(slot - 1);
        if ((before & (SHADOW_START | SHADOW_WIDE)) != (SHADOW_START | SHADOW_WIDE)) {
            ts_store_relaxed(slot, 0); /* of a block that index_forget threw away */
            return was;
        }
        slot--;
        word = before;
    }
    was = shadow_unpack(shadow_get(slot, word));
    index_clear(slot, word);
    return was;
}

/* False: not here, try the large table. */
static bool insert_in_shadow(struct shard *shard, uintptr_t address, const struct block *block,
                             uint32_t class, struct block *stale)
{
    uint32_t *slot = shadow_slot(address);
    if (slot == NULL && (slot = make_slot(address)) == NULL)
        return false;
    bool here = index_begin(shard);
    if (here) {
        struct block was = make_way(slot, address);
        if (was.context != 0)
            *stale = was;
        if (!index_is_clear(slot, address, class == 0))
            slot = index_twin(slot, class);
        here = slot != NULL && shadow_put(slot, address, block, class);
    }
    index_end(shard);
    return here;
}

/* The class of a small block; 0 when there is none yet. */
static uint32_t find_class(const struct block *block, struct class_hint *hint)
{
    if (hint->size == block->size && hint->class != 0)
        return hint->class;
    uint32_t class = classes_find(shadow_class(block));
    /* A signal handler may leave by longjmp at any of these. */
    ts_store_release(&hint->class, 0);
    ts_store_release(&hint->size, (uint32_t)block->size);
    ts_store_release(&hint->class, class);
    return class;
}

bool index_try(struct shard *shard, uintptr_t address, uint32_t context, struct class_hint *hint,
               size_t size, uint64_t control)
{
    struct block block = {size, context, TS_CONTROL_GENERATION(control)};
    bool small = size < shadow.wide_from;
    uint32_t class = small ? find_class(&block, hint) : 0;
    uint32_t *slot = shadow_slot(address);
    if (size >= SHADOW_SIZE_LIMIT || slot == NULL || (small && class == 0))
        return false;
    if (!index_is_clear(slot, address, class == 0))
        slot = index_twin(slot, class);
    return slot != NULL && index_put(shard, slot, address, &block, class);
}

bool index_insert(struct shard *shard, const void *address, const struct block *block,
                  struct block *stale)
{
    bool small = block->size < shadow.wide_from;
    uint32_t class = small ? classes_of(shadow_class(block)) : 0;
    stale->context = 0;
    if (block->size < SHADOW_SIZE_LIMIT && ((uintptr_t)address & 7) == 0 &&
        (class != 0 || !small) && insert_in_shadow(shard, (uintptr_t)address, block, class, stale))
        return true;
    if (index_large_insert(address, block, stale))
        return true;
    region_drop(TS_DROP_NO_INDEX);
    return false;
}

bool index_take(const void *address, struct block *block, bool remove)
{
    uint32_t *slot, word = index_word((uintptr_t)address, &slot);
    if (word == 0)
        return index_large_take(address, block, remove);
    *block = shadow_unpack(shadow_get(slot, word));
    if (remove)
        index_clear(slot, word);
    return true;
}

bool index_find(const void *address, struct block *block)
{
    return index_take(address, block, false);
}

/* Calls visit_leaf for every leaf with the address that it begins at. */
static void each_leaf(void (*visit_leaf)(void *closure, uint32_t *leaf, uintptr_t from),
                      void *closure)
{
    for (uintptr_t i = 0; i < 1 << SHADOW_TOP_BITS; i++) {
        struct shadow_middle *middle = ts_load_acquire(&shadow.top[i]);
        for (uintptr_t j = 0; middle != NULL && j < 1 << SHADOW_MIDDLE_BITS; j++) {
            uint32_t *leaf = ts_load_acquire(&middle->leaf[j]);
            if (leaf != NULL)
                visit_leaf(closure, leaf, (i << SHADOW_MIDDLE_BITS | j) << SHADOW_LEAF_BITS);
        }
    }
}

struct each {
    void (*visit)(void *closure, const void *address, const struct block *block);
    void *closure;
};

static void visit_blocks(void *closure, uint32_t *leaf, uintptr_t from)
{
    const struct each *each = closure;
    for (size_t i = 0; i < leaf_words(); i++) {
        uint32_t word = ts_load_acquire(&leaf[i]);
        if (!(word & SHADOW_START))
            continue;
        struct block block = shadow_unpack(shadow_get(&leaf[i], word));
        uintptr_t within = (word >> 2 & 3) << 3 & ((1u << shadow.granule_shift) - 1);
        uintptr_t granule = shadow.twin != 0 ? i % shadow.twin : i;
        uintptr_t address = from + (granule << shadow.granule_shift) + within;
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

static bool page_empty(const uint32_t *page)
{
    uint32_t all = 0;
    for (size_t i = 0; i < PAGE / sizeof *page; i++)
        all |= ts_load_relaxed(&page[i]);
    return all == 0;
}

static void sweep_leaf(void *closure, uint32_t *leaf, uintptr_t from)
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

/*
 * By compare-and-swap: a block that its owner removes or inserts meanwhile is its affair. The
 * generation, or its era, is in the first word, so that a second word read too late does no harm.
 */
static void forget_in(void *closure, uint32_t *leaf, uintptr_t from)
{
    (void)closure, (void)from;
    for (size_t i = 0; i < leaf_words(); i++) {
        uint32_t word = ts_load_acquire(&leaf[i]);
        if ((word & SHADOW_START) &&
            region_is_long_past(shadow_unpack(shadow_get(&leaf[i], word)).generation))
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
    classes_forked();
    shadow.sweeping = 0;
}
