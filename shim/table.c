/*
 * hash -> number: inserting and growing. See table.h for the protocol.
 */
#include "shim/table.h"
#include "region/layout.h"
#include "shim/system.h"

static size_t bytes_of(uint64_t slots)
{
    return sizeof(struct table_slots) + slots * sizeof(struct table_slot);
}

static struct table_slots *make(uint64_t count)
{
    struct table_slots *slots = memory_map(bytes_of(count), false);
    if (slots != NULL)
        slots->mask = count - 1;
    return slots;
}

bool table_start(struct table *table, uint64_t slots)
{
    table->slots = make(slots);
    return table->slots != NULL;
}

void table_forked(struct table *table)
{
    table->growing = 0;
}

/* Takes the empty slot; one slot stays empty for ever, since that is where a search ends. */
static bool claim(struct table *table, const struct table_slots *slots, struct table_slot *slot, uint64_t *found,
                  uint64_t hash)
{
    if (ts_add_relaxed(&table->used, 1) < slots->mask) {
        if (ts_cas_acq_rel(&slot->hash, found, hash)) {
            *found = hash;
            return true;
        }
    } else {
        *found = 0;
    }
    ts_add_relaxed(&table->used, -1u);
    return false;
}

/*
 * Threads that saw room may together have filled the table: the value then stays unfiled, and its path gets
 * another number when it is met again.
 */
static uint32_t insert(struct table *table, struct table_slots *slots, uint64_t hash, uint32_t value)
{
    for (uint64_t i = hash & slots->mask;; i = (i + 1) & slots->mask) {
        uint64_t found = ts_load_acquire(&slots->slot[i].hash);
        if (found == 0 && !claim(table, slots, &slots->slot[i], &found, hash) && found == 0)
            return value;
        if (found == hash) {
            uint32_t other = 0;
            return ts_cas_acq_rel(&slots->slot[i].value, &other, value) ? value : other;
        }
    }
}

/*
 * Three quarters full: copies to a table of twice the size. The old one stays mapped, since threads may be
 * reading it, but gives its pages back: what they read there is then an empty table, a miss.
 */
static void grow(struct table *table, struct table_slots *old)
{
    uint32_t nobody = 0;
    if (!ts_cas_acq_rel(&table->growing, &nobody, 1))
        return;
    struct table_slots *new = NULL;
    if (ts_load_acquire(&table->slots) == old)
        new = make((old->mask + 1) * 2);
    if (new != NULL) {
        uint32_t used = 0;
        for (uint64_t i = 0; i <= old->mask; i++) {
            uint64_t hash = ts_load_acquire(&old->slot[i].hash);
            uint32_t value = ts_load_acquire(&old->slot[i].value);
            uint64_t at = hash & new->mask;
            if (hash == 0 || value == 0)
                continue;
            while (new->slot[at].hash != 0)
                at = (at + 1) & new->mask;
            new->slot[at].hash = hash;
            new->slot[at].value = value;
            used++;
        }
        ts_store_relaxed(&table->used, used);
        ts_store_release(&table->slots, new);
        /* The first page stays: it holds the mask. */
        size_t size = bytes_of(old->mask + 1);
        if (size > 4096)
            sys_madvise((char *)old + 4096, size - 4096, MADV_DONTNEED);
    }
    ts_store_release(&table->growing, 0);
}

bool table_has_room(struct table *table)
{
    struct table_slots *slots = ts_load_acquire(&table->slots);
    if (__builtin_expect(ts_load_relaxed(&table->used) > slots->mask / 4 * 3, 0)) {
        grow(table, slots);
        slots = ts_load_acquire(&table->slots);
    }
    /* Another thread may be copying: there is room for a while. One path adds at most TS_DEPTH_MAX. */
    return ts_load_relaxed(&table->used) <= slots->mask / 16 * 15 - 2 * TS_DEPTH_MAX;
}

uint32_t table_insert(struct table *table, uint64_t hash, uint32_t value)
{
    return insert(table, ts_load_acquire(&table->slots), hash, value);
}
