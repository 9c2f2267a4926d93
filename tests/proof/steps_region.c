/*
 * Steps of whole allocations in a real region, and of its slabs; the tool's own reader looks.
 */
#include "shim/region.h"
#include "shim/table.h"
#include "tests/proof/stand_ins.h"
#include "tests/proof/steps.h"
#include "tests/unit/reader_promises.h"
#include "tools/source/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE 48u /* of all blocks */
#define FIRST_ORDINAL 1000u

/* What the region must show: what ended, and at most what did not. */
static uint64_t allocated, freed, open_allocations, open_frees;
static struct fake_thread threads[3];
static uintptr_t next_address = UINT64_C(1) << 40;
static uint64_t next_frame = 1000;

static void look(void)
{
    struct error error = {""};
    struct capture *capture = source_open(region_path(), &error);
    if (capture == NULL) {
        steps_wrong("%s", error.text);
        return;
    }
    const struct capture_values *totals = &capture->totals;
    if (!keeps_promises(capture))
        steps_wrong("a promise is broken");
    if (totals->allocated_count < allocated ||
        totals->allocated_count > allocated + open_allocations || totals->freed_count < freed ||
        totals->freed_count > freed + open_frees)
        steps_wrong("%" PRIu64 " allocated, %" PRIu64 " freed; %" PRIu64 " and %" PRIu64
                    " ended, %" PRIu64 " and %" PRIu64 " may be",
                    totals->allocated_count, totals->freed_count, allocated, freed,
                    open_allocations, open_frees);
    if (totals->allocated_size != SIZE * totals->allocated_count ||
        totals->freed_size != SIZE * totals->freed_count)
        steps_wrong("bytes and blocks do not go together");
    for (uint32_t i = 0; i < capture->context_count; i++)
        if (ts_key_kind(capture->nodes[capture->contexts[i].node].key) == TS_FRAME_MARK)
            steps_wrong("something is charged to the catch-all");
    for (int i = 0; i < TS_DROP_COUNT; i++)
        if (capture->drops[i] != 0)
            steps_wrong("%" PRIu64 " drops of cause %d", capture->drops[i], i);
    capture_free(capture);
}

/* The stack of the context of the block at address must be the thread's. */
static void check_block(const struct fake_thread *thread, uintptr_t address)
{
    struct block block;
    const struct fake_stack *stack = &thread->stack;
    if (!index_find((const void *)address, &block)) {
        steps_wrong("a block is not in the index");
        return;
    }
    uint32_t node = region_context(block.context)->node;
    for (uint32_t i = stack->count; i > 0; i--) {
        const struct ts_node *record = region_node(node);
        if (record->key != fake_key(stack->frames[i - 1]) || record->parent >= node) {
            steps_wrong("context %u is another stack's", block.context);
            return;
        }
        node = record->parent;
    }
    if (node != 0)
        steps_wrong("context %u is deeper than its stack", block.context);
}

static void allocate(void *argument)
{
    struct fake_thread *thread = argument;
    books_allocate(thread, next_address + (uintptr_t)(thread - threads) * 64, SIZE);
}

static void allocate_and_free(void *argument)
{
    allocate(argument);
    books_free(argument, next_address + (uintptr_t)((struct fake_thread *)argument - threads) * 64);
}

/* Three threads with shards; the first two are about to meet a new stack, the third the same. */
static void begin_with(struct actor actors[], void (*act)(void *))
{
    books_open();
    next_address += 4096;
    next_frame += 8;
    for (int who = 0; who < 3; who++) {
        threads[who] = (struct fake_thread){.stack = {2, {1, (uint64_t)who + 2}}};
        books_allocate(&threads[who], next_address + 1024 + (uintptr_t)who * 64, SIZE);
        allocated++;
        threads[who].stack = (struct fake_stack){3, {1, next_frame, next_frame + 1}};
        actor_begin(&actors[who], who, act, &threads[who]);
    }
}

static void begin_new(struct actor actors[])
{
    begin_with(actors, allocate);
}

static void begin_brief(struct actor actors[])
{
    begin_with(actors, allocate_and_free);
}

static void check_new(struct actor actors[])
{
    for (int who = 0; who < 3; who++) {
        allocated += actors[who].ended;
        open_allocations += !actors[who].ended;
        if (actors[who].ended)
            check_block(&threads[who], next_address + (uintptr_t)who * 64);
        books_leave(&threads[who]);
    }
}

static void check_brief(struct actor actors[])
{
    for (int who = 0; who < 3; who++) {
        allocated += actors[who].ended;
        freed += actors[who].ended;
        open_allocations += !actors[who].ended;
        open_frees += !actors[who].ended;
        books_leave(&threads[who]);
    }
}

/* A slab of which several threads are in want at once. */
static uint32_t ordinal = FIRST_ORDINAL;
static uint8_t *slabs[3];

static void want_slab(void *argument)
{
    *(void **)argument = region_slab(TS_SLAB_CELLS, ordinal);
}

static void begin_slab(struct actor actors[])
{
    books_open();
    ordinal++;
    for (int who = 0; who < 3; who++) {
        slabs[who] = NULL;
        actor_begin(&actors[who], who, want_slab, &slabs[who]);
    }
}

/* Whoever has it may put something there: a reader must find it by then. */
static void check_slab(struct actor actors[])
{
    const uint8_t *base = (const uint8_t *)region_header;
    const uint32_t *words = (const uint32_t *)(base + TS_SLAB_TABLE_OFFSET);
    uint32_t found = 0;
    for (uint32_t i = 0; i < region_header->slab_count; i++)
        found += words[i] == TS_SLAB_WORD(TS_SLAB_CELLS, ordinal);
    for (int who = 0; who < 3; who++) {
        if (!actors[who].ended)
            continue;
        uint64_t number = (uint64_t)(slabs[who] - base - TS_SLABS_OFFSET) / TS_SLAB_SIZE;
        if (slabs[who] == NULL || slabs[who] != slabs[2])
            steps_wrong("%p is not the slab %p of another thread", (void *)slabs[who],
                        (void *)slabs[2]);
        else if (found != 1 || words[number] != TS_SLAB_WORD(TS_SLAB_CELLS, ordinal))
            steps_wrong("a slab in use is not in the region's table");
        else if (slabs[who][0] != 0 || slabs[who][TS_SLAB_SIZE - 1] != 0)
            steps_wrong("a new slab is not empty");
    }
}

const struct steps_case steps_region_cases[STEPS_REGION_CASES] = {
    {"a new stack, met by three threads", 3, begin_new, check_new, look},
    {"a new stack, and its block freed", 3, begin_brief, check_brief, look},
    {"a new slab, wanted by three threads", 3, begin_slab, check_slab, look},
};
