/*
 * The region from the writer's side: the file, its slabs and the counters in its header. Layout and
 * rules are in region/layout.h.
 */
#ifndef TRACESNAP_SHIM_REGION_H
#define TRACESNAP_SHIM_REGION_H

#include "region/layout.h"
#include "shim/own.h"

#include <stdbool.h>

/* The header of this process's region; a private stand-in until there is one, so that it is never
 * NULL. */
SHIM_OWN struct ts_header *region_header;

/*
 * Creates the region of this process. Afterwards region_header is the mapped one. false: the reason
 * was said if options.verbose; nothing is left behind.
 */
bool region_create(void);

/*
 * In a forked child: gives it a file of its own at the same addresses, holding the parent's nodes,
 * contexts, modules and strings, and no counters. false: the child is not traced.
 */
bool region_fork(void);

/* In a forked child's one thread, which is in the midst of writing to its parent's region: what it
 * writes from here on is seen by nobody. */
void region_keep_private(void);

/*
 * The process has no region after all: what it counts goes to a stand-in that nobody reads. remove:
 * the file is this process's own, and goes.
 */
void region_disown(bool remove);

/*
 * Gives back the addresses that are reserved, but for `room` bytes above those that are backed.
 * alone: no other thread can be growing the region (a forked child).
 */
void region_shrink(uint64_t room, bool alone);

/* Stamps the end time and state. */
void region_end(enum ts_state state);

/*
 * The ordinal-th slab of a kind, made when it is missing; NULL when the region cannot grow
 * (counted). Any thread, lock-free.
 */
void *region_slab(enum ts_slab_kind kind, uint32_t ordinal);

/* Path of the region's file. */
const char *region_path(void);

static inline void region_drop(enum ts_drop cause)
{
    ts_add_relaxed(&region_header->drops[cause], 1);
}

static inline void region_gauge(enum ts_gauge gauge, uint64_t add)
{
    ts_add_relaxed(&region_header->gauges[gauge], add);
}

/*
 * The generations of `clear` come round: what is this many of them old is thrown away, so that it
 * does not seem to be of the present when its number returns.
 */
#define REGION_GENERATIONS_KEPT 32u

static inline bool region_is_long_past(uint32_t generation)
{
    uint32_t now = TS_CONTROL_GENERATION(ts_load_acquire(&region_header->control));
    return ((now - generation) & 0x7fff) >= REGION_GENERATIONS_KEPT;
}

/* Record i of an array, NULL when its slab cannot be had. */
static inline void *region_record(enum ts_slab_kind kind, uint32_t i, uint32_t per_slab,
                                  size_t size)
{
    uint8_t *slab = region_slab(kind, i / per_slab);
    return slab == NULL ? NULL : slab + (i % per_slab) * size;
}

#define region_node(i) ((struct ts_node *)region_record(TS_SLAB_NODES, i, TS_NODES_PER_SLAB, 16))
#define region_context(i)                                                                          \
    ((struct ts_context *)region_record(TS_SLAB_CONTEXTS, i, TS_CONTEXTS_PER_SLAB, 8))

#endif
