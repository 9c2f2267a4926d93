/*
 * hash -> number: inserting and growing. See table.h for the protocol.
 */
#include "shim/table.h"
#include "shim/system.h"

static size_t bytes_of(uintptr_t word)
{
    return (table_mask(word) + 1) * sizeof(struct table_slot);
}

/* 0 when there is no memory. */
static uintptr_t make(uint32_t log)
{
    uintptr_t slots = (uintptr_t)memory_map_filled(bytes_of(log));
    return slots != 0 ? slots | log : 0;
}

bool table_start(struct table *table, uint32_t log, uint32_t eighths)
{
    table->eighths = eighths;
    table->slots = make(log);
    return table->slots != 0;
}

void table_forked(struct table *table)
{
    table->growing = 0;
}

/* Takes the empty slot; one slot stays empty for ever, since that is where a search ends. */
static bool claim(struct table *table, uint64_t mask, struct table_slot *slot, uint64_t *found,
                  uint64_t hash)
{
    if (ts_add_relaxed(&table->used, 1) < mask) {
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
uint32_t table_insert(struct table *table, uint64_t hash, uint32_t value)
{
    uintptr_t word = ts_load_acquire(&table->slots);
    uint64_t mask = table_mask(word);
    for (uint64_t i = hash & mask;; i = (i + 1) & mask) {
        struct table_slot *slot = &table_slots(word)[i];
        uint64_t found = ts_load_acquire(&slot->hash);
        if (found == 0 && !claim(table, mask, slot, &found, hash) && found == 0)
            return value;
        if (found == hash) {
            uint32_t other = 0;
            if (ts_cas_acq_rel(&slot->value, &other, value) || !table_is_present(table, word))
                return value;
            return other;
        }
    }
}

/* Copies what is published; returns how much that is. */
static uint32_t copy(uintptr_t to, uintptr_t from)
{
    uint32_t copied = 0;
    struct table_slot *slots = table_slots(to);
    for (uint64_t i = 0; i <= table_mask(from); i++) {
        uint64_t hash = ts_load_acquire(&table_slots(from)[i].hash);
        uint32_t value = ts_load_acquire(&table_slots(from)[i].value);
        uint64_t at = hash & table_mask(to);
        if (hash == 0 || value == 0)
            continue;
        while (slots[at].hash != 0)
            at = (at + 1) & table_mask(to);
        slots[at].hash = hash;
        slots[at].value = value;
        copied++;
    }
    return copied;
}

/*
 * To a table of twice the size. The old one stays mapped, since threads may be reading it, but
 * gives its pages back: what they read there is then an empty table, a miss. Several threads may be
 * doing this: the first wins.
 */
static void grow(struct table *table, uintptr_t old)
{
    uintptr_t new = make((uint32_t)(old & TABLE_LOG_MASK) + 1), expected = old;
    if (new == 0)
        return;
    uint32_t copied = copy(new, old), used = ts_load_relaxed(&table->used);
    if (!ts_cas_acq_rel(&table->slots, &expected, new)) {
        memory_unmap(table_slots(new), bytes_of(new));
        return;
    }
    ts_add_relaxed(&table->used, copied - used); /* inserts since count on, never too few */
    sys_madvise(table_slots(old), bytes_of(old), MADV_DONTNEED);
}

/*
 * Full enough: one thread copies, and the others go on. It may be kept from it for long, without a
 * processor or by a fork that holds its page faults up: when half of the rest is in use, too,
 * whoever comes copies.
 */
bool table_has_room(struct table *table)
{
    uintptr_t word = ts_load_acquire(&table->slots);
    uint32_t used = ts_load_relaxed(&table->used), nobody = 0;
    uint64_t mask = table_mask(word), enough = mask / 8 * table->eighths;
    if (__builtin_expect(used > (enough + mask) / 2, 0)) {
        grow(table, word);
    } else if (__builtin_expect(used > enough, 0) && ts_cas_acq_rel(&table->growing, &nobody, 1)) {
        if (ts_load_acquire(&table->slots) == word)
            grow(table, word);
        ts_store_release(&table->growing, 0);
    }
    mask = table_mask(ts_load_acquire(&table->slots));
    return ts_load_relaxed(&table->used) <= mask / 16 * 15;
}
