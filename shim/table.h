/*
 * hash -> number, for paths of the calling-context tree: lock-free, insert-only, grows by doubling.
 *
 * A slot is claimed by compare-and-swap of its hash and published by compare-and-swap of its number
 * from 0. A thread that finds a slot claimed and not published (its claimer is slow, or was killed)
 * does not wait: it makes a number itself and publishes that. The loser's number is unused. Growing
 * copies all published slots to a table of twice the size; an insert that goes to the old table
 * meanwhile is lost, and its path gets a second number when it is met again. Both races cost a
 * number; readers merge equal paths anyway.
 *
 * The old table is emptied at some moment after that, also between two looks of a thread that still
 * uses it: a slot may then hold the number that one thread publishes under the hash that another
 * claimed. So what was found in a table counts only if the table is still the present one afterwards.
 *
 * table.pml is a model of this, with threads that may stop for ever at each step.
 */
#ifndef TRACESNAP_SHIM_TABLE_H
#define TRACESNAP_SHIM_TABLE_H

#include "region/atomic.h"

#include <stdbool.h>
#include <stddef.h>

struct table_slot {
    uint64_t hash;  /* 0 = empty; any thread, by compare-and-swap */
    uint32_t value; /* 0 = not published; by compare-and-swap, release */
    uint32_t reserved;
};

struct table {
    uintptr_t slots;  /* the current ones: address | log2 of their number; by release when grown */
    uint32_t used;    /* claimed slots, about */
    uint32_t growing; /* 1 while the first thread copies */
    uint32_t eighths; /* of the slots may be in use before it grows */
};

#define TABLE_LOG_MASK ((uintptr_t)63) /* slots begin at a page */

static inline struct table_slot *table_slots(uintptr_t word)
{
    return (struct table_slot *)(word & ~TABLE_LOG_MASK);
}

static inline uint64_t table_mask(uintptr_t word)
{
    return (UINT64_C(1) << (word & TABLE_LOG_MASK)) - 1;
}

/* 1 << log slots. eighths: 4 for a table that is hot, 6 for one that must be small. */
bool table_start(struct table *table, uint32_t log, uint32_t eighths);

/* Asks for the slot of a hash, which will be needed soon. */
static inline void table_prefetch(const struct table *table, uint64_t hash)
{
    uintptr_t word = ts_load_acquire(&table->slots);
    __builtin_prefetch(&table_slots(word)[hash & table_mask(word)]);
}

/* Whether it was not being emptied while one looked: to be asked after the last look. */
static inline bool table_is_present(const struct table *table, uintptr_t word)
{
    return ts_load_acquire(&table->slots) == word;
}

/* The number filed under hash; 0 when there is none. */
static inline uint32_t table_find(const struct table *table, uint64_t hash)
{
    uintptr_t word = ts_load_acquire(&table->slots);
    const struct table_slot *slots = table_slots(word);
    for (uint64_t mask = table_mask(word), i = hash & mask;; i = (i + 1) & mask) {
        uint64_t found = ts_load_acquire(&slots[i].hash);
        if (found == hash) {
            uint32_t value = ts_load_acquire(&slots[i].value);
            return table_is_present(table, word) ? value : 0;
        }
        if (found == 0)
            return 0;
    }
}

/* Whether there is room for more, growing where needed. False when memory is refused. */
bool table_has_room(struct table *table);

/* Files value under hash; returns the number that is filed there in the end, which may be another
 * thread's. */
uint32_t table_insert(struct table *table, uint64_t hash, uint32_t value);

/* The next number of a cursor that counts from 1; 0 when the limit is reached. */
static inline uint32_t table_take_number(uint32_t *cursor, uint32_t limit)
{
    uint32_t next = ts_load_relaxed(cursor);
    do {
        if (next >= limit)
            return 0;
    } while (!ts_cas_acq_rel(cursor, &next, next + 1));
    return next;
}

/* In a forked child: nobody is growing any more. */
void table_forked(struct table *table);

#endif
