/*
 * Steps of the hash table (shim/table.h): two that insert, and one that comes later, in a small
 * table that has room, that is about to grow, and that grows at both their hands.
 */
#include "shim/system.h"
#include "shim/table.h"
#include "tests/proof/steps.h"

#include <stdio.h>
#include <stdlib.h>

#define LOG 5u
#define EIGHTHS 4u
#define MASK ((1u << LOG) - 1)
#define ENOUGH (MASK / 8 * EIGHTHS)         /* grows when more are in use */
#define TOO_MANY ((ENOUGH + MASK) / 2)      /* then at anyone's hands */
#define FIRST_HASH 3u                       /* all collide, in the grown table, too */
#define HASH(key) (FIRST_HASH + (uint64_t)(key) * (4u << LOG))
#define VALUE(key, who) ((uint32_t)((key)*100 + (who)))

struct insertion {
    struct table *table;
    uint32_t key, who, result; /* 0 = no room */
};

static struct table table;
static uintptr_t first_slots;
static uint32_t filled; /* keys 100 to 100 + filled - 1 were there before */
static struct insertion insertions[3];

static void insert(void *argument)
{
    struct insertion *insertion = argument;
    uint64_t hash = HASH(insertion->key);
    if (!table_has_room(insertion->table))
        return;
    insertion->result = table_find(insertion->table, hash);
    if (insertion->result == 0)
        insertion->result =
            table_insert(insertion->table, hash, VALUE(insertion->key, insertion->who));
}

static void begin(struct actor actors[], uint32_t fill, uint32_t second_key)
{
    table = (struct table){0};
    if (!table_start(&table, LOG, EIGHTHS)) {
        printf("Bail out! no memory\n");
        exit(99);
    }
    first_slots = table.slots;
    filled = fill;
    for (uint32_t i = 0; i < fill; i++)
        table_insert(&table, HASH(100 + i), VALUE(100 + i, 9));
    for (uint32_t who = 0; who < 3; who++) {
        insertions[who] = (struct insertion){&table, who == 1 ? second_key : 1, who + 1, 0};
        actor_begin(&actors[who], (int)who, insert, &insertions[who]);
    }
}

/* A path is found, or has no number yet; it never has another path's. */
static void check_key(uint32_t key, bool must)
{
    uint32_t found = table_find(&table, HASH(key));
    if (found != 0 ? found / 100 != key : must)
        steps_wrong("path %u is filed under %u", key, found);
}

static void check(struct actor actors[])
{
    bool grown = table.slots != first_slots;
    for (uint32_t who = 0; who < 3; who++) {
        const struct insertion *done = &insertions[who];
        if (actors[who].ended && done->result / 100 != done->key)
            steps_wrong("%u got number %u for path %u", who, done->result, done->key);
        for (uint32_t other = 0; other < who && !grown; other++)
            if (actors[who].ended && actors[other].ended && insertions[other].key == done->key &&
                insertions[other].result != done->result)
                steps_wrong("path %u has numbers %u and %u", done->key, done->result,
                            insertions[other].result);
        check_key(done->key, actors[who].ended && !grown);
    }
    for (uint32_t i = 0; i < filled; i++)
        check_key(100 + i, true);
    check_key(77, false); /* is not there, and the search ends */
    if (grown)
        memory_unmap(table_slots(table.slots),
                     (table_mask(table.slots) + 1) * sizeof(struct table_slot));
    memory_unmap(table_slots(first_slots), (MASK + 1) * sizeof(struct table_slot));
}

static void begin_same(struct actor actors[])
{
    begin(actors, 2, 1);
}

static void begin_neighbours(struct actor actors[])
{
    begin(actors, 2, 2);
}

static void begin_growing(struct actor actors[])
{
    begin(actors, ENOUGH + 1, 2);
}

/* Who comes third finds one in use too many. */
static void begin_stragglers(struct actor actors[])
{
    begin(actors, ENOUGH, 2);
}

static void begin_late(struct actor actors[])
{
    begin(actors, TOO_MANY + 1, 1);
}

const struct steps_case steps_table_cases[STEPS_TABLE_CASES] = {
    {"one path, inserted by two", 3, begin_same, check, NULL},
    {"two paths that collide", 3, begin_neighbours, check, NULL},
    {"a table that grows while another inserts", 3, begin_growing, check, NULL},
    {"a table that grows behind two that insert", 3, begin_stragglers, check, NULL},
    {"a table that two copy", 3, begin_late, check, NULL},
};
