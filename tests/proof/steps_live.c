/*
 * Steps of the live total and its peak (shim/live.h): two threads that reach a peak each at the same
 * time, and a clear that comes in between.
 */
#include "shim/live.h"
#include "shim/region.h"
#include "tests/proof/stand_ins.h"
#include "tests/proof/steps.h"

#include <inttypes.h>

#define LOW 100000 /* bytes; more than a thread keeps to itself */
#define HIGH 200000
#define BETWEEN 150000
#define LITTLE 10000
#define SOME 50000

static struct thread threads[3], last;
static bool command, after[2]; /* did a thread's peak come after the command? */

static uint64_t now(void)
{
    return ts_load_acquire(&region_header->control);
}

/* Up and down again; what was allocated before a clear is not counted when it is freed after it. */
static bool peak(struct thread *thread, int64_t bytes)
{
    uint64_t control = now(), later;
    live_add(thread, control, bytes, 1);
    later = now();
    if (TS_CONTROL_GENERATION(control) == TS_CONTROL_GENERATION(later))
        live_add(thread, later, -bytes, -1);
    return TS_CONTROL_GENERATION(control) == TS_CONTROL_GENERATION(region_header->control);
}

static void low_peak(void *unused)
{
    (void)unused;
    after[0] = peak(&threads[0], LOW);
}

static void high_peak(void *unused)
{
    (void)unused;
    after[1] = peak(&threads[1], HIGH);
}

static void clear(void *unused)
{
    uint64_t old = now();
    (void)unused;
    while (command && !ts_cas_acq_rel(&region_header->control, &old, ts_control_clear(old)))
        continue;
    peak(&threads[2], LITTLE);
}

static void begin_with(struct actor actors[], bool with_command)
{
    void (*const acts[])(void *) = {low_peak, high_peak, clear};
    books_open();
    region_header->control = ts_control_clear(region_header->control);
    command = with_command;
    last = (struct thread){.live_reset = LIVE_RESET_PART(region_header->control) - 1};
    peak(&last, 1); /* noticed */
    for (int i = 0; i < 3; i++) {
        threads[i] = (struct thread){.live_reset = LIVE_RESET_PART(region_header->control)};
        actor_begin(&actors[i], i, acts[i], NULL);
    }
}

static void begin_two(struct actor actors[])
{
    begin_with(actors, false);
}

static void begin_cleared(struct actor actors[])
{
    begin_with(actors, true);
}

static bool steps_epoch(int64_t bytes)
{
    uint64_t before = now();
    live_add(&last, before, bytes, 1);
    bool stepped = now() != before;
    live_add(&last, now(), -bytes, -1);
    return stepped;
}

/* The peak stays what it was: what is below it is none. */
static void check_two(struct actor actors[])
{
    uint64_t size, most;
    live_get(&size, &most);
    if (!actors[0].ended || !actors[1].ended || !actors[2].ended)
        return;
    if (most < HIGH)
        steps_wrong("the peak is %" PRIu64 ", not %d or more", most, HIGH);
    if (steps_epoch(BETWEEN))
        steps_wrong("%d is taken for a new peak after one of %d", BETWEEN, HIGH);
}

/* What was a peak before the clear is none any more: it is not shown, and the next one is seen. */
static void check_cleared(struct actor actors[])
{
    uint64_t size, most;
    if (!actors[0].ended || !actors[1].ended || !actors[2].ended || after[0] || after[1])
        return;
    live_get(&size, &most);
    if (most > LITTLE)
        steps_wrong("the peak is %" PRIu64 ", though no more than %d was live since the clear", most,
                    LITTLE);
    if (!steps_epoch(SOME))
        steps_wrong("%d is no peak, though all was cleared since the last one", SOME);
}

const struct steps_case steps_live_cases[STEPS_LIVE_CASES] = {
    {"two peaks at once", 3, begin_two, check_two, NULL},
    {"peaks, and a clear that comes in between", 3, begin_cleared, check_cleared, NULL},
};
