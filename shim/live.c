/*
 * The process's live total, its peak and its timeline. See live.h for the argument.
 */
#include "shim/live.h"
#include "shim/counters.h"
#include "shim/index.h"
#include "shim/region.h"

#include <time.h>

#define EXACT_BELOW 65536u
#define SIZE_BITS 48
#define SIZE_MASK ((UINT64_C(1) << SIZE_BITS) - 1)
#define FIRST_INTERVAL UINT64_C(5000000) /* ns between points of the timeline, doubled when it is full */
#define SWEEP_ABOVE (UINT64_C(16) << 20)

static uint64_t total __attribute__((aligned(64))); /* generation << 48 | live bytes; compare-and-swap */
static uint64_t total_count;                        /* live blocks, relaxed */
static uint64_t threshold;                          /* live bytes above which a new peak begins */
static uint64_t peak_size;
static uint32_t known_reset; /* generation and resets that threshold belongs to */
static uint64_t high;        /* most live bytes since the index was swept */

/* Adds a change of one generation; returns the new live bytes. A change of an older generation is lost. */
static uint64_t add_to_total(uint64_t generation, int64_t change)
{
    uint64_t old = ts_load_relaxed(&total), bytes;
    do {
        uint64_t have = old & SIZE_MASK;
        if (old >> SIZE_BITS != generation) {
            if (TS_CONTROL_GENERATION(ts_load_acquire(&region_header->control)) != generation)
                return have;
            have = 0;
            ts_store_relaxed(&total_count, 0);
        }
        bytes = change < 0 && (uint64_t)-change > have ? 0 : have + (uint64_t)change;
    } while (!ts_cas_acq_rel(&total, &old, generation << SIZE_BITS | (bytes & SIZE_MASK)));
    return bytes;
}

/* `clear` and `reset-peak` came from outside: the peak starts again from what is live. */
static void notice_reset(uint64_t control, uint64_t bytes)
{
    uint32_t now = (uint32_t)(control >> 40 & 0x7fffff);
    uint32_t known = ts_load_relaxed(&known_reset);
    if (known != now && ts_cas_acq_rel(&known_reset, &known, now)) {
        ts_store_relaxed(&threshold, bytes);
        ts_store_relaxed(&peak_size, bytes);
    }
}

static void new_peak(uint64_t bytes)
{
    uint64_t control = ts_load_acquire(&region_header->control);
    uint64_t passed = ts_load_relaxed(&threshold);
    if (bytes <= passed ||
        !ts_cas_acq_rel(&region_header->control, &control, ts_control_next_epoch(control)))
        return; /* another thread was first, or a command came: the next flush looks again */
    ts_store_relaxed(&peak_size, bytes);
    ts_store_relaxed(&threshold, bytes < EXACT_BELOW ? bytes : bytes + bytes / 256);
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
static void set_allowance(struct thread *thread, uint64_t bytes)
{
    uint64_t limit = ts_load_relaxed(&threshold), threads = shards_active();
    uint64_t gap = limit > bytes ? limit - bytes : 0;
    if (threads <= 1) {
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
    moments[count].live_count = ts_load_relaxed(&total_count);
    ts_store_release(&moments[count].time, time);
    ts_store_release(&region_header->timeline_count, count + 1);
}

/* The coarse clock is read from memory (vDSO): no system call. */
static void tick(uint64_t bytes)
{
    static uint64_t next;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    uint64_t time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint64_t start = region_header->process.started_monotonic;
    uint32_t nobody = 0;
    if (time < ts_load_relaxed(&next) || time <= start ||
        !ts_cas_acq_rel(&region_header->timeline_lock, &nobody, 1))
        return;
    if (region_header->timeline_interval == 0)
        region_header->timeline_interval = FIRST_INTERVAL;
    if (time >= ts_load_relaxed(&next)) {
        add_moment(time - start, bytes);
        ts_store_relaxed(&next, time + region_header->timeline_interval);
    }
    ts_store_release(&region_header->timeline_lock, 0);
}

/* After a great fall the index has pages without blocks: they go back to the system. */
static void sweep(uint64_t bytes)
{
    uint64_t was = ts_load_relaxed(&high);
    if (bytes > was)
        ts_store_relaxed(&high, bytes);
    else if (was > SWEEP_ABOVE && bytes < was / 2 && ts_cas_acq_rel(&high, &was, bytes))
        index_sweep();
}

void live_flush(struct thread *thread)
{
    uint64_t bytes = add_to_total(thread->live_generation, thread->live_size);
    ts_add_relaxed(&total_count, (uint64_t)thread->live_count);
    thread->live_size = thread->live_count = 0;
    notice_reset(ts_load_acquire(&region_header->control), bytes);
    if (bytes > ts_load_relaxed(&threshold))
        new_peak(bytes);
    tick(bytes);
    sweep(bytes);
    set_allowance(thread, bytes);
}

void live_forked(uint64_t size, uint64_t count)
{
    uint64_t control = region_header->control;
    total = (uint64_t)TS_CONTROL_GENERATION(control) << SIZE_BITS | (size & SIZE_MASK);
    total_count = count;
    known_reset = (uint32_t)(control >> 40 & 0x7fffff);
    peak_size = threshold = high = size;
}

void live_get(uint64_t *size, uint64_t *peak)
{
    uint64_t now = ts_load_acquire(&total), generation = TS_CONTROL_GENERATION(region_header->control);
    *size = now >> SIZE_BITS == generation ? now & SIZE_MASK : 0;
    *peak = (uint64_t)larger(*size, ts_load_relaxed(&peak_size));
}
