/*
 * Steps of two counting threads, of commands, and of the tool's reader of one context
 * (tools/source/cells.c, whose parts are used as they are).
 */
#include "shim/counters.h"
#include "tests/proof/steps.h"
/* The reader's parts are its own affair: they are compiled in here. */
#include "tools/source/cells.c"

#include <inttypes.h>

#define SIZE 100u

static struct ts_cell cells[2];
static uint64_t control;
static bool is_handed;
static uint32_t handed; /* generation of the block that the second thread may free */
static uint64_t now_allocated, now_freed;
static uint64_t live_at_peak, inaccuracy; /* of the present epoch */
static int busy; /* threads between reading the control word and the end of their operation */

static struct {
    uint64_t control, allocated[2], freed[2];
    struct capture_values values;
    bool consistent, ended;
} seen;

/* As record.c: the generation of a block is that of its allocation; another one's is not counted. */
static void count(struct ts_cell *cell, const uint32_t *freed_generation, uint32_t *generation)
{
    busy++;
    uint64_t word = ts_load_acquire(&control);
    uint32_t now = TS_CONTROL_GENERATION(word);
    if (freed_generation == NULL)
        cell_allocated(cell, word, 1, SIZE);
    else if (*freed_generation == now)
        cell_freed(cell, word, 1, SIZE, false);
    else
        now = UINT32_MAX;
    if (word != control)
        inaccuracy++; /* this operation may fall on either side of the new epoch */
    busy--;
    if (now == TS_CONTROL_GENERATION(control)) {
        now_allocated += freed_generation == NULL;
        now_freed += freed_generation != NULL;
    }
    if (generation != NULL)
        *generation = TS_CONTROL_GENERATION(word);
}

static void first_thread(void *unused)
{
    uint32_t own;
    (void)unused;
    count(&cells[0], NULL, &handed);
    is_handed = true;
    count(&cells[0], NULL, &own);
    count(&cells[0], &own, NULL);
}

/* Frees what the first handed over, if it did in time. */
static void second_thread(void *unused)
{
    (void)unused;
    ts_load_acquire(&control);
    if (is_handed)
        count(&cells[1], &handed, NULL);
    count(&cells[1], NULL, NULL);
}

static void step_control(uint64_t (*next)(uint64_t))
{
    uint64_t old = ts_load_acquire(&control);
    while (!ts_cas_acq_rel(&control, &old, next(old)))
        continue;
    if (TS_CONTROL_GENERATION(control) != TS_CONTROL_GENERATION(old))
        now_allocated = now_freed = 0;
    live_at_peak = now_allocated - now_freed;
    inaccuracy = (uint64_t)busy;
}

static void new_epoch(void *unused)
{
    (void)unused;
    step_control(ts_control_next_epoch);
}

static void clear(void *unused)
{
    (void)unused;
    step_control(ts_control_clear);
}

static void reader(void *unused)
{
    static const struct chunk chunks[2] = {{&cells[0], 0}, {&cells[1], 0}};
    (void)unused;
    seen.control = ts_load_acquire(&control);
    seen.allocated[0] = now_allocated;
    seen.freed[0] = now_freed;
    struct reading reading = {.patience = INT64_MAX};
    read_context(&reading, chunks, 2, 0, seen.control, &seen.values);
    uint64_t word = ts_load_acquire(&control);
    seen.allocated[1] = now_allocated + (uint64_t)busy;
    seen.freed[1] = now_freed + (uint64_t)busy;
    seen.consistent = word == seen.control;
    seen.ended = true;
}

static void begin_with(struct actor actors[], void (*first)(void *), void (*second)(void *),
                       void (*third)(void *), void (*fourth)(void *))
{
    void (*acts[])(void *) = {first, second, third, fourth};
    static const struct ts_pair zero = {0, 0};
    is_handed = false;
    uint32_t own;
    control = 0;
    now_allocated = now_freed = live_at_peak = inaccuracy = 0;
    busy = 0;
    for (int i = 0; i < 2; i++)
        cells[i] = (struct ts_cell){zero, zero, 0, 0, zero};
    for (int i = 0; i < 2; i++) { /* there is something to lose */
        count(&cells[0], NULL, &own);
        count(&cells[i], &own, NULL);
    }
    live_at_peak = 0;
    seen.ended = false;
    for (int i = 0; i < 4; i++)
        actor_begin(&actors[i], i, acts[i], NULL);
}

static void begin_epoch(struct actor actors[])
{
    begin_with(actors, first_thread, reader, second_thread, new_epoch);
}

static void begin_clear(struct actor actors[])
{
    begin_with(actors, clear, first_thread, second_thread, reader);
}

static void begin_reader(struct actor actors[])
{
    begin_with(actors, reader, first_thread, clear, second_thread);
}

static void check_values(const struct capture_values *values, const char *whose)
{
    if (values->freed_count > values->allocated_count ||
        values->freed_size > values->allocated_size)
        steps_wrong("%s: %" PRIu64 " freed of %" PRIu64, whose, values->freed_count,
                    values->allocated_count);
    if (values->allocated_size != SIZE * values->allocated_count ||
        values->freed_size != SIZE * values->freed_count)
        steps_wrong("%s: blocks and bytes do not go together", whose);
}

static void check_peak(uint64_t peak, uint64_t word, uint64_t slack, const char *whose)
{
    int64_t off = (int64_t)(peak - live_at_peak);
    if ((word & TS_CONTROL_EPOCH_MASK) != 0 && (uint64_t)(off < 0 ? -off : off) > slack)
        steps_wrong("%s: %" PRIu64 " at the peak, not %" PRIu64 " within %" PRIu64, whose, peak,
                    live_at_peak, slack);
}

/* What is there at the end, when nobody is writing. */
static void check_end(void)
{
    static const struct chunk chunks[2] = {{&cells[0], 0}, {&cells[1], 0}};
    struct capture_values values;
    uint64_t word = control, open = (uint64_t)busy;
    struct reading reading = {.patience = INT64_MAX};
    read_context(&reading, chunks, 2, 0, word, &values);
    check_values(&values, "at the end");
    if (values.allocated_count < now_allocated || values.allocated_count > now_allocated + open ||
        values.freed_count < now_freed || values.freed_count > now_freed + open)
        steps_wrong("at the end %" PRIu64 " allocated, %" PRIu64 " freed, not %" PRIu64
                    " and %" PRIu64,
                    values.allocated_count, values.freed_count, now_allocated, now_freed);
    check_peak(values.peak_count, word, inaccuracy + open, "at the end");
}

static void check(struct actor actors[])
{
    (void)actors;
    if (seen.ended && seen.consistent && seen.control == control)
        check_peak(seen.values.peak_count, control, inaccuracy + (uint64_t)busy, "the reader");
    if (seen.ended && seen.consistent) {
        check_values(&seen.values, "the reader");
        if (seen.values.allocated_count < seen.allocated[0] ||
            seen.values.allocated_count > seen.allocated[1] ||
            seen.values.freed_count < seen.freed[0] || seen.values.freed_count > seen.freed[1])
            steps_wrong("the reader found %" PRIu64 " allocated and %" PRIu64
                        " freed, not %" PRIu64 " to %" PRIu64 " and %" PRIu64 " to %" PRIu64,
                        seen.values.allocated_count, seen.values.freed_count, seen.allocated[0],
                        seen.allocated[1], seen.freed[0], seen.freed[1]);
    }
    check_end();
}

const struct steps_case steps_cells_cases[STEPS_CELLS_CASES] = {
    {"counts and a new peak while the reader looks", 4, begin_epoch, check, NULL},
    {"a clear, counts, and the reader", 4, begin_clear, check, NULL},
    {"counts, a clear that meets them, and the reader", 4, begin_reader, check, NULL},
};
