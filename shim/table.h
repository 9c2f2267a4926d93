/*
 * hash -> number, for paths of the calling-context tree: lock-free, insert-only, grows by doubling.
 *
 * A slot is claimed by compare-and-swap of its hash and published by compare-and-swap of its number
 * from 0. A thread that finds a slot claimed and not published (its claimer is slow, or was killed)
 * does not wait: it makes a number itself and publishes that. The loser's number is unused. Growing
 * copies all published slots to a table of twice the size; an insert that goes to the old table
 * meanwhile is lost, and its path gets a second number when it is met again. Both races cost a
 * number; readers merge equal paths anyway.
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

struct table_slots {
    uint64_t mask;
    struct table_slot slot[];
};

struct table {
    struct table_slots *slots; /* the current ones; replaced by release when grown */
    uint32_t used;             /* claimed slots, about */
    uint32_t growing;          /* 1 while the first thread copies */
};

bool table_start(struct table *table, uint64_t slots);

/* The number filed under hash; 0 when there is none. */
static inline uint32_t table_find(const struct table *table, uint64_t hash)
{
    const struct table_slots *slots = ts_load_acquire(&table->slots);
    for (uint64_t i = hash & slots->mask;; i = (i + 1) & slots->mask) {
        uint64_t found = ts_load_acquire(&slots->slot[i].hash);
        if (found == hash)
            return ts_load_acquire(&slots->slot[i].value);
        if (found == 0)
            return 0;
    }
}

/* Whether there is room for more, growing where needed. False when memory is refused. */
bool table_has_room(struct table *table);

/* Files value under hash; returns the number that is filed there in the end, which may be another
 * thread's. */
uint32_t table_insert(struct table *table, uint64_t hash, uint32_t value);

/* In a forked child: nobody is growing any more. */
void table_forked(struct table *table);

#endif
