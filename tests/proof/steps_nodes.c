/*
 * Steps of the table of nodes (shim/nodes.h): two that make a node, and one that comes later, in a
 * small table that has room, that is about to grow, that grows at both their hands, and that is
 * full.
 */
#include "region/hash.h"
#include "region/layout.h"
#include "shim/nodes.h"
#include "shim/region.h"
#include "shim/system.h"
#include "shim/table.h"
#include "tests/proof/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 128

/* The nodes of a region that is begun anew with each order. */
static struct ts_node records[RECORDS];
static uint32_t record_count;

static struct ts_node *record_of(uint32_t number)
{
    return number < RECORDS ? &records[number] : NULL;
}

/* The shim's own, a second time, so that its table can be small. */
#define nodes_start small_start
#define nodes_forked small_forked
#define nodes_have_room small_have_room
#define nodes_find small_find
#define nodes_add small_add
#define region_node(number) record_of(number)
#define table_take_number(count, limit) ts_add_relaxed(&record_count, 1)
#include "shim/nodes.c"
#undef nodes_start
#undef nodes_forked
#undef nodes_have_room
#undef nodes_find
#undef nodes_add
#undef region_node
#undef table_take_number

#define LOG 6u
#define MASK ((1u << LOG) - 1)
#define ENOUGH (MASK / 8 * 6)          /* grows when more are in use */
#define TOO_MANY ((ENOUGH + MASK) / 2) /* then at anyone's hands */
#define HOME 3u                        /* where all collide, in the grown table, too */
#define PARENTS 4000u                  /* so that they do */

struct making {
    uint32_t parent, result; /* 0 = no room */
    uint64_t key;
    bool asks; /* whether there is room */
};

static struct making makings[3];
static uintptr_t first_table;
static uint32_t filled; /* nodes that were there before: of key i, below 0 */

/* The n-th parent of a key with which it collides. */
static uint32_t parent_of(uint64_t key, uint32_t n)
{
    for (uint32_t parent = 1; parent < PARENTS; parent++)
        if ((hash_of(parent, key) & (2 * MASK + 1)) == HOME && n-- == 0)
            return parent;
    abort();
}

static void make_node(void *argument)
{
    struct making *making = argument;
    if (making->asks && !small_have_room())
        return;
    making->result = small_find(making->parent, making->key);
    if (making->result == 0)
        making->result = small_add(making->parent, making->key);
}

static void begin(struct actor actors[], uint32_t fill, uint32_t second, bool asks)
{
    static uint32_t parents[2];
    memset(records, 0, sizeof records);
    record_count = 1;
    used = growing = 0;
    table = first_table = make(LOG);
    if (table == 0) {
        printf("Bail out! no memory\n");
        exit(99);
    }
    for (uint32_t i = 0; i < 2 && parents[i] == 0; i++)
        parents[i] = parent_of(1000, i);
    filled = fill;
    for (uint32_t i = 0; i < fill; i++)
        small_add(0, 1 + i);
    for (uint32_t who = 0; who < 3; who++) {
        makings[who] = (struct making){parents[who == 1 ? second : 0], 0, 1000, asks};
        actor_begin(&actors[who], (int)who, make_node, &makings[who]);
    }
}

static bool is(uint32_t number, uint32_t parent, uint64_t key)
{
    return records[number].parent == parent && records[number].key == key;
}

/* A node is found, or not known yet; it is never another one. */
static void check_node(uint32_t parent, uint64_t key, bool must)
{
    uint32_t found = small_find(parent, key);
    if (found != 0 ? !is(found, parent, key) : must)
        steps_wrong("under (%u, %lu) stands %u", parent, (unsigned long)key, found);
}

static void check_any(struct actor actors[], bool full)
{
    bool grown = table != first_table;
    for (uint32_t who = 0; who < 3; who++) {
        const struct making *done = &makings[who];
        if (actors[who].ended && (done->result == 0 || !is(done->result, done->parent, done->key)))
            steps_wrong("%u got number %u", who, done->result);
        for (uint32_t other = 0; other < who && !grown && !full; other++)
            if (actors[who].ended && actors[other].ended && makings[other].parent == done->parent &&
                makings[other].result != done->result)
                steps_wrong("a node has numbers %u and %u", done->result, makings[other].result);
        check_node(done->parent, done->key, actors[who].ended && !grown && !full);
    }
    for (uint32_t i = 0; i < filled; i++)
        check_node(0, 1 + i, true);
    check_node(PARENTS, 77, false); /* is not there, and the search ends */
    if (grown)
        memory_unmap(slots_of(table), bytes_of(table));
    memory_unmap(slots_of(first_table), bytes_of(first_table));
}

static void check(struct actor actors[])
{
    check_any(actors, false);
}

static void check_full(struct actor actors[])
{
    check_any(actors, true);
}

static void begin_same(struct actor actors[])
{
    begin(actors, 2, 0, true);
}

static void begin_neighbours(struct actor actors[])
{
    begin(actors, 2, 1, true);
}

static void begin_growing(struct actor actors[])
{
    begin(actors, ENOUGH + 1, 1, true);
}

/* Who comes third finds one in use too many. */
static void begin_stragglers(struct actor actors[])
{
    begin(actors, ENOUGH, 1, true);
}

static void begin_late(struct actor actors[])
{
    begin(actors, TOO_MANY + 1, 0, true);
}

/* They saw room before others took it: one of them finds a slot, and one stays empty. */
static void begin_full(struct actor actors[])
{
    begin(actors, MASK - 1, 1, false);
}

const struct steps_case steps_nodes_cases[STEPS_NODES_CASES] = {
    {"one node, made by two", 3, begin_same, check, NULL},
    {"two nodes of one key that collide", 3, begin_neighbours, check, NULL},
    {"a table of nodes that grows while another makes one", 3, begin_growing, check, NULL},
    {"a table of nodes that grows behind two that make one", 3, begin_stragglers, check, NULL},
    {"a table of nodes that two copy", 3, begin_late, check, NULL},
    {"a table of nodes that is full", 3, begin_full, check_full, NULL},
};
