/*
 * hash -> number: inserting and growing. See table.h for the protocol.
 */
#include "shim/table.h"
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
static bool claim(struct table *table, const struct table_slots *slots, struct table_slot *slot,
                  uint64_t *found, uint64_t hash)
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
 * Threads that saw room may together have filled the table: the value then stays unfiled, and its
 * path gets another number when it is met again.
 */
static uint32_t insert(struct table *table, struct table_slots *slots, uint64_t hash,
                       uint32_t value)
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

/* Copies what is published; returns how much that is. */
static uint32_t copy(struct table_slots *to, const struct table_slots *from)
{
    uint32_t copied = 0;
    for (uint64_t i = 0; i <= from->mask; i++) {
        uint64_t hash = ts_load_acquire(&from->slot[i].hash);
        uint32_t value = ts_load_acquire(&from->slot[i].value);
        uint64_t at = hash & to->mask;
        if (hash == 0 || value == 0)
            continue;
        while (to->slot[at].hash != 0)
            at = (at + 1) & to->mask;
        to->slot[at].hash = hash;
        to->slot[at].value = value;
        copied++;
    }
    return copied;
}

/*
 * To a table of twice the size. The old one stays mapped, since threads may be reading it, but
 * gives its pages back: what they read there is then an empty table, a miss. Several threads may be
 * doing this: the first wins.
 */
static void grow(struct table *table, struct table_slots *old)
{
    struct table_slots *new = make((old->mask + 1) * 2), *expected = old;
    if (new == NULL)
        return;
    uint32_t copied = copy(new, old), used = ts_load_relaxed(&table->used);
    if (!ts_cas_acq_rel(&table->slots, &expected, new)) {
        memory_unmap(new, bytes_of(new->mask + 1));
        return;
    }
    ts_add_relaxed(&table->used, copied - used); /* inserts since count on, never too few */
    /* The first page stays: it holds the mask. */
    size_t size = bytes_of(old->mask + 1);
    if (size > 4096)
        sys_madvise((char *)old + 4096, size - 4096, MADV_DONTNEED);
}

/*
 * Half full: one thread copies, and the others go on. It may be kept from it for long, without a
 * processor or by a fork that holds its page faults up: when three quarters are full, whoever comes
 * copies, too.
 */
bool table_has_room(struct table *table)
{
    struct table_slots *slots = ts_load_acquire(&table->slots);
    uint32_t used = ts_load_relaxed(&table->used), nobody = 0;
    if (__builtin_expect(used > slots->mask / 4 * 3, 0)) {
        grow(table, slots);
    } else if (__builtin_expect(used > slots->mask / 2, 0) &&
               ts_cas_acq_rel(&table->growing, &nobody, 1)) {
        if (ts_load_acquire(&table->slots) == slots)
            grow(table, slots);
        ts_store_release(&table->growing, 0);
    }
    slots = ts_load_acquire(&table->slots);
    return ts_load_relaxed(&table->used) <= slots->mask / 16 * 15;
}

uint32_t table_insert(struct table *table, uint64_t hash, uint32_t value)
{
    return insert(table, ts_load_acquire(&table->slots), hash, value);
}
