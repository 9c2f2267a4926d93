/*
 * Live blocks that the shadow cannot hold: large ones, colliding ones, odd addresses. Buckets of 16
 * slots in levels of doubling size; a block goes to the first free slot of its bucket in any level,
 * so that nothing ever moves and a removal is a store of zero. A slot is claimed by
 * compare-and-swap of its address; what it says is read by the block's owner alone, and by
 * index_large_each, which skips slots without a context.
 */
#include "region/hash.h"
#include "shim/index.h"
#include "shim/region.h"
#include "shim/system.h"

#define BUCKET_SLOTS 16u
#define FIRST_BUCKETS 8u /* 4 KiB */
#define LEVELS_MAX 24u
#define TAKEN ((uintptr_t)1) /* address of a slot that index_large_forget is emptying: no block's */

struct slot {
    uintptr_t address; /* 0 = free; compare-and-swap to claim, release to free */
    uint64_t size;
    uint32_t context; /* stored last on insertion, first on removal */
    uint32_t generation;
    uint64_t reserved;
};

struct bucket {
    struct slot slots[BUCKET_SLOTS];
};

static struct bucket *levels[LEVELS_MAX];
/* Slots in use, never too few: counted before the block's owner can ask for it. */
static uint64_t used;

static size_t level_buckets(uint32_t level)
{
    return (size_t)FIRST_BUCKETS << level;
}

static struct bucket *bucket_in(struct bucket *level, uint32_t number, uintptr_t address)
{
    return &level[ts_hash_mix(address) & (level_buckets(number) - 1)];
}

static struct bucket *get_level(uint32_t number, bool create)
{
    struct bucket *level = ts_load_acquire(&levels[number]), *found = NULL;
    if (level != NULL || !create)
        return level;
    size_t size = level_buckets(number) * sizeof *level;
    level = memory_map(size, false);
    if (level == NULL || ts_cas_acq_rel(&levels[number], &found, level))
        return level;
    memory_unmap(level, size);
    return found;
}

static bool take_slot(struct slot *slot, struct block *block, bool remove)
{
    *block = (struct block){ts_load_relaxed(&slot->size), ts_load_acquire(&slot->context),
                            ts_load_relaxed(&slot->generation)};
    if (remove) {
        ts_store_release(&slot->context, 0);
        ts_store_release(&slot->address, 0);
        ts_add_relaxed(&used, -UINT64_C(1));
    }
    return true;
}

bool index_large_take(const void *address, struct block *block, bool remove)
{
    /* realloc(NULL, n) asks for NULL; a free slot looks like it. */
    if (address == NULL || ts_load_relaxed(&used) == 0)
        return false;
    for (uint32_t i = 0; i < LEVELS_MAX; i++) {
        struct bucket *level = get_level(i, false);
        if (level == NULL)
            return false;
        struct slot *slots = bucket_in(level, i, (uintptr_t)address)->slots;
        for (uint32_t j = 0; j < BUCKET_SLOTS; j++)
            if (ts_load_relaxed(&slots[j].address) == (uintptr_t)address)
                return take_slot(&slots[j], block, remove);
    }
    return false;
}

bool index_large_insert(const void *address, const struct block *block, struct block *stale)
{
    struct block old;
    if (index_large_take(address, &old, true))
        *stale = old;
    for (uint32_t i = 0; i < LEVELS_MAX; i++) {
        struct bucket *level = get_level(i, true);
        if (level == NULL)
            return false;
        struct slot *slots = bucket_in(level, i, (uintptr_t)address)->slots;
        for (uint32_t j = 0; j < BUCKET_SLOTS; j++) {
            uintptr_t nobody = 0;
            if (ts_load_relaxed(&slots[j].address) != 0 ||
                !ts_cas_acq_rel(&slots[j].address, &nobody, (uintptr_t)address))
                continue;
            ts_add_relaxed(&used, 1);
            ts_store_relaxed(&slots[j].size, block->size);
            ts_store_relaxed(&slots[j].generation, block->generation);
            ts_store_release(&slots[j].context, block->context);
            return true;
        }
    }
    return false;
}

void index_large_each(void (*visit)(void *closure, const void *address, const struct block *block),
                      void *closure)
{
    for (uint32_t i = 0; i < LEVELS_MAX && get_level(i, false) != NULL; i++) {
        struct bucket *level = get_level(i, false);
        for (size_t j = 0; j < level_buckets(i) * BUCKET_SLOTS; j++) {
            struct slot *slot = &level[j / BUCKET_SLOTS].slots[j % BUCKET_SLOTS];
            struct block block;
            if (ts_load_acquire(&slot->context) != 0 && take_slot(slot, &block, false))
                visit(closure, (const void *)slot->address, &block);
        }
    }
}

/*
 * The slot is taken from its owner by its address: from then on the owner does not find the block,
 * which counts for nothing any more. If the owner was just removing it, the slot is free already.
 */
void index_large_forget(void)
{
    for (uint32_t i = 0; i < LEVELS_MAX && get_level(i, false) != NULL; i++) {
        struct bucket *level = get_level(i, false);
        for (size_t j = 0; j < level_buckets(i) * BUCKET_SLOTS; j++) {
            struct slot *slot = &level[j / BUCKET_SLOTS].slots[j % BUCKET_SLOTS];
            uintptr_t address = ts_load_acquire(&slot->address);
            if (address <= TAKEN || ts_load_acquire(&slot->context) == 0 ||
                !region_is_long_past(ts_load_relaxed(&slot->generation)) ||
                !ts_cas_acq_rel(&slot->address, &address, TAKEN))
                continue;
            uintptr_t taken = TAKEN;
            ts_store_release(&slot->context, 0);
            ts_cas_acq_rel(&slot->address, &taken, 0);
            ts_add_relaxed(&used, -UINT64_C(1));
        }
    }
}
