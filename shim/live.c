/*
 * The process's live total, its peak and its timeline. See live.h for the argument.
 */
#include "shim/live.h"
#include "shim/counters.h"
#include "shim/index.h"
#include "shim/region.h"
#include "shim/system.h"

#define EXACT_BELOW (1u << 20)
#define STEP_PART 4096 /* of the peak, above that */
#define VALUE_BITS 48
#define VALUE_MASK ((UINT64_C(1) << VALUE_BITS) - 1)
#define FIRST_INTERVAL                                                                             \
    UINT64_C(5000000) /* ns between points of the timeline, doubled when it is full */
#define SWEEP_ABOVE (UINT64_C(16) << 20)
#define SWEEP_PAUSE                                                                                \
    UINT64_C(100000000) /* ns between sweeps at least, and so many times its own duration: */
#define SWEEP_SHARE 64

/*
 * Live bytes and blocks: generation << 48 | signed number; by compare-and-swap. They may be
 * negative for a while: one thread has given its frees, another not yet the allocations.
 */
static uint64_t total_size __attribute__((aligned(64))), total_count;
/*
 * Live bytes above which a new peak begins, and those of the last peak: the command that they belong
 * to (COMMAND_OF) << 48 | bytes. A thread may be without a processor between stepping the epoch and
 * storing them: it must not undo what others stored meanwhile, after a command or a higher peak.
 */
static uint64_t threshold, peak_size;
static uint64_t known_reset; /* the control word whose generation and resets were last noticed */
static uint64_t high;        /* most live bytes since the index was swept */
static uint64_t next_moment; /* time of the timeline's next point */

/* Changes with each `clear` and `reset-peak`; the same number returns after 256 of either. */
#define COMMAND_OF(control) ((uint64_t)(LIVE_RESET_PART(control) & 0xffff))

/*
 * Never lowers, but for a newer command's first time. Nothing is done for a command of the past: its
 * thread stood still since.
 */
static void put(uint64_t *word, uint64_t control, uint64_t bytes)
{
    uint64_t old = ts_load_acquire(word), command = COMMAND_OF(control);
    do {
        if (LIVE_RESET_PART(ts_load_acquire(&known_reset)) != LIVE_RESET_PART(control) ||
            (old >> VALUE_BITS == command && (old & VALUE_MASK) >= bytes))
            return;
    } while (!ts_cas_acq_rel(word, &old, command << VALUE_BITS | (bytes & VALUE_MASK)));
}

static uint64_t threshold_of(uint64_t control)
{
    uint64_t word = ts_load_relaxed(&threshold);
    return word >> VALUE_BITS == COMMAND_OF(control) ? word & VALUE_MASK : 0;
}

static int64_t value_of(uint64_t word)
{
    return (int64_t)(word << (64 - VALUE_BITS)) >> (64 - VALUE_BITS);
}

static uint64_t at_least_zero(int64_t value)
{
    return value > 0 ? (uint64_t)value : 0;
}

/* Adds a change of one generation; returns the new value. A change of an older generation is lost.
 */
static int64_t add(uint64_t *total, uint64_t generation, int64_t change)
{
    uint64_t old = ts_load_relaxed(total);
    int64_t value;
    do {
        value = value_of(old);
        if (old >> VALUE_BITS != generation) {
            if (TS_CONTROL_GENERATION(ts_load_acquire(&region_header->control)) != generation)
                return value;
            value = 0;
        }
        value += change;
    } while (
        !ts_cas_acq_rel(total, &old, generation << VALUE_BITS | ((uint64_t)value & VALUE_MASK)));
    return value;
}

/*
 * `clear` or `reset-peak` came: the peak starts again from what is live. A thread that read the
 * control word long ago must not undo what a newer one did; the epoch, which each command steps,
 * tells which is newer.
 */
static void notice_reset(uint64_t control, uint64_t bytes)
{
    static uint32_t forgotten; /* generation in which what was long past was last thrown away */
    uint64_t known = ts_load_relaxed(&known_reset);
    if (LIVE_RESET_PART(control) == LIVE_RESET_PART(known) ||
        ((control - known) & TS_CONTROL_EPOCH_MASK) > TS_CONTROL_EPOCH_MASK / 2)
        return;
    if (ts_cas_acq_rel(&known_reset, &known, control)) {
        /* The cut of a `clear` is at 0: what was allocated since is a peak of its own. */
        bool cleared = TS_CONTROL_GENERATION(known) != TS_CONTROL_GENERATION(control);
        put(&threshold, control, cleared ? 0 : bytes);
        put(&peak_size, control, bytes);
        uint32_t now = TS_CONTROL_GENERATION(control), before = ts_load_relaxed(&forgotten);
        if (((now - before) & 0x7fff) >= REGION_GENERATIONS_KEPT &&
            ts_cas_acq_rel(&forgotten, &before, now)) {
            index_forget();
            shards_forget();
        }
    }
}

/*
 * The cut is where the epoch steps, and a thread may have stood still since it saw the total: if that
 * has fallen again, the last peak is the better one.
 */
static void new_peak(uint64_t generation)
{
    uint64_t control = ts_load_acquire(&region_header->control), bytes;
    do {
        uint64_t total = ts_load_acquire(&total_size);
        bytes = at_least_zero(value_of(total));
        if (TS_CONTROL_GENERATION(control) != generation || total >> VALUE_BITS != generation ||
            bytes <= threshold_of(control))
            return; /* another thread was first, or a command came */
    } while (!ts_cas_acq_rel(&region_header->control, &control, ts_control_next_epoch(control)));
    put(&peak_size, control, bytes);
    put(&threshold, control, bytes < EXACT_BELOW ? bytes : bytes + bytes / STEP_PART);
}

static int64_t smaller(uint64_t a, uint64_t b)
{
    return (int64_t)(a < b ? a : b);
}

static int64_t larger(uint64_t a, uint64_t b)
{
    return (int64_t)(a > b ? a : b);
}

/* How far the thread may go before it must flush again. */
static void set_allowance(struct thread *thread, uint64_t control, uint64_t bytes)
{
    uint64_t limit = threshold_of(control), threads = shards_active();
    uint64_t gap = limit > bytes ? limit - bytes : 0;
    if (thread->ended) { /* there may be no next time */
        thread->live_upper = thread->live_lower = 0;
    } else if (threads <= 1) {
        uint64_t step = (uint64_t)larger(limit / 512, 4096);
        thread->live_upper = smaller(gap, step);
        thread->live_lower = -(int64_t)step;
    } else {
        uint64_t step = (uint64_t)larger(limit / 1024 / threads, 64);
        thread->live_upper = smaller(gap / threads, step);
        thread->live_lower = -(int64_t)step;
    }
}

/* Keeps every second point: times stay in order at each instant, since entries only move down. */
static void halve(struct ts_moment *moments)
{
    for (uint32_t i = 0; i < TS_MOMENTS_MAX / 2; i++) {
        struct ts_moment kept = moments[2 * i + 1];
        ts_store_relaxed(&moments[i].time, 0);
        moments[i].live_size = kept.live_size;
        moments[i].live_count = kept.live_count;
        moments[i].rss = kept.rss;
        ts_store_release(&moments[i].time, kept.time);
    }
    region_header->timeline_interval *= 2;
    ts_store_release(&region_header->timeline_count, TS_MOMENTS_MAX / 2);
}

static void add_moment(uint64_t time, uint64_t bytes)
{
    struct ts_moment *moments = region_slab(TS_SLAB_TIMELINE, 0);
    uint32_t count = region_header->timeline_count;
    if (moments == NULL)
        return;
    if (count >= TS_MOMENTS_MAX) {
        halve(moments);
        count = region_header->timeline_count;
    }
    moments[count].live_size = bytes;
    moments[count].live_count = at_least_zero(value_of(ts_load_relaxed(&total_count)));
    ts_store_release(&moments[count].time, time);
    ts_store_release(&region_header->timeline_count, count + 1);
}

static void tick(uint64_t time, uint64_t bytes)
{
    uint64_t start = region_header->process.started_monotonic;
    uint32_t nobody = 0;
    if (time < ts_load_relaxed(&next_moment) || time <= start ||
        !ts_cas_acq_rel(&region_header->timeline_lock, &nobody, 1))
        return;
    if (region_header->timeline_interval == 0)
        region_header->timeline_interval = FIRST_INTERVAL;
    if (time >= ts_load_relaxed(&next_moment)) {
        add_moment(time - start, bytes);
        ts_store_relaxed(&next_moment, time + region_header->timeline_interval);
    }
    ts_store_release(&region_header->timeline_lock, 0);
}

/*
 * After a great fall the index has pages without blocks: they go back to the system. That takes a
 * look at all of the index, and a program may rise and fall all the time: it is done seldom.
 */
static void sweep(uint64_t time, uint64_t bytes)
{
    static uint64_t next;
    uint64_t was = ts_load_relaxed(&high);
    if (bytes > was) {
        ts_store_relaxed(&high, bytes);
    } else if (was > SWEEP_ABOVE && bytes < was / 2 && time >= ts_load_relaxed(&next) &&
               ts_cas_acq_rel(&high, &was, bytes)) {
        uint64_t begin = sys_clock(CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE);
        index_sweep();
        uint64_t end = sys_clock(CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE);
        ts_store_relaxed(&next, end + SWEEP_PAUSE + SWEEP_SHARE * (end - begin));
    }
}

void live_flush(struct thread *thread)
{
    uint64_t generation = TS_CONTROL_GENERATION((uint64_t)thread->live_reset << LIVE_RESET_SHIFT);
    uint64_t bytes = at_least_zero(add(&total_size, generation, thread->live_size));
    add(&total_count, generation, thread->live_count);
    thread->live_size = thread->live_count = 0;
    uint64_t control = ts_load_acquire(&region_header->control);
    if (TS_CONTROL_GENERATION(control) == generation) { /* else `bytes` are of before a `clear` */
        notice_reset(control, bytes);
        if (bytes > threshold_of(control))
            new_peak(generation);
    }
    /* Read from memory (vDSO): no system call. */
    uint64_t time = sys_clock(CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_COARSE);
    ts_store_relaxed(&region_header->gauges[TS_GAUGE_PRIVATE], memory_mapped());
    tick(time, bytes);
    sweep(time, bytes);
    set_allowance(thread, control, bytes);
}

__attribute__((noinline)) void live_noticed(struct thread *thread, uint64_t control)
{
    uint32_t was = thread->live_reset;
    uint32_t now = LIVE_RESET_PART(control);
    if (TS_CONTROL_GENERATION((uint64_t)was << LIVE_RESET_SHIFT) != TS_CONTROL_GENERATION(control))
        thread->live_size = thread->live_count = 0;
    thread->live_reset = now;
    live_flush(thread);
}

void live_forked(struct thread *thread, uint64_t size, uint64_t count)
{
    uint64_t control = region_header->control;
    uint64_t generation = TS_CONTROL_GENERATION(control);
    total_size = generation << VALUE_BITS | (size & VALUE_MASK);
    total_count = generation << VALUE_BITS | (count & VALUE_MASK);
    known_reset = control;
    high = size;
    next_moment = 0;
    threshold = peak_size = COMMAND_OF(control) << VALUE_BITS | (size & VALUE_MASK);
    thread->live_size = thread->live_count = thread->live_upper = thread->live_lower = 0;
    thread->live_reset = LIVE_RESET_PART(control);
}

void live_get(uint64_t *size, uint64_t *peak)
{
    uint64_t now = ts_load_acquire(&total_size),
             generation = TS_CONTROL_GENERATION(region_header->control);
    *size = now >> VALUE_BITS == generation ? at_least_zero(value_of(now)) : 0;
    *peak = (uint64_t)larger(*size, ts_load_relaxed(&peak_size) & VALUE_MASK);
}
