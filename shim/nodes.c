/*
 * The nodes of the calling-context tree. See nodes.h.
 */
#include "shim/nodes.h"
#include "region/hash.h"
#include "shim/region.h"
#include "shim/system.h"
#include "shim/table.h"

#define SLOTS_FIRST 15 /* as a power of 2; of which a small program touches few pages */

static uintptr_t table; /* the present slots: address | log2 of their number; by release */
static uint32_t used;   /* slots, about */
static uint32_t growing; /* 1 while the first thread copies */

static uint32_t *slots_of(uintptr_t word)
{
    return (uint32_t *)(word & ~TABLE_LOG_MASK);
}

static size_t bytes_of(uintptr_t word)
{
    return (table_mask(word) + 1) * sizeof(uint32_t);
}

/* 0 when there is no memory. */
static uintptr_t make(uint32_t log)
{
    uintptr_t slots = (uintptr_t)memory_map_filled(sizeof(uint32_t) << log);
    return slots != 0 ? slots | log : 0;
}

static uint64_t hash_of(uint32_t parent, uint64_t key)
{
    return ts_hash_mix(key ^ (uint64_t)parent << 32);
}

static bool is_node(uint32_t number, uint32_t parent, uint64_t key)
{
    const struct ts_node *node = region_node(number);
    return node != NULL && node->parent == parent && ts_load_relaxed(&node->key) == key;
}

bool nodes_start(void)
{
    table = make(SLOTS_FIRST);
    return table != 0;
}

void nodes_forked(void)
{
    growing = 0;
}

uint32_t nodes_find(uint32_t parent, uint64_t key)
{
    uintptr_t word = ts_load_acquire(&table);
    for (uint64_t mask = table_mask(word), i = hash_of(parent, key) & mask;; i = (i + 1) & mask) {
        uint32_t number = ts_load_acquire(&slots_of(word)[i]);
        if (number == 0 || is_node(number, parent, key))
            return number;
    }
}

/* Threads that saw room may together have filled the table: the node then stays unfiled. One slot
 * stays empty for ever, since that is where a search ends. */
static uint32_t file(uint32_t number, uint32_t parent, uint64_t key)
{
    uintptr_t word = ts_load_acquire(&table);
    uint64_t mask = table_mask(word), i = hash_of(parent, key) & mask;
    if (ts_add_relaxed(&used, 1) >= mask) {
        ts_add_relaxed(&used, -1u);
        return number;
    }
    for (;; i = (i + 1) & mask) {
        uint32_t found = 0;
        if (ts_cas_acq_rel(&slots_of(word)[i], &found, number))
            return number;
        if (is_node(found, parent, key)) {
            ts_add_relaxed(&used, -1u);
            return found;
        }
    }
}

uint32_t nodes_add(uint32_t parent, uint64_t key)
{
    uint32_t number = table_take_number(&region_header->node_count, TS_NODES_LIMIT);
    struct ts_node *node = number == 0 ? NULL : region_node(number);
    if (node == NULL)
        return 0;
    node->parent = parent;
    ts_store_release(&node->key, key);
    return file(number, parent, key);
}

static uint32_t copy(uintptr_t to, uintptr_t from)
{
    uint32_t copied = 0;
    for (uint64_t i = 0; i <= table_mask(from); i++) {
        uint32_t number = ts_load_acquire(&slots_of(from)[i]);
        const struct ts_node *node = number == 0 ? NULL : region_node(number);
        if (node == NULL)
            continue;
        uint64_t at = hash_of(node->parent, ts_load_relaxed(&node->key)) & table_mask(to);
        while (slots_of(to)[at] != 0)
            at = (at + 1) & table_mask(to);
        slots_of(to)[at] = number;
        copied++;
    }
    return copied;
}

/* Several threads may be doing this: the first wins. The old table stays mapped, since threads may
 * be reading it. */
static void grow(uintptr_t old)
{
    uintptr_t new = make((uint32_t)(old & TABLE_LOG_MASK) + 1), expected = old;
    if (new == 0)
        return;
    uint32_t copied = copy(new, old), before = ts_load_relaxed(&used);
    if (!ts_cas_acq_rel(&table, &expected, new)) {
        memory_unmap(slots_of(new), bytes_of(new));
        return;
    }
    ts_add_relaxed(&used, copied - before); /* inserts since count on, never too few */
    sys_madvise(slots_of(old), bytes_of(old), MADV_DONTNEED);
}

/* As table_has_room: one thread copies; when half of the rest is in use, too, whoever comes. */
bool nodes_have_room(void)
{
    uintptr_t word = ts_load_acquire(&table);
    uint32_t now = ts_load_relaxed(&used), nobody = 0;
    uint64_t mask = table_mask(word), enough = mask / 8 * 6;
    if (__builtin_expect(now > (enough + mask) / 2, 0)) {
        grow(word);
    } else if (__builtin_expect(now > enough, 0) && ts_cas_acq_rel(&growing, &nobody, 1)) {
        if (ts_load_acquire(&table) == word)
            grow(word);
        ts_store_release(&growing, 0);
    }
    mask = table_mask(ts_load_acquire(&table));
    return ts_load_relaxed(&used) <= mask / 16 * 15;
}
